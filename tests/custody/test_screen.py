"""The custody day on one screen: every duty, the worst that it judges, and what must be done by when."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from junbikin.custody.aged import AGES, Aged, Class
from junbikin.custody.day import CustodyDay
from junbikin.custody.reconcile.breaks import Kind
from junbikin.custody.reconcile.recorded import Recorded
from junbikin.figures import Figure, Name, Stated, given, hole
from junbikin.findings import Finding, Severity
from junbikin.home import Home
from junbikin.reports.custody import MOST_FINDINGS, custody_parts
from junbikin.reports.duties import answer, by_date, once, stands
from junbikin.reports.words import Lang, percent

from .conftest import bring
from .shown import DAYS, HOT, LAST, SHORT, custody_day, firm

MANY = [f"C{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return firm(tmp_path_factory.mktemp("screen") / "home")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A firm with forty assets, of which three are short on the last day by 1, 2 and 3."""
    home = firm(tmp_path_factory.mktemp("large") / "home", MANY)
    short = {"C07": 93, "C11": 95, "C30": 94}  # with 3 hot: 96, 98 and 97 for 100
    bring(home, "holdings", [f"{LAST},cold,{a},{q},customer,cold" for a, q in short.items()], corrects="counted again")
    return home


def screen(day: CustodyDay, lang: Lang = "en", width: int = 120, found: Aged | None = None) -> str:
    printed = StringIO()
    console = Console(width=width, highlight=False, file=printed)
    for part in custody_parts(day, lang, found):
        console.print(part)
    return printed.getvalue()


