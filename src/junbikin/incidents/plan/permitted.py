"""By what a plan's loss may be made good (補塡の許容): what was confirmed, or the rulebook's answer for just this plan, kept as a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import rfc8785

from junbikin.errors import BadInput
from junbikin.facts.engine import connect, identifier
from junbikin.facts.engine import file as one_file
from junbikin.facts.lake import open_lake
from junbikin.figures import Figure, Name, Stated, given, hole, total
from junbikin.home import Home
from junbikin.incidents.documents import keep, keep_text
from junbikin.incidents.incident import Incident
from junbikin.incidents.permission import ANSWER, answer, case_of, in_words
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.insurance import CURRENCY
from junbikin.incidents.plan.making import day_of
from junbikin.reserve.prices import Prices
from junbikin.rulebooks.interface import Case, Permission
from junbikin.rulebooks.load import Rulebook


def confirmed(home: Home, plan: Plan, reference: str, evidence: Sequence[Path]) -> str:
    """The permission of a plan whose loss was confirmed to be by an accident: by whom and as what, and the documents that show it.

    Raises `BadInput` when nothing shows it.
    """
    if not reference.strip() or not reference.isprintable():
        raise BadInput(
            "the confirmation has no reference", where="--confirmed", then="say who confirmed it, and its number"
        )
    if not evidence:
        raise BadInput(
            "nothing shows that it was confirmed", where="--evidence", then="name the file of the confirmation: it is kept by its SHA-256"
        )  # fmt: skip
    return f"confirmed: {reference.strip()}{_shown(home, plan, evidence)}"


def exempt(
    home: Home, incident: Incident, plan: Plan, rulebook: Rulebook, grounds: Iterable[str], act: str, evidence: Sequence[Path]
) -> str:  # fmt: skip
    """The permission of a plan that needs no confirmation by a rulebook, whose answer is kept. The same again gives the same.

    Raises `BadInput` with the reasons when confirmation is needed, when nobody can say, or when nothing shows what is stated.
    """
    grounds = frozenset(grounds)
    case = planned(home, incident, plan, grounds, act, len(evidence))
    said = rulebook.permitted(case)
    if said.needed is not False:
        raise BadInput(
            ("confirmation is needed: " if said.needed else "nobody can say whether confirmation is needed: ")
            + "; ".join(_reasons(rulebook, incident, case, said)),
            where=f"plan {plan.name} of {plan.incident}",
            then="have the loss confirmed, and ask with --confirmed REFERENCE --evidence FILE; "
            f"`junbikin incident permission {plan.incident} --plan {plan.name}` shows every item",
        )
    if (grounds or act) and not evidence:
        raise BadInput(
            "nothing shows what is stated: " + ", ".join([*sorted(grounds), *([f"act {act}"] if act else [])]),
            where="--evidence", then="name the files that show it: they are kept by their SHA-256",
        )  # fmt: skip
    shown = _shown(home, plan, evidence)
    says = answer(rulebook, case, said) | {"incident": plan.incident, "plan": plan.digest, "evidence": shown}
    digest = keep_text(home, plan.incident, rfc8785.dumps(says), ".json")
    return ANSWER.format(words=f"{in_words(said)}; by {rulebook.id}", digest=digest) + shown


def planned(home: Home, incident: Incident, plan: Plan, grounds: Iterable[str], act: str, shown: int) -> Case:
    """What a plan makes good: on its day of payment, the most that one customer gets of it, as if it were all for one day's trades.

    `shown` is for how many customers there are documents.
    """
    most = greatest(home, incident, plan)
    case = case_of(incident, date.fromisoformat(plan.body["pays_on"]), grounds, act)
    return replace(
        case, largest=most.named("largest", most.name.en, most.name.ja), people=plan.people, shown=shown,
        per_day=most.named("per_day", "all of it, as for one day's trades", "全額を一日の取引によるものとみた額"),
    )  # fmt: skip


def greatest(home: Home, incident: Incident, plan: Plan) -> Figure:
    """The most that one customer gets, in yen; coins at the price of the day on which the plan was made, else of the loss.

    Whoever gets the most of one asset gets the most of each, up to its last unit.
    """
    name = Name("the most that one customer gets", "顧客一人への最大の支払額")
    days = (date.fromisoformat(plan.body["made_on"]), day_of(home, incident))
    prices = Prices(open_lake(home), frozenset(days))
    parts = [
        _worth(prices, days, asset, given(amount, asset, name, Stated(f"plan {plan.name}")))
        for asset, amount in _most(home, plan).items()
    ]
    if home.currency != CURRENCY or any(part.value is None for part in parts):
        return hole(CURRENCY, name, Name("what it is worth in yen is not known", "円換算額が不明"))
    return total(parts, CURRENCY).named("largest", name.en, name.ja)


def _most(home: Home, plan: Plan) -> dict[str, str]:
    """Asset → the most that one customer gets of it."""
    assets = [leg.asset for leg in plan.legs]
    columns = ", ".join(f"max({identifier(asset)})::VARCHAR" for asset in assets)
    rows = connect(home.memory_limit).execute(f"SELECT {columns} FROM read_parquet({one_file(str(plan.entitlements))})")
    [most] = rows.fetchall()
    return dict(zip(assets, most, strict=True))


def _worth(prices: Prices, days: Sequence[date], asset: str, amount: Figure) -> Figure:
    if asset == prices.lake.home.currency:
        return amount
    found = [prices.of(asset, day) for day in days]
    return amount * next((price for price in found if price.value is not None), found[0])


def _reasons(rulebook: Rulebook, incident: Incident, case: Case, said: Permission) -> list[str]:
    """Why nothing permits it: whether it is an accident, and each item that is otherwise than if nothing were stated."""
    bare = rulebook.permitted(case_of(incident, case.on, (), case.act))
    items = [item for item, without in zip(said.items, bare.items, strict=True) if item.why != without.why]
    return [said.accident.why.en, *(f"{item.name.en}: {item.why.en}" for item in items)]


def _shown(home: Home, plan: Plan, evidence: Sequence[Path]) -> str:
    """The documents that show it, kept in the home, by their digests."""
    digests = dict.fromkeys(keep(home, plan.incident, file) for file in evidence)
    return "".join(f", evidence sha256 {digest}" for digest in digests)
