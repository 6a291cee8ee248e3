"""Claims for the terminal and for programs: what is paid, out, returned and kept, and the time since the incident. No arithmetic here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from junbikin.figures import Name, Rounding, plain
from junbikin.figures.amounts import EXACT, quotient
from junbikin.home import Home
from junbikin.incidents.claims import STANDINGS, Claims, LegClaims, Part, PlanClaims
from junbikin.incidents.disputes import Standing as DisputeStanding
from junbikin.incidents.incident import Incident
from junbikin.incidents.standing import Standing
from junbikin.reports.incident import when
from junbikin.reports.words import Lang, grouped, money, say, visible

DISPUTED = {
    DisputeStanding.FILED: Name("disputed", "審査中の異議"),
    DisputeStanding.UPHELD: Name("upheld", "認容した異議"),
    DisputeStanding.REJECTED: Name("rejected", "棄却した異議"),
}


def since(of: Incident, at: datetime) -> timedelta:
    """How long ago the incident was found."""
    return at - of.found_at


def lasted(span: timedelta, lang: Lang) -> str:
    """A span of time in days and hours, or hours and minutes."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days}日{hours_left}時間" if lang == "ja" else f"{days} days {hours_left} h"
    return f"{hours}時間{minutes}分" if lang == "ja" else f"{hours} h {minutes} min"


def share(part: Decimal, whole: Decimal) -> str:
    """In per cent, rounded down: nothing is whole before it is."""
    return f"{grouped(quotient(EXACT.multiply(part, 100), whole, 1, Rounding.DOWN))}%" if whole else ""


def claims_document(claims: Claims, of: Incident, at: datetime) -> dict[str, Any]:
    """Everything as JSON; amounts are strings."""
    return {
        "incident": of.id, "found_at": of.found_at.isoformat(), "at": at.isoformat(), "seconds_since": int(since(of, at).total_seconds()),
        "plans": [_plan(each) for each in claims.plans],
        "disputes": {str(standing): count for standing, count in disputed(claims).items()},
        "set_apart": {asset: plain(held) for asset, held in sorted(claims.set_apart.items())},
        "differing": list(claims.differing),
    }  # fmt: skip


def disputed(claims: Claims) -> dict[DisputeStanding, int]:
    """How many disputes stand how."""
    return {standing: sum(each.standing is standing for each in claims.disputes) for standing in DisputeStanding}


def _plan(plan: PlanClaims) -> dict[str, Any]:
    approved = plan.approved
    return {
        "plan": approved.plan, "name": plan.name, "record": approved.record, "asked_by": approved.asked_by,
        "approved_by": approved.approved_by, "approved_at": approved.at.isoformat(), "reversed": approved.reversed,
        "legs": [_leg(leg) for leg in plan.legs],
    }  # fmt: skip


def _leg(leg: LegClaims) -> dict[str, Any]:
    return {
        "asset": leg.asset, "entitled": _part(leg.entitled), "owed_nothing": leg.nothing,
        **{standing.name.lower(): _part(leg.parts[standing]) for standing in STANDINGS},
        "kept": _part(leg.kept),
        "not_sent_for": {status.word: _part(part) for status, part in leg.kept_for.items()},
        "returned_for": {reason: _part(part) for reason, part in leg.returned_for.items()},
        "history": [
            {"at": each.at.isoformat(), "out": each.out, "settled": each.settled, "returned": each.returned} for each in leg.history
        ],
    }  # fmt: skip


def _part(part: Part) -> dict[str, Any]:
    return {"people": part.people, "amount": plain(part.amount)}


def claims_parts(home: Home, claims: Claims, of: Incident, at: datetime, lang: Lang) -> Iterator[Text | Table]:
    """The parts as the terminal shows them."""
    ja = lang == "ja"
    yield Text(visible(f"{of.id}: {of.title}"), style="bold")
    ago = lasted(since(of, at), lang)
    yield Text(f"発見から{ago}（{when(home, at)}現在）" if ja else f"{ago} since it was found, at {when(home, at)}")
    if not claims.plans:
        yield Text("承認された補償計画はない" if ja else "no plan is approved yet")
    for plan in claims.plans:
        yield Text("")
        yield Text(plan_line(home, plan, lang), style="bold")
        for leg in plan.legs:
            yield _leg_table(leg, lang)
    counts = disputed(claims)
    if claims.disputes:
        yield Text(", ".join(f"{say(DISPUTED[each], lang)} {count:,}" for each, count in counts.items()))
    for asset in claims.differing:
        yield Text(differing_line(claims, asset, lang), style="bold red")


def differing_line(claims: Claims, asset: str, lang: Lang) -> str:
    """That another amount is set apart than is not paid yet."""
    held, kept = money(claims.set_apart[asset], asset, lang), money(claims.kept(asset), asset, lang)
    return (
        f"補償対象者口座は{held}、未払は{kept}で一致しない"
        if lang == "ja"
        else f"set apart are {held}, not paid yet are {kept}: they differ"
    )


def plan_line(home: Home, plan: PlanClaims, lang: Lang) -> str:
    """Which plan, by whom it was asked for and approved, and when."""
    approved = plan.approved
    name = visible(plan.name) or approved.plan[:12]
    undone = ("（取消済）" if lang == "ja" else ", undone since") if approved.reversed else ""
    if lang == "ja":
        return f"計画 {name}（{approved.plan[:12]}）：{approved.asked_by}申請、{approved.approved_by}承認 {when(home, approved.at)}{undone}"
    return f"plan {name} ({approved.plan[:12]}), asked for by {approved.asked_by}, approved by {approved.approved_by} {when(home, approved.at)}{undone}"


def _leg_table(leg: LegClaims, lang: Lang) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, (en, ja) in enumerate(
        ((leg.asset, leg.asset), ("people", "人数"), ("amount", "金額"), ("share", "割合"), ("", ""))
    ):
        table.add_column(ja if lang == "ja" else en, justify="right" if place in (1, 2, 3) else "left", overflow="fold")
    for words, part, why in leg_rows(leg, lang):
        table.add_row(
            words,
            f"{part.people:,}",
            money(part.amount, leg.asset, lang),
            share(part.amount, leg.entitled.amount),
            visible(why),
        )
    return table


def leg_rows(leg: LegClaims, lang: Lang) -> Iterator[tuple[str, Part, str]]:
    """What stands how, with how much of it for which reason; first what is owed, last what is kept on trust."""
    nothing = (
        (
            f"ほかに端数処理により0の者{leg.nothing:,}人"
            if lang == "ja"
            else f"besides {leg.nothing:,} whose share rounds to nothing"
        )
        if leg.nothing
        else ""
    )
    yield ("補償額" if lang == "ja" else "entitled"), leg.entitled, nothing
    for standing, name in STANDINGS.items():
        why = {
            Standing.UNPAID: [(say(status.says, lang), part) for status, part in leg.kept_for.items()],
            Standing.RETURNED: list(leg.returned_for.items()),
        }.get(standing, [])
        yield f"  {say(name, lang)}", leg.parts[standing], "; ".join(f"{words} {part.people:,}" for words, part in why)
    yield ("信託で保管中" if lang == "ja" else "kept on trust"), leg.kept, ""
