"""Japan, Payment Services Act: customers' property held, mostly cold, matched in kind, on trust, and apart."""

from junbikin.rulebooks import duties
from junbikin.rulebooks.interface import Check, CustodyFacts
from junbikin.rulebooks.parameters import Rules

DUTIES = (
    duties.held, duties.hot, duties.guarantee, duties.money, duties.apart, duties.places, duties.concentration,
    duties.net_assets, duties.audits,
)  # fmt: skip


def custody(facts: CustodyFacts, rules: Rules) -> tuple[Check, ...]:
    """The tests of the day, in the order of the Act and its Ordinance."""
    return tuple(duty(facts, rules) for duty in DUTIES)
