"""Source files: what each is, its digest, and the SQL that reads it as raw text, one column per column of ours."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import duckdb

from junbikin.errors import MappingProblem, SourceRefused
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import file, identifier, literal, parquet
from junbikin.facts.mappings import ColumnMapping, Mapping

NOT_AN_OBJECT = "not a JSON object"
_CHUNK = 1 << 20
_MARK = "\x01"
_FLOAT_DIGITS = {"FLOAT": 6, "DOUBLE": 15}
"""The binary floats, and how many digits each keeps of any decimal number."""
_EXACT = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|VARCHAR|BOOLEAN|DATE|TIMESTAMP.*|DECIMAL.*)\Z")
MAX_ROW_BYTES = 2_000_000
"""What the engine takes as one row of text."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest: `path` is what the engine reads, `given` what the person named.

    `form` is csv, jsonl or parquet; `columns` the names and types of its columns, in order.
    """

    given: Path
    path: Path
    sha256: str
    bytes: int
    form: str
    gzipped: bool
    columns: dict[str, str]

    def field(self, name: str) -> str:
        """The SQL of a column; of a CSV file by its place, since a header may say anything."""
        return identifier(name) if self.form == "parquet" else f"field{list(self.columns).index(name)}"


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
    if gzipped:
        _unpack(given)
    source = SourceFile(given, given.absolute(), digest.hexdigest(), size, "", gzipped, {})
    if start == b"PAR1":
        return _mapped(replace(source, form="parquet", columns=_parquet_columns(given)), dataset, mapping)
    source = _in_utf8(source, mapping, scratch)
    first = _first_line(source)
    if not first.strip():
        raise SourceRefused("the file has no rows", where=str(given), then="ask its sender for it again")
    if first.lstrip().startswith("{"):
        return replace(source, form="jsonl")
    header = _header(given, first, mapping.delimiter)
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


def _unpack(given: Path) -> None:
    """Reads a gzip file to its end, where its checksums are: the engine does not look at them."""
    try:
        with gzip.open(given) as stream:
            while stream.read(_CHUNK):
                pass
    except (EOFError, OSError, zlib.error) as problem:
        raise _broken_gzip(given, problem) from None


def _header(given: Path, line: str, delimiter: str) -> list[str]:
    try:
        header = next(csv.reader(io.StringIO(line), delimiter=delimiter))
    except csv.Error as problem:
        raise SourceRefused(
            f"the header cannot be read: {problem}", where=str(given), then="save the file again with LF line ends"
        ) from None
    if len({name.lower() for name in header}) != len(header):
        raise SourceRefused("two columns have the same name", where=str(given), then="rename one in the header")
    return header


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


def too_long(given: Path, line: int) -> SourceRefused:
    """The refusal of a file that has more text in one row than any row has."""
    return SourceRefused(
        f"the row at line {line} is longer than {MAX_ROW_BYTES:,} bytes", where=str(given),
        then="if a quote opens there that nothing closes, close it; else export the file again",
    )  # fmt: skip


def unclear(given: Path, line: int) -> SourceRefused:
    """The refusal of a file whose refused rows cannot be told from the others, for a quote that is out of place."""
    return SourceRefused(
        f"the rows cannot be told apart: a quote is out of place at line {line} or after it", where=str(given),
        then="close the quote, or double it where it belongs to the text",
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
        rows = duckdb.connect().execute(f"DESCRIBE FROM {parquet([str(path)])}").fetchall()
    except duckdb.Error as problem:
        raise SourceRefused(
            f"the Parquet file cannot be read: {str(problem).splitlines()[0]}",
            where=str(path),
            then="export it again",
        ) from None
    return {name: kind for name, kind, *_ in rows}


def _mapped(source: SourceFile, dataset: Dataset, mapping: Mapping) -> SourceFile:
    """The source, checked against the mapping in both directions: nothing missing, nothing left unread."""
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
        if source.form == "parquet":
            for column in found:
                _exact_type(source, column, part)
    extra = [column for column in source.columns if column not in mapping.named]
    if extra and "*" not in mapping.ignore:
        raise MappingProblem(
            f"the column {extra[0]!r} is unknown to the mapping {mapping.name!r}", where=str(source.given),
            then="map it, or name it under `ignore` so that leaving it out is on record",
        )  # fmt: skip
    return source


def _exact_type(source: SourceFile, column: str, part: ColumnMapping) -> None:
    kind = source.columns[column]
    if kind in _FLOAT_DIGITS and part.scale is None:
        raise SourceRefused(
            f"the column {column!r} holds binary floats ({kind}), which are not exact amounts", where=str(source.given),
            then="export it as DECIMAL, or give the mapping the `scale` to restore (decimals the number had)",
        )  # fmt: skip
    if kind not in _FLOAT_DIGITS and not _EXACT.match(kind):
        raise SourceRefused(
            f"the column {column!r} is a {kind}, which no column of ours can take", where=str(source.given),
            then="export it as text, a number, a date or a time",
        )  # fmt: skip


def raw_select(source: SourceFile, mapping: Mapping, dataset: Dataset, number: int) -> str:
    """SQL giving each row as raw text: `raw_<column>` for each of our columns, `malformed`, `file_no`, `at_row`.

    `malformed` says why a row is none, and is NULL where it is one.
    `at_row` counts the rows that the reader returned, from 1, and is in file order only when the engine
    preserves order; a query that does not ask for it does not pay for it.
    """
    parts = [f"{_raw(source, mapping.columns.get(column.name))} AS raw_{column.name}" for column in dataset.columns]
    malformed = _json_fault(mapping) if source.form == "jsonl" else "NULL::VARCHAR"
    return (
        f"SELECT {', '.join(parts)}, {malformed} AS malformed, {number}::INTEGER AS file_no, "
        f"row_number() OVER () AS at_row FROM {reader(source, mapping)}"
    )


def reader(source: SourceFile, mapping: Mapping) -> str:
    """The table function that reads the file, every CSV column as text."""
    if source.form == "parquet":
        return parquet([str(source.path)])
    if source.form == "csv":
        columns = [source.field(name) for name in source.columns]
        return _text(
            source, columns, f"header = true, delim = {literal(mapping.delimiter)}, quote = '\"', escape = '\"'"
        )
    # Raw control characters are nowhere in JSON: a line has one field, or is none.
    lines = _text(source, ["line"], "header = false, delim = '\x01', quote = '', escape = ''")
    return (
        f"(SELECT CASE WHEN TRY(json_type(line)) = 'OBJECT' THEN {_digits_as_text('line')} END AS members "
        f"FROM {lines} WHERE line IS NOT NULL)"
    )


def _text(source: SourceFile, columns: list[str], dialect: str) -> str:
    """The table function that reads a text file; lines that are no rows go to the engine's table of rejects."""
    typed = ", ".join(f"{column}: 'VARCHAR'" for column in columns)
    return (
        f"read_csv({file(str(source.path))}, auto_detect = false, {dialect}, columns = {{{typed}}}, "
        f"compression = '{'gzip' if source.gzipped else 'none'}', hive_partitioning = false, store_rejects = true)"
    )


