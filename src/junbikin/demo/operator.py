"""The example operator: its home is made, its sources are written and ingested."""

from __future__ import annotations

from pathlib import Path

from junbikin.custody.evidence.ingested import keep_ingested
from junbikin.demo.customers import write_balances, write_holdings, write_past_balances, write_statements
from junbikin.demo.instructions import write_instructions
from junbikin.demo.market import market
from junbikin.demo.noise import Noise
from junbikin.demo.registers import write_prices, write_registers
from junbikin.demo.trades import write_trades
from junbikin.facts.datasets import dataset_named
from junbikin.facts.engine import connect
from junbikin.facts.ingest import ingest
from junbikin.facts.mappings import own_names
from junbikin.facts.run import Progress
from junbikin.home import CONFIG, Home, create_home, open_home

NAME = "Aozora Crypto (invented example / 架空の例)"
SEED = 20260331
LATER = "later"
"""Folder of a home for what comes in after its day, and is not ingested."""
CORRECTED = "payout-instructions-corrected.csv"


def build(path: Path, seed: int = SEED, progress: Progress = lambda what, share: None) -> Home:
    """The example operator's home, made at `path`. Raises `HomeProblem` when there is a home already."""
    home = _invented_home(path)
    folder, later = path / "sources", path / LATER
    folder.mkdir(exist_ok=True)
    later.mkdir(exist_ok=True)
    for dataset, files in _write_sources(home, folder, later, seed, progress).items():
        known = dataset_named(dataset)
        receipt = ingest(home, known, files, own_names(known), progress=progress)
        if dataset == "statements":
            keep_ingested(home, receipt.entry, files)
    return home


def _invented_home(path: Path) -> Home:
    create_home(path, NAME)
    with (path / CONFIG).open("a", encoding="utf-8") as config:
        config.write("\ninvented = true                 # an example: no figure of it is real\n")
    return open_home(path)


def _write_sources(home: Home, folder: Path, later: Path, seed: int, progress: Progress) -> dict[str, list[Path]]:
    """Writes what such a firm would export; returns the files of each dataset. What comes in after the day goes to `later`."""
    progress("inventing", 0.0)
    known = market(seed)
    engine = connect(home.memory_limit)
    try:
        noise = Noise(engine, seed)
        sources = {"trades": write_trades(engine, noise, known, folder, progress)}
        today = write_balances(engine, noise, known, folder)
        sources["customer_balances"] = [write_past_balances(engine, noise, folder), today]
        sources["holdings"] = [write_holdings(engine, folder)]
        sources["statements"] = [write_statements(engine, folder)]
        sources["payout_instructions"] = [write_instructions(engine, noise, folder, later / CORRECTED)]
    finally:
        engine.close()
    sources["prices"] = [write_prices(known, folder)]
    return sources | write_registers(folder)
