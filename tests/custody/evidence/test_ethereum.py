"""What a real Ethereum node is asked, of its coin and of tokens, is what was sent; wrong chains, contracts and blocks are told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from junbikin.custody.evidence import observe
from junbikin.custody.evidence.observe import differences, look
from junbikin.custody.evidence.signatures import signed
from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Coin, Watched
from junbikin.errors import BadInput

from .erc20 import deployed, transfer
from .nodes import Ethereum, proxy

NOW = datetime(2100, 1, 1, tzinfo=UTC)
DAY = date(2026, 3, 31)
ETH = Coin("ETH", "native", 18)


def account(number: int) -> str:
    """The address of a private key."""
    return str(PrivateKey(number.to_bytes(32, "big")).public_key.to_checksum_address())


def on(address: str, *coins: Coin) -> list[Watched]:
    return [Watched("ethereum:31337", address, "cold-1", coin) for coin in coins]


def units(source: Source, *wanted: Watched) -> list[int]:
    [seen] = look([source], wanted, NOW)
    return [reading.units for reading in seen.readings]


def token(contract: str, decimals: int = 6) -> Coin:
    return Coin("USDC", to_checksum_address(contract), decimals)


def test_coin_and_token_are_what_they_were_at_each_block(ethereum: Ethereum, number: int) -> None:
    ours, usdc = account(number), token(deployed(ethereum, 10**30, 6))
    wanted = on(ours, ETH, usdc)
    ethereum.send(to=ours, value=hex(10**18 + 1))
    transfer(ethereum, usdc.contract, ours, 123_456_789)
    ethereum.send(to=ours, value=hex(41))
    transfer(ethereum, usdc.contract, ours, 1)
    expected = [(10**18 + 42, 123_456_790), (10**18 + 42, 123_456_789), (10**18 + 1, 123_456_789), (10**18 + 1, 0)]
    for confirmations, (coin, tokens) in enumerate(expected, start=1):
        assert units(ethereum.source(confirmations=confirmations), *wanted) == [coin, tokens]


def test_a_place_holds_the_exact_quantity(ethereum: Ethereum, number: int) -> None:
    ours, usdc = account(number), token(deployed(ethereum, 10**30, 6))
    ethereum.send(to=ours, value=hex(10**18 + 1))
    transfer(ethereum, usdc.contract, ours, 1_500_000)
    [seen] = look([ethereum.source()], on(ours, ETH, usdc), NOW)
    assert [(one.asset, str(one.quantity)) for one in seen.observations(DAY)] == [
        ("ETH", "1.000000000000000001"), ("USDC", "1.500000"),
    ]  # fmt: skip


@given(st.integers(min_value=-(2**256), max_value=2**256), st.integers(min_value=0, max_value=18))
def test_smallest_units_become_a_quantity_without_loss(count: int, decimals: int) -> None:
    quantity = Coin("X", "native", decimals).quantity(count)
    assert quantity.as_tuple().exponent == -decimals
    assert int(format(quantity, "f").replace(".", "")) == count


def altered(what: str, change: Any) -> Any:
    """Alters the result of one method."""

    def alter(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        question, answer = json.loads(asked), json.loads(body)
        return (status, json.dumps(change(question, answer)).encode()) if question["method"] == what else (status, body)

    return alter


def test_a_node_that_knows_no_blocks_by_hash_is_asked_by_number(ethereum: Ethereum, number: int) -> None:
    ours = account(number)
    ethereum.send(to=ours, value=hex(77))
    ethereum.send(to=ours, value=hex(1))
    asked: list[Any] = []

    def refuse(question: Any, answer: Any) -> Any:
        asked.append(question["params"][1])
        if isinstance(question["params"][1], dict):
            return {"jsonrpc": "2.0", "id": question["id"], "error": {"code": -32602, "message": "invalid argument 1"}}
        return answer

    with proxy(ethereum.url, altered("eth_getBalance", refuse)) as between:
        assert units(ethereum.source(between, confirmations=2), *on(ours, ETH)) == [77]
    assert [type(block) for block in asked] == [dict, str]


def test_another_chain_id_is_refused(ethereum: Ethereum, number: int) -> None:
    wanted = [Watched("ethereum:1", account(number), "cold-1", ETH)]
    with pytest.raises(BadInput, match="the node is on chain 31337, not on ethereum:1"):
        look([ethereum.source(network="ethereum:1")], wanted, NOW)


def test_a_token_of_other_decimals_is_refused(ethereum: Ethereum, number: int) -> None:
    usdc = token(deployed(ethereum, 10**30, 8))
    with pytest.raises(BadInput, match="states 8 decimals, and it is registered with 6"):
        units(ethereum.source(), *on(account(number), usdc))


def test_an_address_without_a_contract_is_no_token(ethereum: Ethereum, number: int) -> None:
    with pytest.raises(BadInput, match="there is no contract of USDC"):
        units(ethereum.source(), *on(account(number), token(account(number + 1))))


def test_a_reorganisation_while_it_is_read_makes_it_read_again(ethereum: Ethereum, number: int) -> None:
    ours = account(number)
    before = ethereum.call("evm_snapshot")
    ethereum.send(to=ours, value=hex(500))
    turned: list[bool] = []

    def revert(question: Any, answer: Any) -> Any:
        if not turned:
            turned.append(ethereum.call("evm_revert", before))
            ethereum.send(to=ours, value=hex(7))
            ethereum.call("hardhat_mine", "0x2")
        return answer

    with proxy(ethereum.url, altered("eth_getBalance", revert)) as between:
        [seen] = look([ethereum.source(between)], on(ours, ETH), NOW)
    assert turned == [True]
    assert [reading.units for reading in seen.readings] == [7]
    [again] = look([ethereum.source()], on(ours, ETH), NOW)
    assert seen.block == again.block


def test_a_block_that_left_the_chain_under_a_read_by_hash_is_not_an_error_of_the_node(
    ethereum: Ethereum, number: int
) -> None:
    """The second coin is asked for at a block that is gone by then: the node answers an error, and it is read again."""
    ours, usdc = account(number), token(deployed(ethereum, 10**30, 6))
    before = ethereum.call("evm_snapshot")
    ethereum.call("hardhat_mine", "0x1")
    turned: list[bool] = []

    def revert(question: Any, answer: Any) -> Any:
        if not turned:
            turned.append(ethereum.call("evm_revert", before))
            transfer(ethereum, usdc.contract, ours, 9)
        return answer

    with proxy(ethereum.url, altered("eth_getBalance", revert)) as between:
        assert units(ethereum.source(between), *on(ours, ETH, usdc)) == [0, 9]
    assert turned == [True]


def test_a_chain_that_does_not_stand_still_is_refused(ethereum: Ethereum, number: int) -> None:
    snapshots = [ethereum.call("evm_snapshot")]
    ethereum.call("hardhat_mine", "0x2", hex(60))

    def revert(question: Any, answer: Any) -> Any:
        ethereum.call("evm_revert", snapshots[-1])
        snapshots.append(ethereum.call("evm_snapshot"))
        ethereum.call("hardhat_mine", "0x2", hex(60 + len(snapshots)))
        return answer

    with (
        proxy(ethereum.url, altered("eth_getBalance", revert)) as between,
        pytest.raises(BadInput, match="the chain did not stand still"),
    ):
        units(ethereum.source(between), *on(account(number), ETH))
    assert len(snapshots) == observe.ATTEMPTS + 1


def test_what_a_node_signs_for_its_own_account_is_a_signature_of_it(ethereum: Ethereum, number: int) -> None:
    address, text = to_checksum_address(ethereum.call("eth_accounts")[0]), f"Proof of control {number} | 例取引所"
    signature = ethereum.call("personal_sign", "0x" + text.encode().hex(), address)
    assert signed("ethereum:31337", address, text, signature)
    assert not signed("ethereum:31337", account(number), text, signature)


def test_a_lagging_node_is_refused(ethereum: Ethereum, number: int) -> None:
    """A real answer of a while ago: the proxy gives the newest block of a node that stopped."""
    ethereum.call("hardhat_mine", "0x20")
    newest = int(ethereum.call("eth_blockNumber"), 16)
    old = ethereum.call("eth_getBlockByNumber", hex(newest - 11), False)

    def stop(question: Any, answer: Any) -> Any:
        return {**answer, "result": old} if question["params"][0] == "latest" else answer

    with (
        proxy(ethereum.url, altered("eth_getBlockByNumber", stop)) as between,
        pytest.raises(BadInput, match=f"its newest block is {newest - 11}, another source has {newest}"),
    ):
        look([ethereum.source(), ethereum.source(between, name="stopped")], on(account(number), ETH), NOW)


def test_a_node_that_is_catching_up_is_refused(ethereum: Ethereum, number: int) -> None:
    def syncing(question: Any, answer: Any) -> Any:
        return {**answer, "result": {"currentBlock": "0x1", "highestBlock": "0x2"}}

    with (
        proxy(ethereum.url, altered("eth_syncing", syncing)) as between,
        pytest.raises(BadInput, match="still catching up"),
    ):
        units(ethereum.source(between), *on(account(number), ETH))


def test_a_node_that_lies_differs_from_another(ethereum: Ethereum, number: int) -> None:
    ours = account(number)
    ethereum.send(to=ours, value=hex(3 * 10**18))

    def more(question: Any, answer: Any) -> Any:
        return {**answer, "result": hex(int(answer["result"], 16) + 10**18)}

    with proxy(ethereum.url, altered("eth_getBalance", more)) as between:
        seen = look([ethereum.source(), ethereum.source(between, name="liar")], on(ours, ETH), NOW)
    [difference] = differences(seen, DAY)
    assert difference.stated == {"hardhat": Decimal(3), "liar": Decimal(4)}
    assert difference.gap == 1
