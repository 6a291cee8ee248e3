"""Opening a home's books: its own server or any PostgreSQL, checked for its version, with errors that people understand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, func, make_url, select, text
from sqlalchemy.exc import DBAPIError

from junbikin.books import server
from junbikin.books.migrate import migrate, revisions
from junbikin.books.schema import SCHEMA
from junbikin.errors import BooksProblem, BooksRefused, JunbikinError
from junbikin.home import Home

OWN = "own"
"""The value of the setting `database` for which the home runs its own server."""


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
        try:
            connection: Any = pooled.driver_connection
            connection.autocommit = True
            yield connection
        finally:
            if not connection.closed:
                connection.autocommit = False
            pooled.close()


def has_books(home: Home) -> bool:
    """Whether the home keeps books: its own are made, or a database is named."""
    return home.database != OWN or (home.books / "PG_VERSION").exists()


@contextmanager
def open_books(home: Home) -> Iterator[Books]:
    """The home's books. Raises `BooksProblem` when there are none, they are out of reach, or of another version."""
    if not has_books(home):
        raise BooksProblem(
            "this home has no books yet", where=str(home.path), then="make them with `junbikin books migrate`"
        )
    engine = _engine(_url(home))
    try:
        with telling(home):
            _check_version(home, engine)
            yield Books(home, engine)
    finally:
        engine.dispose()


def make_books(home: Home, owner: str = "") -> str:
    """Makes the books or brings them to this version, and returns its revision.

    A home's own server is made and migrated by itself. For another database `owner` is the URL of the role that
    shall own the books; the role of the setting `database` gets what it needs and no more.
    """
    app = server.ROLE
    if home.database == OWN:
        home.books.parent.mkdir(parents=True, exist_ok=True)
        url = _socket_url(server.start(home.books), "postgres")
    elif owner:
        url, app = _given(owner, "--owner"), _given(home.database, "the setting database").username or ""
    else:
        raise BooksProblem(
            "books in another database are made by their owner", where=str(home.path / "junbikin.toml"),
            then="give the owner's address with --owner postgresql://…; the setting database is the address that is used afterwards",
        )  # fmt: skip
    engine = _engine(url)
    try:
        with telling(home):
            if home.database == OWN:
                _make_role(engine)
            _check_server(engine)
            _check_not_newer(home, engine)
            migrate(engine, app)
    finally:
        engine.dispose()
    return revisions()[-1]


def _make_role(engine: Engine) -> None:
    with engine.begin() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": server.ROLE}):
            connection.execute(text(f"CREATE ROLE {server.ROLE} LOGIN"))


def _engine(url: URL) -> Engine:
    return create_engine(url, connect_args={"connect_timeout": 10, "options": "-c timezone=UTC"}, pool_pre_ping=False)


def _url(home: Home) -> URL:
    if home.database == OWN:
        return _socket_url(server.start(home.books), server.ROLE)
    return _given(home.database, "the setting database")


def _socket_url(socket: Path, user: str) -> URL:
    return URL.create("postgresql+psycopg", user, database="postgres", query={"host": str(socket)})


def _given(address: str, where: str) -> URL:
    try:
        return make_url(address).set(drivername="postgresql+psycopg")
    except Exception as problem:
        raise BooksProblem(
            "this is no address of a database", where=where, then='write "postgresql://user@host:port/name"'
        ) from problem


def _check_server(engine: Engine) -> None:
    with engine.connect() as connection:
        version = connection.scalar(text("SHOW server_version_num"))
    if int(version or 0) < 150000:
        raise BooksProblem("the database server is older than PostgreSQL 15", then="use PostgreSQL 15 or newer")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.alembic_version')")) is None:
            return None
        return str(connection.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version")))


def _check_not_newer(home: Home, engine: Engine) -> None:
    found = _revision(engine)
    if found is not None and found not in revisions():
        raise BooksProblem(
            f"the books are of a newer version ({found}) than this junbikin knows ({revisions()[-1]})", where=_where(home),
            then="use the junbikin that made them, or a newer one; nothing was changed",
        )  # fmt: skip


def _check_version(home: Home, engine: Engine) -> None:
    _check_not_newer(home, engine)
    found = _revision(engine)
    if found is None:
        raise BooksProblem(
            "there are no books in this database", where=_where(home), then="make them with `junbikin books migrate`"
        )
    if found != revisions()[-1]:
        raise BooksProblem(
            f"the books are of an older version ({found}; this is {revisions()[-1]})", where=_where(home),
            then="take a backup with the junbikin that made them, then run `junbikin books migrate`",
        )  # fmt: skip


def _where(home: Home) -> str:
    return str(home.books) if home.database == OWN else _given(home.database, "").render_as_string(hide_password=True)


@contextmanager
def telling(home: Home) -> Iterator[None]:
    """Turns what the database says into words for people: its refusals, and what keeps it from working."""
    try:
        yield
    except DBAPIError as problem:
        original = problem.orig
        if isinstance(original, psycopg.Error):
            raise told(home, original) from problem
        raise
    except psycopg.Error as problem:
        raise told(home, problem) from problem


def told(home: Home, problem: psycopg.Error) -> JunbikinError:
    """The error in our words."""
    diag = problem.diag
    if diag.sqlstate == "JB001":
        return BooksRefused(
            diag.message_primary or "",
            where=diag.message_detail or "",
            then=diag.message_hint or "see the documentation",
        )
    where = _where(home)
    for kind, what, then in _PROBLEMS:
        if isinstance(problem, kind):
            return BooksProblem(what, where=where, then=then)
    if diag.sqlstate is None:
        return BooksProblem(
            f"the database cannot be reached: {str(problem).splitlines()[0]}", where=where,
            then="see that it runs and that the setting database is right; run the same command again: the same key posts nothing twice",
        )  # fmt: skip
    if diag.sqlstate.startswith("42"):  # a statement of ours that it does not understand
        return JunbikinError(
            f"the database does not understand us: {diag.message_primary}", where=where, then="please report this"
        )
    return BooksRefused(f"the database refuses: {diag.message_primary}", where=where, then="correct what it names")


_PROBLEMS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (psycopg.errors.DiskFull, "the disk of the database is full; nothing was half done", "free space, then run the same command again"),
    (psycopg.errors.InsufficientPrivilege, "this role may not do that", "use the functions of the books; see docs/books.md"),
    (psycopg.errors.AdminShutdown, "the database was shut down meanwhile; nothing was half done", "start it, then run the same command again"),
    (psycopg.errors.CrashShutdown, "the database failed meanwhile; nothing was half done", "run the same command again"),
    (psycopg.errors.CannotConnectNow, "the database is starting or stopping", "wait a moment, then run the same command again"),
    (psycopg.errors.UniqueViolation, "someone recorded the same key at the same time", "run the same command again: it says what became of it"),
    (psycopg.errors.InvalidPassword, "the database refuses the password", "correct the address, or set PGPASSWORD"),
)  # fmt: skip
