"""From a home to its custody days: the lake, the books and the registry are opened once for all rulebooks and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from junbikin.custody.day import CustodyDay, judge
from junbikin.custody.memory import Memory
from junbikin.custody.registered import Registry, read_registry
from junbikin.custody.view import CustodyView
from junbikin.errors import ParameterMissing
from junbikin.facts.lake import Lake, open_lake
from junbikin.facts.run import Progress
from junbikin.home import Home
from junbikin.reserve.ledger import Ledger
from junbikin.rulebooks.load import Rulebook, load_rulebook


@dataclass(frozen=True)
class Views:
    """The view of any day: of one lake, and of one state of the books and the registry."""

    lake: Lake
    ledger: Ledger | None
    registry: Registry | None
    _made: dict[date, CustodyView] = field(default_factory=dict)

    def on(self, day: date) -> CustodyView:
        """The facts of a day, kept for whoever asks again."""
        if day not in self._made:
            self._made[day] = self.new(day)
        return self._made[day]

    def new(self, day: date) -> CustodyView:
        """The facts of a day, for one look: nothing of it is kept in memory."""
        ledger = replace(self.ledger, as_of=day) if self.ledger else None
        return CustodyView(self.lake, day, ledger, self.registry.on(day) if self.registry else None)


def views_in(lake: Lake, ledger: Ledger | None) -> Views:
    """The views of a lake; `ledger` tells the books and when they were read, None: there are none."""
    return Views(lake, ledger, read_registry(ledger.books, ledger.known_at) if ledger else None)


def views_of(home: Home, ledger: Ledger | None) -> Views:
    """The views of a home as it is now."""
    return views_in(open_lake(home), ledger)


def judged(home: Home, rulebooks: Sequence[Rulebook], as_of: date, ledger: Ledger | None) -> list[CustodyDay]:
    """The custody day under each rulebook; `ledger` tells the books and when they were read, None: there are none."""
    return judged_in(views_of(home, ledger), rulebooks, as_of)


def judged_in(
    views: Views,
    rulebooks: Sequence[Rulebook],
    as_of: date,
    progress: Progress = lambda what, share: None,
) -> list[CustodyDay]:
    """The custody day under each rulebook, of facts that are open already."""
    memory = memory_of(views.lake)
    days = [judge(rulebook, views.on(as_of), views.new, memory, progress) for rulebook in rulebooks]
    memory.write()
    return days


def judged_or_stopped(
    views: Views, names: Sequence[str], base: Path | None, as_of: date, progress: Progress = lambda what, share: None
) -> tuple[list[CustodyDay], list[ParameterMissing]]:
    """The custody day under each rulebook of an id or folder (relative to `base`), and what stopped others: one stops nobody else."""
    days: list[CustodyDay] = []
    stopped: list[ParameterMissing] = []
    for name in names:
        try:
            days += judged_in(views, [load_rulebook(name, base)], as_of, progress)
        except ParameterMissing as problem:
            stopped.append(problem)
    return days, stopped


def memory_of(lake: Lake) -> Memory:
    """What was found on earlier days, where what is kept between runs may be believed."""
    return Memory(lake.cache / "custody.json" if lake.cache else None)
