"""What is known here of assets and accounts (名寄せ): by customers' balances, holdings, the registry and the books.

A slip of the pen would otherwise stand on record of an incident for good.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import exists, select

from junbikin.books.database import Books, telling
from junbikin.books.schema import accounts
from junbikin.errors import BadInput
from junbikin.facts.engine import literal
from junbikin.facts.lake import Lake
from junbikin.facts.platform import changed, platform_of, stated, totals
from junbikin.figures import plain
from junbikin.registry.addresses import MOST_DECIMALS
from junbikin.registry.log import said

_DECIMALS = MappingProxyType(
    {
        "ADA": 6, "BCH": 8, "BTC": 8, "DOGE": 8, "DOT": 10, "JPY": 0, "KRW": 0, "LTC": 8, "MONA": 8, "SOL": 9, "TRX": 6, "XEM": 6, "XLM": 7,
        "XRP": 6,
    }
)  # fmt: skip
"""The decimals of the unit that cannot be parted, of money and of coins on chains of their own."""


def must_be_known(books: Books, lake: Lake, asset: str) -> None:
    """Raises `BadInput` when no customer, holding, account or entry of the registry has ever been of this asset."""
    if (
        asset == lake.home.currency
        or asset in owned(lake, lake.home.today())
        or asset in _held(lake)
        or asset in _registered(books)
    ):
        return
    if _booked(books, accounts.c.asset == asset):
        return
    raise BadInput(
        f"nobody here owns or holds {asset}: no customer_balances, holdings, account or token is of it",
        where="--asset",
        then="write the asset as the facts do; ingest what customers own or register its token, if it is new",
    )


def owned(lake: Lake, day: date) -> dict[str, Decimal]:
    """Asset → what customers own of it at the end of a day, by the newest balances and the changes since."""
    _, rows = totals(lake, day, lake.home.end_of(day))
    return {asset: quantity for asset, _, quantity in rows}


def fits(books: Books, asset: str, quantity: Decimal, option: str = "--quantity") -> None:
    """Raises `BadInput` when a quantity is finer than the asset can be parted."""
    most = _registered(books).get(asset, _DECIMALS.get(asset, MOST_DECIMALS))
    _, _, rest = plain(quantity).partition(".")
    if len(rest) > most:
        raise BadInput(
            f"{plain(quantity)} has {len(rest)} decimals, and {asset} has {most}", where=option, then="state the quantity as it is"
        )  # fmt: skip


def must_be_customers(books: Books, lake: Lake, account: str, day: date) -> None:
    """Raises `BadInput` when neither balances of a day, or of today, nor changes, nor the books have such an account of a customer."""
    if any(_stands_in(lake, account, on) for on in {day, lake.home.today()}):
        return
    if _booked(books, (accounts.c.owner == "customer") & (accounts.c.holder == account)):
        return
    raise BadInput(
        f"there is no customer's account {account}: neither customer_balances nor balance_changes nor the books have it",
        where="--account",
        then="look at how the customer's statement writes it",
    )


def _stands_in(lake: Lake, account: str, day: date) -> bool:
    platform = platform_of(lake, day)
    of = f"WHERE account = {literal(account)} LIMIT 1"
    sides = (stated(platform), changed(platform, lake.home.end_of(day)))
    return any(lake.ask(f"SELECT 1 FROM ({side}) {of}") for side in sides)


def _held(lake: Lake) -> set[str]:
    _, newest = lake.newest("holdings", lake.home.today())
    return {asset for asset, *_ in lake.run("holdings", newest)}


def _registered(books: Books) -> dict[str, int]:
    """Asset → the decimals of its token; of several, the most."""
    found: dict[str, int] = {}
    for subject, says in said(books, "token").items():
        asset = subject.rpartition(":")[2]
        found[asset] = max(found.get(asset, 0), int(says["decimals"]))
    return found


def _booked(books: Books, condition: object) -> bool:
    with telling(books.home), books.engine.connect() as connection:
        return bool(connection.scalar(select(exists().where(condition))))  # type: ignore[arg-type]
