"""How an order is carried out: the channel that it names, and whom it can pay."""

from __future__ import annotations

from sqlalchemy import exists, select

from junbikin.books.claims import Approved
from junbikin.books.database import telling
from junbikin.books.schema import accounts
from junbikin.errors import BadInput
from junbikin.incidents.folders import payees_folder
from junbikin.incidents.pay.channels import Channel, Custodian, Iso20022, Zengin
from junbikin.incidents.pay.credit import Accounts
from junbikin.incidents.pay.order import Order
from junbikin.incidents.pay.payees import Payees, open_payees
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.pay.paying_bank import paying_bank
from junbikin.incidents.pay.run import Way
from junbikin.registry.log import latest

BANKS = ("zengin", "iso20022")
CHANNELS = (*BANKS, "account", "custodian")
YEN = "JPY"


def way(by: Payer, approved: Approved) -> Way:
    """The way of each order of an approved plan."""

    def carried_out(order: Order) -> tuple[Channel, Payees | None]:
        judged = None
        if order.payees:
            judged = open_payees(payees_folder(by.books.home, order.incident, order.plan), order.payees)
        if order.channel == "account":
            return Accounts(by, approved.claimants[order.asset], order.place), judged
        if judged is None:
            raise BadInput(
                "nobody is known to be paid so", then="judge the instructions first: junbikin incident payees"
            )
        if order.channel == "custodian":
            return Custodian(judged), judged
        bank = paying_bank(by.books, order.bank)
        return (Zengin if order.channel == "zengin" else Iso20022)(judged, bank), judged

    return carried_out


def check(by: Payer, order: Order) -> None:
    """Raises `BadInput` when the channel cannot pay the asset, no such bank is registered, or nothing is at the place."""
    if (order.asset == YEN) == (order.channel == "custodian") and order.channel != "account":
        raise BadInput(
            f"{order.channel} pays {'coins, not yen' if order.channel == 'custodian' else 'yen, not coins'}",
            where=f"--asset {order.asset}", then="choose another channel: " + ", ".join(CHANNELS),
        )  # fmt: skip
    if order.bank:
        paying_bank(by.books, order.bank)
    if order.place and latest(by.books, "place", order.place) is None and not _known(by, order):
        raise BadInput(
            f"{order.place} is no registered place, and no customer has {order.asset} there", where="--place",
            then=f"name another, or register it: junbikin registry set place {order.place}",
        )  # fmt: skip


def _known(by: Payer, order: Order) -> bool:
    there = (accounts.c.owner == "customer") & (accounts.c.asset == order.asset) & (accounts.c.place == order.place)
    with telling(by.books.home), by.books.engine.connect() as connection:
        return bool(connection.scalar(select(exists().where(there))))
