"""Hong Kong: cover of half of the client assets in cold storage and of all others; at most 2% outside cold storage."""

from junbikin.figures import total
from junbikin.rulebooks import duties
from junbikin.rulebooks.interface import Check, CustodyFacts, Facts, Outcome
from junbikin.rulebooks.parameters import Rules


def assess(facts: Facts, rules: Rules) -> Outcome:
    """The cover required, in the home's currency."""
    assets = facts.customer_assets()
    cold = total([asset.cold for asset in assets], facts.currency).named("cold", "in cold storage", "コールド保管")
    rest = total([asset.rest for asset in assets], facts.currency).named("rest", "not in cold storage", "コールド以外")
    for_cold = (cold * rules.number("cover.cold")).named("cover_cold", "cover for cold storage", "コールド分の補償")
    for_rest = (rest * rules.number("cover.rest")).named("cover_rest", "cover for the rest", "その他分の補償")
    requirement = total([for_cold, for_rest], facts.currency).named("requirement", "requirement", "要積立額")
    return Outcome(requirement, (for_cold, for_rest))


def custody(facts: CustodyFacts, rules: Rules) -> tuple[Check, ...]:
    """Client assets held, mostly cold, apart, and with whom they may be."""
    return tuple(duty(facts, rules) for duty in (duties.held, duties.hot, duties.apart, duties.places))
