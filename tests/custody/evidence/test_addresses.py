"""Addresses are refused that are of another network, damaged, or written in more than one way; tokens where there are none."""

from __future__ import annotations

import random

import pytest
from btclib.b32 import p2wpkh
from btclib.b58 import p2pkh, p2wpkh_p2sh
from btclib.key import PubKeyData
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.registry.addresses import BITCOIN, check_address, check_token, on_network
from junbikin.registry.subjects import check_subject, described, referred

KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
"""The public key of the private key 1."""
FORMS = {"p2pkh": p2pkh, "p2wpkh": p2wpkh, "p2wpkh_p2sh": p2wpkh_p2sh}
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def bitcoin(form: str, network: str) -> str:
    return FORMS[form](PubKeyData(KEY, network=BITCOIN[network]))


def prefixes(form: str, network: str) -> str:
    """What tells the networks apart: test networks share theirs, but for regtest's segwit prefix."""
    if network == "bitcoin":
        return "main"
    return "regtest" if (form, network) == ("p2wpkh", "bitcoin-regtest") else "test"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("of", BITCOIN)
@pytest.mark.parametrize("named", BITCOIN)
def test_an_address_is_taken_on_its_own_network_only(form: str, of: str, named: str) -> None:
    subject = f"{named}:{bitcoin(form, of)}"
    if prefixes(form, of) == prefixes(form, named):
        check_address(subject)
    else:
        with pytest.raises(BadInput, match="is not an address of"):
            check_address(subject)


@pytest.mark.parametrize("address", [*(bitcoin(form, "bitcoin") for form in FORMS), ETHEREUM])
def test_an_address_with_one_character_changed_is_refused(address: str) -> None:
    network = "ethereum:1" if address.startswith("0x") else "bitcoin"
    check_address(f"{network}:{address}")
    chosen = random.Random(1)  # noqa: S311 - not for secrets
    for _ in range(200):
        place = chosen.randrange(4, len(address))
        other = chosen.choice(
            [c for c in "023456789acdefghjklmnpqrstuvwxyzACDE" if c.lower() != address[place].lower()]
        )
        with pytest.raises(BadInput) as refusal:
            check_address(f"{network}:{address[:place]}{other}{address[place + 1 :]}")
        assert refusal.value.then


@pytest.mark.parametrize(
    "subject",
    [
        f"ethereum:1:{ETHEREUM.lower()}", f"ethereum:1:{ETHEREUM.upper()}", f"ethereum:1:{ETHEREUM[2:]}", f"ethereum:1:{ETHEREUM[:-1]}",
        f"bitcoin:{bitcoin('p2wpkh', 'bitcoin').upper()}", f"bitcoin: {bitcoin('p2pkh', 'bitcoin')}", "bitcoin:", "bitcoin",
        f"ethereum:{ETHEREUM}", f"ethereum:01:{ETHEREUM}", f"dogecoin:{ETHEREUM}", f"ethereum:x:{ETHEREUM}", "",
    ],
)  # fmt: skip
def test_what_is_written_in_another_way_or_is_on_no_network_is_refused(subject: str) -> None:
    with pytest.raises(BadInput) as refusal:
        check_address(subject)
    assert refusal.value.then


def test_the_chain_id_is_part_of_the_network() -> None:
    assert on_network(f"ethereum:137:{ETHEREUM}") == ("ethereum:137", ETHEREUM)


@pytest.mark.parametrize("subject", ["bitcoin:BTC", "ethereum:1:usdc", "ethereum:1:", "USDC"])
def test_a_token_is_an_asset_of_a_chain_that_has_tokens(subject: str) -> None:
    check_token("ethereum:1:USDC")
    with pytest.raises(BadInput):
        check_token(subject)


def test_a_place_has_any_name_and_an_address_none_but_its_own() -> None:
    check_subject("place", "cold-1")
    with pytest.raises(BadInput):
        check_subject("address", "cold-1")


def test_an_address_names_its_place() -> None:
    says = described("address", {"place": "cold-1", "assets": "ETH|USDC"})
    assert says == {"place": "cold-1", "assets": "ETH|USDC"}
    assert referred("address", says) == [("place", "cold-1")]


@pytest.mark.parametrize("assets", ["", "ETH|", "ETH|ETH", "eth", "ETH,USDC"])
def test_assets_are_codes_each_named_once(assets: str) -> None:
    with pytest.raises(BadInput):
        described("address", {"place": "cold-1", "assets": assets})


def test_a_token_has_a_contract_with_its_checksum_and_decimals_that_a_quantity_can_hold() -> None:
    assert described("token", {"contract": "native", "decimals": "18"}) == {"contract": "native", "decimals": "18"}
    assert described("token", {"contract": to_checksum_address(ETHEREUM), "decimals": "0"})["decimals"] == "0"
    for contract, decimals in ((ETHEREUM.lower(), "6"), (ETHEREUM, "19"), (ETHEREUM, "-1"), ("none", "6")):
        with pytest.raises(BadInput):
            described("token", {"contract": contract, "decimals": decimals})


@given(st.sampled_from(["bitcoin", "bitcoin-regtest", "ethereum:1"]), st.text(max_size=100))
def test_any_text_is_an_address_or_a_refusal(network: str, text: str) -> None:
    try:
        check_address(f"{network}:{text}")
    except BadInput as refusal:
        assert refusal.then  # noqa: PT017 - most texts are refused, and each says what to do
    else:
        assert text.isascii()
        assert text == text.strip()
