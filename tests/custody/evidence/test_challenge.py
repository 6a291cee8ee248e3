"""Control of an address is proved by a signature of just the text that was made, once, in time; everything else is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from btclib.b32 import p2tr, p2wpkh, p2wsh
from btclib.b58 import p2pkh, p2wpkh_p2sh
from btclib.ecc import bms
from btclib.key import PrvKeyData, PubKeyData
from btclib.script import serialize
from btclib.script.script_pub_key import ScriptPubKey
from btclib.script.sig_hash import ALL, segwit_v0
from btclib.script.taproot import output_pubkey
from btclib.script.witness import Witness
from btclib_wallet import bip322
from ecc.curves import bytes_from_prv_key_int
from ecc.ecc import dsa
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from junbikin.custody.evidence import challenge as challenges
from junbikin.custody.evidence.challenge import Challenge, new, outstanding, proof, proofs, take
from junbikin.custody.evidence.signatures import signed
from junbikin.errors import BadInput
from junbikin.home import Home, create_home

NOW = datetime(2026, 3, 31, 3, 0, 0, tzinfo=UTC)
SECRET = 2**200 + 17
PRIVATE = PrvKeyData(SECRET, network="mainnet", compressed=True)
PUBLIC = PubKeyData(bytes_from_prv_key_int(SECRET), network="mainnet")
KEYS = [7, 11, 13]
SCRIPT = serialize(["OP_2", *(bytes_from_prv_key_int(key) for key in KEYS), "OP_3", "OP_CHECKMULTISIG"])
"""Two of three keys."""


def compact(address: str) -> Callable[[str], str]:
    return lambda text: bms.sign(text.encode(), PRIVATE, address).b64encode()


def witness(address: str) -> Callable[[str], str]:
    return lambda text: bip322.sign(text.encode(), PRIVATE, address).b64encode()


def two_of_three(text: str) -> str:
    """Signed by the first and third key, as a cold wallet of several keys does."""
    spent = bip322.to_spend(text.encode(), ScriptPubKey.from_address(SEVERAL).script)
    spending = bip322.to_sign(spent)
    digest = segwit_v0(SCRIPT, spending, 0, ALL, 0)
    signatures = [dsa.sign_(digest, key).serialize() + bytes([ALL]) for key in (KEYS[0], KEYS[2])]
    return bip322.Sig(Witness([b"", *signatures, SCRIPT])).b64encode()


def ethereum(text: str) -> str:
    message = text.encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)
    raw = ACCOUNT_KEY.sign_msg_hash(digest).to_bytes()
    return "0x" + (raw[:-1] + bytes([raw[-1] + 27])).hex()


ACCOUNT_KEY = PrivateKey(SECRET.to_bytes(32, "big"))
SEVERAL = p2wsh(SCRIPT)
ACCOUNT = ACCOUNT_KEY.public_key.to_checksum_address()
FROM_ONE_KEY = {p2pkh(PUBLIC), p2wpkh(PUBLIC), p2wpkh_p2sh(PUBLIC)}
"""Addresses of the same key: Electrum takes a signature for any of them."""
P2TR = p2tr(output_pubkey(PUBLIC)[0])
WAYS: dict[str, tuple[str, Callable[[str], str]]] = {
    "p2pkh": (f"bitcoin:{p2pkh(PUBLIC)}", compact(p2pkh(PUBLIC))),
    "p2wpkh, BIP-137": (f"bitcoin:{p2wpkh(PUBLIC)}", compact(p2wpkh(PUBLIC))),
    "p2wpkh, Electrum": (f"bitcoin:{p2wpkh(PUBLIC)}", compact(p2pkh(PUBLIC))),
    "p2wpkh in p2sh": (f"bitcoin:{p2wpkh_p2sh(PUBLIC)}", compact(p2wpkh_p2sh(PUBLIC))),
    "p2wpkh, BIP-322": (f"bitcoin:{p2wpkh(PUBLIC)}", witness(p2wpkh(PUBLIC))),
    "p2tr, BIP-322": (f"bitcoin:{P2TR}", witness(P2TR)),
    "p2wsh of several keys, BIP-322": (f"bitcoin:{SEVERAL}", two_of_three),
    "ethereum": (f"ethereum:1:{ACCOUNT}", ethereum),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "例取引所 | Example")


def made(home: Home, way: str = "p2pkh") -> Challenge:
    return new(home, WAYS[way][0], NOW, 24)


def answered(challenge: Challenge, way: str = "p2pkh", **other: Any) -> dict[str, Any]:
    """The challenge with its signature, and whatever else it shall say."""
    return {**challenge.document(), "signature": WAYS[way][1](challenge.text), **other}


@pytest.mark.parametrize("way", WAYS)
def test_a_signature_in_every_way_proves_control_of_its_address_and_no_other(home: Home, way: str) -> None:
    challenge = made(home, way)
    others = {subject for subject, _ in WAYS.values()} - {challenge.subject}
    signature = WAYS[way][1](challenge.text)
    found = take(home, answered(challenge, way, signature=signature), NOW)
    assert found.holds
    assert found.challenge == challenge
    for subject in others:
        network, _, address = subject.rpartition(":")
        expected = way in ("p2pkh", "p2wpkh, Electrum") and address in FROM_ONE_KEY
        assert signed(network, address, challenge.text, signature) is expected, subject
    assert not signed(challenge.network, challenge.address, challenge.text + " ", signature)


def test_the_text_names_operator_address_network_day_and_nonce(home: Home) -> None:
    challenge = made(home)
    assert challenge.on.isoformat() == "2026-03-31"
    assert challenge.text == (
        f"Proof of control | network bitcoin | address {p2pkh(PUBLIC)} | date 2026-03-31 | "
        f"until 2026-04-01T12:00:00+09:00 | nonce {challenge.nonce} | operator 例取引所 | Example"
    )
    assert made(home).nonce != challenge.nonce


def test_published_signatures_of_bip_322_are_valid_and_altered_ones_are_not() -> None:
    address = "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l"
    known = {
        "": "AkcwRAIgM2gBAQqvZX15ZiysmKmQpDrG83avLIT492QBzLnQIxYCIBaTpOaD20qRlEylyxFSeEA2ba9YOixpX8z46TSDtS40ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
        "Hello World": "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
    }
    for text, signature in known.items():
        assert signed("bitcoin", address, text, signature)
        assert not signed("bitcoin", address, text + "!", signature)


def test_signatures_that_another_library_made_are_valid_and_altered_ones_are_not() -> None:
    """Made by eth-account 0.14 with the private key 4711."""
    address = "0xc5e58a7ce7FaE112685bf1D1989579e0d4a5b74F"
    known = {
        "Proof of control": "78d989f2a861e4ed47658c9656c40bd138398c953cb74c6c841138e6a6c707373eeaf4b9b9ea30910e53b44aeacc904c63a54e27378272fc71666e60586774481c",
        "支配の証明 | 例取引所": "222dfccd8be9cfbe4c613ddb1749cf033588a35742cc02bfee5a08beafde785d512ee739fab42255859f3126d006ea517cb196dc7816cf82fdbc0e18592192c21c",
        "": "2f74fd5dfe25e95ec42c36f8a96759c8902b0e05db92cdb0d60f0bc3b55beee77ebaa2c7129da98909e21f7661946dbcf96c40e98db3decdc13e9df1dbd9e66e1b",
    }
    for text, signature in known.items():
        bare = signature[:-2] + f"{int(signature[-2:], 16) - 27:02x}"  # hardware wallets write 0 and 1
        for written in (signature, "0x" + signature, bare):
            assert signed("ethereum:1", address, text, written)
            assert not signed("ethereum:1", address, text + "!", written)
        assert not signed("ethereum:1", ACCOUNT, text, signature)
        assert not signed("ethereum:1", address, text, signature[:-2] + "1d")


def test_verifying_leaves_python_as_it_was() -> None:
    """A library that lets Python recurse deeper would let a nested answer of a node end the process."""
    code = (
        "import sys; from junbikin.custody.evidence.signatures import signed; from junbikin.registry.addresses import check_address; "
        f"check_address({WAYS['ethereum'][0]!r}); "
        f"[signed(*s.rsplit(':', 1), 'text', 'AAAA') for s in {[subject for subject, _ in WAYS.values()]!r}]; "
        "sys.exit(sys.getrecursionlimit() != 1000)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def refused(home: Home, answer: dict[str, Any], words: str, now: datetime = NOW) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        take(home, answer, now, "answer.json")
    assert refusal.value.where == "answer.json"
    assert refusal.value.then
    assert proofs(home) == []


def test_an_unsigned_challenge_is_refused(home: Home) -> None:
    refused(home, made(home).document(), "is not signed")


@pytest.mark.parametrize("name", ["operator", "network", "address", "date", "until", "text", "format"])
def test_a_challenge_that_says_anything_else_is_refused_though_its_signature_is_good(home: Home, name: str) -> None:
    challenge = made(home)
    words = "names the operator" if name == "operator" else f"says another {name} than was made"
    refused(home, answered(challenge, **{name: "other"}), words)


@pytest.mark.parametrize(
    "change",
    [
        {"on": NOW.date() - timedelta(days=1)}, {"operator": "Another"}, {"nonce": "0" * 32}, {"network": "bitcoin-testnet"},
        {"until": NOW + timedelta(days=9)}, {"address": p2wpkh(PUBLIC)},
    ],
)  # fmt: skip
def test_a_signature_of_another_text_is_refused(home: Home, change: dict[str, Any]) -> None:
    """Of another day, operator, address or network, put into the challenge that is open."""
    from dataclasses import replace

    challenge = made(home)
    other = replace(challenge, **change)
    refused(home, {**challenge.document(), "signature": WAYS["p2pkh"][1](other.text)}, "not one of this text")


def test_a_signature_by_another_key_is_refused(home: Home) -> None:
    challenge = made(home)
    other = PrvKeyData(12345, network="mainnet", compressed=True)
    refused(
        home, answered(challenge, signature=bms.sign(challenge.text.encode(), other).b64encode()), "not one of this"
    )


def test_one_signature_of_two_that_are_needed_proves_nothing(home: Home) -> None:
    challenge = made(home, "p2wsh of several keys, BIP-322")
    sig = bip322.Sig.b64decode(two_of_three(challenge.text))
    assert isinstance(sig.payload, Witness)
    stack = list(sig.payload.stack)
    for lame in ([b"", stack[1], stack[1], SCRIPT], [b"", stack[1], b"", SCRIPT], [b"", stack[2], stack[1], SCRIPT]):
        signature = bip322.Sig(Witness(lame)).b64encode()
        refused(home, answered(challenge, "p2pkh", signature=signature), "not one of this text")


def test_a_challenge_is_used_once(home: Home) -> None:
    challenge = made(home)
    take(home, answered(challenge), NOW)
    with pytest.raises(BadInput, match="was used already, at 2026-03-31T12:00:00"):
        take(home, answered(challenge), NOW)
    assert len(proofs(home)) == 1
    assert outstanding(home) == []


def test_of_many_who_use_a_challenge_at_once_one_is_first(home: Home) -> None:
    answer = answered(made(home))

    def attempt(_: int) -> str:
        try:
            return take(home, answer, NOW).digest
        except BadInput as refusal:
            return refusal.what

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(attempt, range(16)))
    assert len([digest for digest in said if len(digest) == 64]) == 1
    assert len([what for what in said if "used already" in what]) == 15


def test_a_challenge_that_expired_or_was_made_elsewhere_is_refused(home: Home, tmp_path: Path) -> None:
    challenge = made(home)
    refused(home, answered(challenge), "expired at 2026-04-01T12:00:00", NOW + timedelta(hours=24, seconds=1))
    elsewhere = create_home(tmp_path / "other", home.operator)
    refused(elsewhere, answered(challenge), "was not made in this home")
    refused(create_home(tmp_path / "third", "Third"), answered(challenge), "names the operator")
    assert take(home, answered(challenge), NOW + timedelta(hours=24)).holds


@pytest.mark.parametrize("nonce", ["../open/x", "", "0" * 31, "Z" * 32])
def test_a_nonce_is_no_path(home: Home, nonce: str) -> None:
    refused(home, answered(made(home), nonce=nonce), "none of ours")


@given(st.text(max_size=120) | st.binary(max_size=90).map(lambda raw: __import__("base64").b64encode(raw).decode()))
def test_no_text_is_a_signature_by_chance_and_none_is_a_crash(signature: str) -> None:
    for subject, _ in WAYS.values():
        network, _, address = subject.rpartition(":")
        assert not signed(network, address, "text", signature)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"text": 1, "nonce": "", "signature": "x"}'])
def test_a_file_that_is_no_challenge_is_refused(home: Home, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "answer.json"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="no challenge"):
        take(home, challenges.read(file), NOW)
    with pytest.raises(BadInput, match="cannot be read"):
        challenges.read(tmp_path / "none.json")


def test_a_proof_that_was_altered_afterwards_holds_no_longer(home: Home) -> None:
    challenge = made(home)
    found = take(home, answered(challenge), NOW)
    assert proof(home, challenge.nonce) == found
    assert found.reference == f"challenges/proved/{challenge.nonce}.json sha256:{found.digest}"
    kept = json.loads(found.file.read_text())
    found.file.write_text(json.dumps({**kept, "date": "2026-04-30"}))
    [again] = proofs(home)
    assert not again.holds
    assert again.digest != found.digest


@pytest.mark.parametrize(
    "subject", ["bitcoin:bc1qnone", "ethereum:1:0x00", "nowhere:1", "bitcoin-testnet:" + p2pkh(PUBLIC)]
)
def test_no_challenge_is_made_for_what_is_no_address(home: Home, subject: str) -> None:
    with pytest.raises(BadInput):
        new(home, subject, NOW, 24)
    assert outstanding(home) == []
