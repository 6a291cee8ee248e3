"""Duties on where and with whom property lies: apart, at registered places, with third parties that were checked, not all with one."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from junbikin.figures import Figure, Name, total
from junbikin.findings import Severity
from junbikin.rulebooks.duties.lapses import holes_in, judged, lapse, nothing_known
from junbikin.rulebooks.duties.shown import looked_at, margin, share_of, worst_first
from junbikin.rulebooks.interface import Check, CustodyFacts, Lapse, Place
from junbikin.rulebooks.parameters import Rules


def apart(facts: CustodyFacts, rules: Rules) -> Check:
    """No place holds the property of two owners that must be kept apart."""
    owners, rule = rules.words("duties.apart.owners")
    also, ours = rules.words("duties.apart.also") if rules.has("duties.apart.also") else (frozenset[str](), rule)
    known = facts.places()
    lapses = nothing_known(facts, "holdings") + [
        lapse(
            "mixed",
            place.id,
            Name(f"{place.id} holds property of {', '.join(mixed)}", f"{place.id}に{'・'.join(_OWNERS_JA[name] for name in mixed)}の財産が混在している"),
            Name("give each its own place", "所有者ごとに保管先を分ける"),
            rule if len(place.owners & owners) > 1 else ours,
        )
        for place in known
        if len(mixed := sorted(place.owners & (owners | also))) > 1
    ]  # fmt: skip
    places = Name(f"{len(known)} places", f"保管先{len(known)}か所")
    told = places if known else looked_at(lapses, places)
    return Check("apart", Name("each owner's property apart", "分別保管"), (), tuple(lapses), looked_at=told)


_OWNERS_JA = {"customer": "利用者", "guarantee": "履行保証", "reserve": "責任準備金", "own": "自己"}


def places(facts: CustodyFacts, rules: Rules) -> Check:
    """Property lies only at registered places, and with third parties that are registered, checked and under contract.

    Where the operator keeps its own property and nobody else's is its own affair.
    """
    _, rule = rules.words("duties.places.demands")
    lapses = nothing_known(facts, "holdings")
    known = [place for place in facts.places() if place.owners != {"own"}]
    if any(place.registered is None for place in known):
        lapses.append(
            lapse(
                "registry-missing",
                "",
                Name("there is no registry: nobody can tell whether places and providers were checked", "登録簿がなく、保管先・委託先の確認状況を判定できない"),
                Name("make the books and register them: `junbikin books migrate`", "帳簿を作成し登録する：`junbikin books migrate`"),
                rule,
                severity=Severity.HOLE,
            )
        )  # fmt: skip
    for place in known:
        lapses += [*_of_place(place, rules), *_of_provider(place, facts.as_of, rules)]
    providers = len({place.provider.id for place in known if place.provider})
    both = Name(f"{len(known)} places, {providers} providers", f"保管先{len(known)}か所、委託先{providers}社")
    told = both if known else looked_at(lapses, both)
    return Check("places", Name("places and providers", "保管先・委託先"), (), tuple(lapses), looked_at=told)


def _of_place(place: Place, rules: Rules) -> list[Lapse]:
    demands, rule = rules.words("duties.places.demands")
    lapses = []
    if place.registered is False and "registered" in demands:
        lapses.append(
            lapse(
                "place-unregistered",
                place.id,
                Name(f"{place.id} is not registered as a place", f"{place.id}は保管先として登録されていない"),
                Name(f"register it: `junbikin registry set place {place.id} …`", f"登録する：`junbikin registry set place {place.id} …`"),
                rule,
            )
        )  # fmt: skip
    others = sorted(place.storages - {place.registered_storage})
    if place.registered_storage and others:
        lapses.append(
            lapse(
                "storage-differs",
                place.id,
                Name(f"{place.id} is registered as {place.registered_storage}, and holdings there are said to be {', '.join(others)}", f"{place.id}の登録は{place.registered_storage}、保有残高では{'・'.join(others)}"),
                Name("find out which is true, and correct the other", "事実を確認し、誤った方を訂正する"),
                rule,
            )
        )  # fmt: skip
    return lapses


def _of_provider(place: Place, day: date, rules: Rules) -> list[Lapse]:
    demands, rule = rules.words("duties.places.provider_demands")
    provider = place.provider
    if provider is None:
        return []
    lapses = []
    if others := sorted(place.providers_named - {provider.id}):
        lapses.append(
            lapse(
                "provider-differs",
                place.id,
                Name(f"{place.id} is taken to be kept by {provider.id}, and holdings there also name {', '.join(others)}", f"{place.id}の委託先は{provider.id}、保有残高では{'・'.join(others)}とも記載"),
                Name("find out which is true, and correct the other", "事実を確認し、誤った方を訂正する"),
                rule,
            )
        )  # fmt: skip
    if place.registered is None:
        return lapses
    tests = [
        ("registered", "provider-unregistered", provider.checked_until is None, Name("is not registered", "登録されていない")),
        ("checked", "provider-unchecked", _over(provider.checked_until, day), Name(f"was last checked until {provider.checked_until}", f"確認の有効期限は{provider.checked_until}")),
        ("contract", "provider-contract", _over(provider.contract_until, day), Name(f"has a contract that ended on {provider.contract_until}", f"契約は{provider.contract_until}に終了")),
        ("contract", "provider-ended", _over(provider.ended_on, day + timedelta(days=1)), Name(f"ended on {provider.ended_on}", f"{provider.ended_on}に終了")),
    ]  # fmt: skip
    return lapses + [
        lapse(
            code,
            f"{provider.id} at {place.id}",
            Name(f"{provider.id}, which keeps {place.id}, {why.en}", f"{place.id}の委託先{provider.id}：{why.ja}"),
            Name("check it and register what was found, or move the property elsewhere", "確認して登録するか、財産を移す"),
            rule,
        )
        for demand, code, fails, why in tests
        if demand in demands and fails
    ]  # fmt: skip


def _over(until: date | None, day: date) -> bool:
    return until is not None and until < day


def concentration(facts: CustodyFacts, rules: Rules) -> Check:
    """No third party keeps more than a share of all customers' crypto-assets, in money."""
    most, cure = rules.number("duties.concentration.most"), rules.number("duties.concentration.cure_business_days")
    known = [place for place in facts.places() if "customer" in place.owners]
    whole = total([*(place.worth for place in known), *holes_in(facts, "holdings")], facts.currency).named(
        "kept_value", "customers' crypto-assets at all places", "全保管先の利用者暗号資産"
    )
    steps: list[Figure] = [whole]
    told: list[tuple[Figure, Fraction | None]] = []
    lapses = nothing_known(facts, "holdings")
    for name in sorted(
        {place.provider.id for place in known if place.provider and (place.worth.value != 0 or place.worth.holes)}
    ):
        there = total([p.worth for p in known if p.provider and p.provider.id == name], facts.currency).named(
            f"provider.{name}", f"kept by {name}", f"{name}の管理分"
        )
        room = (whole * most - there).named(
            f"provider_room.{name}", f"room of {name} below the limit", f"{name}の上限までの余裕"
        )
        share = share_of(there, whole, f"provider_share.{name}", f"share kept by {name}", f"{name}の管理割合")
        steps += [there, *share, room]
        told += [(figure, margin(room, whole)) for figure in share or (room,)]
        lapses += judged(
            room,
            "concentrated",
            name,
            Name(f"{name} keeps too large a share of the customers' crypto-assets", f"{name}への集中が上限を超えている"),
            Name("spread them over more providers, or keep more yourself", "委託先を分散するか、自己で管理する"),
            most,
            cure,
            severity=Severity.WARNING,
        )  # fmt: skip
    title = Name("not too much with one provider", "委託先の集中")
    return Check(
        "concentration",
        title,
        tuple(steps),
        tuple(lapses),
        told=worst_first(told),
        against=most,
        looked_at=looked_at(lapses, Name("no providers", "委託先なし")),
    )
