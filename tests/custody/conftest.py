"""Homes whose registry knows places and providers, from days in the past; for each module its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from books.cast import Cast, assembled
from junbikin.books import server
from junbikin.books.database import make_books, open_books
from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import ingest
from junbikin.facts.mappings import own_names
from junbikin.home import CONFIG, Home, create_home, open_home
from junbikin.registry import people

QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
"""Argon2 at its least cost: tests make many people."""


@pytest.fixture(scope="session")
def books_socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The socket of one server as homes run it, for the whole run."""
    found = server.start(tmp_path_factory.mktemp("pg") / "custody")
    with psycopg.connect(f"postgresql://postgres@/postgres?host={found}", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {server.ROLE} LOGIN".encode())
    return found


def home_with_books(folder: Path, socket: Path) -> Home:
    """A new home whose books are a new database of the server at a socket."""
    name = "t" + uuid.uuid4().hex
    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    create_home(folder, "Example")
    config = folder / CONFIG
    address = f'database = "postgresql://{server.ROLE}@/{name}?host={socket}"'
    config.write_text(re.sub(r'(?m)^database = ".*?"', address, config.read_text(encoding="utf-8")))
    home = open_home(folder)
    make_books(home, home.database.replace(f"{server.ROLE}@", "postgres@"))
    return home


@pytest.fixture(scope="module")
def founded(books_socket: Path) -> Iterator[Callable[[Path], Cast]]:
    """Makes a home with books in a folder, and everyone who acts in them; the books stay open for the module."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setattr(people, "_COST", QUICK)

        def made(folder: Path) -> Cast:
            return assembled(opened.enter_context(open_books(home_with_books(folder, books_socket))))

        yield made


def bring(home: Home, dataset: str, rows: Iterable[str], corrects: str = "") -> None:
    """Ingests rows of a dataset as a file, cells parted by commas, optional ones at the end left out; all must be sound."""
    lines = list(rows)
    names = [column.name for column in DATASETS[dataset].columns][: lines[0].count(",") + 1]
    inbox = home.path / "inbox"
    inbox.mkdir(exist_ok=True)
    file = inbox / f"{dataset}-{len(list(inbox.iterdir()))}.csv"
    file.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    receipt = ingest(home, DATASETS[dataset], [file], own_names(DATASETS[dataset]), corrects=corrects)
    assert receipt.quarantined == 0


LONG_AGO = datetime(2020, 5, 1, tzinfo=UTC)


def place(cast: Cast, name: str, storage: str, provider: str = "", at: datetime = LONG_AGO) -> None:
    """Registers a place from an instant on."""
    says = {
        "name": f"The {name}",
        "kind": "deposit" if storage in ("trust", "bank") else "crypto",
        "dedicated": True,
        "on_trust": storage == "trust",
        "jurisdiction": "JP",
        "realisable_days": "1",
        "storage": storage,
    }
    cast.registered("place", name, says | ({"provider": provider} if provider else {}), at)


def provider(cast: Cast, id: str, until: str, at: datetime = LONG_AGO, **says: str) -> None:
    """Registers a provider that was checked until a day, from an instant on."""
    fixed = {"service": "custody", "due_diligence_on": "2020-05-01", "contract": "of 2020", "fallback": "self"}
    cast.registered("provider", id, {"name": f"{id} kk", **fixed, "due_diligence_until": until, **says}, at)


def set_to(home: Home, setting: str, value: str) -> Home:
    """The home with one setting written anew, as TOML."""
    config = home.path / CONFIG
    text, count = re.subn(rf"(?m)^{setting} = .*?( +#.*)?$", f"{setting} = {value}", config.read_text(encoding="utf-8"))
    assert count == 1
    config.write_text(text, encoding="utf-8")
    return open_home(home.path)
