"""Resources (充当可能財源): reserve assets after eligibility and haircut, and recognised insurance.

Every asset and policy either counts, with the figure that says how far, or says why it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from junbikin.figures import Figure, Name, Stated, given, largest, smallest, total
from junbikin.reserve.sources import Snapshot
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.parameters import Rules


@dataclass(frozen=True, slots=True)
class Item:
    """One asset or policy: what it is worth, what of it counts, and why it does not count (whole)."""

    id: str
    kind: str
    place: str
    worth: Figure
    counted: Figure
    refused: tuple[Name, ...]
    limits: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources:
    """What counts toward a requirement, and every item behind it."""

    assets: tuple[Item, ...]
    policies: tuple[Item, ...]
    reserve_assets: Figure
    insurance: Figure
    total: Figure


def resources(view: FactsView, rules: Rules, requirement: Figure) -> Resources:
    """The resources of the day under a rulebook, against its requirement."""
    assets, counted = _by_place(_assets(view, rules), rules, requirement, view.currency)
    policies, insured = _limited_insurance(_policies(view, rules), rules, requirement, view.currency)
    whole = total([counted, insured], view.currency).named("resources", "resources", "充当可能財源")
    return Resources(assets, policies, counted, insured, whole)


def _limited(items: Sequence[Item], within: Figure, whole: Figure, why: Name) -> tuple[Item, ...]:
    """The items, told why when what counts of them together is less than each would."""
    if within.value is None or whole.value is None or within.value >= whole.value:
        return tuple(items)
    return tuple(item if item.refused else replace(item, limits=(*item.limits, why)) for item in items)


def _nothing(currency: str, why: str) -> Figure:
    return given(0, currency, Name("does not count", "算入しない"), Stated(why))


# Reserve assets


def _assets(view: FactsView, rules: Rules) -> tuple[Item, ...]:
    snapshot = view.snapshot("reserve_assets")
    items = tuple(_asset(view, rules, snapshot, row) for row in snapshot.rows)
    return _against_same_crypto(view, items)


def worth(view: FactsView, snapshot: Snapshot, row: Mapping[str, Any]) -> Figure:
    """What a reserve asset is worth, before it is asked whether it counts."""
    name, asset = row["asset_id"], row["asset"]
    held = given(
        row["quantity"],
        asset,
        Name(f"{asset} held in {name}", f"{name}の{asset}"),
        snapshot.source(f"quantity of {name}", [row]),
    )
    return view.valued(held, asset).named(f"worth.{name}", f"worth of {name}", f"{name}の評価額")


def _asset(view: FactsView, rules: Rules, snapshot: Snapshot, row: Mapping[str, Any]) -> Item:
    name, value = row["asset_id"], worth(view, snapshot, row)
    refused = _unfit(rules, row)
    if refused:
        counted = _nothing(view.currency, refused[0].en)
    elif value.value is None:  # unknown, not nothing: it stays a hole in what counts
        refused, counted = [_unknown(value)], value
    else:
        counted = value - value * rules.number(f"resources.haircut.{row['kind']}")
    counted = counted.named(f"counted.{name}", f"{name} after haircut", f"{name}（掛目後）")
    return Item(name, row["kind"], row["held_at"], value, counted, tuple(refused))


def _unknown(figure: Figure) -> Name:
    """Why a figure is a hole."""
    return figure.holes[0].note or Name("its worth is not known", "評価額が不明")


def _unfit(rules: Rules, row: Mapping[str, Any]) -> list[Name]:
    places, _ = rules.words("resources.jurisdictions")
    days = rules.integer("resources.realisable_days")
    tests = [
        (not row["dedicated"], Name("not dedicated to the reserve", "準備金専用でない")),
        (not row["on_trust"], Name("not held on trust", "信託されていない")),
        (
            not rules.has(f"resources.haircut.{row['kind']}"),
            Name(f"the rulebook has no haircut for the kind {row['kind']}", f"種類「{row['kind']}」の掛目がない"),
        ),
        (
            row["jurisdiction"] not in places,
            Name(f"held in {row['jurisdiction']}, not in {' or '.join(sorted(places))}", f"保有国が{row['jurisdiction']}"),
        ),
        (
            row["realisable_days"] > days,
            Name(f"realisable in {row['realisable_days']} days, at most {days} allowed", f"換価に{row['realisable_days']}日（上限{days}日）"),
        ),
    ]  # fmt: skip
    return [reason for fails, reason in tests if fails]


def _against_same_crypto(view: FactsView, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Crypto counts only against what customers are owed of the same crypto, however it is spread over items."""
    if not any(item.kind == "crypto" and not item.refused for item in items):
        return items
    owed = {asset.asset: asset.owed for asset in view.customer_assets()}
    left: dict[str, Figure] = {}
    result = []
    for item in items:
        if item.kind != "crypto" or item.refused:
            result.append(item)
            continue
        asset = str(item.worth.inputs[0].unit)
        if asset not in owed:
            result.append(_against_nothing(view, item, asset, owed.get("")))
            continue
        room = left.get(asset, owed[asset])
        counted = smallest(item.counted, room).named(item.counted.key, item.counted.name.en, item.counted.name.ja)
        left[asset] = room - counted
        limits: tuple[Name, ...] = ()
        if item.counted.value is not None and counted.value is not None and counted.value < item.counted.value:
            limits = (Name(f"counts up to the {asset} owed to customers", f"利用者への{asset}債務を上限とする"),)
        result.append(Item(item.id, item.kind, item.place, item.worth, counted, (), limits))
    return tuple(result)


