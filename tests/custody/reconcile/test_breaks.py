"""What differs is shown, in its class, with its amount."""

from __future__ import annotations

from .scene import DAY, Scene, at, shown


def agreeing(scene: Scene) -> None:
    """Books, customers' balances, statements and prices that agree."""
    scene.pay("c1", 5, at())
    scene.pay("c2", "0.000000000000000003", at())
    scene.pay("c1", 7, at(), place="kaede")
    scene.facts("customer_balances", f"{DAY},c1,BTC,12", f"{DAY},c2,BTC,0.000000000000000003", f"{DAY},c3,BTC,0")
    scene.facts(
        "statements", f"{DAY},vault,BTC,5.000000000000000003,esplora", f"{DAY},vault,BTC,5.000000000000000003,core",
        f"{DAY},kaede,BTC,7,kaede-trust",
    )  # fmt: skip
    scene.facts("prices", f"BTC,JPY,{DAY}T10:00:00+09:00,10000000,ours")


def test_what_agrees_has_no_break(scene: Scene) -> None:
    agreeing(scene)
    found = scene.found()
    assert shown(found.first) == set()
    [btc] = found.totals
    assert (btc.accounts, btc.holders) == (2, 2)
    assert f"{btc.platform} {btc.booked} {btc.held} {btc.stated}" == " ".join(["12.000000000000000003"] * 4)
