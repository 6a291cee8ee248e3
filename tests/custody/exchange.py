"""An invented exchange, day by day: customers come and go, coins are swept, and what is told to happen happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

ACCOUNTS = ("ada", "ben", "cyd")
STORAGES = {
    "cold-1": "cold", "cold-2": "cold", "cold-3": "cold", "hot-1": "hot", "guard": "cold", "guard-hot": "hot",
    "trust": "trust", "bank": "bank", "own-1": "cold",
}  # fmt: skip
PROVIDERS = {"cold-2": "minato kk", "trust": "kaede"}
"""As holdings name them: one by its name, one by its id."""


@dataclass
class Exchange:
    """What it owes by (account, asset), and what it holds by (place, asset, owner)."""

    owed: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    held: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    online: dict[str, Decimal] = field(default_factory=lambda: {"BTC": Decimal(2), "ETH": Decimal(20)})
    """How much of each coin is left in the hot wallet every evening."""
    said_to_be: dict[str, str] = field(default_factory=lambda: dict(STORAGES))
    chance: Random = field(default_factory=lambda: Random(20250401))  # noqa: S311 - days that can be repeated

    def __post_init__(self) -> None:
        for coin, cold, kept, online, own, guard in (("BTC", 117, 80, 3, 60, 3), ("ETH", 1270, 700, 30, 600, 30)):
            self.deposit("ada", coin, "cold-1", cold)
            self.deposit("ben", coin, "cold-2", kept)
            self.deposit("cyd", coin, "hot-1", online)
            self.put("own-1", coin, own, "own")
            self.put("guard", coin, guard, "guarantee")
        self.deposit("ada", "JPY", "trust", 300_000_000)
        self.deposit("ben", "JPY", "trust", 200_000_000)

    def put(self, place: str, asset: str, amount: Decimal | str | int, owner: str = "customer") -> None:
        """Adds to what is held, or takes away from it."""
        there = place, asset, owner
        self.held[there] = self.held.get(there, Decimal(0)) + Decimal(amount)
        assert self.held[there] >= 0

    def move(self, asset: str, amount: Decimal | str | int, giver: str, receiver: str, owner: str = "customer") -> None:
        """From one place to another."""
        self.put(giver, asset, -Decimal(amount), owner)
        self.put(receiver, asset, amount, owner)

    def credit(self, account: str, asset: str, amount: Decimal | str | int) -> None:
        """Owes a customer more, or less."""
        self.owed[account, asset] = self.owed.get((account, asset), Decimal(0)) + Decimal(amount)
        assert self.owed[account, asset] >= 0

    def deposit(self, account: str, asset: str, place: str, amount: Decimal | str | int) -> None:
        """A customer brings something in, or takes it out."""
        self.credit(account, asset, amount)
        self.put(place, asset, amount)

    def business(self) -> None:
        """An ordinary day: each comes or goes with a little, then the hot wallet is swept."""
        for account in ACCOUNTS:
            for coin, most in (("BTC", 50_000_000), ("ETH", 500_000_000)):
                amount = Decimal(self.chance.randint(-most, most)) / 10**8
                if self.owed.get((account, coin), Decimal(0)) + amount > 0 and self.held["hot-1", coin, "customer"] + amount > 0:  # fmt: skip
                    self.deposit(account, coin, "hot-1", amount)
        self.deposit("ada", "JPY", "trust", self.chance.randint(-900_000, 900_000))
        for coin, left in self.online.items():
            self.move(coin, self.held["hot-1", coin, "customer"] - left, "hot-1", "cold-1")

    def balances(self, day: date) -> Iterator[str]:
        """Rows of `customer_balances`."""
        return (f"{day},{account},{asset},{amount:f}" for (account, asset), amount in self.owed.items())

    def holdings(self, day: date) -> Iterator[str]:
        """Rows of `holdings`."""
        for (place, asset, owner), amount in self.held.items():
            if amount:
                storage, provider = self.said_to_be[place], PROVIDERS.get(place, "")
                yield f"{day},{place},{asset},{amount:f},{owner},{storage},{provider}"


def prices(day: date) -> dict[str, int]:
    """What coins cost, up and down a little."""
    number = day.toordinal()
    return {"BTC": 10_000_000 + 1_000 * (number * 37 % 200 - 100), "ETH": 500_000 + 100 * (number * 53 % 100 - 50)}
