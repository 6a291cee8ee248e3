"""Claims for the terminal and for programs: what is paid, out, returned and kept, and the time since the incident. No arithmetic here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rich.table import Table
from rich.text import Text

from junbikin.figures import Name, plain
from junbikin.figures.amounts import EXACT
from junbikin.home import Home
from junbikin.incidents.claims import STANDINGS, Claims, LegClaims, Part, PlanClaims
from junbikin.incidents.disputes import Standing as DisputeStanding
from junbikin.incidents.incident import Incident
from junbikin.incidents.standing import Standing
from junbikin.reports.happenings import when
from junbikin.reports.incident_words import reason
from junbikin.reports.words import Lang, grouped, money, say, visible

DISPUTED = {
    DisputeStanding.FILED: Name("disputes waiting for a decision", "審査待ちの異議"),
    DisputeStanding.UPHELD: Name("upheld", "認容した異議"),
    DisputeStanding.REJECTED: Name("rejected", "棄却した異議"),
}
ENTITLED = Name("entitled", "補償額")
KEPT = Name("kept on trust", "分別保管中")


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


def standing_rows(leg: LegClaims) -> Iterator[tuple[Name, Part, str]]:
    """What is owed, how it stands, and what is kept, each with its share in per cent to one decimal ("" where nothing is owed).

    The four standings sum to 100: what rounding down leaves goes, a tenth each, to the largest remainders, and makes nothing whole
    before it is.
    """
    tenths = _tenths(leg) if leg.entitled.amount else None
    yield ENTITLED, leg.entitled, _percent(1000) if tenths else ""
    for standing, name in STANDINGS.items():
        yield name, leg.parts[standing], _percent(tenths[standing]) if tenths else ""
    yield KEPT, leg.kept, _percent(1000 - tenths[Standing.SETTLED]) if tenths else ""


def paid_share(leg: LegClaims) -> str:
    """The share that is paid."""
    return next(of_all for name, _, of_all in standing_rows(leg) if name == STANDINGS[Standing.SETTLED])


def _percent(tenths: int) -> str:
    return f"{grouped(EXACT.scaleb(Decimal(tenths), -1))}%"


def _tenths(leg: LegClaims) -> dict[Standing, int]:
    whole = leg.entitled.amount
    exact = {standing: Fraction(part.amount) * 1000 / Fraction(whole) for standing, part in leg.parts.items()}
    down = {standing: part.numerator // part.denominator for standing, part in exact.items()}
    may = [standing for standing in down if down[standing] < 999 and exact[standing]]
    largest = sorted(may, key=lambda standing: (down[standing] - exact[standing], standing))
    for standing in largest[: 1000 - sum(down.values())]:
        down[standing] += 1
    return down


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
    for words, part, of_all, why in leg_rows(leg, lang):
        table.add_row(words, f"{part.people:,}", money(part.amount, leg.asset, lang), of_all, visible(why))
    return table


def leg_rows(leg: LegClaims, lang: Lang) -> Iterator[tuple[str, Part, str, str]]:
    """The rows of an asset's claims with why so many of them stand so; those within what is owed are set in."""
    why = {
        ENTITLED: [_nothing(leg, lang)] if leg.nothing else [],
        STANDINGS[Standing.UNPAID]: [f"{say(status.says, lang)} {part.people:,}" for status, part in leg.kept_for.items()],
        STANDINGS[Standing.RETURNED]: [f"{say(reason(word), lang)}: {part.people:,}" for word, part in leg.returned_for.items()],
    }  # fmt: skip
    for name, part, of_all in standing_rows(leg):
        set_in = "  " if name in STANDINGS.values() else ""
        yield f"{set_in}{say(name, lang)}", part, of_all, "; ".join(why.get(name, []))


def _nothing(leg: LegClaims, lang: Lang) -> str:
    if lang == "ja":
        return f"ほかに端数処理により0の者{leg.nothing:,}人"
    return f"besides {leg.nothing:,} whose share rounds to nothing"
