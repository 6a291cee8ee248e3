"""The prices at which a regime values: the day's, or the mean of some months."""

from __future__ import annotations

from datetime import date, timedelta

from junbikin.calendars import Period, months_after
from junbikin.figures import Figure
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
    return facts.average_price(asset, averaged_over(rules, facts.as_of))
