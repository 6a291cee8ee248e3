"""What a plan leaves behind: the position of the reserve after it is paid, and how the reserve is refilled (再積立), day by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from junbikin.calendars import business_days_after, is_business_day, months_after
from junbikin.errors import BadInput, ParameterMissing
from junbikin.facts.lake import Lake
from junbikin.figures import Figure, Name, Stated, given
from junbikin.figures.amounts import EXACT
from junbikin.incidents.plan.funding import Funded
from junbikin.incidents.plan.rule import Replenishment
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.resources import resources
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import load_rulebook


@dataclass(frozen=True, slots=True)
class After:
    """One rulebook's position once the plan is paid: `resources` are those left. `stopped` says why there is none."""

    rulebook: str
    requirement: Figure | None
    resources: Figure | None
    gap: Figure | None
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Instalment:
    """What comes back into the reserve on a business day."""

    on: date
    amount: Figure


@dataclass(frozen=True)
class Spent(Ledger):
    """Books and registry as they stand once the plan is paid: `spent` is account or policy → what it pays."""

    spent: Mapping[str, Decimal]

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        """The rows of one of `datasets`, less what is spent."""
        rows = super().rows(dataset)
        if dataset == "reserve_assets":
            return [_less(row, "quantity", self._of_place(row)) for row in rows]
        if dataset == "policies":
            return [_less(row, "remaining_jpy", self.spent.get(row["policy_id"], Decimal(0))) for row in rows]
        return rows

    def _of_place(self, row: Mapping[str, Any]) -> Decimal:
        place = str(row["asset_id"]).removesuffix(f":{row['asset']}")
        codes = [code for code in self.spent if code.split("/")[:3] == ["reserve", row["asset"], place]]
        return reduce(EXACT.add, (self.spent[code] for code in codes), Decimal(0))


def _less(row: dict[str, Any], column: str, spent: Decimal) -> dict[str, Any]:
    return row | {column: max(EXACT.subtract(row[column], spent), Decimal(0))}


def positions_after(lake: Lake, ledger: Ledger, funded: Funded) -> tuple[After, ...]:
    """The requirement of the ledger's day, and the resources that are left of it, under each of the home's rulebooks."""
    view = FactsView(lake, ledger.as_of, ledger)
    spent = {line.source.id: line.used.value for _, line in funded.lines if line.used.value}
    later = FactsView(lake, ledger.as_of, Spent(ledger.books, ledger.as_of, ledger.known_at, spent))
    found = []
    for name in lake.home.rulebooks:
        rulebook = load_rulebook(name, lake.home.path)
        try:
            requirement = rulebook.outcome(view).requirement
        except ParameterMissing as problem:
            found.append(After(rulebook.id, None, None, None, problem.what))
            continue
        left = resources(later, rulebook.on(ledger.as_of), requirement).total.named(
            f"after.resources.{rulebook.id}", f"resources left under {rulebook.id}", f"支払後の充当可能財源（{rulebook.id}）"
        )  # fmt: skip
        gap = (left - requirement).named(
            f"after.gap.{rulebook.id}", f"surplus or shortfall after payment under {rulebook.id}", f"支払後の余剰・不足（{rulebook.id}）"
        )  # fmt: skip
        found.append(After(rulebook.id, requirement, left, gap))
    return tuple(found)


def instalments(funded: Funded, rule: Replenishment, currency: str) -> tuple[Instalment, ...]:
    """What comes back, when: monthly from the first day on, on business days, in whole units that sum to what is used.

    None when nothing of the reserve is used in money. Raises `BadInput` when the accounts are of something else.
    """
    for code in (rule.payer, rule.receiver):
        if code.split("/")[1] != currency:
            raise BadInput(
                f"{code} is not in {currency}", where="[replenishment]", then=f"name accounts of {currency}: what is used in coins is bought back"
            )  # fmt: skip
    used = funded.used("reserve", currency)
    if not used.value:
        return ()
    whole, rest = EXACT.divmod(used.value, Decimal(rule.instalments))
    parts = []
    for count in range(rule.instalments):
        amount = EXACT.add(whole, Decimal(1)) if count < int(rest) else whole
        amount = EXACT.add(amount, rest % 1) if count == rule.instalments - 1 else amount
        on = _business_day(months_after(rule.first, count))
        name = Name(f"instalment {count + 1} of {rule.instalments}", f"第{count + 1}回（全{rule.instalments}回）")
        parts.append(Instalment(on, given(amount, currency, name, Stated(f"{rule.payer} → {rule.receiver}"))))
    return tuple(part for part in parts if part.amount.value)


def _business_day(day: date) -> date:
    return day if is_business_day(day) else business_days_after(day - timedelta(days=1), 1)
