"""The custody page: whole by itself, in two languages, with the days so far, and every figure opened to its sources."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junbikin import rulebooks
from junbikin.custody.day import judge
from junbikin.custody.judging import memory_of, views_of
from junbikin.custody.memory import Memory
from junbikin.custody.past import PastDay, past
from junbikin.figures import Data, Rule, plain
from junbikin.findings import Severity
from junbikin.home import Home
from junbikin.reports import custody_charts as charts
from junbikin.reports.custody_page import Shown, custody_page
from junbikin.reports.duties import stands
from junbikin.reports.report import report
from junbikin.reserve.assess import assess
from junbikin.rulebooks.load import load_rulebook

from .conftest import bring
from .shown import DAYS, HOT, LAST, SHORT, firm, page_of
from .test_screen import aged


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return firm(tmp_path_factory.mktemp("page") / "home")


@pytest.fixture(scope="module")
def shown(home: Home) -> Shown:
    return page_of(home)


@pytest.fixture(scope="module")
def page(shown: Shown) -> str:
    return custody_page([replace(shown, breaks=aged())])


EMPTY = {"meta", "br", "input", "line", "rect", "polyline", "circle"}
"""Tags that have no end."""


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of turn; counts what each language is given, and keeps every id."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.languages: dict[str, int] = {}
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.add(tag)
        if tag == "span" and named.get("lang"):
            self.languages[str(named["lang"])] = self.languages.get(str(named["lang"]), 0) + 1
        if named.get("id"):
            self.ids.append(str(named["id"]))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag


def parsed(page: str) -> Balanced:
    found = Balanced()
    found.feed(page)
    assert found.open == []
    return found


def test_the_page_is_well_formed_and_says_everything_in_both_languages(page: str) -> None:
    found = parsed(page)
    assert found.languages["en"] == found.languages["ja"] > 100


def test_the_page_needs_no_network_and_runs_no_script(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", page)
    assert not parsed(page).tags & {"script", "img", "link", "iframe", "object"}


def test_the_answer_stands_before_everything_else(page: str) -> None:
    heads = re.findall(r'<h3><span lang="en">(.*?)</span>', page)
    assert heads == [
        "What must be done, by when", "Each duty, and how it stood day by day", "Customers&#39; crypto-assets outside cold storage",
        "Held and owed, asset by asset", "What does not match, and for how long",
        "Every figure, down to the article and the file", "Files behind it",
    ]  # fmt: skip
    assert page.index("8 of 9 duties kept, 1 not known") < page.index("<h3>")


def test_names_are_text_and_never_markup(page: str) -> None:
    assert "Example &lt;b&gt;&amp; [red] 取引所" in page
    assert "<b>& [red]" not in page


def test_every_figure_of_every_duty_opens_to_its_rules_and_facts(shown: Shown, page: str) -> None:
    ids = set(parsed(page).ids)
    figures = [part for duty in shown.day.duties for step in duty.steps for part in step.walk()]
    assert len(figures) > 50
    assert {f"f{part.digest[:16]}" for part in figures} <= ids
    for part in figures:
        if isinstance(part.source, Data):
            assert part.source.digest in page
        if isinstance(part.source, Rule):
            assert part.source.parameter in page


def test_a_figure_that_opens_has_one_place_on_the_page(page: str) -> None:
    opened = re.findall(r'<details id="(f[0-9a-f]{16})"', page)
    assert len(opened) == len(set(opened)) > 10


def test_every_finding_stands_on_the_page_with_its_day(home: Home) -> None:
    shown = page_of(home, HOT)
    text = custody_page([shown])
    assert len(shown.day.findings) > 2
    for finding in shown.day.findings:
        assert finding.what.ja in text
        if finding.cure_by:
            assert f"<b>{finding.cure_by}</b>" in text
    assert text.count("2026-03-05</b>") >= 2


def test_breaks_stand_by_class_and_age(page: str) -> None:
    table = re.findall(r'<table class="breaks">.*?</table>', page, re.DOTALL)[0]
    cells = re.findall(r'<td class="num( old-\d)?">(\d*)</td>', table)
    assert cells == [(" old-0", "1"), ("", ""), (" old-2", "2"), ("", ""), (" old-4", "4"), (" old-0", "2"), *[("", "")] * 4]  # fmt: skip
    assert "2025-12-01" in table


def test_without_a_reconciliation_on_record_the_page_says_how_to_make_one(shown: Shown) -> None:
    assert "<code>junbikin custody reconcile --record</code>" in custody_page([shown])


def test_the_language_asked_for_is_shown_first(shown: Shown) -> None:
    for lang in ("en", "ja"):
        text = custody_page([shown], lang)
        assert f'<html lang="{lang}">' in text
        assert re.findall(r'id="(en|ja)" ?checked', text) == [lang]


def test_a_page_of_two_regimes_has_a_section_for_each(home: Home) -> None:
    both = [page_of(home), page_of(home, rulebook="hk-sfc"), page_of(home, rulebook="kr-vaupa")]
    text = custody_page(both)
    for regime in ("jp-psa", "hk-sfc", "kr-vaupa"):
        assert f'id="custody-{regime}"' in text
    parsed(text)


def test_amounts_on_the_page_are_exact(shown: Shown, page: str) -> None:
    for row in shown.rows:
        assert plain(row.gap.known) in page.replace(",", "").replace("−", "-")


# The report


def test_the_report_has_the_custody_page_when_there_is_one(home: Home, shown: Shown) -> None:
    from junbikin.facts.lake import open_lake

    position = assess(open_lake(home), load_rulebook("hk-sfc"), LAST)
    alone, together = report([position]), report([position], "en", [shown])
    assert "custody-jp-psa" not in alone
    assert 'id="custody-jp-psa"' in together
    assert together.index('id="hk-sfc"') < together.index('id="custody-jp-psa"')
    parsed(together)


# Each asset


def test_each_asset_and_money_have_a_row_the_shortest_first(home: Home) -> None:
    shown = page_of(home, SHORT)
    rows = {row.asset: row for row in shown.rows}
    assert list(rows) == ["BTC", "ETH", "JPY"]
    assert [plain(f.known) for f in (rows["BTC"].owed, rows["BTC"].held, rows["BTC"].gap)] == ["100", "104", "4"]
    assert [plain(f.known) for f in (rows["JPY"].owed, rows["JPY"].held, rows["JPY"].gap)] == ["900", "800", "-100"]
    assert [row.bad for row in shown.rows] == [False, False, True]
    hot = rows["ETH"].hot
    assert hot is not None
    assert hot.known == Decimal("0.028846")


# Day by day


def test_the_days_so_far_are_those_that_are_known_and_no_later_one(home: Home) -> None:
    assert [day.as_of for day in page_of(home).past] == list(DAYS)
    assert [day.as_of for day in page_of(home, SHORT).past] == list(DAYS[:4])


def test_each_day_so_far_is_what_judging_that_day_alone_says(home: Home, shown: Shown) -> None:
    for day in shown.past:
        views = views_of(home, None)
        alone = judge(shown.day.rulebook, views.new(day.as_of), views.new, Memory(None))
        values = {step.key: step.value for duty in alone.duties for step in duty.steps}
        grave = {duty.key: max((finding.severity for finding in duty.findings), default=None) for duty in alone.duties}
        assert day.values == values
        assert day.worst == grave


def test_what_is_remembered_says_the_same_as_what_was_judged(home: Home, shown: Shown) -> None:
    assert (home.path / "cache" / "custody.json").exists()
    views = views_of(home, None)
    assert past(views, shown.day, memory_of(views.lake)) == list(shown.past)


def test_only_the_last_days_are_looked_at(home: Home, shown: Shown) -> None:
    found = past(views_of(home, None), shown.day, Memory(None), most=3)
    assert [day.as_of for day in found] == list(DAYS[-3:])


def test_days_before_the_regime_was_in_force_are_left_out(tmp_path: Path) -> None:
    early = date(2020, 4, 30)  # jp-psa's numbers are of 2020-05-01 and later
    home = firm(tmp_path / "home", days=(early, early + timedelta(days=1), early + timedelta(days=2)))
    assert [day.as_of for day in page_of(home, early + timedelta(days=2)).past] == [date(2020, 5, 1), date(2020, 5, 2)]


def test_the_share_outside_cold_storage_is_above_the_limit_on_the_hot_day_alone(shown: Shown) -> None:
    line = shown.hot_line
    assert line is not None
    assert [dot.day for dot in line.dots if dot.bad] == [HOT]
    assert {dot.day: dot.value for dot in line.dots}[HOT] == Decimal("0.09")
    assert all((dot.y < line.mark) == dot.bad for dot in line.dots)


def test_a_day_on_which_the_share_is_not_known_breaks_the_line() -> None:
    values = [Decimal("0.03"), None, Decimal("0.02"), Decimal("0.01")]
    line = charts.share_line(days_of("hot_share", values), Decimal("0.05"))
    assert line is not None
    assert [[dot.value for dot in piece] for piece in line.pieces] == [[values[0]], [values[2], values[3]]]


@pytest.fixture(scope="module")
def by_asset(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A regime whose limit is of each asset, as Bahrain's is."""
    folder = tmp_path_factory.mktemp("books") / "by-asset"
    shutil.copytree(Path(rulebooks.__file__).parent / "hk_sfc", folder)
    text = (folder / "rulebook.toml").read_text(encoding="utf-8").replace('value = "total"', 'value = "asset"')
    (folder / "rulebook.toml").write_text(text.replace('id = "hk-sfc"', 'id = "by-asset"'), encoding="utf-8")
    return str(folder)


