"""What a plan's document says, figure by figure, and the digest by which it is approved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from junbikin import __version__
from junbikin.figures import Figure, Name, Stated, given, to_table
from junbikin.findings import Finding
from junbikin.incidents.plan.affected import Holders
from junbikin.incidents.plan.document import FORMAT, digest_of
from junbikin.incidents.plan.entitlements import Chunks
from junbikin.incidents.plan.funding import Funded
from junbikin.incidents.plan.legs import Payment
from junbikin.incidents.plan.refill import After, Instalment
from junbikin.incidents.plan.rule import Rule


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that a plan is made of; `cost` is in the home's currency."""

    operator: str
    invented: bool
    incident: str
    name: str
    made_on: date
    rule: Rule
    holders: Holders
    owed: Figure
    taken: Figure
    payments: tuple[Payment, ...]
    chunks: tuple[Chunks, ...]
    size: int
    cost: Figure
    beyond: tuple[Finding, ...]
    funded: Funded
    after: tuple[After, ...]
    instalments: tuple[Instalment, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What somebody must look at, the gravest first."""
        return tuple(
            sorted((*self.holders.findings, *self.beyond, *self.funded.findings), key=lambda finding: -finding.severity)
        )


def written(made: Made, head: str) -> str:
    """The document as JSON text."""
    body = _body(made)
    return json.dumps(
        {
            "format": FORMAT,
            "made_by": f"junbikin {__version__}",
            "digest": digest_of(body),
            "plan": body,
            "figures": to_table(_figures(made)),
            "facts": {"head": head},
        },
        ensure_ascii=False,
        indent=1,
    )


def _body(made: Made) -> dict[str, Any]:
    funded, affected = made.funded, made.rule.affected
    return {
        "operator": made.operator,
        "invented": made.invented,
        "incident": made.incident,
        "name": made.name,
        "made_on": made.made_on.isoformat(),
        "pays_on": made.rule.pays_on.isoformat(),
        "rule": made.rule.content,
        "affected": {
            "asset": affected.asset,
            "people": made.holders.people,
            "held": made.holders.total.digest,
            "owed": made.owed.digest,
            "taken": made.taken.digest,
            "disputes": [str(record) for record in made.holders.disputes],
        },
        "size": made.size,
        "cost": made.cost.digest,
        "legs": [_leg(made, *each) for each in zip(made.payments, made.chunks, strict=True)],
        "funding": {
            "lines": [
                {
                    "asset": asset,
                    "source": line.source.kind,
                    "id": line.source.id,
                    "available": line.available.digest,
                    "used": line.used.digest,
                    "unpaid_after": line.unpaid_after.digest,
                }
                for asset, line in funded.lines
            ],
            "unpaid": {asset: figure.digest for asset, figure in funded.unpaid.items()},
            "receivable": [{"policy": cover.policy, "amount": cover.amount.digest} for cover in funded.receivable],
            "booked": {"before": funded.booked.digest, "falls": funded.falls.digest},
        },
        "after": [_after(after) for after in made.after],
        "replenishment": [{"on": part.on.isoformat(), "amount": part.amount.digest} for part in made.instalments],
        "findings": [finding.document() for finding in made.findings],
    }


def _leg(made: Made, payment: Payment, digested: Chunks) -> dict[str, Any]:
    split = payment.leg.split
    return {
        "asset": payment.part.pays,
        "decimals": payment.part.decimals,
        "share": _share(made.rule, payment).digest,
        "price": payment.price.digest if payment.price else None,
        "exact": payment.exact.digest,
        "total": payment.total.digest,
        "denominator": str(split.scale.denominator),
        "remainder": str(split.remainder),
        "number": str(split.number),
        "chunks": list(digested.digests),
    }


def _share(rule: Rule, payment: Payment) -> Figure:
    pays = payment.part.pays
    return given(payment.part.share, "1", Name(f"share paid in {pays}", f"{pays}で支払う割合"), Stated(rule.title))


def _after(after: After) -> dict[str, Any]:
    figures = {"requirement": after.requirement, "resources": after.resources, "gap": after.gap}
    return {"rulebook": after.rulebook, "stopped": after.stopped} | {
        name: figure.digest if figure else None for name, figure in figures.items()
    }


def _figures(made: Made) -> Iterator[Figure]:
    yield from (made.holders.total, made.owed, made.taken, made.cost, made.funded.booked, made.funded.falls)
    for payment in made.payments:
        yield from (
            payment.exact,
            payment.total,
            _share(made.rule, payment),
            *([payment.price] if payment.price else []),
        )
    for _, line in made.funded.lines:
        yield from (line.available, line.used, line.unpaid_after)
    yield from made.funded.unpaid.values()
    yield from (cover.amount for cover in made.funded.receivable)
    yield from (figure for after in made.after for figure in (after.requirement, after.resources, after.gap) if figure)
    yield from (part.amount for part in made.instalments)
    yield from (finding.amount for finding in made.findings if finding.amount)
