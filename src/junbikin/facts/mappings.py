"""Mappings: a small TOML that says which of a foreign file's columns is which of ours."""

from __future__ import annotations

import difflib
import hashlib
import io
import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import rfc8785

from junbikin.errors import MappingProblem
from junbikin.facts.datasets import DATASETS, Dataset, Kind
from junbikin.facts.engine import literal


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How one of our columns is filled.

    From the first of `columns` that the file has, or from `fallback` where that is empty, or from `constant`;
    then through `values`. `scale` restores a float to that many decimals; `time_format` is `epoch_s`,
    `epoch_ms`, `epoch_us` or a strptime pattern, `date_format` such a pattern of a day, and `grouped` the character between
    thousands.
    """

    columns: tuple[str, ...] = ()
    fallback: str | None = None
    constant: str | None = None
    values: Table[str, str] = field(default_factory=dict)
    scale: int | None = None
    time_format: str | None = None
    date_format: str | None = None
    grouped: str | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping; `digest` is the SHA-256 of its canonical content."""

    name: str
    title: str
    dataset: str
    columns: Table[str, ColumnMapping]
    digest: str
    ignore: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","
    time_zone: str | None = None

    @property
    def named(self) -> set[str]:
        """Every column of a file that the mapping reads or leaves out on purpose."""
        parts = self.columns.values()
        fallbacks = {part.fallback for part in parts if part.fallback}
        return {name for part in parts for name in part.columns} | fallbacks | set(self.ignore)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_names(value: Any) -> bool:
    return _is_text(value) or (_are_texts(value) and len(value) > 0)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SCALE


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_delimiter(value: Any) -> bool:
    return _is_text(value) and len(value) == 1 and value not in '"\r\n\0'


def _is_encoding(value: Any) -> bool:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=value)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _is_time_format(value: Any) -> bool:
    if not _is_text(value):
        return False
    try:
        duckdb.connect().execute(f"SELECT try_strptime('', {literal(value)})")
    except duckdb.Error:
        return False
    return True


def _is_date_format(value: Any) -> bool:
    return _is_time_format(value) and all(part in value for part in ("%Y", "%m", "%d"))


def _is_grouping(value: Any) -> bool:
    return value in (",", "'", " ", "，")


MAX_SCALE = 18
_Shape = tuple[Callable[[Any], bool], str]
"""What a value must be: the check, and its words."""
_TEXT: _Shape = (_is_text, 'text in quotes, such as "BTC"')
_TOP: dict[str, _Shape] = {
    "title": _TEXT,
    "dataset": _TEXT,
    "columns": (_is_table, "a [columns.…] part for each"),
    "ignore": (_are_texts, 'a list of texts, such as ["memo"]'),
    "encoding": (_is_encoding, 'a text encoding, such as "cp932"'),
    "delimiter": (_is_delimiter, 'one character, such as ";"'),
    "time_zone": (_is_text, 'a name such as "Asia/Tokyo"'),
}
_PART: dict[str, _Shape] = {
    "column": (_are_names, 'a name or several, such as "price"'),
    "fallback": _TEXT,
    "constant": _TEXT,
    "values": (_are_pairs, 'a table of texts, such as { BUY = "buy" }'),
    "scale": (_is_count, f"a count of decimals, 0 to {MAX_SCALE}"),
    "time_format": (_is_time_format, '"epoch_s", "epoch_ms", "epoch_us" or a pattern such as "%Y-%m-%d %H:%M:%S"'),
    "date_format": (_is_date_format, 'a pattern with year, month and day, such as "%Y/%m/%d"'),
    "grouped": (_is_grouping, 'the character between thousands: ",", "\'", " " or "，"'),
}


def shipped() -> list[str]:
    """The names of the mappings in the package."""
    return sorted(Path(file.name).stem for file in _folder().iterdir() if file.name.endswith(".toml"))


def _folder() -> Any:
    return resources.files("junbikin.facts") / "mappings"


def own_names(dataset: Dataset) -> Mapping:
    """The mapping of a file that already uses our names."""
    columns = {column.name: ColumnMapping((column.name,)) for column in dataset.columns}
    return Mapping("own names", "our own column names", dataset.name, columns, digest="own-names")


