"""Files of answers, read together: small ones of one bank belong to the same payments, and are looked at as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from junbikin.facts.engine import literal
from junbikin.incidents.answers.reading import read_answers
from junbikin.incidents.pay.files import digest_of
from junbikin.incidents.pay.paying_bank import PayingBank

BYTES = 30 << 20
"""About as much as 250,000 transfers take: files are read together up to this."""
LINES = 10**12
"""A line of the file N of a bundle is numbered N × LINES + line."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose answers they are: in which form, of which paying bank (None: of a custodian, or a status report), and when what they tell
    was done (None: when it is recorded)."""

    form: str
    bank: PayingBank | None = None
    at: datetime | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """By which channels payments were sent that are answered in this form."""
        return {"zengin": ("zengin",), "pain002": ("iso20022",), "custodian": ("custodian",)}[self.form]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files that are read together."""

    files: tuple[Path, ...]

    def digest(self) -> str:
        """SHA-256 of the one file, else of the files' SHA-256, a line each."""
        digests = list(map(digest_of, self.files))
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def bundles(files: Sequence[Path]) -> list[Bundle]:
    """The files in their order, as few bundles as there may be."""
    return [Bundle(tuple(some)) for some in _cut(files)]


def _cut(files: Sequence[Path]) -> Iterator[list[Path]]:
    some: list[Path] = []
    size = 0
    for file in files:
        if some and size + file.stat().st_size > BYTES:
            yield some
            some, size = [], 0
        some.append(file)
        size += file.stat().st_size
    if some:
        yield some


def collect(engine: duckdb.DuckDBPyConnection, bundle: Bundle, source: Source) -> None:
    """Reads a bundle into the engine: `gathered` has its answers, `refused_gathered` (line, text, why) what could not be read.

    Raises `SourceRefused` when a file is not whole.
    """
    for place, file in enumerate(bundle.files):
        read_answers(engine, file, source.form, source.bank)
        for name, read in (("gathered", "answers"), ("refused_gathered", "refused_answers")):
            rows = f"SELECT {place * LINES} + line AS line, * EXCLUDE (line) FROM {read}"
            if len(bundle.files) == 1:
                engine.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {rows}")
            elif place == 0:
                engine.execute(f"CREATE OR REPLACE TEMP TABLE {name}_here AS {rows}")
                engine.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {name}_here")
            else:
                engine.execute(f"INSERT INTO {name}_here {rows}")


def refused_rows(engine: duckdb.DuckDBPyConnection, bundle: Bundle, tables: int) -> list[bytes]:
    """The answers of a bundle that were refused, as rows of CSV in some parts: file, line, what it says, why."""
    text = "concat_ws(' ', number, amount, if(settled, 'settled', 'returned'), reason)"
    matched = " UNION ALL ".join(
        f"SELECT line, {text} AS text, why FROM fates_{place} WHERE why <> ''" for place in range(tables)
    )
    names = "[" + ", ".join(literal(file.name) for file in bundle.files) + "]"
    rows = (
        f"SELECT line, text, why FROM refused_gathered UNION ALL {matched}"
        if tables
        else "SELECT line, text, why FROM refused_gathered"
    )
    cells = ", ".join(
        f"concat('\"', replace({cell}, '\"', '\"\"'), '\"')"
        for cell in (f"{names}[(line // {LINES} + 1)::INT]", "text", "why")
    )
    found = engine.execute(
        f"SELECT string_agg(row, '' ORDER BY line) FROM (SELECT line, concat_ws(',', c[1], line % {LINES}, c[2], c[3]) || chr(10) AS row "
        f"FROM (SELECT line, [{cells}] AS c FROM ({rows}))) GROUP BY line // 100000 ORDER BY line // 100000"
    ).fetchall()
    return [part.encode() for (part,) in found]
