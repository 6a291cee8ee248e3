"""Duties of the operator itself: net assets, and audits in time."""

from __future__ import annotations

from datetime import timedelta

from junbikin.calendars import months_after
from junbikin.figures import Name, total
from junbikin.findings import Severity
from junbikin.rulebooks.duties.lapses import holes_in, judged, lapse
from junbikin.rulebooks.interface import Check, CustodyFacts, Lapse
from junbikin.rulebooks.parameters import Rules


def net_assets(facts: CustodyFacts, rules: Rules) -> Check:
    """Net assets are at least the worth of the guarantee crypto-assets."""
    share, cure = rules.number("duties.net_assets.share"), rules.number("duties.net_assets.cure_business_days")
    worths = [
        ((kept.guarantee + kept.guarantee_warm) * facts.price(kept.asset)).named(
            f"guarantee_worth.{kept.asset}", f"worth of guarantee {kept.asset}", f"履行保証{kept.asset}の評価額"
        )
        for kept in facts.kept()
        if kept.guarantee.value != 0 or kept.guarantee_warm.value != 0  # none of it needs no price
    ]
    worth = total([*worths, *holes_in(facts, "holdings")], facts.currency).named(
        "guarantee_worth", "worth of the guarantee crypto-assets", "履行保証暗号資産の評価額"
    )
    have = facts.net_assets()
    gap = (have - worth * share).named("net_assets_gap", "net assets, less that worth", "純資産額−評価額")
    lapses = judged(
        gap,
        "net-assets-short",
        "",
        Name("net assets are below the worth of the guarantee crypto-assets", "純資産額が履行保証暗号資産の評価額を下回っている"),
        Name("raise capital, or hold fewer coins outside cold storage", "増資するか、コールド以外の保有を減らす"),
        share,
        cure,
    )  # fmt: skip
    name = Name("net assets", "純資産額")
    return Check("net_assets", name, (have, worth, gap), tuple(lapses), told=(gap,), against=worth)


def audits(facts: CustodyFacts, rules: Rules) -> Check:
    """Each kind of audit that the regime asks for was made within its months, or is due."""
    kinds, _ = rules.words("duties.audit.kinds")
    lapses = [lapse for kind in sorted(kinds) for lapse in _audit(kind, facts, rules)]
    months = rules.integer("duties.audit.months")
    dues = [(kind, last and months_after(last, months)) for kind in sorted(kinds) for last in [facts.last_audit(kind)]]
    looked_at = Name(
        ", ".join(f"{kind} due by {due}" if due else f"{kind} not known" for kind, due in dues),
        "、".join(f"{_KINDS_JA.get(kind, kind)}：{f'期限{due}' if due else '記録なし'}" for kind, due in dues),
    )
    return Check(
        "audits",
        Name("audits of segregation", "分別管理監査"),
        (),
        tuple(lapses),
        looked_at=looked_at,
    )


_KINDS_JA = {"segregation": "利用者財産", "guarantee": "履行保証暗号資産"}


def _audit(kind: str, facts: CustodyFacts, rules: Rules) -> list[Lapse]:
    """What rests on the law is that there is an audit; the day on which the next is due rests on a reading of it."""
    _, asked = rules.words("duties.audit.kinds")
    months, notice = rules.integer("duties.audit.months"), rules.integer("duties.audit.notice_days")
    counted = rules.number("duties.audit.months").source
    last = facts.last_audit(kind)
    then = Name("have it made, and ingest it into `audits`", "監査を受け、`audits` に取り込む")
    ja = _KINDS_JA.get(kind, kind)
    if last is None:
        what = Name(f"no audit ({kind}) is known", f"{ja}の分別管理監査の記録がない")
        return [lapse("audit-unknown", kind, what, then, asked, severity=Severity.HOLE)]
    due = months_after(last, months)
    if facts.as_of > due:
        what = Name(
            f"the audit ({kind}) was due on {due}; the last is of {last}",
            f"{ja}の分別管理監査の期限は{due}（前回{last}）",
        )
        return [lapse("audit-late", kind, what, then, counted)]
    if facts.as_of > due - timedelta(days=notice):
        what = Name(f"the audit ({kind}) is due on {due}", f"{ja}の分別管理監査の期限は{due}")
        return [lapse("audit-due", kind, what, then, counted, severity=Severity.WARNING, due=due)]
    return []
