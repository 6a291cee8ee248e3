"""What lapsed on earlier days, remembered beside a digest of all that it was worked from, so that a day is judged once."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from junbikin import __version__
from junbikin.custody.checking import checks_of
from junbikin.custody.reconcile.refused import WATCHED
from junbikin.custody.view import CustodyView
from junbikin.facts.datasets import DATASETS
from junbikin.facts.lake import Lake
from junbikin.figures import plain
from junbikin.findings import Severity
from junbikin.rulebooks.interface import Check
from junbikin.rulebooks.load import Rulebook

STAMP = f"{__version__} 4"
"""Changes when what is judged does, so that what was remembered is not mistaken for it."""

Lapses = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Day:
    """What was found on a day, and the digest of what it was worked from."""

    of: str
    lapses: Lapses
    values: dict[str, str | None]
    worst: dict[str, int]


@dataclass
class Memory:
    """Lapses and figures by rulebook and day; `file` None: nothing is kept, nor believed."""

    file: Path | None
    _state: list[_State] = field(default_factory=list)

    @cached_property
    def _kept(self) -> dict[str, _Day]:
        return _read(self.file) if self.file is not None else {}

    def lapses(self, rulebook: Rulebook, view: CustodyView) -> Lapses:
        """Code and subject of everything that lapsed on the view's day. Raises `ParameterMissing`."""
        return self._day(rulebook, view).lapses

    def values(self, rulebook: Rulebook, view: CustodyView) -> dict[str, Decimal | None]:
        """Key → value of every step of every duty on the view's day; None: a hole. Raises `ParameterMissing`."""
        values = self._day(rulebook, view).values
        return {key: None if text is None else Decimal(text) for key, text in values.items()}

    def worst(self, rulebook: Rulebook, view: CustodyView) -> dict[str, Severity | None]:
        """Key of duty → how grave what it found on the view's day was; None: it was kept. Raises `ParameterMissing`."""
        return {key: Severity(grave) if grave else None for key, grave in self._day(rulebook, view).worst.items()}

    def note(self, rulebook: Rulebook, view: CustodyView, checks: tuple[Check, ...]) -> None:
        """Keeps what was judged on the view's day."""
        self._noted(rulebook, view, self._digest(rulebook, view), checks)

    def _day(self, rulebook: Rulebook, view: CustodyView) -> _Day:
        seen = self._seen(view).days
        if (found := seen.get((rulebook.digest, view.as_of))) is not None:
            return found
        of, kept = self._digest(rulebook, view), self._kept.get(_name(rulebook, view))
        if kept is None or kept.of != of:
            return self._noted(rulebook, view, of, checks_of(rulebook, view))
        seen[rulebook.digest, view.as_of] = kept
        return kept

    def _noted(self, rulebook: Rulebook, view: CustodyView, of: str, checks: tuple[Check, ...]) -> _Day:
        lapses = frozenset((lapse.finding.code, lapse.subject) for check in checks for lapse in check.lapses)
        steps = [step for check in checks for step in check.steps if step.key]
        values = {step.key: None if step.value is None else plain(step.value) for step in steps}
        worst = {check.key: max((int(lapse.finding.severity) for lapse in check.lapses), default=0) for check in checks}
        day = _Day(of, lapses, values, worst)
        self._kept[_name(rulebook, view)] = self._seen(view).days[rulebook.digest, view.as_of] = day
        return day

    def write(self) -> None:
        """Keeps what was judged for the next run."""
        if self.file is None:
            return
        days = {
            name: {"of": day.of, "lapses": sorted(day.lapses), "values": day.values, "worst": day.worst}
            for name, day in self._kept.items()
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"stamp": STAMP, "days": days}, separators=(",", ":")), encoding="utf-8")
        fresh.replace(self.file)

    def _seen(self, view: CustodyView) -> _State:
        """What is known of the one state of facts and books that is looked at day after day."""
        known_at = view.ledger.known_at if view.ledger else None
        if not self._state or self._state[0].lake is not view.lake or self._state[0].known_at != known_at:
            self._state = [_State(view.lake, known_at, _growth(view.lake), {})]
        return self._state[0]

    def _digest(self, rulebook: Rulebook, view: CustodyView) -> str:
        """Of everything that a rulebook may read on a day: itself, the home, the facts, the registry, the books."""
        lake, registered, ledger = view.lake, view.registered, view.ledger
        home = lake.home
        content = {
            "rulebook": rulebook.digest,
            "home": [home.currency, str(home.time_zone), str(home.price_max_age_days), *map(str, home.fiscal_year_starts)],
            "facts": self._seen(view).growth.until(view.as_of.isoformat()),
            "refused": [entry.digest for entry in lake.entries if entry.quarantine and entry.dataset in WATCHED],
            "registry": [registered.places, registered.providers] if registered else None,
            "books": [ledger.rows("reserve_assets"), ledger.booked] if ledger else None,
        }  # fmt: skip
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Growth:
    """For each day of a lake, the digest of all its parts of that day and those before."""

    days: list[str]
    digests: list[str]

    def until(self, day: str) -> str:
        at = bisect_right(self.days, day)
        return self.digests[at - 1] if at else ""


@dataclass(frozen=True, slots=True)
class _State:
    """One state of facts and books: how its lake grew, and what was looked up in it already, by rulebook's digest and day."""

    lake: Lake
    known_at: datetime | None
    growth: _Growth
    days: dict[tuple[str, date], _Day]


def _name(rulebook: Rulebook, view: CustodyView) -> str:
    return f"{rulebook.id} {view.as_of}"


def _growth(lake: Lake) -> _Growth:
    parts: dict[str, list[str]] = {}
    for name in DATASETS:
        for day, segments in lake.days(name).items():
            parts.setdefault(day, []).extend(f"{name} {segment.sha256}" for segment in segments)
    days, digests, grown = sorted(parts), [], hashlib.sha256()
    for day in days:
        grown.update(f"{day} {sorted(parts[day])}".encode())
        digests.append(grown.hexdigest())
    return _Growth(days, digests)


def _read(file: Path) -> dict[str, _Day]:
    """What was kept; nothing when it is not whole, or was kept by another version."""
    try:
        kept: Any = json.loads(file.read_bytes())
        return {name: _day(says) for name, says in kept["days"].items()} if kept["stamp"] == STAMP else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        return {}


def _day(says: Any) -> _Day:
    lapses = frozenset((str(code), str(subject)) for code, subject in says["lapses"])
    values = {key: None if text is None else plain(Decimal(text)) for key, text in says["values"].items()}
    worst = {str(key): int(Severity(grave)) if grave else 0 for key, grave in says["worst"].items()}
    return _Day(str(says["of"]), lapses, values, worst)
