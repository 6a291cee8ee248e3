"""Credit transfers of ISO 20022 and custodians' lists: valid by the schema, and they say what was asked."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
import xmlschema

from custody.conftest import bring
from junbikin.errors import BadInput
from junbikin.home import create_home
from junbikin.incidents.pay import iso20022, lists
from junbikin.incidents.pay.payees import Payees

from .banks import SAYS, SOME, bank
from .test_payees import elsewhere, entitled, judged, told

FRIDAY, ORDER = date(2026, 4, 3), 1_234_567_001
NAMES = {"a": "ヤマダ　ハナコ", "b": "ｶ)ガッキュウ", "c": "ABC.(9)-"}
IN = f"{{{iso20022.NAMESPACE}}}"


@lru_cache(1)
def schema() -> xmlschema.XMLSchema:
    """The published schema of the message."""
    return xmlschema.XMLSchema(Path(__file__).parent / "schema" / "pain.001.001.09.xsd")


@pytest.fixture(scope="module")
def payees(tmp_path_factory: pytest.TempPathFactory) -> Payees:
    """Three who can be paid by bank in yen, and one who takes coins whose id would spoil a careless file."""
    home = create_home(tmp_path_factory.mktemp("iso") / "home", "Example")
    rows = [
        told(account, payee=payee, bank_code=SOME[place][0], branch_code=SOME[place][1], account_number=str(77 + place))
        for place, (account, payee) in enumerate(NAMES.items())
    ]
    coins = [
        elsewhere(account, "address", asset="XEM", network="nem:main", address=f"N{account}")
        for account in ("a", "b", 'd"<&')
    ]
    bring(home, "payout_instructions", rows + coins)
    return judged(home, entitled(home.path, [*NAMES, 'd"<&'], ["JPY", "XEM"]))


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def payments(amounts: dict[int, str], kind: str = "DECIMAL(38,0)") -> str:
    """SQL of payments, in no order."""
    accounts = {1: "a", 2: "b", 3: "c", 4: 'd"<&'}
    rows = ", ".join(
        f"({number}, '{accounts[number]}', {amount}::{kind})" for number, amount in reversed(amounts.items())
    )
    return f"SELECT * FROM (VALUES {rows}) AS rows (number, account_id, amount)"


def text(element: ElementTree.Element, path: str) -> str:
    found = element.find("/".join(IN + part for part in path.split("/")))
    assert found is not None, path
    return found.text or ""


def test_transfers_are_valid_and_say_what_was_asked(
    payees: Payees, engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    amounts = {1: "9999999999", 2: "1", 3: "250"}
    files = iso20022.write(
        bank(record_limit="2"), FRIDAY, payees, engine, payments(amounts), "JPY", ORDER, tmp_path, "JPY-1234567001-0001"
    )
    assert [(file.path.name, file.people, file.total) for file in files] == [
        ("JPY-1234567001-0001-0001.xml", 2, Decimal(10_000_000_000)),
        ("JPY-1234567001-0001-0002.xml", 1, Decimal(250)),
    ]
    found: list[dict[str, Any]] = []
    for file in files:
        schema().validate(file.path)
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
        [message] = ElementTree.parse(file.path).getroot()  # noqa: S314 - our own file
        for part in ("GrpHdr", "PmtInf"):
            assert (text(message, f"{part}/NbOfTxs"), text(message, f"{part}/CtrlSum")) == (
                str(file.people),
                str(file.total),
            )
        assert text(message, "PmtInf/ReqdExctnDt/Dt") == "2026-04-03"
        assert text(message, "PmtInf/DbtrAcct/Id/Othr/Id") == "0054321"
        assert text(message, "PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId") == SAYS["bank_code"] + SAYS["branch_code"]
        transfers = message.findall(f"{IN}PmtInf/{IN}CdtTrfTxInf")
        found += [
            {
                "id": text(one, "PmtId/EndToEndId"), "amount": text(one, "Amt/InstdAmt"), "name": text(one, "Cdtr/Nm"),
                "system": text(one, "CdtrAgt/FinInstnId/ClrSysMmbId/ClrSysId/Cd"), "bank": text(one, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
                "account": text(one, "CdtrAcct/Id/Othr/Id"), "type": text(one, "CdtrAcct/Tp/Prtry"),
            }
            for one in transfers
        ]  # fmt: skip
    assert found == [
        {
            "id": f"JPY-1234567001-{number:010d}", "amount": amounts[number], "name": name, "system": "JPZGN", "bank": "".join(SOME[number - 1]),
            "account": f"{76 + number:07d}", "type": "1",
        }
        for number, name in enumerate(("ﾔﾏﾀﾞ ﾊﾅｺ", "ｶ)ｶﾞﾂｷﾕｳ", "ABC.(9)-"), 1)
    ]  # fmt: skip


def test_the_same_transfers_give_the_same_bytes(
    payees: Payees, engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asked = payments({1: "5", 3: "7"})
    one, two = (
        iso20022.write(bank(), FRIDAY, payees, engine, asked, "JPY", ORDER, tmp_path / folder, "x")
        for folder in ("one", "two")
    )
    assert [file.path.read_bytes() for file in one] == [file.path.read_bytes() for file in two]


def test_a_day_on_which_banks_are_closed_is_refused(
    payees: Payees, engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="2026-04-06"):
        iso20022.write(bank(), date(2026, 4, 4), payees, engine, payments({1: "5"}), "JPY", ORDER, tmp_path, "x")
    assert not list(tmp_path.iterdir())


def test_a_custodians_list_says_whom_to_send_what_exactly(
    payees: Payees, engine: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asked = payments({1: "0.000000000000000001", 2: "1200", 4: "3.50"}, "DECIMAL(38,18)")
    [file] = lists.write(payees, engine, asked, "XEM", ORDER, tmp_path, "XEM-1")
    assert (file.people, file.total) == (3, Decimal("1203.500000000000000001"))
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    with file.path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["payment_id", "account_id", "asset", "quantity", "network", "address"],
        ["XEM-1234567001-0000000001", "a", "XEM", "0.000000000000000001", "nem:main", "Na"],
        ["XEM-1234567001-0000000002", "b", "XEM", "1200", "nem:main", "Nb"],
        ["XEM-1234567001-0000000004", 'd"<&', "XEM", "3.5", "nem:main", 'Nd"<&'],
    ]
    assert lists.write(payees, engine, f"{asked} WHERE number > 9", "XEM", ORDER, tmp_path, "none") == []
