"""A home with customer balances and a key, its proof, and the file of one customer."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.custody.liabilities.kept import STATEMENT, customers_proof, open_kept
from junbikin.custody.liabilities.proof import Proof
from junbikin.custody.liabilities.prove import prove
from junbikin.custody.liabilities.statement import Statement, read_statement
from junbikin.custody.liabilities.tie import Tie
from junbikin.facts.datasets import dataset_named
from junbikin.facts.ingest import ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.log import read_log
from junbikin.facts.mappings import own_names
from junbikin.home import Home, create_home

DAY = date(2025, 3, 31)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRET = b"a secret of thirty-two bytes ..."
Balances = Mapping[tuple[str, str], str]
"""Account and asset → quantity."""
FEW: Balances = {
    ("ada", "BTC"): "6",
    ("ben", "BTC"): "4",
    ("ben", "JPY"): "500",
    ("cem", "BTC"): "0.25",
    ("田中", "BTC"): "0",
}


def home_with(folder: Path, balances: Balances = FEW, secret: bytes = SECRET, day: date = DAY) -> Home:
    """A home with these balances and a known secret."""
    home = create_home(folder, "Example 取引所")
    home.keys.mkdir(mode=0o700)
    (home.keys / "liabilities.secret").write_bytes(secret)
    add(home, balances, day)
    return home


def add(home: Home, balances: Balances, day: date = DAY) -> None:
    """Ingests balances, each of which must be sound."""
    file = home.path / f"balances-{len(list(home.path.glob('*.csv')))}.csv"
    rows = (f"{day},{account},{asset},{quantity}\n" for (account, asset), quantity in balances.items())
    file.write_text("as_of,account_id,asset,quantity\n" + "".join(rows), encoding="utf-8")
    dataset = dataset_named("customer_balances")
    assert ingest(home, dataset, [file], own_names(dataset)).quarantined == 0


def silent(what: str, share: float) -> None:
    """Progress that nobody sees."""


def proved(home: Home, tie: Tie | None = None, key: Ed25519PrivateKey = KEY, day: date = DAY) -> Path:
    """The folder of the proof of a day."""
    return prove(open_lake(home), day, key, None, tie, silent)


def statement_in(folder: Path) -> Statement:
    """The statement of a proof."""
    return read_statement(folder / STATEMENT)


def proof_for(home: Home, account: str, folder: Path | None = None) -> Proof:
    """A customer's proof."""
    return customers_proof(home, open_kept(folder or proved(home)), account)


def forged(home: Home, change: str) -> None:
    """Changes the only file of balances with an UPDATE of the table `b`, and the log so that it looks as if it were always so."""
    entry = read_log(home.facts)[-1]
    [segment] = entry.adds
    path = home.facts / segment.file
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE b AS FROM '{path}'")
        engine.execute(change)
        engine.execute(f"COPY b TO '{path}'")
        [(rows,)] = engine.execute("SELECT count(*) FROM b").fetchall()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    changed = dataclasses.replace(entry, adds=(dataclasses.replace(segment, sha256=digest, rows=rows),))
    log = home.facts / "log.jsonl"
    lines = log.read_bytes().splitlines()
    log.write_bytes(b"\n".join([*lines[:-1], changed.line]) + b"\n")


def units(quantity: str) -> int:
    """A quantity in units of 10^-18."""
    return int(Decimal(quantity) * 10**18)