def _against_nothing(view: FactsView, item: Item, asset: str, unknown: Figure | None) -> Item:
    """A coin that nobody is owed does not count; where debts are not known, neither is whether it counts."""
    why = Name(f"customers are owed no {asset} for it to stand against", f"対応する{asset}の利用者債務がない")
    counted = _nothing(view.currency, why.en)
    if unknown is not None:
        why, counted = _unknown(unknown), unknown
    return replace(
        item, counted=counted.named(item.counted.key, item.counted.name.en, item.counted.name.ja), refused=(why,)
    )


def _by_place(
    items: Sequence[Item], rules: Rules, requirement: Figure, currency: str
) -> tuple[tuple[Item, ...], Figure]:
    """The items place by place, and the sum over places, each up to its share of the requirement."""
    share = rules.number("resources.place_share")
    limit = (requirement * share).named("place_limit", "most that one place may cover", "一保管先の上限")
    lines: list[Figure] = []
    told: list[Item] = []
    for place in dict.fromkeys(item.place for item in items):
        here = [item for item in items if item.place == place]
        there = total(
            [item.counted for item in here if not item.refused or item.counted.value is None], currency
        ).named(f"held_at.{place}", f"held at {place}", f"{place}保管分")
        counts = smallest(there, limit).named(f"place.{place}", f"{place}, within its limit", f"{place}（上限適用後）")
        told += _limited(
            here, counts, there, Name("its place counts up to its share of the requirement", "保管先の上限を適用")
        )
        lines.append(counts)
    return tuple(told), total(lines, currency).named(
        "reserve_assets", "reserve assets that count", "算入する準備金資産"
    )


# Insurance


def _policies(view: FactsView, rules: Rules) -> tuple[Item, ...]:
    snapshot = view.snapshot("policies")
    rooms: dict[str, Figure] = {}
    return tuple(_policy(view, rules, snapshot, row, rooms) for row in snapshot.rows)


