"""South Korea: cover of a share of what is not cold, at prices averaged over a year, and at least a floor; 80% cold."""

from junbikin.figures import Figure, Name, Rule, largest, smallest, total
from junbikin.findings import Finding, Severity
from junbikin.rulebooks import duties
from junbikin.rulebooks.interface import Check, CustodyFacts, Facts, Kept, Outcome
from junbikin.rulebooks.parameters import Rules


def assess(facts: Facts, rules: Rules) -> Outcome:
    """The cover required, in the home's currency."""
    known = facts.kept()
    averaged = [
        (_not_cold(kept) * duties.averaged(facts, rules, kept.asset)).named(
            f"not_cold.{kept.asset}", f"{kept.asset} not in cold storage, at the year's average", f"{kept.asset}（コールド以外、年平均価格）"
        )
        for kept in known
    ]  # fmt: skip
    base = total([*averaged, *facts.unknown()], facts.currency).named(
        "base", "user assets not in cold storage", "コールド以外の利用者資産"
    )
    share = (base * rules.number("cover.share")).named(
        "cover_share", "share of what is not cold", "コールド以外に対する補償額"
    )
    requirement = largest(share, _floor(facts, rules)).named("requirement", "requirement", "要積立額")
    return Outcome(requirement, (base, share), _stale(facts, rules, base, known))


def custody(facts: CustodyFacts, rules: Rules) -> tuple[Check, ...]:
    """The same kind and quantity held, mostly cold at average prices, apart, and with whom it may be."""
    return tuple(duty(facts, rules) for duty in (duties.held, duties.hot, duties.apart, duties.places))


def _not_cold(kept: Kept) -> Figure:
    return (kept.owed - smallest(kept.owed, kept.cold)).named(
        f"rest.{kept.asset}", f"{kept.asset} owed and not in cold storage", f"{kept.asset}債務のコールド以外"
    )


def _floor(facts: Facts, rules: Rules) -> Figure:
    market, _ = rules.choice("cover.market", ["won", "other"])
    floor = rules.number(f"cover.floor.{market}")
    if str(floor.unit) != facts.currency:
        floor = floor * facts.price(str(floor.unit))
    return floor.named("floor", "least cover", "下限額")


def _stale(facts: Facts, rules: Rules, averaged: Figure, known: tuple[Kept, ...]) -> tuple[Finding, ...]:
    """Told when the same coins are worth far more at the day's prices than at the average that the cover is worked from.

    Coins without an average are in neither.
    """
    both = [kept for kept in known if duties.averaged(facts, rules, kept.asset).value is not None]
    today = total([_not_cold(kept) * facts.price(kept.asset) for kept in both], facts.currency).named(
        "base_today", "the same at the day's prices", "当日価格での評価額"
    )
    margin = rules.number("duties.average.stale")
    above = today - averaged - today * margin
    if above.value is None or above.value <= 0:
        return ()
    source = margin.source
    return (
        Finding(
            "average-stale",
            Severity.WARNING,
            Name("at the day's prices these assets are worth far more than at the year's average: the cover lags", "当日価格の評価額が年平均を大きく上回り、補償額が追いついていない"),
            Name("hold cover for the day's value too", "当日価格に見合う補償も備える"),
            Name(source.citation, source.citation_ja) if isinstance(source, Rule) else None,
            source.provenance if isinstance(source, Rule) else None,
            amount=today - averaged,
        ),
    )  # fmt: skip
