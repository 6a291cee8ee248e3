"""Customer credit transfers of ISO 20022 (`pain.001.001.09`) in yen, for banks that take them instead of Zengin files.

The text of each transfer is made by the engine. A bank and its branch are the seven digits of a Zengin code (`JPZGN`); the type of an
account is Zengin's digit (1 ordinary, 2 current, 4 savings, 9 other).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import nanoarrow
import numpy as np
from numpy.typing import NDArray

from junbikin.facts.engine import literal
from junbikin.incidents.pay.files import Written, writing
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.pay.paying_bank import PayingBank, check_value_day

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
CLEARING = "JPZGN"


@dataclass(frozen=True, slots=True)
class _Part:
    """The payments of one file: the numbers of the first and the last, how many, and how much."""

    first: int
    last: int
    people: int
    total: int


def payment_id(asset: str, order: int, number: str) -> str:
    """SQL of the id by which a payment goes out and comes back: asset, order and number."""
    return f"concat({literal(f'{asset}-{order:010d}-')}, lpad(({number})::VARCHAR, 10, '0'))"


def write(
    bank: PayingBank, value_on: date, payees: Payees, engine: duckdb.DuckDBPyConnection, payments: str, asset: str,
    order: int, folder: Path, stem: str,
) -> list[Written]:  # fmt: skip
    """Writes the files that pay `payments` (SQL of number and amount), at most the bank's limit of transfers each; returns them in order.

    The same payments give the same files: they are said to be created as the value date begins. Raises `BadInput` when the value date is
    no business day.
    """
    check_value_day(value_on)
    found = engine.execute(f"SELECT number, amount::BIGINT AS amount FROM ({payments}) ORDER BY number").fetchnumpy()
    files = []
    for place, part in enumerate(_parts(found["number"], found["amount"], bank.record_limit), 1):
        name = f"{stem}-{place:04d}"
        with writing(folder / f"{name}.xml") as file:
            file.write(_head(bank, value_on, name, part).encode())
            for lines in _transfers(engine, payees, payments, asset, order, part):
                file.write(lines)
            file.write(b"</PmtInf></CstmrCdtTrfInitn></Document>\n")
        files.append(Written(folder / f"{name}.xml", file.sha256, part.people, Decimal(part.total)))
    return files


def _parts(numbers: NDArray[np.int64], amounts: NDArray[np.int64], limit: int) -> Iterator[_Part]:
    for first in range(0, len(numbers), limit):
        some, much = numbers[first : first + limit], amounts[first : first + limit]
        yield _Part(int(some[0]), int(some[-1]), len(some), int(much.sum()))


def _head(bank: PayingBank, value_on: date, name: str, part: _Part) -> str:
    counts = f"<NbOfTxs>{part.people}</NbOfTxs><CtrlSum>{part.total}</CtrlSum>"
    originator = (
        f"<Nm>{escape(bank.originator_name)}</Nm><Id><OrgId><Othr><Id>{bank.originator_code}</Id></Othr></OrgId></Id>"
    )
    account = (
        f"<Id><Othr><Id>{bank.account_number}</Id></Othr></Id><Tp><Prtry>{bank.account_type}</Prtry></Tp><Ccy>JPY</Ccy>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn>\n'
        f"<GrpHdr><MsgId>{escape(name)}</MsgId><CreDtTm>{value_on}T00:00:00+09:00</CreDtTm>{counts}<InitgPty>{originator}</InitgPty></GrpHdr>\n"
        f"<PmtInf><PmtInfId>{escape(name)}</PmtInfId><PmtMtd>TRF</PmtMtd>{counts}<ReqdExctnDt><Dt>{value_on}</Dt></ReqdExctnDt>"
        f"<Dbtr>{originator}</Dbtr><DbtrAcct>{account}</DbtrAcct>"
        f"<DbtrAgt>{_agent(bank.branch.bank_code + bank.branch.code)}</DbtrAgt>\n"
    )


def _agent(code: str) -> str:
    return f"<FinInstnId><ClrSysMmbId><ClrSysId><Cd>{CLEARING}</Cd></ClrSysId><MmbId>{code}</MmbId></ClrSysMmbId></FinInstnId>"


def _transfers(
    engine: duckdb.DuckDBPyConnection, payees: Payees, payments: str, asset: str, order: int, part: _Part
) -> Iterator[memoryview]:
    """The transfers of a file as UTF-8, a line each, many at a time."""
    before, after = _agent("|").split("|")
    line = (
        f"concat('<CdtTrfTxInf><PmtId><EndToEndId>', {payment_id(asset, order, 'number')}, '</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"JPY\">', "
        f"amount::BIGINT, '</InstdAmt></Amt><CdtrAgt>{before}', bank_code, branch_code, '{after}</CdtrAgt><Cdtr><Nm>', "
        f"{_escaped('payee')}, '</Nm></Cdtr><CdtrAcct><Id><Othr><Id>', account_number, '</Id></Othr></Id><Tp><Prtry>', account_type, "
        "'</Prtry></Tp></CdtrAcct></CdtTrfTxInf>', chr(10))"
    )
    query = (
        f"SELECT {line} FROM (SELECT number, amount FROM ({payments}) WHERE number BETWEEN {part.first} AND {part.last}) "
        f"JOIN (FROM {payees.table(asset)} WHERE number BETWEEN {part.first} AND {part.last}) USING (number) ORDER BY number"
    )
    with nanoarrow.c_array_stream(engine.sql(query).__arrow_c_stream__()) as batches:
        for batch in batches:
            if batch.length:
                text = batch.view().child(0)
                yield memoryview(text.buffer(2))[: np.frombuffer(text.buffer(1), np.int32)[batch.length]]


def _escaped(text: str) -> str:
    return f"replace(replace(replace({text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
