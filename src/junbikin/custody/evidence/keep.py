"""Keeping what was said: a file of evidence for every source, and the statements (残高証明) of it in the lake."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from junbikin.custody.evidence.observe import Seen
from junbikin.custody.evidence.values import Block, Observation
from junbikin.errors import BadInput
from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import Receipt, ingest
from junbikin.facts.mappings import own_names
from junbikin.facts.run import Progress
from junbikin.figures import plain
from junbikin.home import Home

FORMAT = "junbikin-evidence-1"
STATEMENTS = DATASETS["statements"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept: every observation with the file that shows it, and the receipt of their ingest."""

    observations: tuple[tuple[Observation, str], ...]
    receipt: Receipt


def keep(
    home: Home, as_of: date, seen: Sequence[Seen], now: datetime, progress: Progress = lambda what, share: None
) -> Kept:
    """Writes the evidence, then takes the statements in. A later look at a day takes the place of an earlier one.

    Raises `BadInput` when a statement could not be taken in.
    """
    folder = home.path / "evidence" / as_of.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    kept = [
        (observation, evidence)
        for each in seen
        for evidence in (_written(home, folder, each, now),)
        for observation in each.observations(as_of)
    ]
    table = _stored(folder, "statements", "csv", _table(kept))
    why = f"observed at {now.astimezone(UTC).isoformat(timespec='seconds')}"
    receipt = ingest(home, STATEMENTS, [table], own_names(STATEMENTS), corrects=why, progress=progress)
    if receipt.quarantined:
        raise BadInput(
            f"{receipt.quarantined} of {receipt.read} statements were refused",
            where=str(table), then="see junbikin facts quarantine statements",
        )  # fmt: skip
    return Kept(tuple(kept), receipt)


def _written(home: Home, folder: Path, seen: Seen, now: datetime) -> str:
    """Writes what a source said. Returns how a statement names the file: where it is, and its digest."""
    content = {
        "format": FORMAT,
        "operator": home.operator,
        "observed_at": now.astimezone(UTC).isoformat(),
        "source": {
            "name": seen.source.name, "kind": seen.source.kind, "network": seen.source.network, "at": seen.source.shown,
        },
        "newest_block": _block(seen.newest),
        "block": _block(seen.block),
        "readings": [
            {
                "place": reading.of.place, "address": reading.of.address, "asset": reading.of.coin.asset,
                "contract": reading.of.coin.contract, "units": str(reading.units),
                "quantity": plain(reading.of.coin.quantity(reading.units)),
            }
            for reading in seen.readings
        ],
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"
    file = _stored(folder, f"{seen.source.name}-{seen.block.height}", "json", text)
    return f"{file.relative_to(home.path).as_posix()} sha256:{hashlib.sha256(text).hexdigest()}"


def _block(block: Block) -> dict[str, Any]:
    return {"height": block.height, "hash": block.hash, "time": block.time.isoformat()}


def _table(kept: Sequence[tuple[Observation, str]]) -> bytes:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(column.name for column in STATEMENTS.columns)
    for one, evidence in kept:
        table.writerow(
            (
                one.as_of.isoformat(), one.place, one.asset, plain(one.quantity), one.source, one.reference,
                one.stated_at.isoformat(), evidence,
            )
        )  # fmt: skip
    return stream.getvalue().encode()


def _stored(folder: Path, name: str, kind: str, content: bytes) -> Path:
    """A file that is named by its content, whole or not there."""
    file = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    half = file.with_suffix(".half")
    with half.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    half.replace(file)
    return file
