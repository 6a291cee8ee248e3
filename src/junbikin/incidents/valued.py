"""What was taken, in the home's currency: quantity at the price of the day of the loss, and by which price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from junbikin.facts.lake import Lake
from junbikin.figures import Data, Figure, given, plain
from junbikin.figures.figure import Name
from junbikin.figures.source import Stated
from junbikin.reserve.prices import Prices


def valued(lake: Lake, asset: str, quantity: Decimal, day: date) -> tuple[str | None, str]:
    """Its worth in the home's currency, exact, and the price in words; None, and what is missing, where there is no price."""
    currency = lake.home.currency
    if asset == currency:
        return plain(quantity), f"{currency} itself"
    price = Prices(lake, frozenset({day})).of(asset, day)
    if price.value is None:
        return None, price.note.en if price.note else "no price is known"
    worth = given(quantity, asset, Name(asset, asset), Stated("the incident")) * price
    return plain(worth.known), f"{Decimal(plain(price.value)):,f} {currency}, {'; '.join(_sources(price))}"


def _sources(price: Figure) -> list[str]:
    return [figure.source.query for figure in price.walk() if isinstance(figure.source, Data)]
