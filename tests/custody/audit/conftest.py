"""Three days of an exchange, packed for its auditor; each test has a copy of the pack to itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from books.cast import assembled
from junbikin.books.database import open_books
from junbikin.registry import people

from ..conftest import QUICK, home_with_books
from .exchange import Exchange, built


@pytest.fixture(scope="session")
def exchange(books_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The exchange, its books open; no test changes it."""
    home = home_with_books(tmp_path_factory.mktemp("audited") / "home", books_socket)
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
