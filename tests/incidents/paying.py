"""A plan that is approved and paid, chunk by chunk, as banks answer; for the tests of claims, notices and reports."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from books.cast import Cast
from incidents.plan.scene import INCIDENT, Scene, approved, built
from junbikin.books.batch import Entries
from junbikin.books.claims import entitle, pay_out, plans_of, record_result
from junbikin.books.journal import account_numbers
from junbikin.facts.engine import connect
from junbikin.incidents.claim_lists import write_list
from junbikin.incidents.claims import Part, claims_of
from junbikin.incidents.plan.asking import ask
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.entitlements import chunk_columns, chunk_says
from junbikin.incidents.standing import Standing


def quiet(what: str, share: float) -> None:
    """Tells nobody."""


@dataclass
class Paying:
    """A plan that is approved: c1, c2, c3 and c5 held BTC; c5's three satoshis are worth no yen."""

    scene: Scene
    plan: Plan

    @property
    def subject(self) -> str:
        return f"{self.plan.digest}:JPY:1"

    def entitle(self) -> None:
        engine = connect(self.scene.home.memory_limit)
        people = self.plan.people
        accounts, amounts = chunk_columns(engine, self.plan.entitlements, "JPY", 1, people)
        says = json.loads(chunk_says("JPY", 1, 1, people, accounts))
        entitle(self.scene.cast.books, self.scene.cast.cem, self.subject, says, amounts, "approved")

    def send(self, numbers: str, people: int, total: int, run: int) -> None:
        says = {
            "asset": "JPY", "channel": "zengin", "chunk": "1", "files": ["a" * 64], "numbers": numbers, "people": str(people),
            "run": str(run), "total": str(total), "value_on": "2026-04-03", "payees": "b" * 64,
        }  # fmt: skip
        pay_out(self.scene.cast.books, self.scene.cast.cem, self.subject, says, "paid")

    def answer(
        self, settled: str, settled_total: int, returned: dict[str, str], returned_total: int, people: int, run: int, late: int = 0
    ) -> None:  # fmt: skip
        books = self.scene.cast.books
        claimants, world = account_numbers(books, ["claimant/JPY/kaede/inc-1", "outside/JPY/world"])
        says = {
            "asset": "JPY", "channel": "zengin", "chunk": "1", "people": str(people), "returned": returned,
            "returned_total": str(returned_total), "run": str(run), "settled": settled, "settled_total": str(settled_total),
            "source": f"{run}{settled_total}{returned_total}".rjust(64, "c"),
        }  # fmt: skip
        paid = Entries.of([claimants, world], [-settled_total, settled_total]) if settled_total else None
        back = Entries.of([claimants, world], [late, -late]) if late else None
        record_result(books, self.scene.cast.cem, self.subject, None, says, paid, back, "the bank answered")

    def parts(self) -> dict[Standing, Part]:
        [plan] = claims_of(self.scene.cast.books, INCIDENT).plans
        [leg] = plan.legs
        assert sum((part.amount for part in leg.parts.values()), Decimal(0)) == leg.entitled.amount
        assert sum(part.people for part in leg.parts.values()) == leg.entitled.people
        return dict(leg.parts)

    def listed(self, which: str, folder: Path) -> list[tuple[str, str, str]]:
        """Account, amount and reason of everyone in a list."""
        to = folder / f"{which}.csv"
        to.unlink(missing_ok=True)
        books = self.scene.cast.books
        count = write_list(books, plans_of(books, INCIDENT), which, to, quiet)
        with to.open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        assert len(rows) == count
        return [(row["account_id"], row["amount"], row["reason"]) for row in rows]


def approved_plan(cast: Cast, folder: Path, **rule: str) -> Paying:
    """A plan by a rule that is approved."""
    scene = built(cast, folder)
    plan = scene.plan(**rule)
    approved(scene, ask(scene.cast.books, scene.cast.cem, plan, "confirmed: no. 12", "pay", quiet))
    return Paying(scene, plan)
