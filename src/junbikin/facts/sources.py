"""Source files: what each is, its digest, and the SQL that reads it as raw text, one column per column of ours."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import duckdb

from junbikin.errors import MappingProblem, SourceRefused
from junbikin.facts.datasets import Column, Dataset, Kind
from junbikin.facts.engine import identifier, literal
from junbikin.facts.mappings import ColumnMapping, Mapping

_CHUNK = 1 << 20
_FLOATS = ("FLOAT", "DOUBLE")
_EXACT = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|VARCHAR|BOOLEAN|DATE|TIMESTAMP.*|DECIMAL.*)\Z")
MAX_FLOAT_DIGITS = 15  # a double keeps any decimal number of up to 15 digits


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest: `path` is what the engine reads, `given` what the person named.

    `form` is csv, jsonl or parquet; `columns` its header, or for Parquet each column with its type.
    """

    given: Path
    path: Path
    sha256: str
    bytes: int
    form: str
    gzipped: bool
    columns: dict[str, str]


def inspect(given: Path, dataset: Dataset, mapping: Mapping, scratch: Path, tick: Callable[[int], None]) -> SourceFile:
    """Looks at a file and takes its digest, calling `tick` with the bytes read.

    Raises `SourceRefused` when it is missing, empty, of no known form or not in its encoding, and
    `MappingProblem` when its columns are not those of the mapping.
    """
    if not given.is_file():
        what = "is a folder" if given.is_dir() else "does not exist"
        raise SourceRefused(f"{given.name} {what}", where=str(given), then="name the files themselves")
    digest = hashlib.sha256()
    with given.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            tick(len(chunk))
    size = given.stat().st_size
    if size == 0:
        raise SourceRefused("the file is empty", where=str(given), then="ask its sender for it again")
    with given.open("rb") as stream:
        start = stream.read(4)
    gzipped = start[:2] == b"\x1f\x8b"
    source = SourceFile(given, given, digest.hexdigest(), size, "", gzipped, {})
    if start == b"PAR1":
        return _mapped(replace(source, form="parquet", columns=_parquet_columns(given)), dataset, mapping)
    source = _in_utf8(source, mapping, scratch)
    first = _first_line(source)
    if not first.strip():
        raise SourceRefused("the file has no rows", where=str(given), then="ask its sender for it again")
    if first.lstrip().startswith("{"):
        return replace(source, form="jsonl")
    header = next(csv.reader(io.StringIO(first), delimiter=mapping.delimiter))
    if len(set(header)) != len(header):
        raise SourceRefused("two columns have the same name", where=str(given), then="rename one in the header")
    return _mapped(replace(source, form="csv", columns=dict.fromkeys(header, "VARCHAR")), dataset, mapping)


def _open(source: SourceFile) -> IO[bytes]:
    return gzip.open(source.path) if source.gzipped else source.path.open("rb")  # type: ignore[return-value]


def _first_line(source: SourceFile) -> str:
    try:
        with _open(source) as stream:
            line = stream.readline(_CHUNK)
    except (EOFError, OSError, zlib.error) as problem:
        raise _broken_gzip(source.given, problem) from None
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise not_utf8(source.given, 1) from None


def _broken_gzip(given: Path, problem: Exception) -> SourceRefused:
    return SourceRefused(
        f"the gzip file is cut short or damaged: {problem}",
        where=str(given),
        then="copy or download it again",
    )


def not_utf8(given: Path, line: int) -> SourceRefused:
    """The refusal of a file whose bytes are not UTF-8."""
    return SourceRefused(
        f"line {line} is not UTF-8", where=str(given),
        then='if the file is Shift-JIS, put encoding = "cp932" into its mapping',
    )  # fmt: skip


