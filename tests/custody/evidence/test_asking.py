"""Whatever goes wrong between us and a node is a refusal that names the source and says what to do; no secret is shown."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.custody.evidence import asking
from junbikin.custody.evidence.bitcoin import BTC
from junbikin.custody.evidence.core import Core
from junbikin.custody.evidence.esplora import Esplora
from junbikin.custody.evidence.ethereum import Ethereum
from junbikin.custody.evidence.observe import look
from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Block, Chain, Coin, Moved, Watched
from junbikin.errors import BadInput

from .nodes import PAUSE, bitcoin_source, serving, wpkh

NOW = datetime(2100, 1, 1, tzinfo=UTC)
AT = Block(5, "5" * 64, NOW)


def source(url: str, kind: str, **settings: Any) -> Source:
    network = "ethereum:1" if kind == "ethereum" else "bitcoin-regtest"
    return Source("node", kind, network, **{**bitcoin_settings(url), **settings})


def bitcoin_settings(url: str) -> dict[str, Any]:
    return {"url": url, "confirmations": 1, "newest_block_minutes": 600, "behind_blocks": 2, "timeout_seconds": 2}


FAULTS: dict[str, tuple[int, bytes, str]] = {
    "an error of the server": (500, b"out of order", "is not JSON|HTTP 500"),
    "another page": (200, b"<html>welcome</html>", "is not JSON|not on"),
    "a redirect": (302, b"", "HTTP 302|is not JSON"),
    "nothing": (200, b"", "is not JSON|not on"),
    "no text": (200, b"\xff\xfe", "is not text"),
    "not a number": (200, b'{"id": "eth_chainId", "result": NaN}', "is not JSON|not on"),
    "no entry": (401, b"who are you", "does not let us in"),
    "a list": (200, b"[]", "is not understood|not on"),
    "another question's answer": (200, b'{"id": "other", "result": "0x1"}', "is not understood|not on"),
    "no result": (200, b'{"id": "eth_chainId"}', "is not understood|not on"),
    "a deep nest": (200, b"[" * 100_000, "is not JSON|not on"),
}


@pytest.mark.parametrize("kind", ["esplora", "core", "ethereum"])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_is_none_is_refused_with_its_source(fault: str, kind: str) -> None:
    status, body, words = FAULTS[fault]
    with serving(lambda method, path, asked: (status, body)) as url, pytest.raises(BadInput, match=words) as refusal:
        look([source(url, kind)], [Watched(source(url, kind).network, wpkh(1), "cold-1", BTC)], NOW)
    assert refusal.value.where.startswith("source node (")
    assert refusal.value.then


def test_an_error_of_the_node_is_told_in_its_words() -> None:
    body = json.dumps(
        {"id": "getblockhash", "result": None, "error": {"code": -28, "message": "Verifying blocks…"}}
    ).encode()
    with serving(lambda *_: (500, body)) as url, pytest.raises(BadInput, match=r"with an error: Verifying blocks…"):
        look([source(url, "core")], [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)], NOW)


def test_a_node_that_is_not_there_or_too_slow_is_refused() -> None:
    wanted = [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)]
    with pytest.raises(BadInput, match="no answer"):
        look([source("http://127.0.0.1:9", "core")], wanted, NOW)

    def late(method: str, path: str, asked: bytes) -> tuple[int, bytes]:
        time.sleep(1.5)
        return 200, b"{}"

    with serving(late) as url, pytest.raises(BadInput, match="no answer"):
        look([source(url, "core", timeout_seconds=1)], wanted, NOW)


def test_an_answer_that_drips_is_not_waited_for() -> None:
    began = time.monotonic()
    with (
        serving(lambda *_: (200, (b"x" + PAUSE) * 20)) as url,
        pytest.raises(BadInput, match="no whole answer within 1 seconds"),
    ):
        look([source(url, "esplora", timeout_seconds=1)], [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)], NOW)
    assert time.monotonic() - began < 4


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LARGEST_ANSWER", 2**20)
    with serving(lambda *_: (200, b" " * (2**20 + 1))) as url, pytest.raises(BadInput, match="larger than 1 MB"):
        look([source(url, "esplora")], [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)], NOW)


def test_credentials_go_to_the_node_and_into_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setenv("NODE_1", "user:secret-word")
    given = bitcoin_source("http://127.0.0.1:9/key-in-the-path", "core", credentials="NODE_1")
    header = given.authorisation()["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"user:secret-word"
    monkeypatch.setenv("NODE_1", "token")
    assert given.authorisation() == {"Authorization": "Bearer token"}
    with pytest.raises(BadInput) as refusal:
        look([given], [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)], NOW)
    seen.append(str(refusal.value))
    monkeypatch.setenv("NODE_1", "")
    with pytest.raises(BadInput, match="NODE_1 is not set") as refusal:
        look([given], [Watched("bitcoin-regtest", wpkh(1), "cold-1", BTC)], NOW)
    seen.append(str(refusal.value))
    assert not any("secret-word" in text or "key-in-the-path" in text for text in seen)


class Answers(asking.Asking):
    """A node that gives these answers, whatever it is asked."""

    def __init__(self, kind: str, answer: Callable[[], Any]) -> None:
        object.__setattr__(self, "source", source("http://node", kind))
        object.__setattr__(self, "answer", answer)

    def text(self, path: str) -> str:
        return str(self.answer())  # type: ignore[attr-defined]

    def json(self, path: str) -> Any:
        return self.answer()  # type: ignore[attr-defined]

    def call(self, method: str, *parameters: Any) -> Any:
        return self.answer()  # type: ignore[attr-defined]


_NAMES = st.sampled_from(
    ["success", "unspents", "bestblock", "height", "tx", "vin", "vout", "hash", "confirmations", "time", "amount", "scriptPubKey", "hex",
     "chain_stats", "funded_txo_sum", "spent_txo_sum", "address", "status", "block_height", "id", "timestamp", "number", "prevout"]
)  # fmt: skip
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5) | st.sampled_from(["0x", "0x1", "5" * 64, wpkh(1)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@given(kind=st.sampled_from([Core, Esplora, Ethereum]), answers=st.lists(_ANY, min_size=1, max_size=4))
def test_an_answer_of_any_shape_is_a_number_or_a_refusal(kind: Callable[..., Chain], answers: list[Any]) -> None:
    given_in_turn = iter(answers * 20_000)
    chain = kind(Answers(kind.__name__.lower(), lambda: next(given_in_turn)))
    coin = BTC if kind is not Ethereum else Coin("USDC", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 6)
    address = wpkh(1) if kind is not Ethereum else coin.contract
    for ask in (
        chain.tip, lambda: chain.block(5), chain.check, lambda: chain.units([Watched("n", address, "p", coin)], AT, lambda what, share: None),
    ):  # fmt: skip
        try:
            found = ask()
        except (BadInput, Moved):
            continue
        assert found is None or isinstance(found, Block) or all(type(units) is int for units in found)
