"""Verify: whatever an owner of the database does to the past is named; books that were only added to hold."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from junbikin.books.database import Books
from junbikin.books.proof.digests import batch_digest, entries_digest, record_digest
from junbikin.books.proof.verdict import Difference
from junbikin.books.proof.verify import verify
from junbikin.registry.requests import ask_to_post, ask_to_record, decide

from .cast import Cast, assembled
from .tampering import TABLES, Owner, rechain, record_of, restored, unguarded


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on books with a payment in, a late one, one that was approved and one that was refused."""
    cast = assembled(books)
    for number in range(4):
        cast.pay_in("customer/JPY/pool/c1", 100 + number, key=f"in{number}")
    cast.post("fee", "fee", {"customer/JPY/pool/c1": "-1.50", "own/JPY/bank": "1.50"}, reference="f")
    cast.pay_in("own/JPY/bank", 1000)
    cast.pay_in("reserve/JPY/kaede", 500)
    cast.approved("moved", "relocation", {"reserve/JPY/kaede": -20, "reserve/JPY/minato": 20}, reference="r")
    return cast


def found(books: Books) -> Difference:
    """What verify names."""
    difference = verify(books).difference
    assert difference is not None
    return difference


def test_untouched_books_hold_and_what_was_counted_is_all_there_is(cast: Cast, owner: Owner) -> None:
    steps: list[tuple[str, float]] = []
    verdict = verify(cast.books, progress=lambda what, share: steps.append((what, share)))
    assert verdict.difference is None
    counts = owner.execute("SELECT count(*), count(amounts), sum(cardinality(amounts)) FROM books.records").fetchone()
    assert (verdict.records, verdict.batches, verdict.entries) == counts
    assert {what for what, share in steps if share == 1.0} == {
        "chain", "accounts", "batches", "balances", "approvals", "claims",
    }  # fmt: skip


def test_books_written_by_many_at_once_with_late_batches_requests_and_refusals_hold(cast: Cast, owner: Owner) -> None:
    start = datetime.now(UTC)

    def work(turn: int) -> None:
        late = start - timedelta(minutes=turn % 5)
        world = "outside/JPY/world"
        cast.post(
            f"p{turn}",
            "deposit",
            {world: -5, f"customer/JPY/pool/c{1 + turn % 2}": 5},
            late if turn % 3 else None,
            reference="r",
        )
        if turn % 8 == 0:
            batch = cast.batch(
                f"q{turn}", "relocation", {"reserve/JPY/kaede": -1, "reserve/JPY/minato": 1}, reference="r"
            )
            decide(
                cast.books,
                cast.ben,
                ask_to_post(cast.books, cast.ada, batch),
                "refuse" if turn % 16 else "approve",
                "so",
            )
        if turn == 0:
            cast.books.call("freeze", "ada", cast.ada.secret, "insurer/JPY/policy-1", "asked")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(40)))
    number = ask_to_record(cast.books, cast.ada, "account_status", "insurer/JPY/policy-1", {"status": "open"}, "again")
    decide(cast.books, cast.ben, number, "approve", "fine")
    lanes = owner.execute("SELECT max(lanes) FROM books.accounts").fetchone()
    assert lanes is not None
    assert lanes[0] > 1
    assert verify(cast.books).difference is None


def test_digests_in_python_equal_those_of_the_database(cast: Cast, owner: Owner) -> None:
    with owner.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("SELECT * FROM books.records").fetchall()
    assert {row["kind"] for row in rows} >= {"rules", "person", "account", "request", "decision", "batch"}
    for row in rows:
        assert record_digest(row) == row["digest"]
        assert entries_digest(row["accounts"], row["amounts"]) == row["entries_digest"]
    moved = record_of(owner, "moved")
    asked = cast.books.call("batch_digest_hex", "moved", None, moved["content"], "{1,2}", "{-20.50,20.50}")
    told = owner.execute("SELECT books.entries_digest('{1,2}', '{-20.50,20.50}')").fetchone()
    assert told is not None
    assert asked == batch_digest("moved", None, told[0], moved["content"]).hex()


def test_even_the_owner_is_refused_while_the_guards_are_on(cast: Cast, owner: Owner) -> None:
    changes = [f"{verb} books.{table}" for table in TABLES for verb in ("DELETE FROM", "TRUNCATE")]
    for change in (*changes, "UPDATE books.records SET why = 'x'", "UPDATE books.balances SET amount = 1"):
        with pytest.raises(psycopg.Error, match=r"the past is only added to|referenced in a foreign key"):
            owner.execute(change.encode())
    assert verify(cast.books).difference is None


