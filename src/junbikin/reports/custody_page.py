"""The custody page: the answer first, what must be done by when, then the days so far, each asset, and every figure to its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from junbikin.custody.aged import AGES, aged
from junbikin.custody.judging import memory_of
from junbikin.custody.past import past
from junbikin.figures import Figure, Name, Rounding, ratio
from junbikin.reports import custody_charts as charts
from junbikin.reports import duties, words
from junbikin.reports.breaks import NOT_HERE, NOT_ON_RECORD, amounts, title
from junbikin.reports.html import both, pages

if TYPE_CHECKING:
    from jinja2 import Environment

    from junbikin.custody.aged import Aged
    from junbikin.custody.day import CustodyDay, Duty
    from junbikin.custody.judging import Views
    from junbikin.custody.past import PastDay
    from junbikin.facts.run import Progress
    from junbikin.findings import Finding
    from junbikin.reserve.ledger import Ledger

SHARE_PLACES = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One asset: what is owed and held of it, the difference, the share outside cold storage, and how it went."""

    asset: str
    owed: Figure
    held: Figure
    gap: Figure
    hot: Figure | None
    line: charts.Line | None

    @property
    def bad(self) -> bool:
        """Whether less is held than is owed, or nobody knows."""
        return self.gap.value is None or self.gap.value < 0


@dataclass(frozen=True)
class Shown:
    """A custody day with what the page shows beside it: the days up to it, and the breaks of the last reconciliation on record."""

    day: CustodyDay
    past: Sequence[PastDay]
    breaks: Aged | None

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        return {figure.key: figure for root in self.day.figures for figure in root.walk() if figure.key}

    def duty(self, key: str) -> Duty | None:
        """A duty of the day, if the regime has it."""
        return next((duty for duty in self.day.duties if duty.key == key), None)

    @property
    def heads(self) -> list[tuple[Duty, Figure]]:
        """The duties whose figure stands beside the answer."""
        found = [self.duty(key) for key in ("hot", "money")]
        return [(duty, duty.told[0]) for duty in found if duty is not None and duty.told]

    @property
    def to_do(self) -> list[tuple[Finding, int]]:
        """What must be done, by date, each once with how often it is found."""
        count = {id(finding): number for finding, number in duties.once(self.day.findings)}
        found = [finding for finding in self.day.findings if id(finding) in count]
        return [(finding, count[id(finding)]) for finding in duties.by_date(found)]

    @property
    def hot_limit(self) -> Figure | None:
        """The most that may be outside cold storage."""
        duty = self.duty("hot")
        return duty.against if duty is not None else None

    @property
    def hot_line(self) -> charts.Line | None:
        """The share outside cold storage day by day."""
        limit = self.hot_limit
        return charts.share_line(self.past, limit.known) if limit is not None and self.past else None

    def stretches(self, duty: Duty) -> list[charts.Stretch]:
        """How a duty stood day by day."""
        return charts.stretches(self.past, duty.key) if self.past else []

    @property
    def rows(self) -> list[Row]:
        """Each asset, the one that is held least above what is owed first; then money."""
        held = self.duty("held")
        names = [gap.key.partition(".")[2] for gap in held.told] if held is not None else []
        keys = [(name, f"owed.{name}", f"held.{name}", f"held_gap.{name}", f"warm.{name}") for name in names]
        money = str(self._figures["money_gap"].unit) if "money_gap" in self._figures else ""
        keys += [(money, "money_owed", "money_stored", "money_gap", "")] if money else []
        return [self._row(*five) for five in keys]

    def _row(self, asset: str, owed: str, held: str, gap: str, warm: str) -> Row:
        found = self._figures
        line = charts.gap_line(self.past, gap, owed) if self.past else None
        return Row(asset, found[owed], found[held], found[gap], _share(found.get(warm), found[held]), line)

    def roots(self, duty: Duty) -> list[Figure]:
        """The figures of a duty that are not part of another of them: from these all open."""
        inside = {part.digest for step in duty.steps for part in step.walk() if part is not step}
        return [step for step in duty.steps if step.digest not in inside]

    @property
    def face(self) -> Name:
        """What the duties rest on besides law; empty when it is law alone."""
        weak = [
            str(tag)
            for duty in self.day.duties
            for tag in duties.weak([*duty.told[:1], *([duty.against] if duty.against else [])])
        ]
        tags = sorted(set(weak), reverse=True)
        return Name(words.face(tags, "en"), words.face(tags, "ja"))


def shown_of(views: Views, days: Sequence[CustodyDay], progress: Progress = lambda what, share: None) -> list[Shown]:
    """Custody days with the days up to them; those not judged before are, and are remembered."""
    memory, ledger = memory_of(views.lake), views.ledger
    found = [
        Shown(day, past(views, day, memory, progress=progress), breaks_on(ledger, day.as_of) if ledger else None)
        for day in days
    ]
    memory.write()
    return found


def breaks_on(ledger: Ledger, day: date) -> Aged | None:
    """The breaks of the last reconciliation on record up to a day, as the books were known."""
    return aged(ledger.books, day, ledger.known_at)


def _share(part: Figure | None, whole: Figure) -> Figure | None:
    if part is None or not whole.value:
        return None
    return ratio(part, whole, SHARE_PLACES, Rounding.HALF_UP)


def custody_page(shown: Sequence[Shown], lang: words.Lang = "en") -> str:
    """The page for some custody days of one operator; `lang` is what it shows first. It needs no network."""
    environment = with_custody(pages())
    first = shown[0].day if shown else None
    return environment.get_template("custody.html.j2").render(custody=shown, first=first, lang=lang)


def with_custody(environment: Environment) -> Environment:
    """The templates, with what the custody section asks for."""
    environment.globals.update(
        answer=duties.answer,
        of_days=duties.of_days,
        is_old=duties.is_old,
        worst=duties.worst,
        stands=lambda duty: both(duties.stands(duty, "en"), duties.stands(duty, "ja")),
        shown=lambda figure: both(duties.shown(figure, "en"), duties.shown(figure, "ja")),
        ages=[name for _, name in AGES],
        breaks_title=title,
        breaks_not_here=NOT_HERE,
        breaks_not_on_record=NOT_ON_RECORD,
        break_amounts=lambda each: both(amounts(each, "en"), amounts(each, "ja")),
        percent=_percent,
    )
    return environment


def _percent(value: Decimal) -> str:
    return f"{words.grouped(value * 100, 2)}%"