def test_of_a_regime_by_asset_the_largest_share_of_each_day_is_drawn(tmp_path: Path, by_asset: str) -> None:
    home = firm(tmp_path / "home")
    bring(home, "holdings", [f"{DAYS[4]},hot,ETH,50,customer,hot"], corrects="counted again")
    shown = page_of(home, rulebook=by_asset)
    line = shown.hot_line
    assert line is not None
    assert [dot.day for dot in line.dots] == list(DAYS)
    assert {dot.day: plain(dot.value) for dot in line.dots}[HOT] == "0.09"
    assert {dot.day: plain(dot.value) for dot in line.dots}[DAYS[4]] == "0.5"
    assert "of each day the largest of any asset" in custody_page([shown])


def test_of_a_regime_by_asset_those_above_the_limit_are_counted(home: Home, by_asset: str) -> None:
    duty = page_of(home, HOT, by_asset).duty("hot")
    assert duty is not None
    assert stands(duty, "en").endswith("2% [press]); and 1 more, 1 of them not kept")


def test_a_short_trust_is_below_the_line_of_nothing_on_its_day_alone(shown: Shown) -> None:
    money = shown.rows[-1].line
    assert money is not None
    assert [dot.day for dot in money.dots if dot.y > money.mark] == [SHORT]
    assert [dot.day for dot in money.dots if dot.bad] == [SHORT]


