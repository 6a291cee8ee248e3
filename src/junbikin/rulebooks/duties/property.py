"""Duties on what is kept for customers: crypto-assets there, mostly cold, matched in kind; money where it must be."""

from __future__ import annotations

from fractions import Fraction

from junbikin.calendars import business_days_after
from junbikin.figures import Figure, Name, smallest, total
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.duties.lapses import holes_in, judged, lapse, nothing_known
from junbikin.rulebooks.duties.prices import price_of
from junbikin.rulebooks.duties.shown import looked_at, margin, share_of, worst_first
from junbikin.rulebooks.interface import Check, CustodyFacts, Kept, Lapse
from junbikin.rulebooks.parameters import Rules


def held(facts: CustodyFacts, rules: Rules) -> Check:
    """Customers' crypto-assets held are at least what they are owed, asset by asset."""
    share, cure = rules.number("duties.held.share"), rules.number("duties.held.cure_business_days")
    steps: list[Figure] = []
    told: list[tuple[Figure, Fraction | None]] = []
    lapses = nothing_known(facts, "customer_balances", "holdings")
    for kept in facts.kept():
        asset = kept.asset
        there = _held(kept)
        gap = (there - kept.owed * share).named(
            f"held_gap.{asset}", f"{asset} held for customers, less owed", f"{asset}の利用者分保有−債務"
        )
        steps += [kept.owed, there, gap]
        told.append((gap, margin(gap, kept.owed)))
        lapses += judged(
            gap,
            "held-short",
            asset,
            Name(f"customers are owed more {asset} than is held for them", f"{asset}の利用者分保有が債務を下回っている"),
            Name(f"bring own {asset} to customers' places, or find what is missing", f"自己の{asset}を補填するか、差異の原因を調べる"),
            share,
            cure,
        )  # fmt: skip
    return Check(
        "held",
        Name("customers' crypto-assets are there", "利用者の暗号資産の保有"),
        tuple(steps),
        tuple(lapses),
        told=worst_first(told),
        looked_at=looked_at(lapses, _NONE),
    )


_NONE = Name("no crypto-assets", "暗号資産なし")


def hot(facts: CustodyFacts, rules: Rules) -> Check:
    """Customers' crypto-assets outside cold storage are at most a share of all, in money or asset by asset."""
    of, _ = rules.choice("duties.hot.of", ["total", "asset"])
    steps, lapses, told = _hot_of_each(facts, rules) if of == "asset" else _hot_of_all(facts, rules)
    most = rules.number("duties.hot.most")
    return Check(
        "hot",
        Name("mostly in cold storage", "コールド保管の割合"),
        steps,
        lapses,
        told=told,
        against=most,
        looked_at=looked_at(lapses, _NONE),
    )


_Found = tuple[tuple[Figure, ...], tuple[Lapse, ...], tuple[Figure, ...]]
"""Steps, lapses, and the figures that tell how it stands."""


def _hot_of_all(facts: CustodyFacts, rules: Rules) -> _Found:
    most, cure = rules.number("duties.hot.most"), rules.number("duties.hot.cure_business_days")
    lapses: list[Lapse] = []
    warm, there = holes_in(facts, "holdings"), holes_in(facts, "customer_balances", "holdings")
    for kept in filter(_something, facts.kept()):
        price = price_of(facts, rules, kept.asset)
        lapses += [_no_price(kept, price)] if price.value is None else []
        warm.append(
            (kept.warm * price).named(
                f"hot.{kept.asset}", f"{kept.asset} not in cold storage", f"{kept.asset}（コールド以外）"
            )
        )
        there.append(
            (_managed(kept, rules) * price).named(
                f"there.{kept.asset}", f"customers' {kept.asset}", f"利用者の{kept.asset}"
            )
        )
    warm_value = total(warm, facts.currency).named(
        "hot_value", "customers' crypto not in cold storage", "利用者の暗号資産（コールド以外）"
    )
    value = total(there, facts.currency).named("customer_value", "customers' crypto-assets", "利用者の暗号資産の評価額")
    limit = (value * most).named("hot_limit", "most that may be outside cold storage", "コールド以外の上限")
    room = (limit - warm_value).named("hot_room", "room below the limit", "上限までの余裕")
    lapses += judged(
        room,
        "hot-above",
        "",
        Name("too much of the customers' crypto-assets lies outside cold storage", "利用者の暗号資産のコールド以外の割合が上限を超えている"),
        Name("move coins to cold storage", "コールドウォレットへ移す"),
        most,
        cure,
    )  # fmt: skip
    share = share_of(warm_value, value, "hot_share", "share not in cold storage", "コールド以外の割合")
    return (warm_value, value, *share, limit, room), tuple(lapses), share or (room,)


def _hot_of_each(facts: CustodyFacts, rules: Rules) -> _Found:
    most, cure = rules.number("duties.hot.most"), rules.number("duties.hot.cure_business_days")
    steps: list[Figure] = []
    told: list[tuple[Figure, Fraction | None]] = []
    lapses = nothing_known(facts, "customer_balances", "holdings")
    for kept in facts.kept():
        asset, managed = kept.asset, _managed(kept, rules)
        room = (managed * most - kept.warm).named(
            f"hot_room.{asset}", f"room of {asset} below the limit", f"{asset}の上限までの余裕"
        )
        share = share_of(
            kept.warm,
            managed,
            f"hot_share.{asset}",
            f"share of {asset} not in cold storage",
            f"{asset}のコールド以外の割合",
        )
        steps += [*share, room]
        told += [(figure, margin(room, managed)) for figure in share or (room,)]
        lapses += judged(
            room,
            "hot-above",
            asset,
            Name(f"too much {asset} lies outside cold storage", f"{asset}のコールド以外の割合が上限を超えている"),
            Name(f"move {asset} to cold storage", f"{asset}をコールドウォレットへ移す"),
            most,
            cure,
        )  # fmt: skip
    return tuple(steps), tuple(lapses), worst_first(told)


