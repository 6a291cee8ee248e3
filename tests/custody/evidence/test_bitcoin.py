"""What real Bitcoin nodes are asked, in both ways, is what was paid; a node that lags, lies or is on another chain is told."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from junbikin.custody.evidence import esplora, observe
from junbikin.custody.evidence.bitcoin import BTC
from junbikin.custody.evidence.core import MOST_BLOCKS_BACK
from junbikin.custody.evidence.observe import differences, look
from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Watched
from junbikin.errors import BadInput

from .nodes import WEB, Bitcoin, bitcoin_source, pkh, proxy, wpkh

DAY = date(2026, 3, 31)
KINDS = ("esplora", "core")


def now() -> datetime:
    """A time that is after every block: those mined at once are dated ahead of the clock."""
    return datetime(2100, 1, 1, tzinfo=UTC)


def on(*addresses: str) -> list[Watched]:
    return [Watched("bitcoin-regtest", address, "cold-1", BTC) for address in addresses]


def units(source: Source, *addresses: str, until: datetime | None = None) -> list[int]:
    [seen] = look([source], on(*addresses), until or now())
    return [reading.units for reading in seen.readings]


@pytest.mark.parametrize("kind", KINDS)
def test_every_block_of_the_past_has_the_balance_that_it_had(bitcoin: Bitcoin, kind: str, number: int) -> None:
    """Coins come and go in a random order; the oracle adds up what was paid."""
    ours, chosen = pkh(number), random.Random(number)  # noqa: S311 - not for secrets
    first = bitcoin.mine() + 1
    balances = [0]
    for _ in range(12):
        if balances[-1] > 30_000_000 and chosen.random() < 0.6:
            sent = chosen.randrange(1_000_000, 20_000_000)
            done = bitcoin.does("pay", node="a", to=wpkh(1), value=sent, **{"from": number})
            balances.append(balances[-1] - sent - int(done["fee"]))
        elif chosen.random() < 0.2:
            bitcoin.mine()
            balances.append(balances[-1])
        else:
            paid = chosen.randrange(1, 100_000_000)
            bitcoin.pay(ours, paid)
            balances.append(balances[-1] + paid)
    for confirmations in range(1, 14):
        source = bitcoin.source(kind, confirmations=confirmations)
        [seen] = look([source], on(ours, wpkh(number)), now())
        assert seen.block.height == first + 12 - confirmations
        assert [reading.units for reading in seen.readings] == [balances[13 - confirmations], 0]


def test_more_payments_than_a_page_holds_are_all_undone(bitcoin: Bitcoin, number: int) -> None:
    ours = wpkh(number)
    bitcoin.pay(ours, 7_000)
    bitcoin.mine(60, to=ours)
    assert units(bitcoin.source("esplora", confirmations=61), ours) == [7_000]
    assert units(bitcoin.source("core", confirmations=61), ours) == [7_000]


def test_a_service_that_gives_the_same_page_again_is_refused(bitcoin: Bitcoin, number: int) -> None:
    """It would take payments off twice."""
    ours = wpkh(number)
    bitcoin.mine(30, to=ours)
    first = WEB.get(f"{bitcoin.url}/a/esplora/address/{ours}/txs/chain").content

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        return status, first if "/txs/chain/" in path else body

    with (
        proxy(f"{bitcoin.url}/a/esplora", alter) as between,
        pytest.raises(BadInput, match="the same transaction twice"),
    ):
        look([bitcoin_source(between, "esplora", confirmations=40)], on(ours), now())


def test_every_time_of_the_past_has_its_block(bitcoin: Bitcoin, number: int) -> None:
    for height in (0, 1, 60, 100):
        digest = WEB.get(f"{bitcoin.url}/a/esplora/block-height/{height}").text
        block = WEB.get(f"{bitcoin.url}/a/esplora/block/{digest}").json()
        until = datetime.fromtimestamp(block["timestamp"], UTC)
        [seen] = look([bitcoin.source("esplora")], on(wpkh(number)), until)
        assert seen.block.time <= until
        following = WEB.get(f"{bitcoin.url}/a/esplora/block-height/{seen.block.height + 1}").text
        assert WEB.get(f"{bitcoin.url}/a/esplora/block/{following}").json()["timestamp"] > block["timestamp"]
    with pytest.raises(BadInput, match="the chain begins after"):
        look([bitcoin.source("esplora")], on(wpkh(number)), datetime(2009, 1, 1, tzinfo=UTC))


def test_a_core_node_is_not_read_further_back_than_it_can_be_undone(bitcoin: Bitcoin, number: int) -> None:
    bitcoin.mine(MOST_BLOCKS_BACK + 1)
    assert units(bitcoin.source("core", confirmations=MOST_BLOCKS_BACK + 1), wpkh(number)) == [0]
    with pytest.raises(BadInput, match="301 blocks back: a Core node is read at most 300 back"):
        units(bitcoin.source("core", confirmations=MOST_BLOCKS_BACK + 2), wpkh(number))


@pytest.mark.parametrize("kind", KINDS)
def test_the_day_ends_with_the_last_block_that_is_not_after_it(bitcoin: Bitcoin, kind: str, number: int) -> None:
    ours = wpkh(number)
    bitcoin.pay(ours, 1_000)
    [tip] = look([bitcoin.source(kind)], on(ours), now())
    later = int(tip.block.time.timestamp()) + 3600
    bitcoin.mine(1, to=ours, time=later)
    assert units(bitcoin.source(kind), ours) != [1_000]
    [seen] = look([bitcoin.source(kind)], on(ours), datetime.fromtimestamp(later - 1, UTC))
    assert seen.block == tip.block
    assert [reading.units for reading in seen.readings] == [1_000]
    assert units(bitcoin.source(kind), ours, until=datetime.fromtimestamp(later, UTC)) != [1_000]


@pytest.mark.parametrize("kind", KINDS)
def test_how_far_it_is_is_told_from_beginning_to_end(bitcoin: Bitcoin, kind: str, number: int) -> None:
    told: list[tuple[str, float]] = []
    bitcoin.mine(3)
    source = bitcoin.source(kind, confirmations=3)
    look([source], on(wpkh(number), pkh(number)), now(), lambda what, share: told.append((what, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert max(shares) > 0
    assert all(0 <= share <= 1 for share in shares)


def test_unconfirmed_and_shallow_payments_do_not_count(bitcoin: Bitcoin, number: int) -> None:
    bitcoin.pay(wpkh(number), 5_000)
    assert [units(bitcoin.source(kind, confirmations=2), wpkh(number)) for kind in KINDS] == [[0], [0]]
    bitcoin.mine()
    assert [units(bitcoin.source(kind, confirmations=2), wpkh(number)) for kind in KINDS] == [[5_000], [5_000]]


def test_two_sources_are_read_at_one_block_even_when_one_is_a_little_ahead(bitcoin: Bitcoin, number: int) -> None:
    shared = bitcoin.pay(wpkh(number), 5_000)
    bitcoin.does("feed", height=shared)
    bitcoin.pay(wpkh(number), 300)
    seen = look([bitcoin.source("esplora"), bitcoin.source("core", "b")], on(wpkh(number)), now())
    assert {(each.block.height, each.readings[0].units) for each in seen} == {(shared, 5_000)}
    assert differences(seen, DAY) == []


def test_a_place_holds_what_its_addresses_hold(bitcoin: Bitcoin, number: int) -> None:
    bitcoin.pay(wpkh(number), 123_456_789)
    bitcoin.pay(pkh(number), 1)
    [seen] = look([bitcoin.source("core")], on(wpkh(number), pkh(number)), now())
    [one] = seen.observations(DAY)
    assert (one.place, one.asset, one.quantity, one.source) == ("cold-1", "BTC", Decimal("1.2345679"), "core")
    assert one.reference == f"block {seen.block.height} {seen.block.hash}"
    assert one.stated_at == seen.block.time


@pytest.mark.parametrize("kind", KINDS)
def test_a_reorganisation_while_it_is_read_makes_it_read_again(bitcoin: Bitcoin, kind: str, number: int) -> None:
    ours = wpkh(number)
    bitcoin.pay(ours, 1_000)
    height = bitcoin.mine()
    turned: list[int] = []

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        if (b"scantxoutset" in asked or "/address/" in path) and not turned:
            turned.append(bitcoin.does("reorganise", node="a", height=height - 1)["height"])
        return status, body

    with proxy(f"{bitcoin.url}/a/{kind}", alter) as between:
        [seen] = look([bitcoin_source(between, kind)], on(ours), now())
    assert turned, "the chain was not reorganised while it was read"
    [again] = look([bitcoin.source(kind)], on(ours), now())
    assert seen.block == again.block
    assert [reading.units for reading in seen.readings] == [0]


def test_another_block_at_the_same_height_makes_it_read_again(bitcoin: Bitcoin, number: int) -> None:
    """The scan is of a chain that has another newest block, no higher than the one that was asked for."""
    ours = wpkh(number)
    bitcoin.pay(ours, 1_000)
    turned: list[bytes] = []

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        if b"scantxoutset" in asked and not turned:
            told = json.loads(body)
            [before] = look([bitcoin.source("core", confirmations=2)], on(ours), now())
            told["result"] |= {"bestblock": before.block.hash, "height": before.block.height, "unspents": []}
            turned.append(asked)
            return status, json.dumps(told).encode()
        return status, body

    with proxy(f"{bitcoin.url}/a/core", alter) as between:
        assert units(bitcoin_source(between, "core"), ours) == [1_000]
    assert turned


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_that_does_not_stand_still_is_refused(
    bitcoin: Bitcoin, kind: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (observe, esplora):
        monkeypatch.setattr(module, "ATTEMPTS", 2)

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        if b"scantxoutset" in asked or path.endswith("/txs/chain"):
            bitcoin.does("reorganise", node="a", height=bitcoin.mine() - 1)
        return status, body

    with proxy(f"{bitcoin.url}/a/{kind}", alter) as between, pytest.raises(BadInput, match="did not stand still"):
        look([bitcoin_source(between, kind)], on(wpkh(number)), now())


def test_a_node_behind_another_is_refused_as_lagging(bitcoin: Bitcoin, number: int) -> None:
    bitcoin.does("feed", height=bitcoin.mine())
    bitcoin.mine(5)
    with pytest.raises(BadInput, match=r"the node lags: .* at most 2 behind") as refusal:
        look([bitcoin.source("esplora"), bitcoin.source("core", "b", name="slow")], on(wpkh(number)), now())
    assert "source slow" in refusal.value.where
    assert "--source" in refusal.value.then


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_whose_newest_block_is_old_is_refused_as_lagging(bitcoin: Bitcoin, kind: str, number: int) -> None:
    bitcoin.does("feed", height=0)
    with pytest.raises(BadInput, match="the node lags: its newest block 0 is of 2011"):
        look([bitcoin.source(kind, "b")], on(wpkh(number)), now())


def test_sources_on_two_branches_are_refused(bitcoin: Bitcoin, number: int) -> None:
    bitcoin.does("feed", height=bitcoin.mine())
    bitcoin.does("mine", node="b", count=1)
    bitcoin.mine()
    with pytest.raises(BadInput, match=r"did not stand still.* had block"):
        look([bitcoin.source("esplora"), bitcoin.source("core", "b")], on(wpkh(number)), now())


def test_a_node_that_lies_differs_from_another_and_both_are_kept(bitcoin: Bitcoin, number: int) -> None:
    ours = wpkh(number)
    bitcoin.pay(ours, 400_000_000)

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        if path.endswith(f"/address/{ours}"):
            told = json.loads(body)
            told["chain_stats"]["funded_txo_sum"] += 100_000_000
            return status, json.dumps(told).encode()
        return status, body

    with proxy(f"{bitcoin.url}/a/esplora", alter) as between:
        seen = look([bitcoin_source(between, "esplora", name="liar"), bitcoin.source("core")], on(ours), now())
    said = {one.source: one.quantity for each in seen for one in each.observations(DAY)}
    assert said == {"liar": Decimal(5), "core": Decimal(4)}
    [difference] = differences(seen, DAY)
    assert (difference.place, difference.asset, difference.stated, difference.gap) == (
        "cold-1",
        "BTC",
        said,
        Decimal(1),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_of_another_network_is_refused_by_its_first_block(bitcoin: Bitcoin, kind: str) -> None:
    source = Source("main", kind, "bitcoin", f"{bitcoin.url}/a/{kind}", 6, 120, 2, 20)
    with pytest.raises(BadInput, match="the node is on bitcoin-regtest, not on bitcoin"):
        look([source], [Watched("bitcoin", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "cold-1", BTC)], now())


def test_a_node_that_is_catching_up_is_refused(bitcoin: Bitcoin, number: int) -> None:
    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        return status, body.replace(b'"initialblockdownload":false', b'"initialblockdownload":true')

    with proxy(f"{bitcoin.url}/a/core", alter) as between, pytest.raises(BadInput, match="still catching up"):
        look([bitcoin_source(between, "core")], on(wpkh(number)), now())


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_blocks_for_the_confirmations_are_refused(bitcoin: Bitcoin, kind: str, number: int) -> None:
    with pytest.raises(BadInput, match="no block has 900000 confirmations"):
        look([bitcoin.source(kind, confirmations=900_000)], on(wpkh(number)), now())