def test_an_altered_amount_is_named_with_its_record_and_account(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2")
    with unguarded(owner, "records"):
        owner.execute("UPDATE books.records SET amounts[2] = 902 WHERE id = %s", (record["id"],))
    difference = found(cast.books)
    assert difference.kind == "altered"
    assert f"record {record['id']} (batch in2" in difference.where
    assert "customer/JPY/pool/c1" in difference.what
    assert (difference.expected, difference.found) == ("102", "902")


COLUMNS = {
    "kind": "'position'", "subject": "'x'", "key": "key || 'x'", "effective_at": "effective_at - interval '1 day'",
    "recorded_at": "recorded_at + interval '1 microsecond'", "recorded_by": "'ben'", "why": "'another reason'", "request": "1",
    "content": "replace(content, '\"r\"', '\"s\"')", "previous": "sha256('x')", "digest": "sha256('x')", "entries_digest": "sha256('x')",
    "id": "id + 100000", "accounts": "ARRAY[accounts[1], accounts[2] + 1]", "amounts": "ARRAY[amounts[1], NULL]",
}  # fmt: skip


def test_any_other_altered_column_is_named_with_its_record(cast: Cast, owner: Owner, subtests: pytest.Subtests) -> None:
    record = record_of(owner, "in2")
    assert {*COLUMNS, "strand", "link"} == set(record)
    for column, value in COLUMNS.items():
        with subtests.test(column), restored(owner):
            with unguarded(owner, "records"):
                owner.execute(f"UPDATE books.records SET {column} = {value} WHERE id = {record['id']}".encode())
            difference = found(cast.books)
            assert difference.kind == "altered"
            assert f"link {record['link']}" in difference.where
            if column in ("effective_at", "recorded_at"):
                assert column in difference.what
    assert verify(cast.books).difference is None


def test_a_time_that_is_none_is_named(cast: Cast, owner: Owner) -> None:
    with unguarded(owner, "records"):
        owner.execute("UPDATE books.records SET effective_at = 'infinity' WHERE kind = 'batch' AND key = 'in2'")
    difference = found(cast.books)
    assert difference.kind == "unreadable"
    assert "infinity" in difference.what


def test_an_empty_subject_in_place_of_none_is_named(cast: Cast, owner: Owner) -> None:
    with unguarded(owner, "records"):
        owner.execute("UPDATE books.records SET subject = '' WHERE kind = 'batch' AND key = 'in2'")
    difference = found(cast.books)
    assert (difference.kind, difference.expected, difference.found) == ("altered", "", "")
    assert "empty subject" in difference.what


def test_entries_that_do_not_give_their_digest_are_named_when_all_else_agrees(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2") | {"entries_digest": bytes(32)}
    with unguarded(owner, "records"):
        owner.execute(
            "UPDATE books.records SET entries_digest = %s, digest = %s WHERE id = %s",
            (bytes(32), record_digest(record), record["id"]),
        )
    difference = found(cast.books)
    assert (difference.kind, difference.expected) == ("altered", bytes(32).hex())
    assert "entries do not give their digest" in difference.what


def test_a_deleted_row_is_named_by_its_place(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2")
    with unguarded(owner, "records"):
        owner.execute("DELETE FROM books.records WHERE id = %s", (record["id"],))
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("deleted", f"strand 0, link {record['link']}")


def shift(owner: Owner, after: int, by: int) -> None:
    """Moves every record of strand 0 after a link, and the strand's end."""
    # By way of negative links: two rows never have one place.
    owner.execute("UPDATE books.records SET link = -(link + %s) WHERE strand = 0 AND link > %s", (by, after))
    owner.execute("UPDATE books.records SET link = -link WHERE strand = 0 AND link < 0")
    owner.execute("UPDATE books.strands SET length = length + %s WHERE strand = 0", (by,))


def test_a_deleted_row_is_named_even_when_the_others_close_ranks(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2")
    with unguarded(owner, "records", "strands"):
        owner.execute("DELETE FROM books.records WHERE id = %s", (record["id"],))
        shift(owner, record["link"], -1)
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("deleted", f"strand 0, link {record['link']}")
    assert "in3" in difference.what


def forged(owner: Owner, like: str, **changes: Any) -> dict[str, Any]:
    """A record like another, whole in itself, put into the log."""
    row = record_of(owner, like) | changes
    row["digest"] = record_digest(row)
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join(map(sql.Placeholder, row))
    owner.execute(sql.SQL("INSERT INTO books.records ({}) VALUES ({})").format(names, values), row)
    return row


def test_an_inserted_row_is_named_by_its_place(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2")
    with unguarded(owner, "records", "strands"):
        shift(owner, record["link"], 1)
        link = record["link"] + 1
        at = record["recorded_at"] + timedelta(microseconds=1)
        forged(owner, "in2", id=10**9, key="never", link=link, previous=record["digest"], recorded_at=at)
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("inserted", f"strand 0, link {link}")


def test_a_row_added_behind_the_end_is_named(cast: Cast, owner: Owner) -> None:
    row = owner.execute("SELECT length, head FROM books.strands WHERE strand = 0").fetchone()
    assert row is not None
    forged(owner, "in2", id=10**9, key="never", link=row[0] + 1, previous=row[1], recorded_at=datetime.now(UTC))
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("inserted", "strand 0")


def test_reordered_rows_are_named(cast: Cast, owner: Owner) -> None:
    first, second = record_of(owner, "in1"), record_of(owner, "in2")
    with unguarded(owner, "records"):
        for link, record in ((-1, first), (first["link"], second), (second["link"], first)):
            owner.execute("UPDATE books.records SET link = %s WHERE id = %s", (link, record["id"]))
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("reordered", f"strand 0, link {first['link']}")
    assert "in2" in difference.what


def test_a_cut_tail_is_named_with_how_many_records_are_missing(cast: Cast, owner: Owner) -> None:
    with unguarded(owner, "records"):
        owner.execute(
            "DELETE FROM books.records r USING books.strands s WHERE r.strand = 0 AND s.strand = 0 AND link > length - 2"
        )
    difference = found(cast.books)
    assert difference.kind == "cut"
    assert "2 records are missing" in difference.what


def test_a_record_rewritten_with_its_digest_is_named_by_the_one_that_followed_it(cast: Cast, owner: Owner) -> None:
    record = record_of(owner, "in2")
    new = record_digest(record | {"why": "another reason"})
    with unguarded(owner, "records"):
        owner.execute("UPDATE books.records SET why = 'another reason', digest = %s WHERE id = %s", (new, record["id"]))
    difference = found(cast.books)
    assert difference.kind == "rewritten"
    assert "batch in3" in difference.where
    assert (difference.expected, difference.found) == (record["digest"].hex(), new.hex())


def test_a_log_replaced_by_a_view_is_named(cast: Cast, owner: Owner) -> None:
    owner.execute("ALTER TABLE books.actions RENAME TO real_actions")
    owner.execute("CREATE VIEW books.actions AS SELECT * FROM books.real_actions")
    difference = found(cast.books)
    assert (difference.kind, difference.where) == ("replaced", "books.actions")


def test_guards_left_off_are_named(cast: Cast, owner: Owner) -> None:
    with unguarded(owner, "balances"):
        difference = found(cast.books)
    assert (difference.kind, difference.where) == ("guard", "books.balances")
    owner.execute("DROP TRIGGER only_added_to ON books.records")
    assert found(cast.books).where == "books.records"


DERIVED: dict[str, tuple[str, str, str]] = {
    "a balance's amount": ("UPDATE books.balances SET amount = amount + 1 WHERE record = {in2} AND amount > 0", "balance", "customer/JPY/pool/c1"),
    "a running balance": ("UPDATE books.balances SET balance = balance + 1 WHERE record = {in2} AND amount > 0", "balance", "customer/JPY/pool/c1"),
    "a balance's time": ("UPDATE books.balances SET effective_at = effective_at - interval '1 day' WHERE record = {in2}", "balance", "batch in2"),
    "a balance's record": ("UPDATE books.balances SET record = 1 WHERE record = {in2} AND amount > 0", "balance", "batch in2"),
    "a balance taken away": ("DELETE FROM books.balances WHERE record = {in2} AND amount > 0", "balance", "batch in2"),
    "a balance too many": (
        "INSERT INTO books.balances SELECT id, 0, now(), now(), 1, 0, 0 FROM books.accounts WHERE code = 'customer/BTC/pool/c1'",
        "balance", "customer/BTC/pool/c1"),
    "a balance of nobody": ("INSERT INTO books.balances VALUES (99999, 0, now(), now(), 1, 5, 5)", "account", "99999"),
    "lanes": ("UPDATE books.accounts SET lanes = 2 WHERE code = 'own/JPY/bank'", "lanes", "own/JPY/bank"),
    "lanes of an unused account": ("UPDATE books.accounts SET lanes = 2 WHERE code = 'own/BTC/vault'", "lanes", "own/BTC/vault"),
    "an account's holder": ("UPDATE books.accounts SET holder = 'c9' WHERE code = 'customer/JPY/pool/c1'", "account", "customer/JPY/pool/c1"),
    "whether it may be overdrawn": ("UPDATE books.accounts SET may_overdraw = true WHERE code = 'customer/JPY/pool/c1'", "account", "customer/JPY/pool/c1"),
    "an account too many": (
        "INSERT INTO books.accounts VALUES (99999, 1, 'own/JPY/attic', 'own', 'JPY', 'attic', NULL, true)", "account", "own/JPY/attic"),
    "an account taken away": ("DELETE FROM books.accounts WHERE code = 'insurer/JPY/policy-1'", "account", "insurer/JPY/policy-1"),
    "a status": ("UPDATE books.accounts SET status = 'closed' WHERE code = 'own/JPY/bank'", "account", "own/JPY/bank"),
    "a flow rule": ("UPDATE books.flow_rules SET approved_by = '{{}}' WHERE purpose = 'release'", "rules", "books.flow_rules"),
    "an action": ("DELETE FROM books.actions WHERE action = 'policy'", "rules", "books.actions"),
    "an owner": ("UPDATE books.owners SET may_overdraw = true WHERE owner = 'reserve'", "rules", "books.owners"),
    "a strand's time": ("UPDATE books.strands SET recorded_at = now() + interval '1 day' WHERE strand = 0", "altered", "strand 0"),
    "a strand's head": ("UPDATE books.strands SET head = sha256('x') WHERE strand = 0", "rewritten", "strand 0"),
    "a strand taken away": ("DELETE FROM books.strands WHERE strand = 15", "altered", "books.strands"),
}  # fmt: skip


def test_what_no_longer_follows_from_the_log_is_named(cast: Cast, owner: Owner, subtests: pytest.Subtests) -> None:
    in2 = record_of(owner, "in2")["id"]
    for what, (statement, kind, where) in DERIVED.items():
        with subtests.test(what), restored(owner):
            with unguarded(owner, *TABLES):
                assert owner.execute(statement.format(in2=in2).encode()).rowcount > 0
            difference = found(cast.books)
            assert (difference.kind, where in difference.where) == (kind, True)
    assert verify(cast.books).difference is None


def approve_alone(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET recorded_by = 'ada' WHERE kind = 'decision' AND request = (SELECT request FROM books.records WHERE key = 'moved')")  # fmt: skip


def approve_nothing(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET content = replace(content, 'approve', 'refuse') WHERE kind = 'decision'")


def approve_something_else(owner: Owner) -> None:
    owner.execute("""UPDATE books.records SET content = replace(content, '"r"', '"s"') WHERE key = 'moved'""")


def forget_the_request(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET request = NULL WHERE key = 'moved'")


def pay_what_no_rule_allows(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET content = replace(content, 'fee', 'release') WHERE key = 'fee'")


def unbalance(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET amounts[1] = -103 WHERE key = 'in2'")
    owner.execute("UPDATE books.balances b SET amount = -103, balance = balance - 1 FROM books.records r WHERE r.id = record AND key = 'in2' AND amount < 0")  # fmt: skip
    owner.execute("UPDATE books.balances b SET balance = b.balance - 1 FROM books.records r, books.balances x WHERE r.key = 'in2' AND x.record = r.id AND x.amount < 0 AND b.account = x.account AND b.recorded_at > x.recorded_at")  # fmt: skip


def overdraw(owner: Owner) -> None:
    """A fee of more than there was."""
    owner.execute("UPDATE books.records SET amounts = ARRAY[-1000.0, 1000.0] WHERE key = 'fee'")
    owner.execute(
        "UPDATE books.balances SET amount = 1000.0 * sign(amount) FROM books.records WHERE id = record AND key = 'fee'"
    )
    owner.execute("UPDATE books.balances b SET balance = s.running FROM (SELECT account, lane, recorded_at, sum(amount) OVER (PARTITION BY account, lane ORDER BY recorded_at) AS running FROM books.balances) s WHERE (s.account, s.lane, s.recorded_at) = (b.account, b.lane, b.recorded_at)")  # fmt: skip


def say_no_json(owner: Owner) -> None:
    owner.execute("UPDATE books.records SET content = 'nothing' WHERE key = 'in2'")


DEEDS: dict[Callable[[Owner], None], str] = {
    approve_alone: "approval", approve_nothing: "approval", approve_something_else: "approval", forget_the_request: "flow",
    pay_what_no_rule_allows: "flow", unbalance: "unbalanced", overdraw: "overdrawn", say_no_json: "unreadable",
}  # fmt: skip


def test_a_broken_rule_is_named_even_when_the_whole_chain_was_worked_out_again(
    cast: Cast, owner: Owner, subtests: pytest.Subtests
) -> None:
    for deed, kind in DEEDS.items():
        with subtests.test(deed.__name__), restored(owner):
            with unguarded(owner, *TABLES):
                deed(owner)
                rechain(owner)
            assert found(cast.books).kind == kind
    assert verify(cast.books).difference is None
