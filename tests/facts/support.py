"""What the tests of facts share: making files of trades, ingesting them, and reading the lake back by other means."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from junbikin.facts.datasets import dataset_named
from junbikin.facts.ingest import Receipt, ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.log import read_log
from junbikin.facts.mappings import load_mapping, own_names
from junbikin.facts.quarantine import refused_rows
from junbikin.facts.rollups import DayVolume, day_volumes
from junbikin.home import Home, open_home


@dataclass(frozen=True)
class Trade:
    """A row of trades as text, sound unless a test says otherwise."""

    trade_id: str
    executed_at: str = "2018-01-26T00:00:00Z"
    asset: str = "BTC"
    quote: str = "JPY"
    side: str = "buy"
    price: str = "1000000"
    quantity: str = "0.5"
    line: str = "spot_venue"
    account_id: str = "A1"


TRADE_COLUMNS = tuple(field.name for field in fields(Trade))


def write_csv(path: Path, trades: Iterable[Trade]) -> Path:
    """A CSV file, gzipped when its name says so."""
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(TRADE_COLUMNS)
        writer.writerows(tuple(asdict(trade).values()) for trade in trades)
    return path


def write_jsonl(path: Path, trades: Iterable[Trade]) -> Path:
    """JSON Lines; price and quantity are JSON numbers where they are spelt as JSON spells them."""
    number = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
    with path.open("w") as stream:
        for trade in trades:
            members = (
                f"{json.dumps(name)}: {value if name in ('price', 'quantity') and number.fullmatch(value) else json.dumps(value)}"
                for name, value in asdict(trade).items()
            )
            stream.write("{" + ", ".join(members) + "}\n")
    return path


def write_parquet(path: Path, trades: Iterable[Trade], **types: str) -> Path:
    """Parquet with text columns, but for those whose DuckDB type is given."""
    texts = write_csv(path.with_suffix(".texts"), trades)
    header = ", ".join(f"'{name}': 'VARCHAR'" for name in TRADE_COLUMNS)
    columns = ", ".join(f"CAST({name} AS {types.get(name, 'VARCHAR')}) AS {name}" for name in TRADE_COLUMNS)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(
            f"COPY (SELECT {columns} FROM read_csv('{texts}', auto_detect = false, header = true, delim = ',', "
            f"quote = '\"', columns = {{{header}}})) "
            f"TO '{path}' (FORMAT parquet)"
        )
    texts.unlink()
    return path


def mapping_of_own_names(folder: Path, top: str = "", **more: str) -> Path:
    """A mapping of trades that renames nothing, with lines of its own at the top or under some columns."""
    parts = [f'[columns.{name}]\ncolumn = "{name}"\n{more.get(name, "")}\n' for name in TRADE_COLUMNS]
    path = folder / "mapping.toml"
    path.write_text(f'dataset = "trades"\n{top}\n' + "".join(parts))
    return path


def take(
    home: Home, *paths: Path, dataset: str = "trades", mapping: Path | str | None = None, corrects: str = ""
) -> Receipt:
    """Ingests, with a mapping by name or file, or with our own column names."""
    into = dataset_named(dataset)
    by = load_mapping(str(mapping), into) if mapping else own_names(into)
    return ingest(home, into, paths, by, corrects=corrects)


def live(home: Home, dataset: str = "trades", head: str = "") -> list[dict[str, str | None]]:
    """Every row that the lake holds as known at `head`, as text, sorted; a fine number whole, a time in UTC."""
    described = dataset_named(dataset)
    lake = open_lake(home, head=head)
    segments = [segment for group in lake.days(dataset).values() for segment in group]
    parts = []
    for name, kind in described.stored:
        quoted = f'"{name}"'
        if name.endswith("_fine"):
            continue
        if kind == "TIMESTAMPTZ":
            quoted = f"strftime(timezone('UTC', {quoted}), '%Y-%m-%dT%H:%M:%S.%fZ')"
        elif (f"{name}_fine", "DECIMAL(18,18)") in described.stored:
            quoted = f'CAST({quoted} AS DECIMAL(38,18)) + "{name}_fine"'
        parts.append(f"CAST({quoted} AS VARCHAR)")
    names = ["day", *(name for name, _ in described.stored if not name.endswith("_fine"))]
    rows: list[tuple[str | None, ...]] = []
    with duckdb.connect() as engine:
        for start in range(0, len(segments), 200):
            some = segments[start : start + 200]
            paths = ", ".join("'" + str(home.facts / segment.file).replace("'", "''") + "'" for segment in some)
            found = engine.execute(
                f"SELECT regexp_extract(filename, '.*/day=([0-9-]+)/', 1), {', '.join(parts)} "
                f"FROM read_parquet([{paths}], filename = true, hive_partitioning = false)"
            ).fetchall()
            rows += found
    assert len(rows) == sum(segment.rows for segment in segments)
    return [dict(zip(names, row, strict=True)) for row in sorted(rows, key=repr)]


def volumes(home: Home, head: str = "") -> list[DayVolume]:
    """Every day's sums as known at `head`, with nothing believed from earlier runs."""
    return day_volumes(open_lake(home, head=head, fresh=True), date.min, date.max)


def outcome(home: Home) -> tuple[list[dict[str, str | None]], list[DayVolume], str]:
    """What must not depend on how the same rows came in: the live rows, the sums, and the digest of the sums."""
    sums = volumes(home)
    return live(home), sums, hashlib.sha256(repr(sums).encode()).hexdigest()


def quarantine(home: Home, dataset: str = "trades") -> list[dict[str, Any]]:
    """What stands in quarantine."""
    return refused_rows(home.facts, read_log(home.facts), dataset_named(dataset), home.memory_limit)


def files_of(home: Home) -> dict[str, str]:
    """Path and digest of every file of the facts but the lock: what a refused ingest must leave as it was."""
    return {
        str(path.relative_to(home.facts)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.facts.rglob("*"))
        if path.is_file() and path.name != "ingest.lock"
    }


def with_setting(home: Home, name: str, value: str) -> Home:
    """The home with one text setting of its file changed."""
    config = home.path / "junbikin.toml"
    text, count = re.subn(rf'^{name} = "[^"]*"', f'{name} = "{value}"', config.read_text(), flags=re.MULTILINE)
    assert count == 1
    config.write_text(text)
    return open_home(home.path)


def balance(receipts: Sequence[Receipt]) -> tuple[int, int, int, int]:
    """Rows read, accepted, duplicate and quarantined over some ingests, each source's account checked."""
    for receipt in receipts:
        for source in receipt.entry.sources:
            assert source.read == source.accepted + source.duplicate + source.quarantined
            assert min(source.read, source.accepted, source.duplicate, source.quarantined) >= 0
    read, accepted, duplicate, quarantined = (
        sum(getattr(receipt, name) for receipt in receipts) for name in ("read", "accepted", "duplicate", "quarantined")
    )
    return read, accepted, duplicate, quarantined


def same_number(text: str | None, stated: str) -> bool:
    """Whether two texts are the same number, or where either is none, the same text."""
    try:
        return text is not None and Decimal(text) == Decimal(stated)
    except ArithmeticError:
        return text == stated
