"""A replay as JSON: amounts are strings, and every figure opens in the table beside them."""

from __future__ import annotations

from typing import Any

from junbikin.figures import Figure, plain, to_table
from junbikin.incidents.replays.replay import Replay, Row

FORMAT = "junbikin-replay-1"


def document(replay: Replay) -> dict[str, Any]:
    """The replay with stable keys; null stands for what is not known, and the figure's digest opens it in `figures`."""
    case = replay.case
    return {
        "format": FORMAT,
        "case": case.id,
        "title": case.title.words,
        "cause": case.cause,
        "happened_on": case.happened_on.isoformat(),
        "paid_on": case.paid_on.isoformat(),
        "days": replay.days,
        "rules_on": case.rules_on.isoformat(),
        "assets": [
            {
                "asset": paid.taken.asset,
                "taken": _amount(paid.taken.taken),
                "customers": _amount(paid.taken.customers),
                "paid": [{"in": part.pays, "amount": _amount(amount)} for part, amount in paid.parts],
                "worth": _amount(paid.worth),
            }
            for paid in replay.paid
        ],
        "needed": _amount(replay.needed),
        "loss": _amount(replay.loss),
        "published": _amount(case.published.total),
        "difference": _amount(replay.difference),
        "agrees": replay.agrees,
        "rows": [_row(row) for row in replay.rows],
        "figures": to_table(figures(replay)),
    }


def figures(replay: Replay) -> list[Figure]:
    """The figures from which all of a replay opens."""
    case = replay.case
    facts = [case.people, case.published.total, case.published.within]
    taken = [figure for paid in replay.paid for figure in (paid.taken.taken, paid.taken.customers, paid.worth)]
    rows = [
        figure for row in replay.rows for line in row.lines for figure in (line.available, line.used, line.unpaid_after)
    ]
    ends = [figure for row in replay.rows for figure in (row.left, row.unpaid) if figure is not None]
    return [replay.needed, replay.loss, replay.difference, *facts, *taken, *rows, *ends]


def _row(row: Row) -> dict[str, Any]:
    return {
        "rulebooks": [{"id": rulebook.id, "digest": rulebook.digest} for rulebook in row.rulebooks],
        "requirement": _amount(row.requirement),
        "waterfall": [
            {
                "source": line.source.kind,
                "available": _amount(line.available),
                "used": _amount(line.used),
                "unpaid_after": _amount(line.unpaid_after),
            }
            for line in row.lines
        ],
        "left": _amount(row.left),
        "unpaid": _amount(row.unpaid),
        "stopped": row.stopped or None,
    }


def _amount(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    value = None if figure.value is None else plain(figure.value)
    return {"value": value, "unit": str(figure.unit), "complete": not figure.holes, "figure": figure.digest}
