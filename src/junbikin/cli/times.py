"""Times on the command line: an instant with its zone, or a day of the home. Never a time of no zone."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.home import Home

HELP = "a time with its zone, such as 2026-03-31T15:00:00+09:00, or a day: its end in the home's time zone"
_TICK = timedelta(microseconds=1)


def until(home: Home, text: str | None, option: str) -> datetime | None:
    """The instant stated; of a day, its last. Raises `BadInput` on a time without a zone."""
    stated = _read(text, option)
    if not isinstance(stated, date) or isinstance(stated, datetime):
        return stated
    return datetime.combine(stated + timedelta(days=1), time.min, home.time_zone) - _TICK


def since(home: Home, text: str | None, option: str) -> datetime | None:
    """The instant stated; of a day, its first."""
    last = before(home, text, option)
    return None if last is None else last + _TICK


def before(home: Home, text: str | None, option: str) -> datetime | None:
    """The last instant before the time stated; before a day, the last of the day before."""
    stated = _read(text, option)
    if stated is None:
        return None
    return (stated if isinstance(stated, datetime) else datetime.combine(stated, time.min, home.time_zone)) - _TICK


def shown(home: Home, at: datetime) -> str:
    """An instant for people, in the home's time zone."""
    return at.astimezone(home.time_zone).isoformat(sep=" ", timespec="seconds")


def _read(text: str | None, option: str) -> datetime | date | None:
    if text is None:
        return None
    try:
        stated = date.fromisoformat(text) if len(text) <= len("2026-03-31") else datetime.fromisoformat(text)
    except ValueError:
        stated = None
    if stated is None or not MINYEAR < stated.year < MAXYEAR:
        raise BadInput(f"{text!r} is no time", where=option, then=f"write {HELP}")
    if isinstance(stated, datetime) and stated.tzinfo is None:
        raise BadInput(f"{text!r} has no zone", where=option, then=f"write {HELP}")
    return stated
