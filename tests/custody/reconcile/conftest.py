"""A home whose books keep customers by name, with people who can act, for each test its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from books.cast import PLACE, ROLES, assembled
from junbikin.books import server
from junbikin.books.database import make_books, open_books
from junbikin.home import CONFIG, Home, create_home, open_home
from junbikin.registry import people

from .scene import ACCOUNTS, Scene

QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


@pytest.fixture(scope="session")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The socket of one server as homes run it, for the whole run."""
    found = server.start(tmp_path_factory.mktemp("pg") / "reconcile")
    with psycopg.connect(f"postgresql://postgres@/postgres?host={found}", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {server.ROLE} LOGIN".encode())
    return found


def _with_database(path: Path, socket: Path, name: str) -> Home:
    create_home(path, "Example")
    config = path / CONFIG
    address = f"postgresql://{server.ROLE}@/{name}?host={socket}"
    config.write_text(re.sub(r'(?m)^database = ".*?"', f'database = "{address}"', config.read_text(encoding="utf-8")))
    return open_home(path)


def _new(socket: Path, template: str = "template1") -> str:
    name = "t" + uuid.uuid4().hex
    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return name


@pytest.fixture(scope="session")
def _founded(socket: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = _new(socket)
    home = _with_database(tmp_path_factory.mktemp("founded") / "home", socket, name)
    make_books(home, home.database.replace(f"{server.ROLE}@", "postgres@"))
    with pytest.MonkeyPatch.context() as patch, open_books(home) as books:
        patch.setattr(people, "_COST", QUICK)
        cast = assembled(books, ACCOUNTS)
        for place in ("vault", "kaede"):
            cast.registered("place", place, PLACE, datetime(2026, 1, 1, tzinfo=UTC))
    return name


@pytest.fixture
def scene(socket: Path, _founded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The home of a test, with its books open."""
    monkeypatch.setattr(people, "_COST", QUICK)
    home = _with_database(tmp_path / "home", socket, _new(socket, _founded))
    with open_books(home) as books:
        actors = {name: people.actor(books, name, "four words make passwords") for name in ROLES}
        yield Scene(home, books, actors, tmp_path)
