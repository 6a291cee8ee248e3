"""A break from its first day to its end: its age, who looks at it, why it was there; and what the books refuse and verify."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest
import rfc8785

from junbikin.books import server
from junbikin.books.proof.verify import verify
from junbikin.custody.reconcile import recorded
from junbikin.custody.reconcile.breaks import Compared, break_id
from junbikin.custody.reconcile.recorded import every, list_path, record
from junbikin.custody.reconcile.treated import State, episode, episodes, treat
from junbikin.errors import BooksRefused, FactsDamaged

from .scene import DAY, Scene, at

LACKS = break_id(Compared.ACCOUNT, "c1", "BTC", "")
OTHER = break_id(Compared.ACCOUNT, "c2", "BTC", "")


def on_record(scene: Scene, day: date) -> int:
    """Reconciles a day and puts it on record."""
    return record(scene.books, scene.found(day))


def day(number: int) -> date:
    """A day after the first."""
    return DAY + timedelta(days=number)


@pytest.fixture
def lacking(scene: Scene) -> Scene:
    """On the first day c1 lacks a coin on the platform, which is on record."""
    scene.pay("c1", 5, at())
    scene.facts("customer_balances", f"{DAY},c1,BTC,4")
    on_record(scene, DAY)
    return scene


def standing(scene: Scene) -> list[tuple[str, str, str, int]]:
    """Id, state, first day and age of the breaks of accounts, the newest first."""
    return [
        (each.of.id, str(each.state), each.of.since.isoformat(), each.of.age_days(each.last_seen))
        for each in episodes(scene.books, tuple(State)).first
        if each.of.compared == Compared.ACCOUNT
    ]


def test_a_break_keeps_its_id_and_grows_older_until_it_is_gone_and_is_new_when_it_comes_again(lacking: Scene) -> None:
    assert standing(lacking) == [(LACKS, "open", "2026-04-01", 0)]
    lacking.facts("balance_changes", f"{day(2)}T01:00:00Z,c1,BTC,9")
    on_record(lacking, day(2))
    assert standing(lacking) == [(LACKS, "open", "2026-04-01", 2)]
    lacking.facts("balance_changes", f"{day(3)}T01:00:00Z,c1,BTC,5")
    on_record(lacking, day(3))
    assert standing(lacking) == [(LACKS, "gone", "2026-04-01", 2)]
    lacking.facts("balance_changes", f"{day(4)}T01:00:00Z,c1,BTC,4")
    on_record(lacking, day(4))
    assert standing(lacking) == [(LACKS, "open", "2026-04-05", 0), (LACKS, "gone", "2026-04-01", 2)]


def test_the_same_again_is_recorded_once(lacking: Scene) -> None:
    found = lacking.found()
    first = record(lacking.books, found)
    assert record(lacking.books, found) == first
    assert [each.record for each in every(lacking.books)].count(first) == 1


def test_a_break_is_assigned_explained_gone_and_closed_by_somebody_else(lacking: Scene) -> None:
    cast = lacking.cast
    treat(lacking.books, cast.ada, LACKS, "assign", "wallets are hers", to="cem")
    assert episode(lacking.books, LACKS).state == State.ASSIGNED
    treat(lacking.books, cast.cem, LACKS[:8], "explain", "a fee was booked twice")
    each = episode(lacking.books, LACKS)
    assert (each.state, each.assigned_to, each.explanation) == (State.EXPLAINED, "cem", "a fee was booked twice")
    with pytest.raises(BooksRefused, match="the difference is still there"):
        treat(lacking.books, cast.ben, LACKS, "close", "looks fine")
    lacking.facts("customer_balances", f"{day(1)},c1,BTC,5")
    on_record(lacking, day(1))
    assert episode(lacking.books, LACKS).state == State.GONE
    with pytest.raises(BooksRefused, match="nobody closes what they explained"):
        treat(lacking.books, cast.cem, LACKS, "close", "mended")
    treat(lacking.books, cast.ben, LACKS, "close", "correction seen")
    assert episode(lacking.books, LACKS).state == State.CLOSED
    with pytest.raises(BooksRefused, match="the break is closed"):
        treat(lacking.books, cast.ben, LACKS, "close", "again")
    assert verify(lacking.books).difference is None


def test_what_was_never_explained_is_not_closed_and_the_auditor_only_reads(lacking: Scene) -> None:
    cast = lacking.cast
    lacking.facts("customer_balances", f"{day(1)},c1,BTC,5")
    on_record(lacking, day(1))
    with pytest.raises(BooksRefused, match="never explained"):
        treat(lacking.books, cast.ben, LACKS, "close", "gone")
    with pytest.raises(BooksRefused, match="only reads"):
        treat(lacking.books, cast.dai, LACKS, "explain", "seen")
    with pytest.raises(BooksRefused, match="could look at it"):
        treat(lacking.books, cast.ada, LACKS, "assign", "hers", to="dai")
    with pytest.raises(BooksRefused, match="there is no break"):
        treat(lacking.books, cast.ada, OTHER, "explain", "nothing")


def test_while_too_many_stand_to_be_named_none_is_closed(lacking: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    treat(lacking.books, lacking.cast.ada, LACKS, "explain", "known")
    lacking.facts("customer_balances", f"{day(1)},c1,BTC,5", f"{day(1)},c2,BTC,5")
    monkeypatch.setattr(recorded, "IDS_AT_MOST", 0)
    on_record(lacking, day(1))
    with pytest.raises(BooksRefused, match="too many breaks"):
        treat(lacking.books, lacking.cast.ben, LACKS, "close", "gone")


def test_a_list_that_was_changed_is_told_and_one_that_is_missing_too(lacking: Scene) -> None:
    [first] = every(lacking.books)
    path = list_path(lacking.home, first.as_of, first.list_digest)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"2026-04-01", b"2026-03-01"))
    with pytest.raises(FactsDamaged, match="was changed"):
        lacking.found(day(1))
    path.unlink()
    found = lacking.found(day(1))
    assert any(f"record {first.record}" in notice.en for notice in found.notices)
    assert episodes(lacking.books).missing == (first.record,)


def test_a_list_that_a_later_run_replaced_is_not_recorded_as_the_earlier(lacking: Scene) -> None:
    found = lacking.found(day(1))
    found.listed.write_bytes(b"")
    with pytest.raises(FactsDamaged):
        record(lacking.books, found)


def as_owner(scene: Scene) -> psycopg.Connection:
    """Whoever owns the database."""
    address = scene.home.database.replace(f"{server.ROLE}@", "postgres@")
    return psycopg.connect(address, autocommit=True)


@pytest.mark.parametrize(
    ("by", "says", "told"),
    [
        ("ben", {"act": "close", "since": "2026-04-01"}, "closed while the difference was there"),
        ("dai", {"act": "explain", "since": "2026-04-01"}, "dai had no role"),
        ("nobody", {"act": "explain", "since": "2026-04-01"}, "nobody had no role"),
        ("ben", {"act": "forget", "since": "2026-04-01"}, "no such record"),
    ],
)
def test_verify_finds_what_was_put_into_the_log_past_the_rules(
    lacking: Scene, by: str, says: dict[str, str], told: str
) -> None:
    with as_owner(lacking) as owner:
        owner.execute(
            "SELECT books.append('break', %s, %s, NULL, %s, 'forged', NULL, %s)",
            [LACKS, f"break:{LACKS}:1", by, rfc8785.dumps(says).decode()],
        )
    difference = verify(lacking.books).difference
    assert difference is not None
    assert told in difference.what


@pytest.mark.parametrize(
    ("explains", "told"),
    [
        (None, "the break was closed and never explained"),
        ("ben", "the break was closed by who explained it"),
        ("ada", None),
    ],
)
def test_verify_looks_at_every_closing_again(lacking: Scene, explains: str | None, told: str | None) -> None:
    if explains:
        treat(lacking.books, lacking.people[explains], LACKS, "explain", "known")
    lacking.facts("customer_balances", f"{day(1)},c1,BTC,5")
    on_record(lacking, day(1))
    says = rfc8785.dumps({"act": "close", "since": "2026-04-01"}).decode()
    with as_owner(lacking) as owner:
        owner.execute(
            "SELECT books.append('break', %s, %s, NULL, 'ben', 'forged', NULL, %s)", [LACKS, f"break:{LACKS}:1", says]
        )
    difference = verify(lacking.books).difference
    assert (difference.what if difference else None) == told


def test_verify_finds_a_break_that_was_closed_twice(lacking: Scene) -> None:
    treat(lacking.books, lacking.cast.ada, LACKS, "explain", "known")
    lacking.facts("customer_balances", f"{day(1)},c1,BTC,5")
    on_record(lacking, day(1))
    treat(lacking.books, lacking.cast.ben, LACKS, "close", "seen")
    assert verify(lacking.books).difference is None
    says = rfc8785.dumps({"act": "close", "since": "2026-04-01"}).decode()
    with as_owner(lacking) as owner:
        owner.execute(
            "SELECT books.append('break', %s, %s, NULL, 'ben', 'again', NULL, %s)", [LACKS, f"break:{LACKS}:2", says]
        )
    difference = verify(lacking.books).difference
    assert difference is not None
    assert difference.what == "the break was closed before"


def test_a_reconciliation_is_only_recorded_whole(scene: Scene) -> None:
    with pytest.raises(BooksRefused, match="no reconciliation"):
        scene.books.call("put_on_record", "reconciliation", "reconciliation", at(), '{"digest":"x"}')
    with pytest.raises(BooksRefused, match="no reconciliation is on record"):
        scene.books.call(
            "treat_break", "ada", scene.cast.ada.secret, LACKS, "why", '{"act":"explain","since":"2026-04-01"}'
        )