def _policy(
    view: FactsView, rules: Rules, snapshot: Snapshot, row: Mapping[str, Any], rooms: dict[str, Figure]
) -> Item:
    """One policy; `rooms` holds what is left to insure of each storage, and is lowered by what this one counts."""
    name = row["policy_id"]
    remaining, deductible = (
        given(
            row[column], "JPY", Name(f"{en} of {name}", f"{name}の{ja}"), snapshot.source(f"{column} of {name}", [row])
        )
        for column, en, ja in (
            ("remaining_jpy", "remaining aggregate", "残存限度額"),
            ("deductible_jpy", "deductible", "免責額"),
        )
    )
    refused = _uninsured(view.as_of, rules, row)
    limits: tuple[Name, ...] = ()
    counted = _nothing(view.currency, refused[0].en if refused else "")
    if not refused:
        counted = above = largest(remaining - deductible, _nothing(view.currency, "a payment is never negative"))
        storage, where = _only_storage(set(row["storages"].split("|")))
        if storage:
            room = rooms.get(storage) or _exposed(view, storage)
            counted = smallest(above, room)
            rooms[storage] = room - counted
            if counted.value is None:
                refused = (_unknown(counted),)
            elif counted.known < above.known:
                limits = (Name(f"counts up to what is {where.en}", f"{where.ja}の額を上限とする"),)
    counted = counted.named(f"counted.{name}", f"{name}, recognised", f"{name}（算入額）")
    return Item(name, "insurance", row["insurer"], remaining, counted, refused, limits)


def _only_storage(storages: set[str]) -> tuple[str, Name]:
    """The one kind of storage to which a policy is limited ("" when it covers both), and its words."""
    if {"hot", "cold"} <= storages:
        return "", Name("", "")
    if "cold" in storages:
        return "cold", Name("in cold storage", "コールド保管")
    if "hot" in storages:
        return "hot", Name("not in cold storage", "コールド以外")
    return "none", Name("in the storages that it covers", "対象の保管形態")


def _exposed(view: FactsView, storage: str) -> Figure:
    """What customers are owed that lies in a kind of storage."""
    if storage == "none":
        return _nothing(view.currency, "the policy covers neither hot nor cold storage")
    assets = view.customer_assets()
    parts = [asset.cold if storage == "cold" else asset.rest for asset in assets]
    words = {"cold": ("in cold storage", "コールド保管"), "hot": ("not in cold storage", "コールド以外")}[storage]
    return total(parts, view.currency).named(
        f"exposed.{storage}", f"customers' assets {words[0]}", f"{words[1]}の利用者資産"
    )


def _uninsured(day: date, rules: Rules, row: Mapping[str, Any]) -> tuple[Name, ...]:
    needed, _ = rules.words("insurance.causes")
    missing = sorted(needed - set(row["causes"].split("|")))
    approved = row["approved_on"]
    tests = [
        (approved is None or approved > day, Name("not approved", "承認されていない")),
        (row["effective_from"] > day, Name(f"in force only from {row['effective_from']}", f"{row['effective_from']}まで効力がない")),
        (row["effective_to"] < day, Name(f"expired on {row['effective_to']}", f"{row['effective_to']}に満了")),
        (bool(missing), _uncovered(missing)),
    ]  # fmt: skip
    return tuple(reason for fails, reason in tests if fails)


def _uncovered(causes: Sequence[str]) -> Name:
    en = ", ".join(cause.replace("_", " ") for cause in causes)
    return Name(f"does not cover {en}", f"対象外の原因：{'、'.join(_CAUSES_JA.get(cause, cause) for cause in causes)}")


_CAUSES_JA = {
    "hack": "不正アクセス",
    "unauthorised_outflow": "不正流出",
    "fraud": "詐欺",
    "unlawful_act": "違法行為",
    "clerical_error": "事務過誤",
    "system_failure": "システム障害",
}


def _limited_insurance(
    items: Sequence[Item], rules: Rules, requirement: Figure, currency: str
) -> tuple[tuple[Item, ...], Figure]:
    """The policies, and their sum up to the share of the requirement that insurance may cover."""
    share = rules.number("insurance.share")
    limit = (requirement * share).named("insurance_limit", "most that insurance may cover", "保険の充当上限")
    counted = [item.counted for item in items if not item.refused or item.counted.value is None]
    whole = total(counted, currency).named("insured", "policies that count", "算入できる保険")
    counts = smallest(whole, limit).named("insurance", "insurance that counts", "算入する保険")
    why = Name("insurance counts up to its share of the requirement", "保険の充当上限を適用")
    return _limited(items, counts, whole, why), counts
