"""Worked examples of every rulebook give what they say, and article 175 agrees with a slow reading of it.

What a broken rulebook says is tested in `test_broken_rulebooks.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.rulebooks.load import Rulebook, known_rulebooks, load_rulebook
from junbikin.rulebooks.parameters import Parameter
from junbikin.rulebooks.stated import Example, StatedFacts, load_examples, stated_case

BOOKS = {name: load_rulebook(name) for name in sorted(known_rulebooks())}
EXAMPLES = {name: load_examples(book) for name, book in BOOKS.items()}
NOT_THE_FORMULAS = ("resources.", "insurance.", "cure_business_days", "incident.")
"""Parameters that are read where resources are judged and incidents followed, not by a formula."""


NOT_CHOSEN = {("kr-vaupa", "cover.floor.other")}
"""Parameters for operators of another kind, which another parameter would have to choose."""


@pytest.mark.parametrize(
    ("book", "example"),
    [
        pytest.param(BOOKS[name], example, id=f"{name}/{example.file.stem}")
        for name, examples in EXAMPLES.items()
        for example in examples
    ],
)
def test_a_worked_example_gives_what_it_says(book: Rulebook, example: Example) -> None:
    assert example.differences(book) == []


@pytest.mark.parametrize("name", BOOKS)
def test_every_rulebook_has_worked_examples_that_pin_what_it_says(name: str) -> None:
    book, examples = BOOKS[name], EXAMPLES[name]
    if book.assess:
        assert sum("requirement" in example.expected for example in examples) > len(examples) / 2
    if book.custody:
        assert any(example.lapses for example in examples)
    if book.custody and not book.assess:
        assert all(example.lapses is not None for example in examples)
    if book.permission:
        assert all(example.permission is not None for example in examples)


def test_a_wrong_expectation_is_reported_with_both_numbers() -> None:
    first_year = _example("jp-fiea-175", "first-year")
    wrong = replace(first_year, expected={"accrual": Decimal("20000001"), "cap": Decimal("80000000")})
    assert wrong.differences(BOOKS["jp-fiea-175"]) == ["accrual: expected 20000001, got 20000000"]


def test_an_expectation_of_a_figure_that_does_not_exist_is_reported() -> None:
    wrong = replace(_example("hk-sfc", "all-hot"), expected={"cover_warm": Decimal(0)})
    assert wrong.differences(BOOKS["hk-sfc"]) == ["cover_warm: no such figure"]


@pytest.mark.parametrize(
    ("book", "key"),
    [
        pytest.param(book, key, id=f"{name}/{key}")
        for name, book in BOOKS.items()
        for key in book.parameters
        if not key.startswith(NOT_THE_FORMULAS) and (name, key) not in NOT_CHOSEN
    ],
)
def test_a_changed_parameter_of_a_formula_is_noticed_by_some_worked_example(book: Rulebook, key: str) -> None:
    changed = replace(book, parameters={**book.parameters, key: _changed(book.parameters[key])})
    assert any(_noticed(example, changed) for example in EXAMPLES[book.id])


def test_a_korean_market_without_won_has_the_lower_floor() -> None:
    book, example = BOOKS["kr-vaupa"], _example("kr-vaupa", "nothing-outside-cold")
    market = book.parameters["cover.market"]
    other = replace(market, values=tuple(replace(value, value="other") for value in market.values))
    assert (
        replace(book, parameters={**book.parameters, "cover.market": other}).outcome(example.facts).requirement.known
        == 500_000_000
    )


def _noticed(example: Example, changed: Rulebook) -> bool:
    try:
        return bool(example.differences(changed))
    except BadInput:
        return True


def _changed(parameter: Parameter) -> Parameter:
    """A tenth more, one more for a count or a zero, another line or act for one of an article, a word that is none for other words."""
    return replace(
        parameter, values=tuple(replace(v, value=_another(v.value or "", parameter.unit)) for v in parameter.values)
    )


def _another(value: str, unit: str) -> str:
    if not unit:
        return "ニ" if value == "ハ" else "ハ"
    number = Decimal(value)
    return str(number + 1 if number == int(number) else number * Decimal("1.1"))


def _example(book: str, name: str) -> Example:
    return next(example for example in EXAMPLES[book] if example.file.stem == name)


# Article 175, slowly. Rates are typed from the ordinance, per 10,000, and not read from the rulebook.

ACCRUAL = {
    "イ": "0.2", "ロ": "0.006", "ハ": "0.3", "ニ": "0.0016", "ホ": "0.3", "ヘ": "0.0096", "ト": "0.0012",
    "チ": "0.0024", "リ": "0.01", "ヌ": "0.01", "ル": "0.1",
}  # fmt: skip
CAP = {
    "イ": "0.8", "ロ": "0.024", "ハ": "1.2", "ニ": "0.0064", "ホ": "1.2", "ヘ": "0.0384", "ト": "0.0048",
    "チ": "0.0096", "リ": "0.04", "ヌ": "0.04", "ル": "0.4",
}  # fmt: skip
UNDER_LINE = {"spot_principal": "イ", "spot_brokered": "イ", "spot_venue": "イ", "margin": "イ", "derivative": "ヘ"}
YEARS = [f"FY{year}" for year in range(2014, 2020)]
"""More than three, so that a year too old or yet to come would show."""


def test_the_rates_typed_here_cover_every_line_of_the_rulebook() -> None:
    rules = BOOKS["jp-fiea-175"].on(date(2026, 3, 31))
    assert rules.under("accrual") == list(ACCRUAL) == rules.under("cap") == list(CAP)
    assert set(rules.under("line_of")) == set(UNDER_LINE)


def slow_article_175(facts: StatedFacts) -> tuple[Fraction, Fraction]:
    """(accrual, requirement) by exact fractions: 175(1), a sentence at a time."""
    this = first_year_of(facts.as_of)
    by_volume = Fraction(0)
    for statutory, rate in ACCRUAL.items():
        by_volume += slow_base(facts, statutory, this) * Fraction(rate) / 10_000
    held = slow_held(facts)
    left = slow_cap(facts) - held
    accrual = by_volume if by_volume < left else left
    if accrual < 0:
        accrual = Fraction(0)
    return accrual, held + accrual


def slow_cap(facts: StatedFacts) -> Fraction:
    """175(1)(ii) イ to ル."""
    this = first_year_of(facts.as_of)
    cap = Fraction(0)
    for statutory, rate in CAP.items():
        highest = slow_base(facts, statutory, this)
        for year in (this - 1, this - 2):
            if slow_base(facts, statutory, year) > highest:
                highest = slow_base(facts, statutory, year)
        cap += highest * Fraction(rate) / 10_000
    return cap


def slow_held(facts: StatedFacts) -> Fraction:
    """175(1)(ii) ヲ: set aside before this fiscal year, less what was used or released up to the day."""
    held = Fraction(0)
    for kind, day, amount in facts.entries:
        if kind == "accrual" and day < date(first_year_of(facts.as_of), 4, 1):
            held += Fraction(amount)
        if kind in ("use", "release") and day <= facts.as_of:
            held -= Fraction(amount)
    return held


def slow_base(facts: StatedFacts, statutory: str, year: int) -> Fraction:
    """What was traded under a line of the article in the fiscal year that began in `year`."""
    base = Fraction(0)
    for line, years in facts.volumes.items():
        if UNDER_LINE.get(line, line) == statutory:
            base += Fraction(years.get(f"FY{year}", "0"))
    return base


def first_year_of(day: date) -> int:
    """The calendar year in which the fiscal year of a day began, on 1 April."""
    return day.year if day >= date(day.year, 4, 1) else day.year - 1


def _yen(least: int, most: int) -> st.SearchStrategy[str]:
    """Amounts to eight decimals, such as price × quantity gives."""
    return st.integers(least * 10**8, most * 10**8).map(lambda units: format(Decimal(units).scaleb(-8), "f"))


_days = st.dates(date(2016, 4, 1), date(2019, 3, 31)) | st.sampled_from([date(2018, 3, 31), date(2018, 4, 1)])
_volumes = st.dictionaries(
    st.sampled_from([*ACCRUAL, *UNDER_LINE]),
    st.fixed_dictionaries({year: st.just("0") | _yen(10**11, 10**13) for year in YEARS}),
    max_size=5,
)
_entries = st.lists(
    st.tuples(
        st.sampled_from(["accrual", "use", "release"]),
        st.dates(date(2014, 4, 1), date(2019, 12, 31)) | st.sampled_from([date(2018, 3, 31), date(2018, 4, 1)]),
        _yen(0, 10**6),
    ),
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(as_of=_days, volumes=_volumes, entries=_entries, filled=st.integers(0, 110) | st.integers(70, 100))
def test_article_175_equals_its_slow_reading_to_the_last_digit(
    as_of: date, volumes: dict[str, dict[str, str]], entries: list[tuple[str, date, str]], filled: int
) -> None:
    """`filled` is how much of the cap, in percent, was set aside long before: near 100, the cap binds.

    A reserve below 0 is left out: the article does not say what holds when this year's own accrual is used in the year.
    """
    before = str(int(slow_cap(StatedFacts(as_of, volumes)) * filled / 100))
    facts = StatedFacts(as_of, volumes, (("accrual", date(2014, 3, 31), before), *entries))
    assume(slow_held(facts) >= 0)
    book = BOOKS["jp-fiea-175"]
    outcome = book.outcome(facts)
    (accrual,) = (step for step in outcome.steps if step.key == "accrual")
    assert (Fraction(accrual.known), Fraction(outcome.requirement.known)) == slow_article_175(facts)


@pytest.mark.parametrize("name", ["largest", "per_day", "evident"])
def test_an_amount_below_zero_permits_nothing(name: str) -> None:
    case = stated_case(date(2026, 5, 26), {"cause": "clerical_error", name: "-1"})
    with pytest.raises(BadInput, match="is -1"):
        BOOKS["jp-fiea-39"].permitted(case)