def row(text: str, duty: str) -> str:
    """The line of a duty and those that it runs on into, blanks made one."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(duty))
    more = lines[start + 1 : start + 4]
    run_on = next((i for i, line in enumerate(more) if not line.startswith(" ")), len(more))
    return " ".join(" ".join(lines[start : start + 1 + run_on]).split())


def test_a_day_in_order_says_so_and_names_what_is_not_known(home: Home) -> None:
    text = screen(custody_day(home, LAST))
    assert "8 of 9 duties kept, 1 not known" in text
    assert "there is no registry" in text
    assert "breach" not in text


@pytest.mark.parametrize("width", [100, 120])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_firm_with_forty_assets_of_which_three_are_short_fits_one_screen(large: Home, lang: Lang, width: int) -> None:
    text = screen(custody_day(large, LAST), lang, width, aged())
    assert len(text.splitlines()) <= 45, text
    assert max(map(len, text.splitlines())) <= width


def test_of_forty_assets_the_worst_is_shown_and_how_many_others_there_are(large: Home) -> None:
    text = row(screen(custody_day(large, LAST), width=240), "customers' crypto-assets are there")
    assert "breach C07 held for customers, less owed −4 C07; and 39 more, 2 of them not kept" in text
    fine = row(screen(custody_day(large, DAYS[0]), width=240), "customers' crypto-assets are there")
    assert fine.endswith("; and 39 more, all kept held_gap.C00")


def test_every_finding_of_a_short_asset_stands_in_the_list_of_what_must_be_done(large: Home) -> None:
    day = custody_day(large, LAST)
    text = screen(day)
    for asset in ("C07", "C11", "C30"):
        assert f"customers are owed more {asset}" in text
    assert len(day.findings) <= MOST_FINDINGS


def test_what_is_hot_stands_beside_its_limit_in_per_cent(home: Home) -> None:
    text = row(screen(custody_day(home, HOT), width=240), "mostly in cold storage")
    assert "breach share not in cold storage 9% [assumption] (most that may be outside cold storage 5%)" in text
    assert "hot_share" in text


def test_a_figure_that_is_named_beside_a_duty_can_be_opened(home: Home) -> None:
    day = custody_day(home, LAST)
    for duty in day.duties:
        for figure in duty.told:
            assert day.figure(figure.key) == figure


def test_what_must_be_cured_is_told_by_its_day_and_says_since_when(home: Home) -> None:
    [line] = [line for line in screen(custody_day(home, SHORT), width=240).splitlines() if "2026-03-09" in line]
    what = "less of the customers' money is held than they are owed (−¥100), since 2026-03-05"
    assert line.split() == ["2026-03-09", "breach", *what.split(), "add", "the", "difference"]


def test_a_number_of_days_that_is_not_law_is_marked(home: Home) -> None:
    assert "2026-03-05 (assumption)" in screen(custody_day(home, HOT))
    assert "2026-03-05 (仮定)" in screen(custody_day(home, HOT), "ja")
    assert "2026-03-09 (" not in screen(custody_day(home, SHORT))


def test_a_duty_that_rests_on_more_than_law_says_so(home: Home) -> None:
    text = screen(custody_day(home, LAST))
    assert "9% [assumption] (most" in row(screen(custody_day(home, HOT)), "mostly in cold storage")
    assert "[assumption]" not in row(text, "customers' money on trust")


def test_the_japanese_screen_has_no_english_words_but_names_and_keys(home: Home) -> None:
    text = screen(custody_day(home, HOT), "ja")
    for words in ("2026-03-03", "違反", "コールド以外の割合 9%", "なすべきことと期限", "義務", "状況"):
        assert words in text
    assert not re.search(r"\b(breach|kept|duty|since|by|of|and)\b", text)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_operators_name_stands_as_it_is_written(home: Home, lang: Lang) -> None:
    assert "Example <b>& [red] 取引所" in screen(custody_day(home, LAST), lang)


# Findings told


def finding(number: int, cure_by: date | None = None, severity: Severity = Severity.BREACH) -> Finding:
    return Finding(f"c{number}", severity, Name(f"what {number}", f"何{number}"), Name("do", "行う"), cure_by=cure_by)


def with_findings(day: CustodyDay, findings: list[Finding]) -> CustodyDay:
    """The day with these findings and no others."""
    duties = tuple(replace(duty, lapses=()) for duty in day.duties)
    return replace(day, duties=duties, beside=tuple(findings))


def test_more_findings_than_the_screen_takes_are_counted_and_the_gravest_kept(home: Home) -> None:
    warnings = [finding(number, severity=Severity.WARNING) for number in range(30)]
    grave = finding(99, date(2026, 4, 1))
    text = screen(with_findings(custody_day(home, LAST), [*warnings, grave]))
    assert "what 99" in text
    assert f"and {31 - MOST_FINDINGS} more" in text
    assert len(re.findall(r"what \d+", text)) == MOST_FINDINGS


def test_what_is_found_twice_in_the_same_words_is_told_once_with_its_number(home: Home) -> None:
    other = replace(finding(1), code="another")
    text = screen(with_findings(custody_day(home, LAST), [finding(1), finding(2), other]))
    assert text.count("what 1") == 1
    assert "what 1 ×2" in text


def test_no_finding_is_lost_when_they_are_told_once() -> None:
    found = [finding(number % 3, date(2026, 4, 1 + number % 2)) for number in range(20)]
    assert sum(count for _, count in once(found)) == 20


def test_what_is_due_first_stands_first_and_what_has_no_day_last() -> None:
    days = [None, date(2026, 4, 3), date(2026, 4, 1), None, date(2026, 4, 2)]
    found = by_date([finding(number, day) for number, day in enumerate(days)])
    assert [f.cure_by for f in found] == [date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 3), None, None]


def test_nothing_to_do_is_said(home: Home) -> None:
    day = with_findings(custody_day(home, LAST), [])
    assert "Nothing must be done." in screen(day)
    assert answer(day).en == "all 9 duties are kept"
    assert answer(day).ja == "9の義務すべて適正"


def told(values: list[str | None], unit: str = "BTC") -> tuple[Figure, ...]:
    source = Stated("a test")
    return tuple(
        hole(unit, Name("g", "g"), Name("why", "理由"), f"g.{i}") if value is None else given(value, unit, Name("g", "g"), source, f"g.{i}")
        for i, value in enumerate(values)
    )  # fmt: skip


def test_an_unknown_among_the_others_is_not_called_kept(home: Home) -> None:
    duty = replace(custody_day(home, LAST).duties[0], told=told([None, None, "5"]))
    assert stands(duty, "en") == "g unknown; and 2 more, 1 of them not kept"


@pytest.mark.parametrize(
    ("value", "words"), [("0.03", "3%"), ("0", "0%"), ("0.056913", "5.6913%"), ("1", "100%"), ("-0.001", "−0.1%")]
)
def test_a_share_is_shown_in_per_cent_with_every_digit(value: str, words: str) -> None:
    assert percent(told([value], "1")[0]) == words


def test_an_unknown_share_is_unknown() -> None:
    assert percent(told([None], "1")[0], "ja") == "不明"


# Breaks


def recorded(breaks: int) -> Recorded:
    then = datetime(2026, 3, 10, tzinfo=UTC)
    return Recorded(41, LAST, then, then, "0" * 64, "1" * 64, breaks)


def aged() -> Aged:
    amounts = tuple((asset, Decimal(number)) for number, asset in enumerate(("BTC", "DOT", "ETH", "XRP"), 1))
    missing = Class(Kind.MISSING, (1, 0, 2, 0, 4), date(2025, 12, 1), amounts)
    return Aged(recorded(9), (missing, Class(Kind.TIMING, (2, 0, 0, 0, 0), LAST, ())))


def test_breaks_stand_by_class_and_age(home: Home) -> None:
    text = screen(custody_day(home, LAST), found=aged())
    assert "Breaks: 9 in the reconciliation of 2026-03-10 (record 41)" in text
    [line] = [line for line in text.splitlines() if line.startswith("missing")]
    assert line.split()[:5] == ["missing", "1", "2", "4", "2025-12-01"]
    assert "1 BTC, 2 DOT, 3 ETH, and 1 more assets" in line
    for _, name in AGES:
        assert name.en in text


def test_no_breaks_are_told_in_a_word(home: Home) -> None:
    text = screen(custody_day(home, LAST), "ja", found=Aged(recorded(0), ()))
    assert "差異：2026-03-10の照合で0件（記録41）" in text
    assert "分類" not in text


def test_breaks_whose_list_is_elsewhere_are_counted_and_that_is_said(home: Home) -> None:
    text = screen(custody_day(home, LAST), found=Aged(recorded(3), None))
    assert "Breaks: 3" in text
    assert "not in this home" in text
