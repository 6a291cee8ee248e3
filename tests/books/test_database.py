"""Opening books in any database: what is wrong is said in clear words, and nothing is opened that could lose what it acknowledged."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from junbikin.books import database
from junbikin.books.database import Books, make_books, open_books, telling
from junbikin.books.migrate import migrate, revisions
from junbikin.errors import BooksProblem, BooksRefused
from junbikin.home import Home, create_home

from .cast import assembled
from .conftest import with_database
from .servers import APP, OWNER, PASSWORDS, Server, free_port
from .test_migrations import engine_of

tcp_only = pytest.mark.parametrize("empty", ["tcp"], indirect=True)


@pytest.fixture
def superuser(over_tcp: Server) -> Iterator[psycopg.Connection]:
    """The administrator of the server over TCP."""
    with psycopg.connect(over_tcp.address("postgres"), autocommit=True) as connection:
        yield connection


def refused(home: Home, message: str) -> BooksProblem:
    """What opening a home's books is refused with."""
    with pytest.raises(BooksProblem, match=message) as caught, open_books(home):
        pass
    assert caught.value.where
    assert caught.value.then
    assert PASSWORDS[APP] not in str(caught.value)
    assert "%27s%20own" not in str(caught.value)
    return caught.value


ADDRESSES: dict[str, tuple[Callable[[str], str], str]] = {
    "wrong password": (lambda a: a.replace("application", "other"), r"refuses this role or its password \(.*books_app"),
    "no password": (lambda a: a.replace(":application%27s%20own@", "@"), "asks for a password"),
    "unknown role": (lambda a: a.replace(APP, "stranger"), r"refuses this role or its password \(.*stranger"),
    "unknown database": (lambda a: a.rsplit("/", 1)[0] + "/nothing", "no database of this name"),
    "nobody there": (lambda a: a.replace(str(make_url(a).port), str(free_port())), "no database server answers"),
    "unknown host": (lambda a: a.replace("127.0.0.1", "nowhere.invalid"), "no such host"),
    "no role": (lambda a: "postgresql://" + a.split("@")[1], "names no role"),
    "no database": (lambda a: a.rsplit("/", 1)[0], "names no role or no database"),
    "no address": (lambda a: "postgresql://a@b:port/c", "no address of a database"),
}


@tcp_only
@pytest.mark.parametrize("case", ADDRESSES)
def test_an_address_that_leads_nowhere_is_said_to(case: str, home: Home) -> None:
    changed, message = ADDRESSES[case]
    refused(with_database(home, changed(home.database)), message)


@tcp_only
def test_the_password_may_come_from_the_environment_or_a_password_file(
    home: Home, over_tcp: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    bare = with_database(home, home.database.replace(":application%27s%20own@", "@"))
    with monkeypatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORDS[APP])
        with open_books(bare) as books:
            assert books.call("instant", datetime(2026, 4, 1, tzinfo=UTC)) == "2026-04-01T00:00:00.000000Z"
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{over_tcp.port}:*:{APP}:{PASSWORDS[APP]}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with open_books(bare) as books:
        assert books.engine.url.password is None


def test_a_database_without_books_says_how_to_make_them(empty: Home) -> None:
    assert "junbikin books migrate" in refused(empty, "there are no books in this database").then


def test_a_home_without_books_says_how_to_make_them(tmp_path: Path) -> None:
    assert "junbikin books migrate" in refused(create_home(tmp_path / "home"), "this home has no books yet").then


@tcp_only
def test_a_role_without_rights_is_told_who_gives_them(home: Home, owner: psycopg.Connection) -> None:
    owner.execute(f"REVOKE ALL ON SCHEMA books FROM {APP}".encode())
    assert "migrate --owner" in refused(home, f"the role {APP} has no rights on the books").then


@tcp_only
@pytest.mark.parametrize("role", [OWNER, "postgres"])
def test_a_role_that_could_write_past_the_rules_is_refused(role: str, home: Home, over_tcp: Server) -> None:
    name = str(make_url(home.database).database)
    refused(with_database(home, over_tcp.address(role, name)), f"the role {role} could write past the rules")


@tcp_only
def test_books_elsewhere_need_their_owner_once(empty: Home, owner_address: str, over_tcp: Server) -> None:
    with pytest.raises(BooksProblem, match=r"made by their owner.*\n.*\n.*--owner"):
        make_books(empty)
    with pytest.raises(BooksProblem, match=f"the role {APP} cannot both own the books and use them"):
        make_books(empty, empty.database)
    with pytest.raises(BooksProblem, match=r"refuses this role or its password.*\n.*:\*\*\*@"):
        make_books(empty, owner_address.replace("owner%27s", "other"))
    stranger = with_database(empty, empty.database.replace(APP, "stranger"))
    with pytest.raises(BooksProblem, match="there is no role stranger that could use the books"):
        make_books(stranger, owner_address)


@tcp_only
def test_an_owner_who_may_make_nothing_is_told_so(
    empty: Home, owner_address: str, superuser: psycopg.Connection
) -> None:
    superuser.execute(f'ALTER DATABASE "{make_url(empty.database).database}" OWNER TO postgres'.encode())
    with pytest.raises(BooksProblem, match=r"this role may not do that .*permission denied for database"):
        make_books(empty, owner_address)


