"""What is worked from what moved is, byte for byte, what is worked in full."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from junbikin.books.journal import account_numbers, balance
from junbikin.custody.reconcile import booked, differences
from junbikin.custody.reconcile.moment import Moment
from junbikin.custody.reconcile.recorded import record
from junbikin.custody.reconcile.run import Outcome
from junbikin.errors import BooksRefused

from .scene import ACCOUNTS, DAY, HOLDERS, Scene, at

BEFORE = DAY - timedelta(days=1)


def same_both_ways(scene: Scene, moment: Moment) -> bool:
    """Whether the run from what is kept was in full; it says what the one that believes nothing says."""
    return agreed(scene, moment).in_full


def agreed(scene: Scene, moment: Moment) -> Outcome:
    """The run from what is kept, which says what the one that believes nothing says."""
    again = scene.outcome(moment)
    whole = scene.outcome(moment, fresh=True)
    assert whole.in_full
    assert again.reconciliation.canonical == whole.reconciliation.canonical
    assert again.reconciliation.listed.read_bytes() == whole.reconciliation.listed.read_bytes()
    return again


Told = dict[tuple[str, str, str], str]
"""(instant, account, asset) → the balance that the platform told."""


def slowly(scene: Scene, moment: Moment, told: Told) -> dict[tuple[str, str], Decimal]:
    """(account, asset) → by how much the platform says more, one account after the other."""
    platform = {(holder, "BTC"): Decimal(4) for holder in HOLDERS}
    for (_, holder, asset), quantity in sorted(told.items()):
        platform[holder, asset] = Decimal(quantity)
    owed: dict[tuple[str, str], Decimal] = {}
    for code in ACCOUNTS:
        if code.startswith("customer/"):
            _, asset, _, holder = code.split("/")
            [number] = account_numbers(scene.books, [code])
            held = balance(scene.books, number, moment.at, moment.known_at)
            owed[holder, asset] = owed.get((holder, asset), Decimal(0)) + held
    found = {key: platform.get(key, Decimal(0)) - owed.get(key, Decimal(0)) for key in {*platform, *owed}}
    return {key: amount for key, amount in found.items() if amount}


def some_change(scene: Scene, chance: random.Random, day: datetime, told: Told) -> None:
    """Something happens on one side or both, or to what is stated."""
    holder, asset = chance.choice(HOLDERS), chance.choice(["BTC", "BTC", "JPY"])
    place = "kaede" if asset == "JPY" else chance.choice(["vault", "kaede"])
    when = day + timedelta(seconds=chance.randrange(0, 40_000))
    amount = chance.choice(["1", "2", "5", "0.000000000000000001", "-1", "-2"])
    what = chance.random()
    if what < 0.5:
        try:
            scene.pay(holder, amount, when, asset, place)
        except BooksRefused:
            return
    if 0.3 < what < 0.9:
        stamp = when.isoformat()
        if (stamp, holder, asset) not in told:
            told[stamp, holder, asset] = chance.choice(["0", "1", "3.5", "7"])
            scene.facts("balance_changes", f"{stamp},{holder},{asset},{told[stamp, holder, asset]}")
    if what > 0.9:
        source = f"s{len(told)}-{chance.randrange(10**9)}"
        scene.facts("statements", f"{DAY},{place},{asset},{chance.randrange(5)},{source}")


@pytest.mark.parametrize(("seed", "folded_from"), [(0, 0), (1, booked.FOLDED_FROM), (2, booked.FOLDED_FROM)])
def test_again_gives_what_in_full_gives_whatever_changed(
    scene: Scene, seed: int, folded_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booked, "FOLDED_FROM", folded_from)
    chance = random.Random(seed)  # noqa: S311 - only has to be repeatable
    told: Told = {}
    for holder in HOLDERS:
        scene.pay(holder, 4, at(BEFORE))
    scene.facts("customer_balances", *(f"{BEFORE},{holder},BTC,4" for holder in HOLDERS), f"{BEFORE},c1,JPY,0")
    scene.facts("prices", f"BTC,JPY,{DAY}T10:00:00+09:00,10000000,ours")
    in_full = [same_both_ways(scene, scene.moment())]
    for turn in range(6):
        for _ in range(chance.randrange(1, 4)):
            some_change(scene, chance, at(hour=1), told)
        moment = scene.moment()
        outcome = agreed(scene, moment)
        in_full.append(outcome.in_full)
        if turn % 3 == 2:
            record(scene.books, outcome.reconciliation)
        found = outcome.reconciliation
        assert {(b.of, b.asset): b.amount for b in found.first if b.compared == "account"} == slowly(
            scene, moment, told
        )
    assert in_full == [True] + [False] * 6


def test_the_cut_may_move_on_and_what_comes_late_counts(scene: Scene) -> None:
    today = scene.home.today()
    yesterday = today - timedelta(days=1)
    scene.pay("c1", 5, at(yesterday, hour=1))
    scene.facts("customer_balances", f"{yesterday},c1,BTC,5", f"{yesterday},c2,BTC,0")
    assert same_both_ways(scene, scene.moment(today))
    now = datetime.now(UTC)
    scene.facts("balance_changes", f"{now.isoformat()},c1,BTC,6")
    scene.pay("c1", 1)
    assert not same_both_ways(scene, scene.moment(today))
    scene.pay("c2", 3, at(yesterday, hour=2))
    assert not same_both_ways(scene, scene.moment(today))
    scene.facts("balance_changes", f"{(now - timedelta(seconds=1)).isoformat()},c1,BTC,99")
    assert not same_both_ways(scene, scene.moment(today))
    assert not same_both_ways(scene, scene.moment(today))


def test_an_earlier_day_a_new_snapshot_and_a_correction_are_worked_in_full_and_give_the_same(scene: Scene) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.pay("c1", 1, at(hour=10))
    scene.facts("customer_balances", f"{BEFORE},c1,BTC,5")
    scene.facts("balance_changes", f"{DAY}T10:00:00Z,c1,BTC,6")
    assert same_both_ways(scene, scene.moment())
    assert same_both_ways(scene, scene.moment(BEFORE))
    assert not same_both_ways(scene, scene.moment())
    scene.facts("balance_changes", f"{DAY}T10:00:00Z,c1,BTC,7", corrects="wrong")
    assert same_both_ways(scene, scene.moment())
    scene.facts("customer_balances", f"{DAY},c1,BTC,6")
    assert same_both_ways(scene, scene.moment())


def test_what_is_kept_may_be_lost_or_spoilt(scene: Scene) -> None:
    scene.pay("c1", 5, at())
    scene.facts("customer_balances", f"{DAY},c1,BTC,5")
    first = scene.outcome(moment := scene.moment()).reconciliation.canonical
    file = scene.home.path / "cache" / "reconcile.duckdb"
    for spoilt in (b"", b"no database", file.read_bytes()[:5000]):
        file.write_bytes(spoilt)
        again = scene.outcome(moment)
        assert again.in_full
        assert again.reconciliation.canonical == first
    file.unlink()
    assert scene.outcome(moment).reconciliation.canonical == first


def test_when_much_moved_it_is_worked_in_full_and_gives_the_same(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booked, "FEW", 0)
    monkeypatch.setattr(differences, "FEW", 0)
    scene.pay("c1", 5, at())
    scene.facts("customer_balances", f"{BEFORE},c1,BTC,5", f"{BEFORE},c2,BTC,1")
    assert same_both_ways(scene, scene.moment())
    assert not same_both_ways(scene, scene.moment())
    scene.pay("c1", 1, at())
    assert same_both_ways(scene, scene.moment())
    scene.facts("balance_changes", f"{DAY}T01:00:00Z,c1,BTC,6")
    assert same_both_ways(scene, scene.moment())


def test_other_books_under_the_same_home_are_read_anew(scene: Scene, socket: Path) -> None:
    scene.pay("c1", 5, at())
    scene.facts("customer_balances", f"{DAY},c1,BTC,5")
    assert same_both_ways(scene, scene.moment())
    name = scene.books.engine.url.database or ""
    address = f"postgresql://postgres@/postgres?host={socket}"
    scene.books.engine.dispose()
    with as_they_were(address, name):
        scene.pay("c1", 1, at())
        assert not same_both_ways(scene, scene.moment())
        scene.books.engine.dispose()
    scene.pay("c2", 1, at())
    scene.pay("c2", 1, at())
    assert same_both_ways(scene, scene.moment())


@contextmanager
def as_they_were(address: str, name: str) -> Iterator[None]:
    """Afterwards a database is what it was before, as after a restore."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'".encode())
        connection.execute(f"CREATE DATABASE {name}_kept TEMPLATE {name}".encode())
        yield
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'".encode())
        connection.execute(f"DROP DATABASE {name}".encode())
        connection.execute(f"ALTER DATABASE {name}_kept RENAME TO {name}".encode())
