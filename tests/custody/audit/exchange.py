"""An exchange of three business days: a break explained and closed, one that stands, evidence, positions, custody days, a proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from books.cast import Cast, open_accounts
from custody.conftest import bring
from junbikin.books.database import Books
from junbikin.books.journal import known_now
from junbikin.books.proof.checkpoint import KEY_FILE, fingerprint, read_key
from junbikin.books.proof.digests import heads_digest
from junbikin.calendars import Period
from junbikin.custody import archive as custody_archive
from junbikin.custody import onrecord
from junbikin.custody.audit.index import Sampling
from junbikin.custody.audit.pack import Order, pack
from junbikin.custody.evidence import challenge
from junbikin.custody.evidence import keep as evidence
from junbikin.custody.evidence.observe import Seen
from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Block, Coin, Reading, Watched
from junbikin.custody.judging import judged
from junbikin.custody.liabilities.prove import prove
from junbikin.custody.liabilities.tie import tie_to
from junbikin.custody.reconcile import recorded
from junbikin.custody.reconcile.breaks import Compared, break_id
from junbikin.custody.reconcile.run import reconcile
from junbikin.custody.reconcile.treated import treat
from junbikin.facts.lake import open_lake
from junbikin.home import Home
from junbikin.reports.audit_page import page_of
from junbikin.reserve import archive, history
from junbikin.reserve.assess import assess
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import load_rulebook

FIRST, SECOND, THIRD = (date(2026, 4, day) for day in (1, 2, 3))
PERIOD = Period("2026-04-01..2026-04-05", FIRST, date(2026, 4, 5))
SAMPLING = Sampling("the auditor's own words", 2)
ENDED = break_id(Compared.ACCOUNT, "c1", "BTC", "")
STANDING = break_id(Compared.ACCOUNT, "c2", "BTC", "")
COIN = Coin("BTC", "native", 8)
OPERATOR = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@dataclass(frozen=True)
class Exchange:
    """The home, and the fingerprint that the auditor noted down."""

    cast: Cast
    signer: str

    @property
    def home(self) -> Home:
        """The home."""
        return self.cast.books.home

    @property
    def books(self) -> Books:
        """The books, opened."""
        return self.cast.books

    def packed(self, folder: Path, sampling: Sampling | None = SAMPLING, *, whole_log: bool = False) -> dict[str, Any]:
        """Makes the pack. Returns the index."""
        order = Order(self.home, PERIOD, sampling, read_key(self.home, None), whole_log)
        return pack(order, folder, lambda index, where: page_of(index, where, 10))

    def signed(self, content: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint that the operator signs again, whatever it says; its heads are made to fit."""
        ends = [(strand["strand"], strand["length"], bytes.fromhex(strand["head"])) for strand in content["strands"]]
        content = {name: value for name, value in content.items() if name != "signature"} | {
            "heads": heads_digest(ends)
        }
        return content | {"signature": OPERATOR.sign(rfc8785.dumps(content)).hex()}


def noon(day: date) -> datetime:
    """The middle of a day."""
    return datetime.combine(day, time(3), UTC)


def built(cast: Cast) -> Exchange:
    """Everything that happened in the three days."""
    _keep_key(cast.books.home)
    open_accounts(cast, ["customer/BTC/pool/c2"])
    for holder, amount in (("c1", 5), ("c2", 2)):
        entries = {"outside/BTC/world": -amount, f"customer/BTC/pool/{holder}": amount}
        cast.post(f"in {holder}", "deposit", entries, noon(FIRST), reference="r")
    bring(cast.books.home, "prices", [f"BTC,JPY,{day}T09:00:00+09:00,10000000,ours" for day in (FIRST, SECOND, THIRD)])
    _day(cast, FIRST, c1="4", c2="2")
    treat(cast.books, cast.ada, ENDED, "assign", "wallets are his", to="cem")
    treat(cast.books, cast.cem, ENDED, "explain", "a fee was booked twice, on one line")
    cast.post(
        "out c2",
        "withdrawal",
        {"outside/BTC/world": "0.5", "customer/BTC/pool/c2": "-0.5"},
        noon(SECOND),
        reference="r",
    )
    _day(cast, SECOND, c1="5", c2="1.5")
    treat(cast.books, cast.ben, ENDED, "close", "seen to be gone")
    _day(cast, THIRD, c1="5", c2="3")
    home, lake = cast.books.home, open_lake(cast.books.home)
    tie = tie_to(reconcile(lake, THIRD, cast.books))
    prove(lake, THIRD, read_key(home, None), cast.books, tie, lambda what, share: None)
    _prove_control(home)
    return Exchange(cast, fingerprint(OPERATOR.public_key()))


def _day(cast: Cast, day: date, **balances: str) -> None:
    """Facts come in, the day is assessed, judged and reconciled; all of it is kept and put on record."""
    books, home = cast.books, cast.books.home
    bring(home, "customer_balances", [f"{day},{account},BTC,{amount}" for account, amount in balances.items()])
    bring(home, "holdings", [f"{day},vault,BTC,9,customer,cold", f"{day},online,BTC,0.5,customer,hot"])
    evidence.keep(home, day, [_seen(day)], noon(day))
    ledger = Ledger(books, day, known_now(books))
    lake, rulebook = open_lake(home), load_rulebook("jp-reserve-candidate")
    positions = [assess(lake, rulebook, day, FactsView(lake, day, ledger))]
    archive.keep(home, positions)
    history.record(books, positions)
    days = judged(home, [load_rulebook("jp-psa")], day, ledger)
    custody_archive.keep(home, days)
    assert onrecord.record(books, days) == onrecord.record(books, days)
    recorded.record(books, reconcile(open_lake(home), day, books))


def _seen(day: date) -> Seen:
    block = Block(840_000 + day.day, f"{day.day:064x}", noon(day))
    addresses = {"vault": (400_000_000, 500_000_000), "online": (50_000_000,)}
    readings = tuple(
        Reading(Watched("bitcoin", f"bc1{place}{number}", place, COIN), units)
        for place, held in addresses.items()
        for number, units in enumerate(held)
    )
    return Seen(
        Source("esplora-own", "esplora", "bitcoin", "http://127.0.0.1:1", 6, 120, 2, 30), block, block, readings
    )


def _prove_control(home: Home) -> None:
    account = PrivateKey(b"a" * 32)
    now = datetime.now(UTC)
    made = challenge.new(home, f"ethereum:1:{account.public_key.to_checksum_address()}", now, 1)
    message = made.text.encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)
    raw = account.sign_msg_hash(digest).to_bytes()
    signature = "0x" + (raw[:-1] + bytes([raw[-1] + 27])).hex()
    challenge.take(home, made.document() | {"signature": signature}, now)


def _keep_key(home: Home) -> None:
    pem = OPERATOR.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    home.keys.mkdir()
    (home.keys / KEY_FILE).write_bytes(pem)