def test_what_the_documentation_asks_of_an_administrator_is_enough(
    over_tcp: Server, superuser: psycopg.Connection, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "home.md").read_text(encoding="utf-8")
    [statements] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    for statement in statements.split(";"):
        superuser.execute(statement.encode())
    host = f"127.0.0.1:{over_tcp.port}/junbikin"
    home = with_database(create_home(tmp_path / "home"), f"postgresql://junbikin_app:another%20password@{host}")
    assert make_books(home, f"postgresql://junbikin_owner:one%20password@{host}") == revisions()[-1]
    with open_books(home) as books:
        assembled(books).pay_in("own/JPY/bank", 1)


def test_books_of_a_newer_version_are_left_alone(home: Home, owner: psycopg.Connection, owner_address: str) -> None:
    owner.execute("UPDATE books.alembic_version SET version_num = '9999'")
    refused(home, r"of a newer version \(9999\)")
    with pytest.raises(BooksProblem, match=r"of a newer version \(9999\)"):
        make_books(home, owner_address)


def test_books_of_an_older_version_say_how_to_bring_them_to_this_one(empty: Home, owner_address: str) -> None:
    migrate(engine_of(owner_address), str(make_url(empty.database).username), revisions()[0])
    assert "junbikin books migrate" in refused(empty, f"of an older version .{revisions()[0]}; this is").then


def test_a_server_that_is_too_old_is_refused(home: Home, owner_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_OLDEST", 990000)
    refused(home, r"is PostgreSQL 1\d.*, older than 99")
    with pytest.raises(BooksProblem, match="older than 99"):
        make_books(home, owner_address)


@tcp_only
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_could_lose_what_it_acknowledged_is_refused(
    setting: str, home: Home, superuser: psycopg.Connection
) -> None:
    superuser.execute(f"ALTER SYSTEM SET {setting} = off".encode())
    try:
        reloaded(superuser, setting, "off")
        refused(home, f"runs with {setting} = off")
    finally:
        superuser.execute(f"ALTER SYSTEM RESET {setting}".encode())
        reloaded(superuser, setting, "on")
    with open_books(home):
        pass


def reloaded(superuser: psycopg.Connection, setting: str, value: str) -> None:
    """Waits until the server has read its settings again."""
    superuser.execute("SELECT pg_reload_conf()")
    for _ in range(200):
        if superuser.execute(f"SHOW {setting}".encode()).fetchall() == [(value,)]:
            return
        time.sleep(0.02)
    pytest.fail(f"{setting} never became {value}")


@tcp_only
def test_a_database_that_is_not_in_utf8_is_refused(home: Home, over_tcp: Server, superuser: psycopg.Connection) -> None:
    name = "t" + uuid.uuid4().hex
    superuser.execute(f"CREATE DATABASE {name} OWNER {OWNER} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0".encode())
    with pytest.raises(BooksProblem, match="the database is in LATIN1, not in UTF-8"):
        make_books(with_database(home, over_tcp.address(APP, name)), over_tcp.address(OWNER, name))


def test_what_is_acknowledged_is_on_disk_whatever_a_session_asks_for(books: Books) -> None:
    cast = assembled(books)
    with psycopg.connect(books.home.database, options="-c synchronous_commit=off") as connection:
        assert connection.execute("SHOW synchronous_commit").fetchall() == [("off",)]
        connection.execute("SELECT books.freeze(%s, %s, 'own/JPY/bank', 'test')", (cast.ada.name, cast.ada.secret))
        assert connection.execute("SHOW synchronous_commit").fetchall() == [("on",)]
    with books.driver() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchall() == [("on",)]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("statement_timeout=50", "the database gave up, and nothing was half done: canceling statement due to statement timeout"),
        ("lock_timeout=50", "the database gave up, and nothing was half done: canceling statement due to lock timeout"),
        ("default_transaction_read_only=on", "this database is a copy that is only read"),
    ],
)  # fmt: skip
def test_what_keeps_a_call_from_ending_is_said_and_it_can_be_made_again(
    setting: str, message: str, books: Books, owner: psycopg.Connection
) -> None:
    cast = assembled(books)
    freezing = "SELECT books.freeze(%s, %s, 'own/JPY/bank', 'test')", (cast.ada.name, cast.ada.secret)
    address = books.home.database
    with owner.transaction():
        owner.execute("LOCK TABLE books.records IN ACCESS EXCLUSIVE MODE" if "timeout" in setting else "SELECT 1")
        with (
            pytest.raises(BooksProblem, match=message),
            telling(books.home),
            psycopg.connect(address, options=f"-c {setting}") as connection,
        ):
            connection.execute(*freezing)
    with psycopg.connect(address) as connection:
        assert connection.execute(*freezing).fetchall()


def test_a_clock_that_went_back_is_named_and_nothing_is_recorded_until_it_is_right(
    books: Books, owner: psycopg.Connection
) -> None:
    cast = assembled(books)
    owner.execute("ALTER TABLE books.strands DISABLE TRIGGER USER")
    owner.execute("UPDATE books.strands SET recorded_at = recorded_at + interval '100 years'")
    with pytest.raises(
        BooksRefused, match=r"the clock of the database went back.*\n.*the last record is of 21.*\n.*set the clock"
    ):
        cast.pay_in("own/JPY/bank", 5)
    owner.execute("UPDATE books.strands SET recorded_at = recorded_at - interval '100 years'")
    owner.execute("ALTER TABLE books.strands ENABLE TRIGGER USER")
    cast.pay_in("own/JPY/bank", 5)
    assert owner.execute("SELECT count(*) FROM books.records WHERE kind = 'batch'").fetchall() == [(1,)]