def load_mapping(name: str, dataset: Dataset) -> Mapping:
    """A shipped mapping by name, or one in a file. Raises `MappingProblem` when it does not fit `dataset`."""
    path = Path(name)
    if name in shipped():
        raw = (_folder() / f"{name}.toml").read_bytes()
    elif path.is_file():
        raw = path.read_bytes()
    else:
        raise MappingProblem(
            f"there is no mapping {name!r}", then=f"name a .toml file, or one of {', '.join(shipped())}"
        )
    try:
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MappingProblem("the mapping is not UTF-8", where=name, then="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise MappingProblem(f"the mapping is not TOML: {problem}", where=name, then="mend that line") from None
    return _checked(path.stem if path.is_file() else name, content, dataset)


def _checked(name: str, content: dict[str, Any], dataset: Dataset) -> Mapping:
    _well_formed(content, _TOP, name, "")
    if content.get("dataset") != dataset.name:
        raise MappingProblem(
            f"the mapping is for {content.get('dataset')!r}, not for {dataset.name!r}",
            where=name, then=f"ingest {content.get('dataset') or 'its own dataset'}, or choose another mapping",
        )  # fmt: skip
    stated = content.get("columns", {})
    _known(stated, {column.name for column in dataset.columns}, name, "columns")
    missing = [column.name for column in dataset.columns if not column.optional and column.name not in stated]
    if missing:
        raise MappingProblem(f"nothing fills {', '.join(missing)}", where=name, then="add a [columns.…] part for each")
    zone = content.get("time_zone")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, KeyError, OSError):
            raise MappingProblem(f"no time zone {zone!r}", where=name, then='use a name such as "Asia/Tokyo"') from None
    return Mapping(
        name=name,
        title=content.get("title", name),
        dataset=dataset.name,
        columns={column: _part(part, dataset, column, name) for column, part in stated.items()},
        digest=hashlib.sha256(rfc8785.dumps(content)).hexdigest(),
        ignore=tuple(content.get("ignore", ())),
        encoding=content.get("encoding", "utf-8"),
        delimiter=content.get("delimiter", ","),
        time_zone=zone,
    )


_ONLY_FOR = {
    "time_format": (Kind.INSTANT, "times"), "date_format": (Kind.DATE, "days"), "grouped": (Kind.NUMBER, "numbers"),
}  # fmt: skip


def _part(part: Any, dataset: Dataset, column: str, name: str) -> ColumnMapping:
    where = f"{name}, columns.{column}"
    if not isinstance(part, dict):
        raise MappingProblem("a column's part must be a table", where=where, then='write { column = "…" }')
    _well_formed(part, _PART, name, f"columns.{column}")
    if ("column" in part) == ("constant" in part):
        raise MappingProblem("give either column or constant", where=where, then="keep the one that is meant")
    for key, (kind, what) in _ONLY_FOR.items():
        if key in part and dataset.column(column).kind is not kind:
            raise MappingProblem(f"{key} is for {what}", where=where, then="remove it")
    named = part.get("column", [])
    return ColumnMapping(
        columns=(named,) if isinstance(named, str) else tuple(named),
        fallback=part.get("fallback"),
        constant=part.get("constant"),
        values=dict(part.get("values", {})),
        scale=part.get("scale"),
        time_format=part.get("time_format"),
        date_format=part.get("date_format"),
        grouped=part.get("grouped"),
    )


def _well_formed(table: Table[str, Any], shapes: Table[str, _Shape], mapping: str, part: str) -> None:
    _known(table, set(shapes), mapping, part)
    for key, value in table.items():
        holds, words = shapes[key]
        if not holds(value):
            raise MappingProblem(
                f"{key} cannot be {value!r}", where=", ".join(filter(None, (mapping, part))), then=f"write {words}"
            )


def _known(table: Table[str, Any], names: set[str], mapping: str, part: str) -> None:
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            guess = f"did you mean {near[0]!r}?" if near else "the keys are " + ", ".join(sorted(names))
            raise MappingProblem(f"unknown key {key!r}", where=", ".join(filter(None, (mapping, part))), then=guess)


def mappings_by_dataset() -> dict[str, list[str]]:
    """The shipped mappings under the dataset that each is for."""
    found: dict[str, list[str]] = {name: [] for name in DATASETS}
    for name in shipped():
        content = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
        found[content["dataset"]].append(name)
    return found
