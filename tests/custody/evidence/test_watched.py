"""What is asked about is what is registered for the day, each coin once; what would be counted twice is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from junbikin.books.database import Books
from junbikin.custody.evidence import watched as module
from junbikin.custody.evidence.values import Coin, Watched
from junbikin.custody.evidence.watched import watched
from junbikin.errors import BadInput

from .nodes import pkh, wpkh

DAY = date(2026, 3, 31)
AT = datetime(2026, 3, 31, 15, tzinfo=UTC)
ONE, OTHER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
TOKENS = {
    "ethereum:1:ETH": {"contract": "native", "decimals": "18"},
    "ethereum:1:USDC": {"contract": OTHER, "decimals": "6"},
}


def asked(
    monkeypatch: pytest.MonkeyPatch, addresses: Mapping[str, Any], tokens: Mapping[str, Any] = TOKENS
) -> list[Watched]:
    """What is watched when the registry says this."""
    registered = {"address": dict(addresses), "token": dict(tokens)}

    def said(books: Books, kind: str, at: datetime) -> dict[str, Any]:
        assert at == AT
        return registered[kind]

    monkeypatch.setattr(module, "said", said)
    return watched(cast(Books, None), DAY, AT)


def test_every_coin_of_every_address_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(
        monkeypatch,
        {
            f"bitcoin-regtest:{wpkh(1)}": {"place": "cold-1", "assets": "BTC"},
            f"ethereum:1:{ONE}": {"place": "hot-1", "assets": "ETH|USDC"},
        },
    )
    assert found == [
        Watched("bitcoin-regtest", wpkh(1), "cold-1", Coin("BTC", "native", 8)),
        Watched("ethereum:1", ONE, "hot-1", Coin("ETH", "native", 18)),
        Watched("ethereum:1", ONE, "hot-1", Coin("USDC", OTHER, 6)),
    ]


@pytest.mark.parametrize(("ended", "count"), [("2026-03-30", 0), ("2026-03-31", 1), ("2026-04-01", 1)])
def test_an_address_is_asked_about_until_the_day_on_which_it_ends(
    monkeypatch: pytest.MonkeyPatch, ended: str, count: int
) -> None:
    says = {"place": "cold-1", "assets": "BTC", "ended_on": ended}
    assert len(asked(monkeypatch, {f"bitcoin-regtest:{wpkh(1)}": says})) == count


@pytest.mark.parametrize(
    ("addresses", "tokens", "words"),
    [
        ({f"bitcoin-regtest:{wpkh(1)}": {"place": "p", "assets": "ETH"}}, {}, "bitcoin-regtest has no ETH"),
        ({f"ethereum:1:{ONE}": {"place": "p", "assets": "DAI"}}, {}, "token ethereum:1:DAI is not registered"),
        (
            {f"ethereum:1:{ONE}": {"place": "p", "assets": "USDC|USD"}},
            {"ethereum:1:USD": {"contract": OTHER, "decimals": "6"}},
            "USDC and USD are the same contract",
        ),
        (
            {
                f"ethereum:1:{ONE}": {"place": "p", "assets": "USDC"},
                f"ethereum:137:{ONE}": {"place": "p", "assets": "USDC"},
            },
            {"ethereum:137:USDC": {"contract": ONE, "decimals": "6"}},
            "the place p has USDC on ethereum:1 and on ethereum:137",
        ),
    ],
)
def test_what_cannot_be_asked_or_would_be_counted_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: dict[str, Any], tokens: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        asked(monkeypatch, addresses, {**TOKENS, **tokens})
    assert refusal.value.where
    assert refusal.value.then


def test_addresses_of_one_key_in_two_forms_are_two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    says = {"place": "cold-1", "assets": "BTC"}
    found = asked(monkeypatch, {f"bitcoin-regtest:{wpkh(1)}": says, f"bitcoin-regtest:{pkh(1)}": says})
    assert len({each.address for each in found}) == 2
