"""How payments stand: sets of numbers are written and read alike, and the fold says the same as a slow one, number by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from junbikin.books.claims import Act
from junbikin.incidents.standing import Standing, fold, numbers, within

FIRST, PEOPLE = 21, 12


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 10**9))
def test_a_set_of_numbers_reads_back_as_it_was_written(marks: list[bool], first: int) -> None:
    mask = np.array(marks)
    text = numbers(mask, first)
    assert within(text, first, len(marks)).tolist() == marks
    assert text.startswith("{")
    assert "),(" not in text, "neighbours are one range"


def _act(kind: str, at: int, **says: Any) -> Act:
    return Act(kind, "JPY", 3, says, at, datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=at), "cem")


@given(
    st.lists(st.tuples(st.sampled_from(["send", "settle", "return"]), st.sets(st.integers(0, PEOPLE - 1))), max_size=12)
)
def test_the_fold_says_what_happened_last_to_each_number(story: list[tuple[str, set[int]]]) -> None:
    slow, runs = [Standing.UNPAID] * PEOPLE, [0] * PEOPLE
    acts = [_act("entitlement", 0, first=str(FIRST), people=str(PEOPLE))]
    for turn, (what, some) in enumerate(story, 1):
        mask = np.isin(np.arange(PEOPLE), list(some))
        text, none = numbers(mask, FIRST), numbers(np.zeros(PEOPLE, bool), FIRST)
        if what == "send":
            acts.append(_act("payout", turn, run=str(turn), channel="zengin", numbers=text))
        else:
            settled, returned = (text, {}) if what == "settle" else (none, {"1": text})
            acts.append(_act("payout_result", turn, settled=settled, returned=returned))
        for number in some:
            slow[number] = {"send": Standing.OUT, "settle": Standing.SETTLED, "return": Standing.RETURNED}[what]
            runs[number] = turn if what == "send" else runs[number]
    chunk = fold(acts)["JPY", 3]
    assert chunk.status.tolist() == slow
    assert chunk.run.tolist() == runs
    assert [sent.run for sent in chunk.sent] == [turn for turn, (what, _) in enumerate(story, 1) if what == "send"]
