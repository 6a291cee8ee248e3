"""A home: a directory with `junbikin.toml`, where an operator's facts, rulebooks and positions live."""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from junbikin.errors import HomeProblem

CONFIG = "junbikin.toml"

TEMPLATE = """\
# The home of one operator (暗号資産交換業者). Every setting is written out; none has a hidden default.
operator = {operator}
time_zone = "Asia/Tokyo"        # the day of a trade and of a position
currency = "JPY"                # what positions are stated in
fiscal_year_starts = "04-01"    # month-day
rulebooks = ["jp-fiea-175", "jp-reserve-candidate", "hk-sfc"]  # of the reserve, in force here: ids, or folders
custody = ["jp-psa"]            # rulebooks of custody, in force here

price_max_age_days = 3          # an older price is no price: the asset is shown as a hole
snapshot_max_age_days = 1       # older balances, holdings, assets and policies are used with a warning

memory_limit = "2GB"            # of the query engine; it spills to disk beyond
database = "own"                # of the books: the home's own server, or "postgresql://user@host:port/name"
"""


@dataclass(frozen=True, slots=True)
class Home:
    """An operator's directory and its settings, as `junbikin.toml` states them."""

    path: Path
    operator: str
    time_zone: ZoneInfo
    currency: str
    fiscal_year_starts: tuple[int, int]
    rulebooks: tuple[str, ...]
    custody: tuple[str, ...]
    price_max_age_days: int
    snapshot_max_age_days: int
    memory_limit: str
    database: str
    invented: bool = False

    @property
    def facts(self) -> Path:
        """Where the lake, its log and its quarantine are."""
        return self.path / "facts"

    @property
    def positions(self) -> Path:
        """Where assessed positions are kept."""
        return self.path / "positions"

    @property
    def books(self) -> Path:
        """Where the home's own books are, when it runs its own server."""
        return self.path / "books"

    @property
    def has_books(self) -> bool:
        """Whether the home keeps books: its own are made, or a database is named."""
        return self.database != "own" or (self.books / "PG_VERSION").exists()

    @property
    def keys(self) -> Path:
        """Where the operator's signing key is."""
        return self.path / "keys"

    def today(self) -> date:
        """The day it is for the operator."""
        return datetime.now(UTC).astimezone(self.time_zone).date()

    def end_of(self, day: date) -> datetime:
        """The last instant of a day for the operator."""
        return datetime.combine(day + timedelta(days=1), time(), self.time_zone) - timedelta(microseconds=1)


def create_home(path: Path, operator: str = "") -> Home:
    """A new home at `path`. Raises `HomeProblem` when there is one already."""
    config = path / CONFIG
    if config.exists():
        raise HomeProblem("there is a home here already", where=str(config), then="use it, or name another folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise HomeProblem(
            f"no folder can be made here: {problem.strerror}", where=str(path), then="name another folder"
        ) from None
    name = json.dumps(operator or path.resolve().name, ensure_ascii=False)  # a JSON string is a TOML string
    config.write_text(TEMPLATE.format(operator=name), encoding="utf-8")
    return open_home(path)


def find_home(given: Path | None) -> Home:
    """The home at `given`, else at JUNBIKIN_HOME, else the nearest above the current directory. Raises `HomeProblem` without any."""
    home = home_if_any(given)
    if home is None:
        raise HomeProblem(
            "no home found here or above",
            where=str(Path.cwd()),
            then="make one with `junbikin init FOLDER`, or name one with --home FOLDER or JUNBIKIN_HOME",
        )
    return home


def home_if_any(given: Path | None) -> Home | None:
    """As `find_home`, or None where none is named and none is near. Raises `HomeProblem` when the one named is not right."""
    stated = given or (Path(os.environ["JUNBIKIN_HOME"]) if os.environ.get("JUNBIKIN_HOME") else None)
    if stated:
        return open_home(stated)
    here = Path.cwd()
    near = next((folder for folder in (here, *here.parents) if (folder / CONFIG).is_file()), None)
    return open_home(near) if near else None


def open_home(path: Path) -> Home:
    """The home at `path`. Raises `HomeProblem` when it is missing or its settings are not right."""
    config = path / CONFIG
    try:
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError:
        raise HomeProblem(
            "there is no home here", where=str(config), then="name the folder that `junbikin init` made"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise HomeProblem(f"the settings cannot be read: {problem}", where=str(config), then="mend that line") from None
    return _checked(path, settings)


_FORMS = {
    "currency": r"[A-Z][A-Z0-9]{2,9}",
    "memory_limit": r"[0-9]+(\.[0-9]+)? ?([KMGT]i?B)",
    "database": r"own|postgresql://\S+",
}
EXAMPLES = {
    "operator": '"Example Exchange"',
    "time_zone": '"Asia/Tokyo"',
    "currency": '"JPY"',
    "fiscal_year_starts": '"04-01"',
    "rulebooks": '["jp-fiea-175"]',
    "custody": '["jp-psa"]',
    "price_max_age_days": "3",
    "snapshot_max_age_days": "1",
    "memory_limit": '"2GB"',
    "database": '"own" or "postgresql://user@host:port/name"',
}


def _sensible(value: object, form: str | None) -> bool:
    """Whether a setting of the right kind is possible: no empty word, no negative number, no odd list."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return bool(re.fullmatch(form or r"[\s\S]+", value))
    if isinstance(value, int):
        return value >= 0
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _checked(path: Path, settings: dict[str, Any]) -> Home:
    where = str(path / CONFIG)
    kinds: dict[str, type] = {
        "operator": str, "time_zone": str, "currency": str, "fiscal_year_starts": str, "rulebooks": list, "custody": list,
        "price_max_age_days": int, "snapshot_max_age_days": int, "memory_limit": str, "database": str,
    }  # fmt: skip
    unknown = sorted(set(settings) - set(kinds) - {"invented"})
    if unknown:
        raise HomeProblem(f"unknown setting {unknown[0]!r}", where=where, then="the settings are " + ", ".join(kinds))
    for name, kind in kinds.items():
        if name not in settings:
            raise HomeProblem(f"the setting {name!r} is missing", where=where, then=f'add a line "{name} = …"')
        if not isinstance(settings[name], kind) or not _sensible(settings[name], _FORMS.get(name)):
            raise HomeProblem(
                f"{name} = {settings[name]!r} is not possible", where=where, then=f"write it like {EXAMPLES[name]}"
            )
    try:
        zone = ZoneInfo(settings["time_zone"])
        month, day = (int(part) for part in settings["fiscal_year_starts"].split("-"))
        date(2001, month, day)
    except (ValueError, KeyError, OSError) as problem:
        raise HomeProblem(
            f"a setting is not right: {problem}", where=where,
            then='time_zone is a name such as "Asia/Tokyo", fiscal_year_starts a month-day such as "04-01"',
        ) from None  # fmt: skip
    if not isinstance(settings.get("invented", False), bool):
        raise HomeProblem("invented must be true or false", where=where, then="write invented = true, or leave it out")
    return Home(
        path=path,
        operator=settings["operator"],
        time_zone=zone,
        currency=settings["currency"],
        fiscal_year_starts=(month, day),
        rulebooks=tuple(settings["rulebooks"]),
        custody=tuple(settings["custody"]),
        price_max_age_days=settings["price_max_age_days"],
        snapshot_max_age_days=settings["snapshot_max_age_days"],
        memory_limit=settings["memory_limit"],
        database=settings["database"],
        invented=settings.get("invented", False),
    )
