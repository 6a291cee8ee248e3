"""Which coins on which addresses are asked about: what the registry says on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from junbikin.books.database import Books
from junbikin.custody.evidence.bitcoin import BTC
from junbikin.custody.evidence.values import Coin, Watched
from junbikin.errors import BadInput
from junbikin.registry.addresses import BITCOIN, on_network
from junbikin.registry.log import said


def watched(books: Books, day: date, at: datetime) -> list[Watched]:
    """Every coin on every address that is registered by `at` and has not ended before `day`.

    Raises `BadInput` on what would be counted twice, or cannot be asked for.
    """
    tokens = said(books, "token", at)
    found = [
        Watched(network, address, says["place"], _coin(network, asset, tokens, subject))
        for subject, says in said(books, "address", at).items()
        if says.get("ended_on", "9999-12-31") >= day.isoformat()
        for network, address in (on_network(subject),)
        for asset in says["assets"].split("|")
    ]
    _check_once(found)
    return found


def _coin(network: str, asset: str, tokens: Mapping[str, dict[str, Any]], subject: str) -> Coin:
    if network in BITCOIN:
        if asset != BTC.asset:
            raise BadInput(f"{network} has no {asset}", where=f"address {subject}", then="register it with assets=BTC")
        return BTC
    says = tokens.get(f"{network}:{asset}")
    if says is None:
        raise BadInput(
            f"the token {network}:{asset} is not registered", where=f"address {subject}",
            then=f"register it: junbikin registry set token {network}:{asset} contract=… decimals=…",
        )  # fmt: skip
    return Coin(asset, says["contract"], int(says["decimals"]))


def _check_once(found: list[Watched]) -> None:
    networks: dict[tuple[str, str], str] = {}
    contracts: dict[tuple[str, str], str] = {}
    for each in found:
        network = networks.setdefault((each.place, each.coin.asset), each.network)
        if network != each.network:
            raise BadInput(
                f"the place {each.place} has {each.coin.asset} on {network} and on {each.network}: no source can state them together",
                where=f"address {each.network}:{each.address}", then="register a place for each network",
            )  # fmt: skip
        asset = contracts.setdefault((each.network, each.coin.contract), each.coin.asset)
        if asset != each.coin.asset:
            raise BadInput(
                f"{asset} and {each.coin.asset} are the same contract {each.coin.contract}: it would be counted twice",
                where=each.network, then="register the wrong one anew with its own contract",
            )  # fmt: skip
