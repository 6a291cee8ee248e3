"""An exchange whose customers lost XEM, up to an approved plan: what the tests of paying, and those that are killed, start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from books.cast import Cast, open_accounts
from custody.conftest import bring
from incidents.plan.scene import rule_text
from junbikin.books.claims import Approved, approved
from junbikin.calendars import business_days_after
from junbikin.facts.lake import open_lake
from junbikin.home import Home
from junbikin.incidents import incident as events
from junbikin.incidents.folders import payees_folder
from junbikin.incidents.pay.banks import directory
from junbikin.incidents.pay.judge import prepare
from junbikin.incidents.pay.order import Order
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.pay.paying_bank import PayingBank, paying_bank
from junbikin.incidents.pay.run import Leg, Run, leg_of, pay
from junbikin.incidents.pay.ways import way
from junbikin.incidents.plan import making
from junbikin.incidents.plan.asking import ask
from junbikin.incidents.plan.document import Plan, plans
from junbikin.incidents.plan.elsewhere import others
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import decide

INCIDENT = "inc-1"
OCCURRED = datetime(2026, 3, 10, 3, tzinfo=UTC)
TODAY = date(2026, 4, 1)
VALUE_ON = business_days_after(datetime.now(UTC).date(), 3)
BANK = {
    "name": "Namiki", "place": "kaede", "originator_code": "0000000123", "originator_name": "ｱｵｿﾞﾗ", "account_type": "1",
    "account_number": "7654321", "record_limit": "4", "line_end": "CRLF", "result_at": "112", "settled_codes": "0", "returned_codes": "2|8",
}  # fmt: skip
RECORD, CODE = 122, 112
"""Bytes of a record with its line end, and where the bank's code for a result stands in it."""
BANK_CODE, BRANCH_CODE = next(iter(directory().branches))
YEN = '[[parts]]\nshare = "1"\npays = "JPY"\ndecimals = 0\nrounding = "half_up"\nprice = { how = "fixed", value = "88.549", source = "the board" }'
MIXED = (
    '[[parts]]\nshare = "0.25"\npays = "XEM"\ndecimals = 6\nrounding = "down"\n'
    '[[parts]]\nshare = "0.75"\npays = "JPY"\ndecimals = 0\nrounding = "half_up"\nprice = { how = "fixed", value = "88.549", source = "the board" }'
)


def instruction(
    account: str, at: str = "2026-03-20T00:00:00Z", payee: str = "ヤマダ ハナコ", number: str = "1234567"
) -> str:
    """A row of `payout_instructions` by which a customer asks to be paid at their bank."""
    return f"{account},{at},bank,{BANK_CODE},{BRANCH_CODE},1,{number},{payee},JPY"


@dataclass(frozen=True)
class Exchange:
    """The exchange, its cast, and the plan of it that is approved."""

    cast: Cast
    plan: Plan

    @property
    def home(self) -> Home:
        return self.cast.books.home

    @property
    def approval(self) -> Approved:
        found = approved(self.cast.books, self.plan.digest)
        assert found is not None
        return found

    @property
    def bank(self) -> PayingBank:
        return paying_bank(self.cast.books, "namiki")

    @property
    def payees_folder(self) -> Path:
        return payees_folder(self.home, self.plan.incident, self.plan.digest)

    def leg(self, asset: str = "JPY") -> Leg:
        return leg_of(self.approval, asset, self.plan.entitlements)

    def judged(self) -> Payees:
        """Who can be paid how, by the instructions known now."""
        return prepare(
            self.home,
            open_lake(self.home),
            self.plan.digest,
            self.plan.entitlements,
            self.payees_folder,
            lambda what, share: None,
        )

    def asked(self, channel: str, asset: str = "JPY", payees: str = "", value_on: date = VALUE_ON) -> Order:
        """The order to pay by a channel."""
        by_bank = channel in ("zengin", "iso20022")
        return Order(
            self.plan.incident, self.plan.digest, asset, channel, "namiki" if by_bank else "", value_on.isoformat() if by_bank else "",
            "pool" if channel == "account" else "", payees,
        )  # fmt: skip

    def pay(self, channel: str = "zengin", asset: str = "JPY", payees: Payees | None = None) -> Run:
        """One run, to whom the payees say, or else whoever can be paid by the instructions known now."""
        judged = "" if channel == "account" else (payees or self.judged()).digest
        by = Payer(self.cast.books, self.cast.cem, "test")
        return pay(
            by, self.leg(asset), self.asked(channel, asset, judged), way(by, self.approval), lambda what, share: None
        )

    def owed(self, asset: str = "JPY") -> dict[str, Decimal]:
        """Account → what the plan owes it."""
        import duckdb

        rows = duckdb.execute(f"SELECT account_id, \"{asset}\" FROM '{self.plan.entitlements}'").fetchall()
        return dict(rows)

    def balance(self, account: str) -> Decimal:
        """What an account of the books holds."""
        from junbikin.books.journal import account_numbers, balance

        [number] = account_numbers(self.cast.books, [account])
        return balance(self.cast.books, number)