def _digits_as_text(line: str) -> str:
    """SQL of a JSON object with its members' numbers in quotes, so that none ever passes through a float."""
    marked = (
        rf"""regexp_replace({line}, '("(?:[^"\\]|\\.)*"\s*:?\s*)(-?[0-9][0-9.eE+-]*)?', '\1{_MARK}\2{_MARK}', 'g')"""
    )
    return f"replace(replace({marked}, '{_MARK}{_MARK}', ''), '{_MARK}', '\"')"


def _json_fault(mapping: Mapping) -> str:
    names = "json_keys(members)"
    known = "[" + ", ".join(literal(name) for name in sorted(mapping.named)) + "]"
    cases = (
        f"WHEN members IS NULL THEN {literal(NOT_AN_OBJECT)} "
        f"WHEN len(list_distinct({names})) < len({names}) THEN 'a member is given twice' "
    )
    if "*" not in mapping.ignore:
        unknown = f"list_filter({names}, lambda name: NOT list_contains({known}, name))[1]"
        cases += (
            f"WHEN NOT list_has_all({known}, {names}) "
            f"THEN {literal(f'unknown to the mapping {mapping.name!r}: the member ')} || {unknown} "
        )
    return f"CASE {cases}END"


def _raw(source: SourceFile, part: ColumnMapping | None) -> str:
    if part is None:
        return "NULL::VARCHAR"
    if part.constant is not None:
        return literal(part.constant)
    if source.form == "jsonl":
        names = [*part.columns, *filter(None, [part.fallback])]
        return f"coalesce({', '.join(f'nullif({_member(name)}, {literal(str())})' for name in names)})"
    named = [name for name in part.columns if name in source.columns][:1]
    names = named + [name for name in filter(None, [part.fallback]) if name in source.columns]
    if not names:
        return "NULL::VARCHAR"
    texts = [f"nullif({_as_text(source, name, part)}, '')" for name in names]
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _as_text(source: SourceFile, name: str, part: ColumnMapping) -> str:
    kind, field = source.columns[name], source.field(name)
    if kind not in _FLOAT_DIGITS:
        return field if kind == "VARCHAR" else f"CAST({field} AS VARCHAR)"
    # A float that had no more digits than its kind keeps is restored exactly; one that cannot have had that scale
    # stays a float's text, which no number column takes.
    decimal = f"TRY_CAST({field} AS DECIMAL(38,{part.scale}))"
    fits = f"abs({field}) < 1e{_FLOAT_DIGITS[kind] - (part.scale or 0)} AND CAST({decimal} AS {kind}) = {field}"
    return f"CASE WHEN {fits} THEN CAST({decimal} AS VARCHAR) ELSE 'float ' || CAST({field} AS VARCHAR) END"


def _member(name: str) -> str:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    return f"json_extract_string(members, {literal(pointer)})"


def records(source: SourceFile, mapping: Mapping) -> Iterator[tuple[int, bool, str]]:
    """Every record of a text file as it stands, without its line end: its first line, and whether it has several.

    Read as the engine reads it: a record goes on while a quote is open. Raises `SourceRefused` at a quote that
    opens and swallows more than a row can hold.
    """
    closed = _closed_record(mapping.delimiter)
    with _open(source) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        first = 1
        for text in stream:
            count = 1
            while source.form == "csv" and '"' in text and not closed.fullmatch(text):
                more = list(_to_a_quote(stream, MAX_ROW_BYTES - len(text)))
                if not more:
                    break
                text, count = text + "".join(more), count + len(more)
                if len(text) > MAX_ROW_BYTES:
                    raise too_long(source.given, first)
            yield first, count > 1, text.removesuffix("\n").removesuffix("\r")
            first += count


def _closed_record(delimiter: str) -> re.Pattern[str]:
    """What a record of CSV looks like when no quote is open at its end."""
    end = re.escape(delimiter)
    rest = rf"[^{end}\n]*+"
    field = rf'(?:(?!{end}) )*+(?:"(?:[^"]|"")*+"{rest}|(?!"){rest})'
    return re.compile(rf"{field}(?:{end}{field})*+\n?")


def _to_a_quote(stream: Iterator[str], most: int) -> Iterator[str]:
    """The next lines, up to one that has a quote; no more than `most` characters but for the last line."""
    for line in stream:
        yield line
        most -= len(line)
        if '"' in line or most < 0:
            return
