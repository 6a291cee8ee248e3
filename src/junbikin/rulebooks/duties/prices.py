"""The prices at which a regime values: the day's, or the mean of some months."""

from __future__ import annotations

from datetime import date, timedelta

from junbikin.calendars import Period, months_after
from junbikin.figures import Figure, Name, hole
from junbikin.rulebooks.interface import Facts
from junbikin.rulebooks.parameters import Rules


def averaged_over(rules: Rules, day: date) -> Period:
    """The months over which the regime averages prices: to the end of the month before `day`."""
    months = rules.integer("duties.average.months", 1)
    end = day.replace(day=1) - timedelta(days=1)
    return Period(f"{months} months to {end}", months_after(day.replace(day=1), -months), end)


def price_of(facts: Facts, rules: Rules, asset: str) -> Figure:
    """An asset's price as the regime takes it."""
    kind, _ = rules.choice("duties.hot.price", ["day", "average"])
    if kind == "day":
        return facts.price(asset)
    return averaged(facts, rules, asset)


def averaged(facts: Facts, rules: Rules, asset: str) -> Figure:
    """The mean of an asset's prices; a hole when they are of too few days to stand for the period."""
    period, least = averaged_over(rules, facts.as_of), rules.integer("duties.average.least_days")
    mean = facts.average_price(asset, period)
    days = next((step.known for step in mean.walk() if step.key == f"days_priced.{asset}"), None)
    if days is None or days >= least:
        return mean
    why = Name(
        f"prices of {asset} are known on {days} of {period.days} days, fewer than {least}",
        f"{asset}の価格は{period.days}日中{days}日分のみで、{least}日に満たない",
    )
    return hole(mean.unit, mean.name, why, mean.key)
