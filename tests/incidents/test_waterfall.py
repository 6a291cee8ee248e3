"""The funding waterfall: sources pay in their order, nobody pays too much, what is not known stays so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, Stated, UnitMismatch, given, hole
from junbikin.incidents.waterfall import KINDS, Source, run

AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=8)


def amount(value: Decimal | int | str, unit: str = "JPY") -> Figure:
    return given(value, unit, Name("amount", "額"), Stated("this test"))


def unknown(unit: str = "JPY") -> Figure:
    return hole(unit, Name("amount", "額"), Name("nobody says", "記載がない"))


def source(kind: str, value: Decimal | int | str, id: str = "") -> Source:
    return Source(kind, id, amount(value))


@every(AMOUNTS, st.lists(AMOUNTS, max_size=6))
def test_what_is_used_and_what_is_left_is_what_was_needed(needed: Decimal, funds: list[Decimal]) -> None:
    lines = run(amount(needed), [source("own", value, f"a{i}") for i, value in enumerate(funds)])
    used = sum((line.used.known for line in lines), Decimal(0))
    left = lines[-1].unpaid_after.known if lines else needed
    assert used + left == needed
    assert left == max(needed - sum(funds, Decimal(0)), Decimal(0))
    assert all(0 <= line.used.known <= line.available.known for line in lines)


def test_a_later_source_pays_only_what_the_earlier_ones_leave() -> None:
    lines = run(amount(100), [source("guarantee", 30), source("reserve", 90), source("outside", 50)])
    assert [line.used.known for line in lines] == [30, 70, 0]
    assert [line.unpaid_after.known for line in lines] == [70, 0, 0]


def test_an_unknown_source_leaves_an_unknown_rest() -> None:
    lines = run(amount(100), [source("reserve", 30), Source("own", "", unknown()), source("outside", 50)])
    assert [line.used.value for line in lines] == [30, None, None]
    assert [line.unpaid_after.value for line in lines] == [70, None, None]


def test_an_unknown_source_after_the_last_yen_is_not_asked() -> None:
    lines = run(amount(100), [source("reserve", 100), Source("own", "", unknown())])
    assert lines[1].used.value == 0
    assert lines[1].unpaid_after.value == 0


def test_a_source_without_anything_changes_no_unknown_need() -> None:
    lines = run(unknown(), [source("insurance", 0), source("reserve", 10)])
    assert [line.used.value for line in lines] == [0, None]
    assert [line.unpaid_after.value for line in lines] == [None, None]


def test_every_line_opens_to_what_was_needed_and_to_its_source() -> None:
    needed = amount(100).named("needed", "needed", "必要額")
    lines = run(needed, [source("guarantee", 30), source("reserve", 90)])
    assert needed in set(lines[1].unpaid_after.walk())
    assert lines[1].available in set(lines[1].unpaid_after.walk())
    assert lines[1].unpaid_after.key == "unpaid_after.reserve"


@pytest.mark.parametrize(
    ("needed", "sources", "message"),
    [
        (amount(-1), [], "below 0"),
        (amount(1), [source("reserve", -1)], "below 0"),
        (amount(1), [Source("bail", "", amount(1))], "no kind of source"),
        (amount(1), [source("reserve", 1, "a"), source("reserve", 1, "a")], "given twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(needed: Figure, sources: list[Source], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(needed, sources)


def test_coins_do_not_pay_yen() -> None:
    with pytest.raises(UnitMismatch):
        run(amount(1), [Source("guarantee", "", amount(1, "BTC"))])


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert all(name.en and name.ja for name in KINDS.values())
