"""Requirement and resources over time: lines for the terminal, and a page with a chart for each rulebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.reports.charts import thousandths
from junbikin.reports.html import pages
from junbikin.reports.words import Lang, money

if TYPE_CHECKING:
    from datetime import date

    from junbikin.reserve.history import Point

HEIGHT, WIDTH = 200, 1000
BAR = 40
"""Characters of the widest bar in the terminal."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A position in the drawing: how far along, and how high its two amounts stand (None: not known)."""

    x: int
    requirement: int | None
    resources: int | None
    point: Point


@dataclass(frozen=True, slots=True)
class Chart:
    """One rulebook's positions in a drawing 1,000 wide and 200 high, whose top is `top`."""

    rulebook: str
    dots: list[Dot]
    top: Decimal

    def line(self, what: str) -> str:
        """The points of a line, `x,y …`; it leaves out what is not known."""
        known = ((dot.x, getattr(dot, what)) for dot in self.dots)
        return " ".join(f"{x},{y}" for x, y in known if y is not None)

    @property
    def labels(self) -> list[date]:
        """The first and the last day."""
        return [self.dots[0].point.as_of, self.dots[-1].point.as_of]


def charts(points: Sequence[Point]) -> list[Chart]:
    """A chart for each rulebook, of points in order of rulebook and day."""
    return [_chart(rulebook, list(of)) for rulebook, of in groupby(points, key=lambda point: point.rulebook)]


def _chart(rulebook: str, points: Sequence[Point]) -> Chart:
    top = _top(points)
    first, days = points[0].as_of, max((points[-1].as_of - points[0].as_of).days, 1)
    dots = [
        Dot(
            (point.as_of - first).days * WIDTH // days,
            _height(point.requirement, top),
            _height(point.resources, top),
            point,
        )
        for point in points
    ]
    return Chart(rulebook, dots, top)


def _top(points: Sequence[Point]) -> Decimal:
    return max(
        (value for p in points for value in (p.requirement, p.resources) if value is not None), default=Decimal(0)
    )


def _height(value: Decimal | None, top: Decimal) -> int | None:
    return None if value is None else HEIGHT - thousandths(value, top) * HEIGHT // 1000


def history_page(operator: str, points: Sequence[Point], lang: Lang) -> str:
    """The page: answer first, then a chart and a table for each rulebook. It needs no network."""
    page = pages().get_template("history.html.j2")
    return page.render(operator=operator, charts=charts(points), lang=lang, money=money)


def history_tables(points: Sequence[Point], lang: Lang) -> Iterator[Table]:
    """A table for each rulebook, with a bar of the resources and a stroke where the requirement is."""
    for rulebook, of in groupby(points, key=lambda point: point.rulebook):
        here = list(of)
        table = Table(box=None, padding=(0, 2), title=escape(rulebook), title_justify="left")
        table.add_column("基準日" if lang == "ja" else "day")
        for en, ja in (
            ("requirement", "要積立額"),
            ("resources", "充当可能財源"),
            ("surplus / shortfall", "余剰／不足"),
        ):
            table.add_column(ja if lang == "ja" else en, justify="right")
        table.add_column("財源█ 要積立額│" if lang == "ja" else "resources █ requirement │")
        for point in here:
            short = point.gap is None or point.gap < 0
            table.add_row(
                str(point.as_of),
                money(point.requirement, point.currency, lang),
                money(point.resources, point.currency, lang),
                Text(money(point.gap, point.currency, lang), style="red" if short else "green"),
                _bar(point, _top(here)),
            )
        yield table


def _bar(point: Point, top: Decimal) -> Text:
    filled = thousandths(point.resources, top) * BAR // 1000
    bar = Text("█" * filled + " " * (BAR + 1 - filled), style="cyan")
    if point.requirement is not None:
        mark = thousandths(point.requirement, top) * BAR // 1000
        bar = bar[:mark] + Text("│", style="bold red") + bar[mark + 1 :]
    return bar