def guarantee(facts: CustodyFacts, rules: Rules) -> Check:
    """Own coins, the same in kind and quantity as what is hot, are held cold as guarantee crypto-assets."""
    share, cure = rules.number("duties.guarantee.share"), rules.number("duties.guarantee.cure_business_days")
    steps: list[Figure] = []
    told: list[tuple[Figure, Fraction | None]] = []
    lapses = nothing_known(facts, "holdings")
    for kept in facts.kept():
        asset = kept.asset
        gap = (kept.guarantee - kept.warm * share).named(
            f"guarantee_gap.{asset}", f"guarantee {asset} in cold storage, less customers' hot {asset}", f"履行保証{asset}−利用者のホット{asset}"
        )  # fmt: skip
        steps += [kept.warm, kept.guarantee, gap]
        told.append((gap, margin(gap, kept.warm)))
        lapses += judged(
            gap,
            "guarantee-short",
            asset,
            Name(f"guarantee {asset} is less than customers' {asset} outside cold storage", f"履行保証{asset}がコールド以外の利用者分を下回っている"),
            Name(f"set own {asset} apart in cold storage, or move customers' {asset} to cold storage", f"自己の{asset}をコールドで分別するか、利用者分をコールドへ移す"),
            share,
            cure,
        )  # fmt: skip
        if kept.guarantee_warm.value:
            lapses.append(
                lapse(
                    "guarantee-hot",
                    asset,
                    Name(f"guarantee {asset} lies outside cold storage, where it does not count", f"履行保証{asset}がコールド以外にあり、算入できない"),
                    Name("move it to cold storage", "コールドウォレットへ移す"),
                    share.source,
                    amount=kept.guarantee_warm,
                    severity=Severity.WARNING,
                )
            )  # fmt: skip
    return Check(
        "guarantee",
        Name("guarantee crypto-assets match what is hot", "履行保証暗号資産"),
        tuple(steps),
        tuple(lapses),
        told=worst_first(told),
        looked_at=looked_at(lapses, _NONE),
    )


def money(facts: CustodyFacts, rules: Rules) -> Check:
    """Customers' money lies where the regime says, at least what they are owed, worked out each business day."""
    share, cure = rules.number("duties.money.share"), rules.number("duties.money.cure_business_days")
    storages, _ = rules.words("duties.money.storages")
    found = facts.money()
    stored = total([found.stored[name] for name in sorted(storages)], facts.currency).named(
        "money_stored", "customers' money where it must be", "信託等された利用者の金銭"
    )
    owed = (found.owed * share).named("money_owed", "customers' money", "利用者区分管理必要額")
    gap = (stored - owed).named("money_gap", "customers' money held, less owed", "信託財産−必要額")
    lapses = judged(
        gap,
        "money-short",
        "",
        Name("less of the customers' money is held than they are owed", "信託財産の元本が利用者区分管理必要額に満たない"),
        Name("add the difference", "不足額を追加する"),
        share,
        cure,
    )  # fmt: skip
    if found.counted_on is not None and business_days_after(found.counted_on, 1) <= facts.as_of:
        lapses.append(
            lapse(
                "money-not-counted",
                "",
                Name(f"balances or holdings are of {found.counted_on}: nothing was worked out for a business day since", f"残高または保有残高は{found.counted_on}時点で、以後の営業日の算定がない"),
                Name("ingest the day's balances and holdings", "当日の残高・保有残高を取り込む"),
                share.source,
            )
        )  # fmt: skip
    return Check(
        "money",
        Name("customers' money on trust", "利用者の金銭の信託"),
        (stored, owed, gap),
        tuple(lapses),
        told=(gap,),
        against=owed,
    )


def _held(kept: Kept) -> Figure:
    asset = kept.asset
    return (kept.cold + kept.warm).named(f"held.{asset}", f"{asset} held for customers", f"利用者分の{asset}")


def _something(kept: Kept) -> bool:
    """Whether there is any of it, as far as is known: nothing at all needs no price."""
    return any(figure.value != 0 for figure in (kept.owed, kept.cold, kept.warm))


def _managed(kept: Kept, rules: Rules) -> Figure:
    """Of what the limit is a share: of the lesser of owed and held, coins beyond what is owed or that are missing widen no limit."""
    base, rule = rules.choice("duties.hot.base", ["lesser", "owed"])
    asset = kept.asset
    of = smallest(kept.owed, _held(kept)) if base == "lesser" else kept.owed
    name = Name(f"customers' {asset} that the operator manages", f"管理する利用者の{asset}")
    return of.taken_as(name, rule).named(f"managed.{asset}", name.en, name.ja)


def _no_price(kept: Kept, price: Figure) -> Lapse:
    why = price.holes[0].note or price.name
    then = Name(
        f"ingest a price of {kept.asset}; until then it counts as nothing",
        f"{kept.asset}の価格を取り込む（それまで算入されない）",
    )
    return Lapse(Finding("price-hole", Severity.HOLE, why, then), kept.asset)
