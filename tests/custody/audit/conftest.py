"""Three days of an exchange, packed for its auditor; each test has a copy of the pack to itself."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from books.cast import assembled
from junbikin.books import server
from junbikin.books.database import make_books, open_books
from junbikin.home import CONFIG, create_home, open_home
from junbikin.registry import people

from .exchange import Exchange, built

QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
"""Argon2 at its least cost: tests make many people."""


@pytest.fixture(scope="session")
def exchange(books_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The exchange, its books open; no test changes it."""
    name, folder = "t" + uuid.uuid4().hex, tmp_path_factory.mktemp("audited") / "home"
    with psycopg.connect(f"postgresql://postgres@/postgres?host={books_socket}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    create_home(folder, "Example")
    config = folder / CONFIG
    address = f'database = "postgresql://{server.ROLE}@/{name}?host={books_socket}"'
    config.write_text(re.sub(r'(?m)^database = ".*?"', address, config.read_text(encoding="utf-8")))
    home = open_home(folder)
    make_books(home, home.database.replace(f"{server.ROLE}@", "postgres@"))
    with pytest.MonkeyPatch.context() as patch, open_books(home) as books:
        patch.setattr(people, "_COST", QUICK)
        yield built(assembled(books))


@pytest.fixture(scope="session")
def _packed(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "pack"
    exchange.packed(folder)
    return folder


@pytest.fixture(scope="session")
def _packed_whole(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "whole"
    exchange.packed(folder, whole_log=True)
    return folder


@pytest.fixture
def pack(_packed: Path, tmp_path: Path) -> Path:
    """The pack as it is handed over."""
    shutil.copytree(_packed, tmp_path / "pack")
    return tmp_path / "pack"


@pytest.fixture
def whole(_packed_whole: Path, tmp_path: Path) -> Path:
    """The pack with the whole log."""
    shutil.copytree(_packed_whole, tmp_path / "whole")
    return tmp_path / "whole"
