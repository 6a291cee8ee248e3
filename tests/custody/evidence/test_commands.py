"""The commands, from the registry through real nodes into the lake, and from a challenge to a proof on record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from btclib.b58 import p2pkh
from btclib.ecc import bms
from btclib.key import PrvKeyData, PubKeyData
from ecc.curves import bytes_from_prv_key_int
from eth_utils.address import to_checksum_address

from cli.conftest import QUICK
from cli.office import Office, founded, on_socket, secret
from junbikin.books import server
from junbikin.books.database import open_books
from junbikin.errors import BooksRefused
from junbikin.home import open_home
from junbikin.registry import people
from junbikin.registry.requests import ask_to_record

from .erc20 import deployed, transfer
from .nodes import Bitcoin, Ethereum, proxy, running, stated, wpkh

PLACE = ["kind=crypto", "dedicated=yes", "on_trust=no", "jurisdiction=JP", "realisable_days=1"]
WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
SECRET = 4711
OURS = p2pkh(PubKeyData(bytes_from_prv_key_int(SECRET), network="mainnet"))


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[Bitcoin]:
    """Nodes whose blocks are not ahead of the clock."""
    with running("bitcoin.js") as url:
        nodes = Bitcoin(url)
        nodes.mine(110, time=int(time.time()) - 7200)
        yield nodes


@pytest.fixture(scope="module")
def ethereum() -> Iterator[Ethereum]:
    """A node of its own, for the same reason."""
    with running("ethereum.js") as url:
        yield Ethereum(url)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A home with books, and two places for coins."""
    folder = tmp_path_factory.mktemp("office")
    databases = on_socket(server.start(folder / "pg"))
    with psycopg.connect(databases.owner("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {server.ROLE} LOGIN".encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_COST", QUICK)
        made = founded(folder / "home", databases, databases.new())
        for place in ("cold-1", "hot-1"):
            made.approved("ada", "registry", "set", "place", place, f"name={place}", *PLACE, "--why", "ours")
        yield made


def registered(office: Office, kind: str, subject: str, *fields: str) -> None:
    office.approved("ada", "registry", "set", kind, subject, *fields, "--why", "ours")


def sources(office: Office, **urls: str) -> None:
    """One source for each name, which says its kind."""
    kinds = {"core": "bitcoin-regtest", "esplora": "bitcoin-regtest", "ethereum": "ethereum:31337"}
    text = ""
    for name, url in urls.items():
        kind = name.partition("_")[0]
        text += f'[{name}]\nkind = "{kind}"\nnetwork = "{kinds[kind]}"\nurl = "{url}"\nconfirmations = 1\n'
        text += "newest_block_minutes = 600\nbehind_blocks = 2\ntimeout_seconds = 20\n"
    (office.home / "sources.toml").write_text(text)


def test_registered_addresses_are_asked_about_and_the_answers_are_statements(
    office: Office, bitcoin: Bitcoin, ethereum: Ethereum
) -> None:
    sources(office, core=f"{bitcoin.url}/a/core")
    assert "no address is registered" in office.refuses("", "custody", "observe").what
    usdc = to_checksum_address(deployed(ethereum, 10**18, 6))
    registered(office, "address", f"bitcoin-regtest:{wpkh(21)}", "place=cold-1", "assets=BTC")
    registered(office, "address", f"bitcoin-regtest:{wpkh(22)}", "place=cold-1", "assets=BTC")
    registered(office, "address", f"ethereum:31337:{WALLET}", "place=hot-1", "assets=ETH|USDC")
    assert "token ethereum:31337:ETH is not registered" in office.refuses("", "custody", "observe").what
    registered(office, "token", "ethereum:31337:ETH", "contract=native", "decimals=18")
    registered(office, "token", "ethereum:31337:USDC", f"contract={usdc}", "decimals=6")
    bitcoin.pay(wpkh(21), 150_000_000)
    bitcoin.pay(wpkh(22), 1)
    ethereum.send(to=WALLET, value=hex(10**17))
    transfer(ethereum, usdc, WALLET, 2_500_000)

    part = office.json("", "custody", "observe")
    assert part["not_asked"] == [{"place": "hot-1", "network": "ethereum:31337"}]
    assert "not asked: hot-1 on ethereum:31337" in office.says("", "custody", "observe")

    sources(office, core=f"{bitcoin.url}/a/core", ethereum=ethereum.url)
    whole = office.json("", "custody", "observe")
    assert {(one["place"], one["asset"], one["quantity"], one["source"]) for one in whole["observations"]} == {
        ("cold-1", "BTC", "1.50000001", "core"), ("hot-1", "ETH", "0.1", "ethereum"), ("hot-1", "USDC", "2.5", "ethereum"),
    }  # fmt: skip
    assert (whole["differences"], whole["not_asked"]) == ([], [])
    in_lake = {(row["location_id"], row["asset"]): row["quantity"] for row in stated(open_home(office.home))}
    assert in_lake == {
        ("cold-1", "BTC"): Decimal("1.50000001"), ("hot-1", "ETH"): Decimal("0.1"), ("hot-1", "USDC"): Decimal("2.5"),
    }  # fmt: skip

    def lie(path: str, asked: bytes, status: int, body: bytes) -> tuple[int, bytes]:
        return status, body.replace(b'"funded_txo_sum":150000000', b'"funded_txo_sum":250000000')

    with proxy(f"{bitcoin.url}/a/esplora", lie) as liar:
        sources(office, core=f"{bitcoin.url}/a/core", esplora_2=liar, ethereum=ethereum.url)
        told = office.says("", "custody", "observe", "--fail-on", "difference", code=1)
        [difference] = office.json("", "custody", "observe")["differences"]
    assert "sources differ by 1 BTC on cold-1 at block" in told
    assert difference["stated"] == {"core": "1.50000001", "esplora_2": "2.50000001"}
    assert office.json("", "custody", "observe", "--source", "core")["differences"] == []


def test_what_cannot_be_asked_is_refused(office: Office, bitcoin: Bitcoin) -> None:
    sources(office, core=f"{bitcoin.url}/a/core")
    assert "no source 'other'" in office.refuses("", "custody", "observe", "--source", "other").what
    assert "has not come yet" in office.refuses("", "custody", "observe", "--as-of", "2999-01-01").what
    (office.home / "sources.toml").unlink()
    assert "no node is named" in office.refuses("", "custody", "observe").what


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("bitcoin:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "is not an address of bitcoin"),
        ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "no Bitcoin address"),
        ("ethereum:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "checksum"),
        ("cold-wallet", "no network"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_not_registered(office: Office, subject: str, words: str) -> None:
    refusal = office.refuses("ada", "registry", "set", "address", subject, "place=cold-1", "assets=BTC", "--why", "w")
    assert words in refusal.what


def test_an_address_belongs_to_a_registered_place(office: Office) -> None:
    refusal = office.refuses(
        "ada", "registry", "set", "address", f"bitcoin:{OURS}", "place=nowhere", "assets=BTC", "--why", "w"
    )
    assert "the place nowhere is not registered" in refusal.what


@pytest.mark.parametrize("subject", ["cold-1", "bitcoin", "bitcoin:", "Bitcoin:1x", "bitcoin:1x/2", "ethereum:one:0x"])
def test_the_books_themselves_refuse_what_is_on_no_network(office: Office, subject: str) -> None:
    with open_books(open_home(office.home)) as books, pytest.raises(BooksRefused, match="this is on no network"):
        ask_to_record(books, people.actor(books, "ada", secret("ada")), "address", subject, {"place": "cold-1"}, "w")


def signed(file: Path, secret: int = SECRET) -> Path:
    """The file with its text signed."""
    made: dict[str, Any] = json.loads(file.read_text())
    signature = bms.sign(made["text"].encode(), PrvKeyData(secret, network="mainnet", compressed=True)).b64encode()
    file.write_text(json.dumps({**made, "signature": signature}))
    return file


def test_a_challenge_becomes_a_proof_on_record(office: Office, tmp_path: Path) -> None:
    subject = f"bitcoin:{OURS}"
    registered(office, "address", subject, "place=cold-1", "assets=BTC")
    file = tmp_path / "challenge.json"
    shown = office.says("", "custody", "challenge", "new", subject, "--out", file)
    made = json.loads(file.read_text())
    assert shown.splitlines()[0] == made["text"]
    assert "operator Example" in made["text"]
    assert f"open: {subject}" in office.says("", "custody", "challenge", "list")
    assert "is there already" in office.refuses("", "custody", "challenge", "new", subject, "--out", file).what

    assert "is not signed" in office.refuses("", "custody", "challenge", "check", file).what
    assert "with the key of" in office.refuses("", "custody", "challenge", "check", signed(file, 99)).what
    told = office.says("", "custody", "challenge", "check", signed(file))
    assert f"proved: Example controls {subject} on {made['date']}" in told
    assert f"next: junbikin custody challenge record {made['nonce']}" in told
    assert "was used already" in office.refuses("", "custody", "challenge", "check", file).what

    office.approved("ada", "custody", "challenge", "record", made["nonce"], "--why", "checked today")
    says = office.json("", "registry", "list", "address")["address"][subject]
    assert says["place"] == "cold-1"
    assert says["control_proven_on"] == made["date"]
    [listed] = office.json("", "custody", "challenge", "list")["proved"]
    assert (listed["holds"], listed["proof"]) == (True, says["proof"])

    kept = office.home / "challenges" / "proved" / f"{made['nonce']}.json"
    kept.write_text(kept.read_text().replace(made["date"], "2020-01-01"))
    assert "DOES NOT HOLD" in office.says("", "custody", "challenge", "list")
    refusal = office.refuses("ada", "custody", "challenge", "record", made["nonce"], "--why", "again")
    assert "does not hold" in refusal.what


def test_a_proof_of_an_address_that_is_not_registered_goes_on_no_record(office: Office, tmp_path: Path) -> None:
    other = p2pkh(PubKeyData(bytes_from_prv_key_int(SECRET + 1), network="mainnet"))
    file = tmp_path / "challenge.json"
    nonce = office.json("", "custody", "challenge", "new", f"bitcoin:{other}", "--out", file, "--hours", "1")["nonce"]
    assert office.json("", "custody", "challenge", "check", signed(file, SECRET + 1))["holds"] is True
    refusal = office.refuses("ada", "custody", "challenge", "record", nonce, "--why", "w")
    assert "is not registered" in refusal.what
    assert "no proof" in office.refuses("ada", "custody", "challenge", "record", "0" * 32, "--why", "w").what
