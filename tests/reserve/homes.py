"""Small real homes: tables as text, ingested as files, assessed as an operator would."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from junbikin.facts.datasets import dataset_named
from junbikin.facts.ingest import Receipt, ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.mappings import own_names
from junbikin.figures import Figure
from junbikin.findings import Finding
from junbikin.home import CONFIG, Home, create_home, open_home
from junbikin.reserve.assess import assess
from junbikin.reserve.position import Position
from junbikin.reserve.resources import Item
from junbikin.rulebooks.load import load_rulebook

DAY = date(2025, 3, 31)
"""The last day of fiscal year 2024, a Monday; the business days after it are 1 and 2 April."""

BALANCES = """
as_of      account_id asset quantity
2025-03-31 ada        BTC   6
2025-03-31 ben        BTC   4
2025-03-31 ben        JPY   500
"""

HOLDINGS = """
as_of      location_id asset quantity owner    storage
2025-03-31 vault       BTC   9.6      customer cold
2025-03-31 online      BTC   0.4      customer hot
2025-03-31 own         BTC   100      own      cold
"""

PRICES = """
asset quote at                        price    source
BTC   JPY   2025-03-31T09:00:00+09:00 10000000 ours
"""
"""Customers are owed 10 BTC, ¥100m: ¥96m of it in cold storage, ¥4m not."""

ASSETS = "as_of asset_id kind asset quantity held_at dedicated on_trust jurisdiction realisable_days"
POLICIES = (
    "as_of policy_id insurer approved_on effective_from effective_to causes storages remaining_jpy deductible_jpy"
)
ALL_CAUSES = "hack|unauthorised_outflow|fraud|system_failure"

# Under the candidate so small a business needs its floor, ¥2,000,000,000.
FLOOR = 2_000_000_000


def make(folder: Path, **tables: str) -> Home:
    """A new home with these datasets in it."""
    home = create_home(folder, "Example")
    add(home, **tables)
    return home


def add(home: Home, **tables: str) -> None:
    """Ingests each table, every row of which must be sound."""
    for name, text in tables.items():
        assert put(home, name, text).quarantined == 0


def put(home: Home, name: str, text: str, corrects: str = "") -> Receipt:
    """Ingests a table as a file: cells parted by blanks, `-` for an empty one."""
    lines = [["" if cell == "-" else cell for cell in line.split()] for line in text.strip().splitlines()]
    inbox = home.path / "inbox"
    inbox.mkdir(exist_ok=True)
    file = inbox / f"{name}-{len(list(inbox.iterdir()))}.csv"
    file.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    dataset = dataset_named(name)
    return ingest(home, dataset, [file], own_names(dataset), corrects=corrects)


def with_setting(home: Home, setting: str, value: str) -> Home:
    """The home with one setting written anew, as TOML."""
    config = home.path / CONFIG
    text, count = re.subn(rf"(?m)^{setting} = .*$", f"{setting} = {value}", config.read_text(encoding="utf-8"))
    assert count == 1
    config.write_text(text, encoding="utf-8")
    return open_home(home.path)


def position(home: Home, rulebook: str = "jp-reserve-candidate", day: date = DAY, head: str = "") -> Position:
    """The home's position on a day."""
    return assess(open_lake(home, head=head), load_rulebook(rulebook, home.path), day)


def item(found: Position, name: str) -> Item:
    """A reserve asset or policy of a position."""
    return next(item for item in (*found.resources.assets, *found.resources.policies) if item.id == name)


def why(found: Position, name: str) -> list[str]:
    """Why an asset or policy does not count."""
    return [reason.en for reason in item(found, name).refused]


def figure(found: Position, key: str) -> Figure:
    """The figure of a key in a position."""
    return next(part for root in found.figures for part in root.walk() if part.key == key)


def findings(found: Position, code: str) -> list[Finding]:
    """The findings of a code."""
    return [finding for finding in found.findings if finding.code == code]
