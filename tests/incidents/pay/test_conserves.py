"""Random plans, paid with random failures and payments that come back, always conserve: what was set apart is what is settled and what is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from books.cast import Cast
from junbikin.books.claims import acts
from junbikin.books.proof.verify import verify
from junbikin.incidents import incident as events
from junbikin.incidents.answers import taking
from junbikin.incidents.answers.bundles import Source
from junbikin.incidents.pay import credit
from junbikin.incidents.pay import run as running
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.standing import Standing, fold
from junbikin.incidents.timeline import tell

from .exchange import MIXED, OCCURRED, YEN, Exchange, answer, founded_on, instruction, planned, told

CUSTOMERS = [f"c{number:02d}" for number in range(14)]
TRAPPED = (
    (running, "entitle"),
    (running, "pay_out"),
    (running, "_listed"),
    (running, "settle"),
    (taking, "record_result"),
    (credit, "record_result"),
)


class PowerCutError(Exception):
    """What stands for a failure anywhere."""


@dataclass(frozen=True)
class Story:
    """How a plan is paid: what each is owed, whether a quarter of it in kind, in how large chunks, at which calls it fails, who comes back
    in which run, and who only after they had been settled."""

    quantities: Sequence[int]
    mixed: bool
    chunk: int
    cuts: frozenset[int]
    back: frozenset[tuple[int, int]]
    late: frozenset[tuple[int, int]]


stories = st.builds(
    Story,
    st.lists(st.integers(0, 10**7), min_size=1, max_size=len(CUSTOMERS)).filter(lambda some: sum(some) > 10**5),
    st.booleans(),
    st.integers(1, 6),
    st.frozensets(st.integers(1, 60), max_size=12),
    st.frozensets(st.tuples(st.integers(1, 2), st.integers(1, len(CUSTOMERS))), max_size=12),
    st.frozensets(st.tuples(st.integers(1, 2), st.integers(1, len(CUSTOMERS))), max_size=6),
)
names = itertools.count(1)


@pytest.fixture(scope="module")
def cast(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Cast:
    cast = founded(tmp_path_factory.mktemp("conserves") / "home")
    founded_on(cast, dict.fromkeys(CUSTOMERS, "1"))
    told(cast.books.home, [instruction(account) for account in CUSTOMERS])
    return cast


def owed(cast: Cast, story: Story) -> Exchange:
    """A plan that pays the customers of a story, of an incident of its own."""
    name = f"story-{next(names)}"
    tell(
        cast.books,
        cast.cem,
        name,
        events.opened(cast.books, name, "hack", OCCURRED, OCCURRED, "taken"),
        "seen",
        OCCURRED,
    )
    listed = cast.books.home.path / f"{name}.csv"
    rows = [
        f"{account},{quantity / 10**6:.6f}"
        for account, quantity in zip(CUSTOMERS, story.quantities, strict=False)
        if quantity
    ]
    listed.write_text("\n".join(["account_id,quantity", *rows]) + "\n", encoding="utf-8")
    affected = f'who = "accounts"\nasset = "XEM"\nfile = "{listed.name}"'
    return Exchange(cast, planned(cast, name, "p", MIXED if story.mixed else YEN, story.chunk, affected, "specific"))


@contextmanager
def cutting(patch: pytest.MonkeyPatch, cuts: frozenset[int]) -> Iterator[None]:
    """The calls with these numbers fail: odd ones before they have done their work, even ones after."""
    turns = itertools.count(1)

    def trap(real: Callable[..., object]) -> Callable[..., object]:
        def sometimes(*given: object) -> object:
            turn = next(turns)
            if turn in cuts and turn % 2:
                raise PowerCutError
            result = real(*given)
            if turn in cuts:
                raise PowerCutError
            return result

        return sometimes

    with patch.context() as scope:
        for module, name in TRAPPED:
            scope.setattr(module, name, trap(getattr(module, name)))
        yield


def until_done(step: Callable[[], object]) -> None:
    """A step, again after each failure."""
    while True:
        try:
            step()
            return
        except PowerCutError:
            continue


def answers(of: Exchange, back: frozenset[tuple[int, int]]) -> None:
    """Everything that the bank has to say so far is taken in."""
    for folder in sorted((of.home.path / "incidents" / of.plan.incident / "payouts").glob("*/run-*")):
        run = int(folder.name.removeprefix("run-"))
        codes = {number: "8" for of_run, number in back if of_run == run}
        for sent in sorted(folder.glob("*.txt")):
            listed = answer(sent, codes, of.home.path / "answers" / of.plan.incident / folder.name)
            by = Payer(of.cast.books, of.cast.ada, "answers")
            taking.take_in(
                by,
                [(of.approval, of.plan.entitlements)],
                [listed],
                Source("zengin", of.bank),
                lambda what, share: None,
            )


def kept_is_what_is_not_settled(of: Exchange, asset: str) -> bool:
    """Whether the claimants' account holds just what is owed and not settled."""
    settled = Decimal(0)
    amounts = [amount for _, amount in sorted(of.owed(asset).items())]
    for (paid, _), chunk in sorted(fold(acts(of.cast.books, of.plan.digest)).items()):
        for place, how in enumerate(chunk.status.tolist() if paid == asset else ()):
            settled += amounts[chunk.first - 1 + place] if how == Standing.SETTLED else 0
    return kept(of, asset) == sum(amounts) - settled


def kept(of: Exchange, asset: str) -> Decimal:
    """What the claimants' account holds."""
    return of.balance(of.approval.claimants[asset].code)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories)
def test_every_plan_is_paid_to_the_last_unit_however_it_is_interrupted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    of = owed(cast, story)
    with cutting(monkeypatch, story.cuts):
        if "XEM" in of.approval.claimants:
            until_done(lambda: of.pay("account", "XEM"))
            assert kept(of, "XEM") == 0
            assert kept_is_what_is_not_settled(of, "XEM")
        for _ in range(4):
            until_done(of.pay)
            assert kept_is_what_is_not_settled(of, "JPY")
            for back in (story.back, story.back | story.late):
                until_done(partial(answers, of, back))
                assert kept_is_what_is_not_settled(of, "JPY")
            if not kept(of, "JPY"):
                break
            now = datetime.now(UTC).isoformat()
            told(of.home, [instruction(account, now) for account in CUSTOMERS])
    assert kept(of, "JPY") == 0
    assert verify(cast.books).difference is None