def _in_utf8(source: SourceFile, mapping: Mapping, scratch: Path) -> SourceFile:
    """The source, rewritten in UTF-8 under `scratch` when its mapping names another encoding."""
    if codecs.lookup(mapping.encoding).name in ("utf-8", "utf-8-sig"):
        return source
    target = scratch / f"{source.sha256}.utf8"
    try:
        with (
            _open(source) as raw,
            io.TextIOWrapper(raw, encoding=mapping.encoding, newline="") as text,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            while chunk := text.read(_CHUNK):
                out.write(chunk)
    except UnicodeDecodeError as problem:
        raise SourceRefused(
            f"the file is not {mapping.encoding}: {problem.reason}", where=str(source.given),
            then="correct `encoding` in the mapping",
        ) from None  # fmt: skip
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise _broken_gzip(source.given, problem) from None
    return replace(source, path=target, gzipped=False)


def _parquet_columns(path: Path) -> dict[str, str]:
    try:
        rows = duckdb.connect().execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as problem:
        raise SourceRefused(
            f"the Parquet file cannot be read: {str(problem).splitlines()[0]}",
            where=str(path),
            then="export it again",
        ) from None
    return {name: kind for name, kind, *_ in rows}


def _mapped(source: SourceFile, dataset: Dataset, mapping: Mapping) -> SourceFile:
    """The source, checked against the mapping in both directions: nothing missing, nothing left unread."""
    used: set[str] = set()
    for name, part in mapping.columns.items():
        if part.constant is not None:
            continue
        found = [column for column in part.columns if column in source.columns]
        if not found and not dataset.column(name).optional:
            raise MappingProblem(
                f"the file has no column {' or '.join(part.columns)}, which fills {name}",
                where=f"{source.given} (it has: {', '.join(source.columns)})",
                then=f"choose another mapping than {mapping.name!r}, or write one: see docs/mappings.md",
            )
        used |= set(part.columns) | ({part.fallback} if part.fallback else set())
        if source.form == "parquet":
            for column in found:
                _exact_type(source, column, part)
    extra = [column for column in source.columns if column not in used and column not in mapping.ignore]
    if extra and "*" not in mapping.ignore:
        raise MappingProblem(
            f"the column {extra[0]!r} is unknown to the mapping {mapping.name!r}", where=str(source.given),
            then="map it, or name it under `ignore` so that leaving it out is on record",
        )  # fmt: skip
    return source


def _exact_type(source: SourceFile, column: str, part: ColumnMapping) -> None:
    kind = source.columns[column]
    if kind in _FLOATS and part.scale is None:
        raise SourceRefused(
            f"the column {column!r} holds binary floats ({kind}), which are not exact amounts", where=str(source.given),
            then="export it as DECIMAL, or give the mapping the `scale` to restore (decimals the number had)",
        )  # fmt: skip
    if kind not in _FLOATS and not _EXACT.match(kind):
        raise SourceRefused(
            f"the column {column!r} is a {kind}, which no column of ours can take", where=str(source.given),
            then="export it as text, a number, a date or a time",
        )  # fmt: skip


def raw_select(source: SourceFile, mapping: Mapping, dataset: Dataset, number: int) -> str:
    """SQL giving each row as raw text: `raw_<column>` for each of our columns, `malformed`, `file_no`, `at_row`.

    `at_row` counts the rows that the reader returned, from 1, and is in file order only when the engine
    preserves order; a query that does not ask for it does not pay for it.
    """
    parts = [
        f"{_raw(source, column, mapping.columns.get(column.name))} AS raw_{column.name}" for column in dataset.columns
    ]
    malformed = "coalesce(TRY(json_type(line)), '') <> 'OBJECT'" if source.form == "jsonl" else "false"
    return (
        f"SELECT {', '.join(parts)}, {malformed} AS malformed, {number}::INTEGER AS file_no, "
        f"row_number() OVER () AS at_row FROM {reader(source, mapping)}"
    )


def reader(source: SourceFile, mapping: Mapping) -> str:
    """The table function that reads the file, every CSV column as text."""
    path = literal(str(source.path))
    if source.form == "parquet":
        return f"read_parquet({path})"
    compression = f"compression = '{'gzip' if source.gzipped else 'none'}'"
    if source.form == "jsonl":
        return f"({lines(source)} WHERE line IS NOT NULL)"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in source.columns)
    return (
        f"read_csv({path}, auto_detect = false, header = true, delim = {literal(mapping.delimiter)}, quote = '\"', "
        f"escape = '\"', {compression}, columns = {{{columns}}}, store_rejects = true)"
    )


def lines(source: SourceFile) -> str:
    """SQL giving each physical line of a text file as `line`, NULL where it is blank."""
    compression = "gzip" if source.gzipped else "none"
    return (
        f"SELECT line FROM read_csv({literal(str(source.path))}, auto_detect = false, header = false, delim = '\\x01', "
        f"quote = '', escape = '', compression = '{compression}', columns = {{'line': 'VARCHAR'}})"
    )


def _raw(source: SourceFile, column: Column, part: ColumnMapping | None) -> str:
    if part is None:
        return "NULL::VARCHAR"
    if part.constant is not None:
        return literal(part.constant)
    if source.form == "jsonl":
        names = [*part.columns, *filter(None, [part.fallback])]
        return f"coalesce({', '.join(f'nullif({_from_json(name, column)}, {literal(str())})' for name in names)})"
    named = [name for name in part.columns if name in source.columns][:1]
    names = named + [name for name in filter(None, [part.fallback]) if name in source.columns]
    if not names:
        return "NULL::VARCHAR"
    texts = [f"nullif({_as_text(source, name, part)}, '')" for name in names]
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _as_text(source: SourceFile, name: str, part: ColumnMapping) -> str:
    kind, field = source.columns[name], identifier(name)
    if kind not in _FLOATS:
        return field if kind == "VARCHAR" else f"CAST({field} AS VARCHAR)"
    # A float that had at most 15 digits is restored exactly; one that cannot have had that scale stays a
    # float's text, which no number column takes.
    decimal = f"TRY_CAST({field} AS DECIMAL(38,{part.scale}))"
    fits = f"abs({field}) < 1e{MAX_FLOAT_DIGITS - (part.scale or 0)} AND CAST({decimal} AS DOUBLE) = {field}"
    return f"CASE WHEN {fits} THEN CAST({decimal} AS VARCHAR) ELSE 'float ' || CAST({field} AS VARCHAR) END"


def _from_json(name: str, column: Column) -> str:
    """The member's text; for a number, the digits as they stand in the file, never by way of a float."""
    path = literal('$."' + name.replace('"', '""') + '"')
    text = f"TRY(json_extract_string(line, {path}))"
    if column.kind is not Kind.NUMBER:
        return text
    token = literal('"' + re.escape(name) + r'"\s*:\s*(-?[0-9][0-9.eE+-]*)')
    digits = f"regexp_extract(line, {token}, 1)"
    same = f"TRY_CAST({digits} AS DOUBLE) = TRY_CAST({text} AS DOUBLE)"
    return (
        f"CASE WHEN TRY(json_type(line, {path})) IN ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT') THEN "
        f"CASE WHEN {same} THEN {digits} ELSE 'number of more digits than can be read: ' || {text} END "
        f"ELSE {text} END"
    )
