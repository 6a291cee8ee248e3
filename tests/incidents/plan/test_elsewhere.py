"""Plans beside other plans: whom two of them would pay, and insurance that several of them count on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import Cast
from junbikin.books.batch import Batch, saying
from junbikin.books.columns import opposite
from junbikin.errors import PositionProblem
from junbikin.incidents import incident as events
from junbikin.incidents.plan.asking import ask
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.elsewhere import expected, others, receivables
from junbikin.incidents.plan.making import make
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import ask_to_post

from .scene import INCIDENT, OCCURRED, TODAY, YEN, Scene, approved, built

TERMS = {
    "insurer": "kaigan", "effective_from": "2025-04-01", "effective_to": "2027-03-31", "causes": "hack|fraud", "storages": "hot|cold",
    "aggregate_jpy": "30000000", "per_event_jpy": "25000000", "deductible_jpy": "1000000",
}  # fmt: skip
INSURED = '["insurance", "reserve", "own"]'


@pytest.fixture
def scene(founded: Callable[[Path], Cast], tmp_path: Path) -> Scene:
    cast = founded(tmp_path / "home")
    cast.registered("insurer", "kaigan", {"name": "Kaigan", "jurisdiction": "JP", "licence": "1"})
    cast.registered("policy", "policy-1", TERMS)
    return built(cast, tmp_path)


def nothing(what: str, share: float) -> None:
    """A progress that nobody sees."""


def listed(scene: Scene, *accounts: str) -> dict[str, str]:
    """The parts of a rule for named accounts."""
    (scene.folder / "who.csv").write_text("\n".join(["account_id", *accounts]) + "\n", encoding="utf-8")
    affected = 'who = "accounts"\nasset = "BTC"\nfile = "who.csv"\nat = 2026-03-10T12:00:00+09:00'
    return {
        "affected": affected,
        "order": '["own"]',
        "parts": YEN.format(price='how = "fixed", value = "1000", source = "x"'),
    }


def asked(scene: Scene, plan: Plan) -> int:
    return ask(scene.cast.books, scene.cast.cem, plan, "confirmed: yes", "why", nothing)


def undone(scene: Scene, record: int) -> None:
    books = scene.cast.books
    batch = Batch(
        f"reversal:{record}", saying({"purpose": "reversal", "reverses": str(record)}), opposite(books, record), "wrong"
    )
    approved(scene, ask_to_post(books, scene.cast.ada, batch))


def another(scene: Scene, incident: str) -> None:
    """A second theft of the same coins on the same day."""
    opened = events.opened(scene.cast.books, incident, "hack", OCCURRED, OCCURRED, "again")
    taken = events.taken("BTC", Decimal("4.75000004"), "vault", "hot", "", [], ("52250000.44", "11000000 JPY"))
    for says in (opened, taken):
        tell(scene.cast.books, scene.cast.cem, incident, says, "as seen", OCCURRED)


def of_policy(plan: Plan) -> Decimal:
    """What the insurer pays of the plan, now or later."""
    [later] = plan.body["funding"]["receivable"] or [None]
    line = next((line for line in plan.body["funding"]["lines"] if line["id"] == "policy-1"), None)
    return plan.figure(later["amount"] if later else line["used"]).known  # type: ignore[index]


def test_whom_two_plans_would_pay_is_counted_over_all_incidents_while_the_other_waits_or_stands(scene: Scene) -> None:
    books = scene.cast.books
    first = scene.plan("first")
    some = scene.plan("some", **listed(scene, "c3", "c1"))
    assert others(books, some) == []
    number = asked(scene, first)
    assert [(plan.name, people) for plan, people in others(books, some)] == [("first", 2)]
    assert others(books, first) == []
    owed_nothing_by_the_first = scene.plan("dust", **listed(scene, "c5", "c3"))
    assert [people for _, people in others(books, owed_nothing_by_the_first)] == [1]
    record = approved(scene, number)
    another(scene, "inc-2")
    second = make(books, "inc-2", "p", scene.rule(order='["own"]'), TODAY, nothing)
    assert [(plan.incident, people) for plan, people in others(books, second)] == [(INCIDENT, 3)]
    aside = first.folder.rename(scene.folder / "aside")
    with pytest.raises(PositionProblem, match="are not here"):
        others(books, second)
    aside.rename(first.folder)
    assert record
    undone(scene, record)
    assert others(books, second) == []


def test_an_advance_that_was_undone_is_there_for_the_next_plan(scene: Scene) -> None:
    advance = {"order": INSURED, "insurance": 'policy-1 = "advance"'}
    record = approved(scene, asked(scene, scene.plan("first", **advance)))
    assert of_policy(scene.plan("second", **advance)) == 0
    assert record
    undone(scene, record)
    assert of_policy(scene.plan("third", **advance)) == 25_000_000


def test_what_a_plan_expects_of_an_insurer_is_not_there_for_another_plan_until_it_is_undone(scene: Scene) -> None:
    books, cast = scene.cast.books, scene.cast
    later = {"order": INSURED, "insurance": 'policy-1 = "receivable"'}
    first = scene.plan("first", **later)
    assert receivables(first) == {"receivable": "policy-1=25000000"}
    number = asked(scene, first)
    assert expected(books) == ()
    record = approved(scene, number)
    assert [(one.incident, one.policy, one.amount) for one in expected(books)] == [
        (INCIDENT, "policy-1", Decimal(25_000_000))
    ]
    again = scene.plan("again", **later)
    assert of_policy(again) == 0
    assert receivables(again) == {}
    another(scene, "inc-2")

    def beside() -> Decimal:
        return of_policy(make(books, "inc-2", "p", scene.rule(**later), TODAY, nothing))

    assert beside() == 5_000_000
    claim = cast.post(
        "came",
        "insurance_claim",
        {"insurer/JPY/policy-1": "-20000000", "own/JPY/bank": "20000000"},
        reference="r",
        incident=INCIDENT,
    )
    assert beside() == 5_000_000
    assert of_policy(scene.plan("still", **later)) == 0
    undone(scene, claim)
    assert beside() == 5_000_000
    assert record
    undone(scene, record)
    assert beside() == 25_000_000


def test_a_policy_is_in_force_on_the_operator_s_day(scene: Scene) -> None:
    """At 03:00 of 11 March in Japan it is still the 10th in UTC."""
    cast = scene.cast
    at = datetime(2026, 3, 10, 18, tzinfo=UTC)
    cast.registered("policy", "policy-1", TERMS | {"effective_from": "2026-03-11"})
    opened = events.opened(cast.books, "night", "hack", at, at, "at night")
    taken = events.taken("BTC", Decimal(1), "vault", "hot", "", [], ("11000000", "11000000 JPY"))
    for says in (opened, taken):
        tell(cast.books, cast.cem, "night", says, "as seen", at)
    parts = {"order": INSURED, "insurance": 'policy-1 = "advance"'}
    assert of_policy(make(cast.books, "night", "p", scene.rule(**parts), TODAY, nothing)) == 10_000_000
