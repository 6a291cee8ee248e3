"""Books for tests, on both kinds of server: the home's own program, and another version over TCP with a password."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from junbikin.books import server as own
from junbikin.books.database import Books, make_books, open_books
from junbikin.home import CONFIG, Home, create_home, open_home
from junbikin.registry import people

from .servers import APP, OWNER, Server, tcp_server


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 at its least cost: tests make many people."""
    monkeypatch.setattr(people, "_COST", {"time_cost": 1, "memory_cost": 8, "parallelism": 1})


@pytest.fixture(scope="session")
def over_tcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server over TCP for the whole run."""
    with tcp_server(tmp_path_factory.mktemp("pg") / "tcp") as server:
        yield server


@pytest.fixture(scope="session")
def own_socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The socket of one server as homes run it, for the whole run."""
    socket = own.start(tmp_path_factory.mktemp("pg") / "own")
    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {own.ROLE} LOGIN".encode())
    return socket


def with_database(home: Home, address: str) -> Home:
    """The home with another setting `database`."""
    config = home.path / CONFIG
    config.write_text(
        re.sub(r'(?m)^database = ".*?"', f'database = "{address}"', config.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    return open_home(home.path)


@pytest.fixture(params=["own", "tcp"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """A new home whose database, on either server, has no books yet."""
    name = "t" + uuid.uuid4().hex
    fresh = create_home(tmp_path / "home", "Example")
    if request.param == "own":
        socket = request.getfixturevalue("own_socket")
        with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return with_database(fresh, f"postgresql://{own.ROLE}@/{name}?host={socket}")
    server: Server = request.getfixturevalue("over_tcp")
    server.new_database(name)
    return with_database(fresh, server.address(APP, name))


@pytest.fixture
def owner_address(empty: Home) -> str:
    """The address of the role that owns the database of `empty`."""
    if own.ROLE in empty.database:
        return empty.database.replace(f"{own.ROLE}@", "postgres@")
    return re.sub(rf"{APP}:[^@]*@", lambda _: f"{OWNER}:owner%27s%20own@", empty.database)


@pytest.fixture
def home(empty: Home, owner_address: str) -> Home:
    """A new home with empty books, in a new database of either server."""
    make_books(empty, owner_address)
    return empty


@pytest.fixture
def books(home: Home) -> Iterator[Books]:
    """The home's books, opened."""
    with open_books(home) as opened:
        yield opened


@pytest.fixture
def owner(home: Home, owner_address: str) -> Iterator[psycopg.Connection]:
    """A connection of the role that owns the books: an attacker with the keys of the database."""
    with psycopg.connect(owner_address, autocommit=True) as connection:
        yield connection
