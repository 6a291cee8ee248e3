"""What banks and custodians answer: every record is an answer or refused with why; a file that is not whole is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.pay.banks import accounts, bank
from junbikin.errors import BadInput, SourceRefused
from junbikin.incidents.answers import pain002
from junbikin.incidents.answers import zengin as zengin_answers
from junbikin.incidents.answers.reading import AnswersRead, read_answers
from junbikin.incidents.pay import zengin
from junbikin.incidents.pay.paying_bank import LineEnd, PayingBank

ORDER = 1_234_567_001


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def sent(folder: Path, of: PayingBank, amounts: list[int]) -> bytes:
    """A file that a bank was sent, all in one."""
    [file] = zengin.write(
        of,
        date(2026, 4, 3),
        accounts(len(amounts)),
        np.array(amounts, np.int64),
        ORDER,
        np.arange(1, len(amounts) + 1),
        folder,
        "s",
    )
    return file.path.read_bytes()


def answered(folder: Path, of: PayingBank, codes: str) -> bytes:
    """The result list of a file: its records, with a code for each."""
    size = 120 + len(of.line_end.value)
    content = bytearray(sent(folder, of, [100 + place for place in range(len(codes))]))
    for place, code in enumerate(codes, 1):
        content[place * size + of.result_at] = ord(code)
    return bytes(content)


def taken(
    engine: duckdb.DuckDBPyConnection, folder: Path, content: bytes, form: str, of: PayingBank | None = None
) -> AnswersRead:
    """Reads answers from a file of this content."""
    path = folder / "answers"
    path.write_bytes(content)
    return read_answers(engine, path, form, of)


def rows(engine: duckdb.DuckDBPyConnection, table: str = "answers") -> list[Any]:
    return engine.execute(f"FROM {table} ORDER BY line").fetchall()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    codes=st.text("0128Z", max_size=9),
    end=st.sampled_from(LineEnd),
    at=st.sampled_from([90, 111, 112, 119]),
    cut=st.booleans(),
    block=st.sampled_from([1, 3, 100]),
)
def test_a_result_list_says_what_became_of_each(
    codes: str,
    end: LineEnd,
    at: int,
    cut: bool,
    block: int,
    tmp_path: Path,
    engine: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zengin_answers, "AT_ONCE", block)
    of = bank(line_end=end.name, result_at=str(at))
    content = answered(tmp_path, of, codes) if codes else empty_batch(tmp_path, of)
    read = taken(engine, tmp_path, content.removesuffix(end.value) if cut else content, "zengin", of)
    assert (read.answers, read.refused, read.read) == (len(codes) - codes.count("Z"), codes.count("Z"), len(codes))
    assert rows(engine) == [
        (
            place + 2, "JPY", ORDER, place + 1, Decimal(100 + place),
            "settled" if code == "0" else "returned", "" if code == "0" else f"code {code}",
        )
        for place, code in enumerate(codes)
        if code != "Z"
    ]  # fmt: skip
    refused = rows(engine, "refused_answers")
    assert [line for line, _, _ in refused] == [place + 2 for place, code in enumerate(codes) if code == "Z"]
    assert all(len(text) == 120 and "ﾔﾏﾀﾞ ﾊﾅｺ" in text and "code" in why for _, text, why in refused)


def empty_batch(folder: Path, of: PayingBank) -> bytes:
    size, end = 120 + len(of.line_end.value), of.line_end.value
    content = sent(folder, of, [1])
    return content[:size] + f"8{0:018d}".ljust(120).encode() + end + content[3 * size :]


def test_a_record_that_names_no_payment_of_ours_is_refused_alone(
    tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    of = bank()
    content = bytearray(answered(tmp_path, of, "000"))
    content[122 + 91 : 122 + 95] = b"\xb1\xb2  "
    content[3 * 122 + 112] = ord("Y")
    assert taken(engine, tmp_path, bytes(content), "zengin", of) == AnswersRead(1, 2)
    assert [(line, why) for line, _, why in rows(engine, "refused_answers")] == [
        (place, "it names no payment of ours") for place in (2, 4)
    ]


def test_a_list_may_have_several_batches(tmp_path: Path, engine: duckdb.DuckDBPyConnection) -> None:
    of = bank()
    one = answered(tmp_path, of, "01")
    assert taken(engine, tmp_path, one[:-122] + one, "zengin", of) == AnswersRead(4, 0)
    assert [line for line, *_ in rows(engine)] == [2, 3, 6, 7]


HEADER, FIRST, SECOND, TRAILER, END = (slice(place * 122, (place + 1) * 122) for place in range(5))


def changed(content: bytes, at: int, by: bytes) -> bytes:
    return content[:at] + by + content[at + len(by) :]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "the first record is not of 120 bytes": lambda file: file[1:],
    "record is not of 120 bytes": lambda file: file[: 122 + 50] + file[122 + 51 :],
    "the last record is not of 120 bytes": lambda file: file + b"  ",
    "a data record stands without a header": lambda file: file[122:],
    "a trailer stands without a header": lambda file: file[TRAILER] + file[END],
    "a header has no trailer": lambda file: file[HEADER] + file[FIRST] + file[END],
    "a header has no trailer ": lambda file: file[HEADER] + file[FIRST] + file,
    "stands without a header  ": lambda file: file[: 4 * 122] + file[TRAILER] + file[END],
    "the list has no end record": lambda file: file[: 4 * 122],
    "something after the end record": lambda file: file + file[FIRST],
    "something after the end record ": lambda file: file + file,
    "no record of kind '3'": lambda file: changed(file, 122, b"3"),
    "the trailer says 3 records": lambda file: changed(file, 3 * 122 + 1, b"000003"),
    "the trailer says 2 records of ¥202": lambda file: changed(file, 3 * 122 + 7, b"000000000202"),
    "there are 2 of ¥200": lambda file: changed(file, 122 + 80, b"0000000099"),
    "振込金額 is not a number": lambda file: changed(file, 122 + 80, b"         1"),
    "被仕向銀行番号 is not a number": lambda file: changed(file, 122 + 1, b"00A1"),
    "口座番号 is not a number": lambda file: changed(file, 2 * 122 + 43, b"       "),
    "合計金額 is not a number": lambda file: changed(file, 3 * 122 + 7, b" "),
    "振込指定日 is not a number": lambda file: changed(file, 54, b"4/ 3"),
    "受取人名 has characters": lambda file: changed(file, 122 + 50, b"yamada"),
    "受取人名 has characters ": lambda file: changed(file, 122 + 50, b"\xa6"),
    "被仕向支店名 has characters": lambda file: changed(file, 122 + 23, b"\x8e\x52"),
    "委託者名 has characters": lambda file: changed(file, 14, b"*"),
    "no list of bulk transfers": lambda file: changed(file, 1, b"11"),
    "no list of bulk transfers ": lambda file: changed(file, 3, b"1"),
    "not of the operator's transfers": lambda file: changed(file, 4, b"9"),
    "not of the operator's transfers ": lambda file: changed(file, 58, b"9999"),
    "the first record is not of 120 bytes ": lambda file: b"",
    "the first record is not of 120 bytes  ": lambda file: b"1210",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_result_list_that_is_not_whole_is_refused_whole(
    what: str, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    of = bank()
    with pytest.raises(SourceRefused, match=rf"{what.strip()}(.|\n)*, record \d"):
        taken(engine, tmp_path, BROKEN[what](answered(tmp_path, of, "00")), "zengin", of)


def test_what_overflows_the_trailers_fields_is_refused(tmp_path: Path, engine: duckdb.DuckDBPyConnection) -> None:
    of = bank()
    file = sent(tmp_path, of, [zengin.MOST] * 100)
    data = file[122 : 101 * 122]
    most = f"8{200:06d}{200 * zengin.MOST % 10**12:012d}".ljust(120).encode() + b"\r\n"
    with pytest.raises(SourceRefused, match="do not fit"):
        taken(engine, tmp_path, file[:122] + data + data + most + file[-122:], "zengin", of)


def test_a_form_that_there_is_not_and_a_list_without_its_bank_are_refused(
    tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(BadInput, match="zengin, pain002, custodian"):
        taken(engine, tmp_path, b"", "csv")
    with pytest.raises(BadInput, match="--bank"):
        taken(engine, tmp_path, b"", "zengin")


HEAD = "payment_id,outcome,reference,reason\n"


def test_a_custodians_confirmations_are_read(tmp_path: Path, engine: duckdb.DuckDBPyConnection) -> None:
    lines = [
        "XEM-1234567001-0000000001,settled,0xabc,",
        'USDC.e-0000000001-0000000012,returned,,"address, unknown"',
        "XEM-1234567001-1,settled,0xabc,",
        "XEM-1234567001-0000000002,sent,0xabc,",
        "XEM-1234567001-0000000003,settled,,",
        "XEM-1234567001-0000000004,returned,,",
        ",settled,x,",
    ]
    assert taken(engine, tmp_path, (HEAD + "\n".join(lines) + "\n").encode(), "custodian") == AnswersRead(2, 5)
    assert rows(engine) == [
        (2, "XEM", ORDER, 1, None, "settled", ""),
        (3, "USDC.e", 1, 12, None, "returned", "address, unknown"),
    ]
    assert [(line, why) for line, _, why in rows(engine, "refused_answers")] == [
        (4, "it names no payment of ours"),
        (5, "its outcome is neither settled nor returned"),
        (6, "settled, and without a reference"),
        (7, "returned, and without a reason"),
        (8, "it names no payment of ours"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"payment_id;outcome;reference;reason\n",
        (HEAD + 'XEM-1234567001-0000000001,settled,"x,\n').encode(),
        (HEAD + "a,b\n").encode(),
        HEAD.encode() + b"\xff,settled,x,\n",
    ],
)
def test_a_custodians_file_that_is_none_is_refused(
    content: bytes, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(SourceRefused):
        taken(engine, tmp_path, content, "custodian")


def report(
    *transactions: str,
    prefix: str = "",
    before: str = "",
    after: str = "",
    head: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> bytes:
    """A status report with one batch."""
    space = f'xmlns{":" + prefix.removesuffix(":") if prefix else ""}="{pain002.NAMESPACE}"'
    text = (
        f"{head}<{prefix}Document {space}><{prefix}CstmrPmtStsRpt><{prefix}GrpHdr><{prefix}MsgId>1</{prefix}MsgId></{prefix}GrpHdr>"
        f"{before}<{prefix}OrgnlPmtInfAndSts><{prefix}OrgnlPmtInfId>x</{prefix}OrgnlPmtInfId>"
        + "\n".join(transactions)
        + f"</{prefix}OrgnlPmtInfAndSts>{after}</{prefix}CstmrPmtStsRpt></{prefix}Document>"
    )
    return text.encode()


def transaction(number: int, status: str, reason: str = "", amount: str = "", prefix: str = "") -> str:
    p = prefix
    why = (
        f"<{p}StsRsnInf><{p}Rsn><{p}Cd>{reason}</{p}Cd></{p}Rsn><{p}AddtlInf>a &lt; b</{p}AddtlInf></{p}StsRsnInf>"
        if reason
        else ""
    )
    ref = (
        f'<{p}OrgnlTxRef><{p}Amt><{p}InstdAmt Ccy="JPY">{amount}</{p}InstdAmt></{p}Amt></{p}OrgnlTxRef>'
        if amount
        else ""
    )
    return (
        f"<{p}TxInfAndSts><{p}StsId>s</{p}StsId><{p}OrgnlEndToEndId>JPY-1234567001-{number:010d}</{p}OrgnlEndToEndId>"
        f"<{p}TxSts>{status}</{p}TxSts>{why}{ref}</{p}TxInfAndSts>"
    )


@pytest.mark.parametrize("prefix", ["", "ns0:"])
@pytest.mark.parametrize("size", [7, 100, 1 << 20])
def test_a_status_report_is_read_in_parts_of_any_size(
    prefix: str, size: int, tmp_path: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pain002, "AT_ONCE", size)
    said = [
        (1, "ACSC", "", "100"),
        (2, "RJCT", "AC04", ""),
        (3, "ACCC", "", "7.5"),
        (4, "ACSP", "", ""),
        (5, "RJCT", "", ""),
        (6, "ACSC", "", "x"),
    ]
    content = report(*(transaction(*one, prefix=prefix) for one in said), prefix=prefix)
    assert taken(engine, tmp_path, content, "pain002") == AnswersRead(4, 2)
    assert rows(engine) == [
        (1, "JPY", ORDER, 1, Decimal(100), "settled", ""),
        (2, "JPY", ORDER, 2, None, "returned", "AC04"),
        (3, "JPY", ORDER, 3, Decimal("7.5"), "settled", ""),
        (5, "JPY", ORDER, 5, None, "returned", "no reason given"),
    ]
    [(fourth, text, why), (sixth, _, wrong)] = rows(engine, "refused_answers")
    assert (fourth, sixth, wrong) == (4, 6, "its amount is no number")
    assert "ACSP" in text
    assert "ACSP is not final" in why


def test_what_a_report_says_of_a_batch_is_not_taken_for_its_payments(
    tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    batch = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>y</OrgnlPmtInfId><PmtInfSts>ACSC</PmtInfSts></OrgnlPmtInfAndSts>"
    content = report(transaction(1, "ACSC"), transaction(2, "ACSC"), before=batch, after=batch)
    assert taken(engine, tmp_path, content, "pain002") == AnswersRead(2, 2)
    assert [(line, why) for line, _, why in rows(engine, "refused_answers")] == [
        (line, "it speaks of a batch and names no payment") for line in (1, 3)
    ]


ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
BAD_REPORTS = {
    "names no payment": report(),
    "not well formed": report(transaction(1, "ACSC"))[:-3],
    "not well formed ": report("<TxInfAndSts>", transaction(1, "ACSC")),
    "no document of ISO 20022": b"<html/>",
    "no document of ISO 20022 ": b"",
    "a document type": report(transaction(1, "ACSC"), head=ENTITY),
    "a document type ": report(transaction(1, "ACSC"), head='<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'),
    "a comment": report("<!-- " + transaction(1, "ACSC") + " -->", transaction(2, "ACSC")),
    "a CDATA section": report("<StsRsn><![CDATA[" + transaction(1, "ACSC") + "]]></StsRsn>", transaction(2, "ACSC")),
    "a processing instruction": report("<?x y?>", transaction(2, "ACSC")),
    "and not of": report(transaction(1, "ACSC")).replace(b"pain.002.001.10", b"pain.002.001.03"),
    "and not in UTF-8": report(transaction(1, "ACSC"), head='<?xml version="1.0" encoding="Shift_JIS"?>'),
    "tags are written in a way": report(
        transaction(1, "ACSC").replace("</TxInfAndSts>", "</TxInfAndSts >"), transaction(2, "ACSC")
    ),
    "tags are written in a way ": report(
        transaction(1, "ACSC").replace("<TxInfAndSts>", '<TxInfAndSts a="1">'), transaction(2, "ACSC")
    ),
}


@pytest.mark.parametrize("what", BAD_REPORTS)
def test_a_status_report_that_cannot_be_trusted_is_refused_whole(
    what: str, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(SourceRefused, match=what.strip()):
        taken(engine, tmp_path, BAD_REPORTS[what], "pain002")