def test_each_duty_shows_in_which_days_it_was_not_kept(shown: Shown) -> None:
    hot = shown.duty("hot")
    assert hot is not None
    assert [(s.severity, s.first, s.last) for s in shown.stretches(hot)] == [
        (None, DAYS[0], DAYS[0]),
        (Severity.BREACH, HOT, HOT),
        (None, DAYS[2], LAST),
    ]


def test_one_day_alone_is_no_history(home: Home) -> None:
    text = custody_page([page_of(home, DAYS[0])])
    assert 'class="strip"' not in text
    assert 'class="spark"' not in text
    parsed(text)


def days_of(key: str, values: Sequence[Decimal | None], gap_days: int = 1) -> list[PastDay]:
    first = date(2026, 1, 1)
    return [PastDay(first + timedelta(days=number * gap_days), {}, {key: value}) for number, value in enumerate(values)]


GRAVES = st.sampled_from([None, Severity.WARNING, Severity.HOLE, Severity.BREACH])
WAITS = st.integers(1, 40)


@given(st.lists(st.tuples(WAITS, GRAVES), min_size=1, max_size=400))
@settings(max_examples=60, deadline=None)
def test_the_stretches_of_a_duty_cover_its_days_once_from_edge_to_edge(
    found: list[tuple[int, Severity | None]],
) -> None:
    day, known = date(2024, 1, 1), []
    for wait, severity in found:
        day += timedelta(days=wait)
        known.append(PastDay(day, {"hot": severity}, {}))
    made = charts.stretches(known, "hot")
    assert made[0].x == 0
    assert made[-1].x + made[-1].width == charts.WIDTH
    for before, after in pairwise(made):
        assert before.x + before.width == after.x
        assert before.severity != after.severity
        assert before.last < after.first
    inside = [s.severity for each in known for s in made if s.first <= each.as_of <= s.last]
    assert inside == [each.worst["hot"] for each in known]


SHARES = st.one_of(st.none(), st.decimals(min_value=0, max_value=1, places=6))


@given(st.lists(SHARES, min_size=1, max_size=60), st.decimals(min_value=Decimal("0.000001"), max_value=1, places=6))
@settings(max_examples=60, deadline=None)
def test_every_known_share_is_drawn_inside_the_drawing_and_on_its_side_of_the_limit(
    values: list[Decimal | None], limit: Decimal
) -> None:
    line = charts.share_line(days_of("hot_share", values), limit)
    known = [value for value in values if value is not None]
    if line is None:
        assert known == []
        return
    assert [dot.value for dot in line.dots] == known
    assert all(0 <= dot.x <= charts.WIDTH and 0 <= dot.y <= charts.HEIGHT for dot in line.dots)
    assert all((dot.y <= line.mark) if dot.value > limit else (dot.y >= line.mark) for dot in line.dots)
    assert all(dot.bad == (dot.value > limit) for dot in line.dots)


GAPS = st.tuples(st.decimals(min_value=-10, max_value=10, places=3), st.decimals(min_value=0, max_value=10, places=3))


@given(st.lists(GAPS, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_every_gap_is_drawn_inside_the_drawing_above_the_line_of_nothing_unless_it_is_short(
    pairs: list[tuple[Decimal, Decimal]],
) -> None:
    first = date(2026, 1, 1)
    known = [PastDay(first + timedelta(days=n), {}, {"gap": gap, "owed": owed}) for n, (gap, owed) in enumerate(pairs)]
    line = charts.gap_line(known, "gap", "owed")
    drawn = [(gap, owed) for gap, owed in pairs if owed]
    if line is None:
        assert drawn == []
        return
    assert len(line.dots) == len(drawn)
    for dot, (gap, owed) in zip(line.dots, drawn, strict=True):
        assert 0 <= dot.y <= charts.SPARK
        assert dot.bad == (gap < 0)
        assert abs(dot.value - gap / owed) <= Decimal("0.000001")
        assert dot.y >= line.mark if gap < 0 else dot.y <= line.mark
