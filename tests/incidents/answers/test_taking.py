"""Taking answers in: each is settled, returned, known already, or refused and listed; money moves with it, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from books.cast import Cast
from incidents.pay.exchange import CODE, MIXED, RECORD, Exchange, answers, exchange, instruction, told
from incidents.pay.test_run import HELD, standing
from junbikin.books.proof.verify import verify
from junbikin.errors import SourceRefused
from junbikin.incidents.answers.bundles import Source, bundles
from junbikin.incidents.answers.matching import Part
from junbikin.incidents.answers.news import news
from junbikin.incidents.answers.taking import Taken, take_in
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.standing import Chunk, Standing


@pytest.fixture
def paid(founded: Callable[[Path], Cast], tmp_path: Path) -> Exchange:
    made = exchange(founded(tmp_path / "home"), HELD)
    told(made.home, [instruction(account) for account in HELD])
    return made


def taken(of: Exchange, files: list[Path]) -> Taken:
    by = Payer(of.cast.books, of.cast.ada, "answers")
    plans = [(of.approval, of.plan.entitlements)]
    return take_in(by, plans, files, Source("zengin", of.bank), lambda what, share: None)


def counts(found: Taken) -> tuple[int, int, int, int]:
    """Settled, returned, known already and refused; every answer read is one of them."""
    assert found.read == found.settled + found.returned + found.duplicates + found.refused
    return found.settled, found.returned, found.duplicates, found.refused


def test_what_is_settled_leaves_the_claimants_account_and_what_came_back_stays(paid: Exchange, tmp_path: Path) -> None:
    owed = sorted(paid.owed().items())
    found = taken(paid, answers(paid.pay(), {2: "8", 7: "2"}, tmp_path / "answers"))
    assert counts(found) == (10, 2, 0, 0)
    assert dict(found.reasons) == {"code 8": 1, "code 2": 1}
    kept = owed[1][1] + owed[6][1]
    assert paid.balance(paid.approval.claimants["JPY"].code) == kept
    assert found.totals["JPY"][1] == kept
    assert [account for account, how in standing(paid).items() if how is Standing.RETURNED] == [owed[1][0], owed[6][0]]
    assert verify(paid.cast.books).difference is None


def test_the_same_file_again_changes_nothing(paid: Exchange, tmp_path: Path) -> None:
    files = answers(paid.pay(), {2: "8"}, tmp_path / "answers")
    taken(paid, files)
    before = standing(paid), paid.balance(paid.approval.claimants["JPY"].code)
    assert counts(taken(paid, files)) == (0, 0, 12, 0)
    assert (standing(paid), paid.balance(paid.approval.claimants["JPY"].code)) == before


def test_what_came_back_is_sent_again_only_on_newer_instructions(paid: Exchange, tmp_path: Path) -> None:
    taken(paid, answers(paid.pay(), {2: "8"}, tmp_path / "answers"))
    assert paid.pay().people == 0
    told(paid.home, [instruction("c01", at=_later(), number="7777777")])
    again = paid.pay()
    assert (again.people, again.order.run) == (1, 2)
    assert b"7777777" in (again.folder / again.files[0].path.name).read_bytes()
    assert counts(taken(paid, answers(again, {}, tmp_path / "again"))) == (1, 0, 0, 0)
    assert paid.balance(paid.approval.claimants["JPY"].code) == 0


def _later() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat()


def test_a_payment_that_comes_back_after_it_was_settled_returns_its_money(paid: Exchange, tmp_path: Path) -> None:
    run = paid.pay()
    taken(paid, answers(run, {}, tmp_path / "first"))
    assert paid.balance(paid.approval.claimants["JPY"].code) == 0
    found = taken(paid, answers(run, {3: "8"}, tmp_path / "second"))
    assert counts(found) == (0, 1, 11, 0)
    assert paid.balance(paid.approval.claimants["JPY"].code) == sorted(paid.owed().items())[2][1]
    assert verify(paid.cast.books).difference is None


@pytest.mark.parametrize(
    ("field", "content", "why"),
    [
        (slice(101, 111), b"0000000099", "no such payment was sent"),
        (slice(91, 101), b"0000000001", "no approved plan of this incident made this payment"),
    ],
)
def test_an_answer_about_no_payment_of_ours_is_listed_and_moves_nothing(
    paid: Exchange, tmp_path: Path, field: slice, content: bytes, why: str
) -> None:
    [first, *_] = answers(paid.pay(), {}, tmp_path / "answers")
    altered = bytearray(first.read_bytes())
    altered[RECORD + field.start : RECORD + field.stop] = content
    first.write_bytes(altered)
    found = taken(paid, [first])
    assert counts(found) == (3, 0, 0, 1)
    assert found.refusals is not None
    assert why in found.refusals.read_text(encoding="utf-8")


def test_an_answer_of_another_amount_is_listed_and_moves_nothing(paid: Exchange, tmp_path: Path) -> None:
    [first, *_] = answers(paid.pay(), {}, tmp_path / "answers")
    altered = bytearray(first.read_bytes())
    amount, trailer = int(altered[RECORD + 80 : RECORD + 90]), len(altered) - 2 * RECORD
    altered[RECORD + 80 : RECORD + 90] = b"%010d" % (amount + 1)
    altered[trailer + 7 : trailer + 19] = b"%012d" % (int(altered[trailer + 7 : trailer + 19]) + 1)
    first.write_bytes(altered)
    found = taken(paid, [first])
    assert counts(found) == (3, 0, 0, 1)
    assert found.refusals is not None
    assert "the amount is not what was sent" in found.refusals.read_text(encoding="utf-8")


def test_two_answers_that_contradict_each_other_are_both_refused(paid: Exchange, tmp_path: Path) -> None:
    [first, *_] = answers(paid.pay(), {}, tmp_path / "answers")
    content = bytearray(first.read_bytes())
    content[2 * RECORD : 3 * RECORD] = content[RECORD : 2 * RECORD]
    content[2 * RECORD + CODE] = ord("8")
    data = [int(content[at + 80 : at + 90]) for at in range(RECORD, len(content) - 2 * RECORD, RECORD)]
    content[-2 * RECORD + 7 : -2 * RECORD + 19] = b"%012d" % sum(data)
    first.write_bytes(content)
    assert counts(taken(paid, [first])) == (2, 0, 0, 2)


def test_a_list_that_is_not_whole_moves_nothing(paid: Exchange, tmp_path: Path) -> None:
    [first, *_] = answers(paid.pay(), {}, tmp_path / "answers")
    first.write_bytes(first.read_bytes()[:-RECORD])
    with pytest.raises(SourceRefused):
        taken(paid, [first])
    assert set(standing(paid).values()) == {Standing.OUT}


def test_settled_after_it_came_back_is_refused(paid: Exchange, tmp_path: Path) -> None:
    run = paid.pay()
    taken(paid, answers(run, {1: "8"}, tmp_path / "first"))
    assert counts(taken(paid, answers(run, {}, tmp_path / "second"))) == (0, 0, 11, 1)


def test_a_custodian_answers_for_coins_without_telling_the_amount(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    made = exchange(founded(tmp_path / "home"), HELD, MIXED)
    told(made.home, [f"{account},2026-03-20T00:00:00Z,address,,,,,,XEM,nem,N{account}" for account in HELD])
    run = made.pay("custodian", "XEM")
    lines = ["payment_id,outcome,reference,reason"]
    for file in run.files:
        ids = [row.split(",")[0] for row in (run.folder / file.path.name).read_text(encoding="utf-8").splitlines()[1:]]
        lines += [
            f"{one},returned,,frozen" if one.endswith("0000000003") else f"{one},settled,tx-{one}," for one in ids
        ]
    confirmed = tmp_path / "confirmed.csv"
    confirmed.write_text("\n".join([*lines, "JPY-0000001001-0000000001,settled,t,", ""]), encoding="utf-8")
    by = Payer(made.cast.books, made.cast.cem, "answers")
    found = take_in(
        by, [(made.approval, made.plan.entitlements)], [confirmed], Source("custodian"), lambda what, share: None
    )
    assert counts(found) == (11, 1, 0, 1)
    assert dict(found.reasons) == {"frozen": 1}
    assert made.balance(made.approval.claimants["XEM"].code) == sorted(made.owed("XEM").items())[2][1]
    assert verify(made.cast.books).difference is None


def test_small_files_are_looked_at_together_and_each_row_keeps_its_file_and_line(
    paid: Exchange, tmp_path: Path
) -> None:
    files = answers(paid.pay(), {2: "8"}, tmp_path / "answers")
    assert len(files) > 2
    assert len(bundles(files)) == 1
    altered = bytearray(files[1].read_bytes())
    altered[RECORD + 101 : RECORD + 111] = b"0000000099"
    files[1].write_bytes(altered)
    found = taken(paid, files)
    assert counts(found) == (10, 1, 0, 1)
    assert found.refusals is not None
    [_, row] = found.refusals.read_text(encoding="utf-8").splitlines()
    assert row.startswith(f'"{files[1].name}",2,')


def test_answers_come_in_the_form_of_the_channel_that_paid(paid: Exchange, tmp_path: Path) -> None:
    run = paid.pay()
    listed = tmp_path / "forged.csv"
    ids = [f"JPY-{run.order.code:010d}-{number:010d}" for number in range(1, 13)]
    listed.write_text(
        "payment_id,outcome,reference,reason\n" + "".join(f"{one},settled,t,\n" for one in ids), encoding="utf-8"
    )
    by = Payer(paid.cast.books, paid.cast.cem, "answers")
    found = take_in(
        by, [(paid.approval, paid.plan.entitlements)], [listed], Source("custodian"), lambda what, share: None
    )
    assert counts(found) == (0, 0, 0, 12)
    assert set(standing(paid).values()) == {Standing.OUT}


def test_as_many_reasons_as_payments_are_told_apart(paid: Exchange, tmp_path: Path) -> None:
    reasons = np.arange(40_000)
    with duckdb.connect() as engine:
        engine.register("told", {"number": reasons + 1})
        engine.execute(
            "CREATE TABLE fates_0 AS SELECT number, 1::DECIMAL(18,0) AS amount, 1 AS run, false AS settled, 'r' || number AS reason, false AS late, NULL::VARCHAR AS why FROM told"
        )
        chunk = Chunk("JPY", 1, 1, len(reasons), reasons.astype("u1") * 0 + 1, reasons.astype("i2") * 0 + 1)
        leg = replace(paid.leg(), size=len(reasons))
        [new] = news(engine, 0, Part(paid.approval, leg, {1: chunk}, ("zengin",)))
    assert (len(new.returned), new.people) == (len(reasons), len(reasons))
