"""The flow rules: the database lets through what the table names, as it asks, and refuses every other pair and purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from junbikin.books.database import Books
from junbikin.books.flows import UNFROZEN
from junbikin.books.journal import account_numbers
from junbikin.books.migrate import rules
from junbikin.books.schema import flow_rules, owners

from .cast import assembled
from .plans import INCIDENT, Plan, opened, opposite
from .straight import Entries, Straight, saying, straight

Flow = tuple[str, str, str, str]
"""Purpose, payer, receiver, scope."""

RULES: dict[Flow, dict[str, Any]] = {
    (row["purpose"], row["payer"], row["receiver"], row["scope"]): row  # type: ignore[misc]
    for row in rules(flow_rules)
}
OWNERS = [str(row["owner"]) for row in rules(owners)]
SCOPES = {"held": ("kaede", "minato"), "booked": ("booked", "booked/second")}
WITH_RESULTS = {flow for flow, row in RULES.items() if "result" in row["needs"]}
"""Flows of which a batch is posted with a result, and in no other way: how is tried in `test_claims.py`."""
PURPOSES = sorted({flow[0] for flow in RULES})
WHO = {
    "reserve_officer": "ada",
    "approver": "ben",
    "incident_commander": "cem",
    "auditor": "dai",
    "administrator": "eva",
}
POSITION = "c" * 64


@dataclass(frozen=True)
class Table:
    """Books with two accounts of every owner in both scopes, and money in those that cannot be overdrawn."""

    sql: Straight
    accounts: dict[tuple[str, str], list[int]]

    def batch(self, flow: Flow, key: str, amount: int = 1, **says: str) -> Entries:
        """One account pays another for a purpose."""
        purpose, payer, receiver, scope = flow
        pays, gets = self.accounts[payer, scope][0], self.accounts[receiver, scope][payer == receiver]
        return Entries(key, saying(purpose=purpose, **says), f"{{{pays},{gets}}}", f"{{-{amount},{amount}}}")

    def as_asked(self, flow: Flow, amount: int = 1) -> Entries:
        """A batch that says all that its rule needs; for a reversal what it undoes is posted first."""
        says = {need: f"{need} 1" for need in RULES[flow]["needs"] if need != UNFROZEN}
        if "permission" in says:
            return self.planned(flow, amount)
        if "position" in says:
            says["position"] = POSITION
        if "reverses" not in says:
            return self.batch(flow, "/".join(flow), amount, **says)
        wrong = self.as_asked(mirror(flow), amount)
        undone = self.file(mirror(flow), wrong, WHO[RULES[mirror(flow)]["made_by"][0]])
        says |= {"reverses": str(undone)}
        return Entries(f"reversal:{undone}", saying(purpose=flow[0], **says), wrong.accounts, opposite(wrong.amounts))

    def planned(self, flow: Flow, amount: int) -> Entries:
        """The approval of a plan, in which one account pays another; own funds pay the claimants where the flow does not."""
        count = self.sql.value("SELECT count(*) FROM books.records")
        plan = Plan({"JPY": [amount]}, 10, f"plan {count}")
        payer, claimant = "own" if flow[3] == "booked" else flow[1], self.accounts["claimant", "held"][0]
        batch = plan.batch({"JPY": self.accounts[payer, "held"][0]}, {"JPY": claimant})
        if flow[3] == "held":
            return batch
        booked = self.batch(flow, "booked", amount)
        accounts, amounts = (
            f"{one[:-1]},{two[1:]}" for one, two in ((batch.accounts, booked.accounts), (batch.amounts, booked.amounts))
        )
        return replace(batch, accounts=accounts, amounts=amounts)

    def made(self, flow: Flow, amount: int = 1) -> int:
        """The record of a flow made as its rule asks: by the right role, approved when that is asked."""
        return self.file(flow, self.as_asked(flow, amount), WHO[RULES[flow]["made_by"][0]])

    def file(self, flow: Flow, batch: Entries, who: str) -> int:
        """Posts a batch, asking for approval first when its rule wants one."""
        if not RULES[flow]["approved_by"]:
            return self.sql.post(who, batch)
        request = self.sql.request_to_post(who, batch.key, [batch])
        self.sql.decide("ben", request)
        return self.sql.post(who, batch, request)


def mirror(flow: Flow) -> Flow:
    """A flow that the reversal `flow` may undo."""
    _, payer, receiver, scope = flow
    return next(f for f in RULES if f[1:] == (receiver, payer, scope) and f[0] != "reversal")


@pytest.fixture
def table(books: Books) -> Iterator[Table]:
    """Everything in one transaction that is never committed."""
    keys = list(product(OWNERS, SCOPES))
    codes = [
        f"{owner}/JPY/{place}{f'/{INCIDENT}' if (owner, scope) == ('claimant', 'held') else ''}"
        for owner, scope in keys
        for place in SCOPES[scope]
    ]
    cast = assembled(books, codes)
    numbers = iter(account_numbers(books, codes))
    accounts = {key: [next(numbers), next(numbers)] for key in keys}
    says = saying(digest=POSITION, year_end=True, excess="1000", currency="JPY")
    with straight(cast) as sql, sql.undone():
        sql.value("SELECT books.put_on_record('position', 'rulebook', '2026-03-31T14:59:59.999999Z', %s)", says)
        opened(sql)
        table = Table(sql, accounts)
        for flow in (
            ("deposit", "outside", "customer", "held"),
            ("hand_over", "customer", "administrator", "held"),
            ("deposit", "outside", "customer", "held"),
            ("fund", "own", "reserve", "held"),
            ("guarantee", "own", "guarantee", "held"),
            ("accrual", "own", "reserve", "booked"),
        ):
            batch = table.as_asked(flow, 100)
            table.file(
                flow,
                replace(batch, key=f"first/{len(batch.key)}/{sql.value('SELECT count(*) FROM books.records')}"),
                WHO[RULES[flow]["made_by"][0]],
            )
        yield table


def test_every_pair_and_purpose_that_the_table_does_not_name_is_refused_even_when_approved(table: Table) -> None:
    tried = 0
    for purpose in PURPOSES:
        flows = [f for f in product([purpose], OWNERS, OWNERS, SCOPES) if f not in RULES]
        batches = [table.batch(flow, "/".join(flow), reference="r", plan="p") for flow in flows]
        request = table.sql.request_to_post("ada", purpose, batches)
        table.sql.decide("ben", request)
        for (_, payer, receiver, scope), batch in zip(flows, batches, strict=True):
            words = f"the flow rules do not allow {payer} → {receiver} (JPY, {scope}) for the purpose {purpose}"
            with table.sql.refused(words):
                table.sql.post("ada", batch)
            with table.sql.refused(words):
                table.sql.post("ada", batch, request)
            tried += 1
    assert tried == len(PURPOSES) * len(OWNERS) ** 2 * len(SCOPES) - len(RULES)


def test_every_flow_that_the_table_names_passes_as_it_asks(table: Table) -> None:
    for flow in RULES.keys() - WITH_RESULTS:
        with table.sql.undone():
            record = table.made(flow)
            assert table.sql.value("SELECT kind FROM books.records WHERE id = %s", record) == "batch"


def test_no_flow_passes_by_another_role_without_what_it_needs_or_without_its_approval(table: Table) -> None:
    for flow, rule in RULES.items():
        if flow in WITH_RESULTS:
            continue
        with table.sql.undone():
            batch = table.as_asked(flow)
            for role in set(WHO) - set(rule["made_by"]):
                with table.sql.refused():
                    table.file(flow, batch, WHO[role])
            maker = WHO[rule["made_by"][0]]
            for need in set(rule["needs"]) - {UNFROZEN}:
                with table.sql.refused(f"needs its {need}"):
                    table.file(flow, replace(batch, content=batch.content.replace(f'"{need}"', '"other"')), maker)
            if rule["approved_by"]:
                with table.sql.refused("needs the approval of a second person"):
                    table.sql.post(maker, batch)


def test_a_purpose_that_is_not_in_the_table_word_for_word_is_refused(table: Table) -> None:
    batch = table.batch(("deposit", "outside", "customer", "held"), "k")
    for purpose in ("Deposit", "deposit ", "", None, 1, ["deposit"]):
        with table.sql.refused("the flow rules do not allow outside → customer"):
            table.sql.post("ada", replace(batch, content=saying(purpose=purpose)))
    with table.sql.refused("the purpose (none)"):
        table.sql.post("ada", replace(batch, content="{}"))


def test_one_pair_that_is_not_allowed_spoils_a_batch_of_others_that_are(table: Table) -> None:
    own, customer, reserve = (table.accounts[owner, "held"][0] for owner in ("own", "customer", "reserve"))
    content = saying(purpose="fee", reference="r")
    with table.sql.refused("reserve → own"):
        table.sql.post("ada", Entries("k", content, f"{{{customer},{own},{reserve},{own}}}", "{-1,1,-1,1}"))


def test_what_is_held_never_balances_what_is_booked(table: Table) -> None:
    held, booked = table.accounts["own", "held"][0], table.accounts["reserve", "booked"][0]
    with table.sql.refused("does not balance"):
        table.sql.post("ada", Entries("k", saying(purpose="fund"), f"{{{held},{booked}}}", "{-1,1}"))


RELEASE: Flow = ("release", "reserve", "own", "held")


@pytest.mark.parametrize("scope", list(SCOPES))
def test_an_excess_is_released_once_whichever_position_of_its_day_is_cited(table: Table, scope: str) -> None:
    flow = ("release", "reserve", "own", scope)
    for digest, excess in (("a" * 64, "30"), ("b" * 64, "30")):
        says = saying(digest=digest, year_end=True, excess=excess, currency="JPY")
        table.sql.value("SELECT books.put_on_record('position', 'rulebook', '2025-03-31T14:59:59.999999Z', %s)", says)
    released = table.batch(flow, "first", 20, position="a" * 64, authority="letter 1")
    table.file(flow, released, "ada")
    with table.sql.refused("of which 20 is released already"):
        table.file(flow, table.batch(flow, "second", 20, position="b" * 64, authority="letter 2"), "ada")
    table.file(flow, table.batch(flow, "third", 10, position="b" * 64, authority="letter 3"), "ada")


def test_a_position_without_an_excess_in_the_same_currency_at_a_year_end_releases_nothing(table: Table) -> None:
    shown = {"year_end": True, "excess": "30", "currency": "JPY"}
    for other in (
        {"year_end": False},
        {"year_end": "perhaps"},
        {"excess": "0.5"},
        {"excess": None},
        {"currency": "BTC"},
    ):
        digest = "e" * 64
        with table.sql.undone():
            says = saying(digest=digest, **shown | other)
            table.sql.value("SELECT books.put_on_record('position', 'rulebook', '2025-03-31T00:00:00Z', %s)", says)
            with table.sql.refused("the reserve's excess"):
                table.file(RELEASE, table.batch(RELEASE, "k", position=digest, authority="letter"), "ada")


def test_a_position_whose_excess_is_no_amount_is_not_recorded(table: Table) -> None:
    for excess in ("NaN", "Infinity", "1e40", "-5", "many", 30, ["30"]):
        says = saying(digest="f" * 64, year_end=True, excess=excess, currency="JPY")
        with table.sql.refused("this is no position"):
            table.sql.value("SELECT books.put_on_record('position', 'rulebook', '2025-03-31T00:00:00Z', %s)", says)


def test_a_recorded_position_cannot_be_put_in_the_place_of_another(table: Table) -> None:
    with table.sql.refused("on record with other content"):
        says = saying(digest=POSITION, year_end=True, excess="999999", currency="JPY")
        table.sql.value("SELECT books.put_on_record('position', 'rulebook', '2026-03-31T14:59:59.999999Z', %s)", says)


def test_a_batch_is_undone_once_by_its_exact_opposite(table: Table) -> None:
    flow = ("reversal", "customer", "outside", "held")
    batch = table.as_asked(flow)
    for wrong in (
        replace(batch, amounts="{2,-2}"),
        replace(batch, amounts="{1,-1,0}"),
        replace(batch, key="reversal:1"),
        replace(batch, key="other"),
    ):
        with table.sql.refused():
            table.file(flow, wrong, "ada")
    undone = table.file(flow, batch, "ada")
    again = table.batch(flow, f"reversal:{undone}", reverses=str(undone))
    with table.sql.refused("does not undo"):
        table.file(flow, again, "ada")


def test_a_release_is_not_undone_by_another_batch_with_the_key_of_its_reversal(table: Table) -> None:
    says = saying(digest="d" * 64, year_end=True, excess="30", currency="JPY")
    table.sql.value("SELECT books.put_on_record('position', 'rulebook', '2025-03-31T14:59:59.999999Z', %s)", says)
    record = table.file(RELEASE, table.batch(RELEASE, "first", 30, position="d" * 64, authority="letter"), "ada")
    table.file(
        ("relocation", "own", "own", "held"),
        table.batch(("relocation", "own", "own", "held"), f"reversal:{record}"),
        "ada",
    )
    with table.sql.refused("of which 30 is released already"):
        table.file(RELEASE, table.batch(RELEASE, "second", 30, position="d" * 64, authority="letter"), "ada")
