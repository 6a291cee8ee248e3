"""Opening a home's books: its own server or any PostgreSQL, checked before anything is read or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, func, select, text

from junbikin.books import server
from junbikin.books.migrate import lock_owners, migrate, revisions
from junbikin.books.problems import OWN, given, place, shown, telling
from junbikin.books.schema import SCHEMA
from junbikin.errors import BooksProblem
from junbikin.home import Home

__all__ = ["OWN", "Books", "has_books", "make_books", "open_books", "owned", "telling"]

_OLDEST = 150000  # as `server_version_num` says it

_OPTIONS = "-c timezone=UTC -c synchronous_commit=on"

_KEEPALIVE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds after which a host that fell silent is given up; one that works on a long call still answers for itself."""


@dataclass(frozen=True, slots=True)
class Books:
    """A home's books, opened. Reads are SQLAlchemy Core on `engine`; what changes them goes through `call`."""

    home: Home
    engine: Engine

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function of the books returns, as one transaction. Raises `BooksRefused` with the books' own words."""
        with telling(self.home), self.engine.begin() as connection:
            return connection.scalar(select(getattr(getattr(func, SCHEMA), function)(*arguments)))

    @contextmanager
    def driver(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the driver itself, for what passes whole columns; each statement is its own transaction."""
        pooled = self.engine.raw_connection()
        connection: Any = pooled.driver_connection
        try:
            connection.autocommit = True
            yield connection
        finally:
            if connection.closed:  # lost; the others of the pool most likely with it
                pooled.invalidate()
                self.engine.dispose()
            else:
                connection.autocommit = False
                pooled.close()


def has_books(home: Home) -> bool:
    """Whether the home keeps books: its own are made, or a database is named."""
    try:
        return home.database != OWN or (home.books / "PG_VERSION").exists()
    except PermissionError:
        return True  # another user's: opening them says so


@contextmanager
def open_books(home: Home) -> Iterator[Books]:
    """The home's books. Raises `BooksProblem` when there are none, they are out of reach, or of another version."""
    if not has_books(home):
        raise BooksProblem(
            "this home has no books yet", where=str(home.path), then="make them with `junbikin books migrate`"
        )
    engine = _engine(home, _application(home))
    try:
        with telling(home):
            _check_server(engine, place(home))
            _check_schema(home, engine)
        yield Books(home, engine)
    finally:
        engine.dispose()


def make_books(home: Home, owner: str = "") -> str:
    """Makes the books or brings them to this version, and returns its revision.

    A home's own server is made and migrated by itself. For another database `owner` is the URL of the role that
    shall own the books; the role of the setting `database` gets what it needs and no more.
    """
    with owned(home, owner) as (engine, app):
        _check_not_newer(engine, place(home))
        migrate(engine, app)
    with open_books(home):  # the application's own address works too
        return revisions()[-1]


@contextmanager
def owned(home: Home, owner: str = "") -> Iterator[tuple[Engine, str]]:
    """The database as its owner sees it, whether it has books or not, and the role that the application uses.

    Raises `BooksProblem` when the owner's address is missing where it is needed, or one of the two roles will not do.
    """
    app = _application(home)
    if home.database == OWN:
        url = app.set(username="postgres")
        home.books.parent.mkdir(parents=True, exist_ok=True)
    elif owner:
        url = given(owner, "--owner")
    else:
        raise BooksProblem(
            "books in another database are made by their owner", where=str(home.path / "junbikin.toml"),
            then="give the owner's address with --owner postgresql://…; the setting database is the address that is used afterwards",
        )  # fmt: skip
    if url.username == app.username:
        raise BooksProblem(
            f"the role {app.username} cannot both own the books and use them: an owner is not bound by their rules",
            where=place(home), then="name another role in the setting database; see “The books' database” in docs/home.md",
        )  # fmt: skip
    where = place(home) if home.database == OWN else shown(url)
    engine = _engine(home, url)
    try:
        with telling(home, where):
            _check_server(engine, where)
            _have_role(home, engine, app)
            yield engine, str(app.username)
    finally:
        engine.dispose()


def _application(home: Home) -> URL:
    if home.database == OWN:
        return URL.create("postgresql+psycopg", server.ROLE, port=server.PORT, database="postgres")
    return given(home.database, "the setting database")


def _engine(home: Home, url: URL) -> Engine:
    engine = create_engine(url, connect_args={**_KEEPALIVE, "options": _OPTIONS})
    if home.database == OWN:

        @event.listens_for(engine, "do_connect")
        def _(_dialect: object, _record: object, _words: object, address: dict[str, Any]) -> None:
            address["host"] = str(server.start(home.books))  # also when it failed since the last connection

    return engine


def _have_role(home: Home, engine: Engine, app: URL) -> None:
    with engine.begin() as connection:
        lock_owners(connection)
        if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": app.username}):
            return
        if home.database != OWN:
            raise BooksProblem(
                f"there is no role {app.username} that could use the books", where="the setting database",
                then="let the server's administrator make it; see “The books' database” in docs/home.md",
            )  # fmt: skip
        connection.execute(text(f"CREATE ROLE {server.ROLE} LOGIN"))


def _check_server(engine: Engine, where: str) -> None:
    """The server is new enough, and keeps what it has acknowledged."""
    names = ("server_version_num", "server_version", "fsync", "full_page_writes", "server_encoding")
    with engine.connect() as connection:
        said = dict(zip(names, connection.execute(select(*map(func.current_setting, names))).one(), strict=True))
    if int(said["server_version_num"]) < _OLDEST:
        raise BooksProblem(
            f"the database server is PostgreSQL {said['server_version']}, older than {_OLDEST // 10000}",
            where=where, then=f"use PostgreSQL {_OLDEST // 10000} or newer",
        )  # fmt: skip
    for setting in ("fsync", "full_page_writes"):
        if said[setting] != "on":
            raise BooksProblem(
                f"the database server runs with {setting} = {said[setting]}: a power cut could take what it has acknowledged",
                where=where, then=f"set {setting} = on in postgresql.conf and reload it; nothing was changed",
            )  # fmt: skip
    if said["server_encoding"] != "UTF8":
        raise BooksProblem(
            f"the database is in {said['server_encoding']}, not in UTF-8", where=where,
            then="make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )  # fmt: skip


def revision_of(engine: Engine) -> str | None:
    """The revision of the books in a database, or None when it has none."""
    with engine.connect() as connection:
        if connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.alembic_version')")) is None:
            return None
        return str(connection.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version")))


def _check_not_newer(engine: Engine, where: str) -> None:
    found = revision_of(engine)
    if found is not None and found not in revisions():
        raise BooksProblem(
            f"the books are of a newer version ({found}) than this junbikin knows ({revisions()[-1]})", where=where,
            then="use the junbikin that made them, or a newer one; nothing was changed",
        )  # fmt: skip


def _check_schema(home: Home, engine: Engine) -> None:
    """The books are there, of this version, and this role may use them but not write past their rules."""
    where = place(home)
    with engine.connect() as connection:
        rights = text(
            f"SELECT CASE WHEN to_regnamespace('{SCHEMA}') IS NOT NULL THEN has_schema_privilege('{SCHEMA}', 'USAGE') END"
        )
        if connection.scalar(rights) is False:
            raise BooksProblem(
                f"the role {engine.url.username} has no rights on the books", where=where,
                then="let the owner run `junbikin books migrate --owner postgresql://…`, which gives this role what it needs",
            )  # fmt: skip
    _check_not_newer(engine, where)
    found = revision_of(engine)
    if found is None:
        raise BooksProblem(
            "there are no books in this database", where=where, then="make them with `junbikin books migrate`"
        )
    if found != revisions()[-1]:
        raise BooksProblem(
            f"the books are of an older version ({found}; this is {revisions()[-1]})", where=where,
            then="take a backup with the junbikin that made them, then run `junbikin books migrate`",
        )  # fmt: skip
    with engine.connect() as connection:
        if connection.scalar(
            text(f"SELECT has_table_privilege('{SCHEMA}.records', 'INSERT, UPDATE, DELETE, TRUNCATE')")
        ):
            raise BooksProblem(
                f"the role {engine.url.username} could write past the rules of the books", where=where,
                then="name a role that neither owns the books nor is a superuser; see “The books' database” in docs/home.md",
            )  # fmt: skip
