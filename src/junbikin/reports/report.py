"""The report: one self-contained HTML file in English and Japanese, for a screen, a phone and paper."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from junbikin.figures import RATIO, Figure, Name
from junbikin.reports import charts, words
from junbikin.reports.custody_page import Shown, with_custody
from junbikin.reports.duties import once
from junbikin.reports.html import both, named, pages
from junbikin.reserve.position import Position

_LINES = {
    "spot_venue": Name("venue", "取引所"),
    "spot_principal": Name("principal", "販売所"),
    "spot_brokered": Name("brokered", "取次ぎ"),
    "margin": Name("margin", "信用"),
    "derivative": Name("derivative", "デリバティブ"),
}


def _bars(position: Position) -> list[charts.Bar]:
    money = [step for step in (*position.steps, position.requirement) if step.unit == position.requirement.unit]
    return charts.bars(money)


def _multipliers(position: Position) -> list[Figure]:
    return [step for step in position.steps if step.unit == RATIO]


def _cover(position: Position) -> dict[str, int]:
    """How far assets and insurance reach into the requirement, in thousandths of the larger of both sums."""
    need, have = position.requirement.value, position.resources.total.value
    whole = max(need or Decimal(0), have or Decimal(0))
    return {
        "assets": charts.thousandths(position.resources.reserve_assets.value, whole),
        "insurance": charts.thousandths(position.resources.insurance.value, whole),
        "need": charts.thousandths(need, whole),
    }


def report(positions: Sequence[Position], lang: words.Lang = "en", custody: Sequence[Shown] = ()) -> str:
    """The page for some positions of one operator and day, and its custody days; `lang` is what it shows first."""
    environment = with_custody(pages())
    environment.globals.update(
        bars=_bars,
        multipliers=_multipliers,
        cover=_cover,
        once=once,
        columns=charts.volume_columns,
        line_name=lambda line: named(_LINES[line]),
        face=lambda p: both(*(words.face([str(tag) for tag in p.provenances], each) for each in ("en", "ja"))),
    )
    page = environment.get_template("report.html.j2")
    return page.render(positions=positions, first=positions[0] if positions else None, lang=lang, custody=custody)