def exchange(cast: Cast, held: Mapping[str, str], parts: str = YEN, chunk: int = 5) -> Exchange:
    """The exchange after the theft, with a plan that is approved; payments go into the books `chunk` at a time."""
    founded_on(cast, held)
    opened = events.opened(cast.books, INCIDENT, "hack", OCCURRED, OCCURRED, "the hot wallet was emptied")
    tell(cast.books, cast.cem, INCIDENT, opened, "as seen", OCCURRED)
    return Exchange(cast, planned(cast, INCIDENT, "p", parts, chunk))


def founded_on(cast: Cast, held: Mapping[str, str]) -> None:
    """The exchange on new books: its customers with what they held of XEM, a reserve, guarantee coins, and a bank that pays."""
    home = cast.books.home
    bring(home, "customer_balances", [f"2026-03-09,{account},XEM,{quantity}" for account, quantity in held.items()])
    open_accounts(cast, ["own/XEM/bank", "outside/XEM/world", "guarantee/XEM/vault"])
    cast.pay_in("own/JPY/bank", 10**12)
    cast.pay_in("reserve/JPY/kaede", 10**11)
    cast.post("coins", "income", {"outside/XEM/world": "-1000000", "own/XEM/bank": "1000000"}, reference="r")
    cast.post("guard", "guarantee", {"own/XEM/bank": "-1000000", "guarantee/XEM/vault": "1000000"}, reference="r")
    cast.registered("paying_bank", "namiki", BANK | {"bank_code": BANK_CODE, "branch_code": BRANCH_CODE})


def planned(
    cast: Cast, incident: str, name: str, parts: str, chunk: int, affected: str = "", shared: str = "whole"
) -> Plan:
    """A plan that is made, asked for by Cem and approved by Ben; what of that was done already is not done again."""
    home, books = cast.books.home, cast.books
    plan = next(
        (plan for plan in plans(home, incident) if plan.name == name and making.asked_for(books, plan.digest)), None
    )
    plan = plan or _made(cast, incident, name, parts, chunk, affected, shared)
    if approved(books, plan.digest) is None:
        besides = "a test of many plans" if others(books, plan) else ""
        number = ask(books, cast.cem, plan, "exempt: test", "test", lambda what, share: None, besides)
        decide(books, cast.ben, number, "approve", "seen")
    return plan


def _made(cast: Cast, incident: str, name: str, parts: str, chunk: int, affected: str, shared: str) -> Plan:
    rule = cast.books.home.path / f"{name}.toml"
    both = '"XEM"' in parts
    rule.write_text(
        rule_text(
            shared=f'how = "{shared}"',
            affected=affected or 'who = "holders"\nasset = "XEM"\nat = 2026-03-10T12:00:00+09:00',
            parts=parts,
            place='JPY = "kaede"\nXEM = "vault"' if both else 'JPY = "kaede"',
            order='["guarantee", "reserve"]' if both else '["reserve"]',
        ),
        encoding="utf-8",
    )
    return making.make(cast.books, incident, name, rule, TODAY, lambda what, share: None, chunk)


def answers(run: Run, codes: Mapping[int, str], folder: Path) -> list[Path]:
    """The bank's lists that answer a run: code 0, but for the payments whose numbers have another."""
    return [answer(run.folder / file.path.name, codes, folder) for file in run.files]


def answer(file: Path, codes: Mapping[int, str], folder: Path) -> Path:
    """The bank's list that answers one file."""
    folder.mkdir(parents=True, exist_ok=True)
    content = bytearray(file.read_bytes())
    for at in range(RECORD, len(content) - 2 * RECORD, RECORD):
        content[at + CODE] = ord(codes.get(int(content[at + 101 : at + 111]), "0"))
    answered = folder / file.name
    answered.write_bytes(content)
    return answered


def told(home: Home, rows: Sequence[str]) -> None:
    """Ingests payout instructions."""
    bring(home, "payout_instructions", rows)
