"""Disputes: filed with evidence, decided once by two people, and what is upheld waits for a plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import Cast
from junbikin.errors import BadInput, BooksRefused
from junbikin.incidents import incident as events
from junbikin.incidents.disputes import Dispute, Standing, Upheld, decided, dispute_of, disputes, file, upheld
from junbikin.incidents.documents import keep, kept
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import ask_to_record, decide

OCCURRED = datetime(2025, 6, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def cast(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Cast:
    cast = founded(tmp_path_factory.mktemp("disputes") / "home")
    for name in ("inc", "inc_", "incx"):
        says = events.opened(cast.books, name, "hack", OCCURRED, OCCURRED, "taken")
        tell(cast.books, cast.cem, name, says, "seen")
    return cast


def filed(cast: Cast, account: str, incident: str = "inc", evidence: tuple[str, ...] = ()) -> Dispute:
    number = file(cast.books, cast.ada, incident, account, "XEM", "I held more", evidence, "", "letter of 3 June")
    return dispute_of(cast.books, incident, number)


def ruled(cast: Cast, of: Dispute, verdict: Standing, adjustment: str, by: str = "cem") -> int | None:
    says = decided(of, verdict, Decimal(adjustment))
    number = ask_to_record(cast.books, cast.people[by], "dispute", f"inc:{of.account}", says, "as the ledger shows")
    return decide(cast.books, cast.ben, number, "approve", "seen")


def test_a_dispute_waits_until_two_people_decide_it(cast: Cast) -> None:
    of = filed(cast, "c1")
    assert (of.standing, of.account, of.claims) == (Standing.FILED, "c1", "I held more")
    record = ruled(cast, of, Standing.UPHELD, "12.5")
    after = dispute_of(cast.books, "inc", of.record)
    assert after.decision is not None
    assert (after.standing, after.decision.adjustment, after.decision.record) == (
        Standing.UPHELD,
        Decimal("12.5"),
        record,
    )
    assert Upheld("c1", "XEM", Decimal("12.5"), record or 0) in upheld(cast.books, "inc")


def test_what_is_rejected_gives_nothing(cast: Cast) -> None:
    of = filed(cast, "c2")
    ruled(cast, of, Standing.REJECTED, "0")
    assert dispute_of(cast.books, "inc", of.record).standing is Standing.REJECTED
    assert "c2" not in {each.account for each in upheld(cast.books, "inc")}


def test_a_dispute_is_decided_once(cast: Cast) -> None:
    of = filed(cast, "c3")
    ruled(cast, of, Standing.REJECTED, "0")
    with pytest.raises(BadInput, match="is rejected already"):
        decided(dispute_of(cast.books, "inc", of.record), Standing.UPHELD, Decimal(1))
    with pytest.raises(BooksRefused, match="is decided already"):
        ruled(cast, of, Standing.UPHELD, "1")


@pytest.mark.parametrize(("verdict", "adjustment"), [(Standing.UPHELD, "0"), (Standing.REJECTED, "1")])
def test_an_adjustment_fits_the_verdict(cast: Cast, verdict: Standing, adjustment: str) -> None:
    with pytest.raises(BadInput, match="upheld adjusts by more than 0"):
        decided(filed(cast, "c4"), verdict, Decimal(adjustment))


def test_nobody_decides_alone_and_a_reader_files_nothing(cast: Cast) -> None:
    of = filed(cast, "c5")
    says = decided(of, Standing.UPHELD, Decimal(1))
    number = ask_to_record(cast.books, cast.cem, "dispute", "inc:c5", says, "mine")
    with pytest.raises(BooksRefused, match="nobody approves their own"):
        decide(cast.books, cast.cem, number, "approve", "mine")
    with pytest.raises(BooksRefused):
        file(cast.books, cast.dai, "inc", "c5", "XEM", "x", [], "", "y")


def test_an_incident_sees_its_own_disputes_alone(cast: Cast) -> None:
    """An underscore in a name stands for itself."""
    mine, other = filed(cast, "c6", "inc_"), filed(cast, "c6", "incx")
    assert [each.record for each in disputes(cast.books, "inc_")] == [mine.record]
    with pytest.raises(BooksRefused, match=f"is on record as {other.record}"):
        dispute_of(cast.books, "inc_", other.record)


def test_evidence_is_kept_by_what_it_is(cast: Cast, tmp_path: Path) -> None:
    letter = tmp_path / "letter.PDF"
    letter.write_bytes(b"I held 200")
    home = cast.books.home
    digest = keep(home, "inc", letter)
    again = tmp_path / "copy.pdf"
    again.write_bytes(b"I held 200")
    assert keep(home, "inc", again) == digest
    found = kept(home, "inc", digest)
    assert found is not None
    assert found.read_bytes() == b"I held 200"
    assert len(list(found.parent.iterdir())) == 1
    assert filed(cast, "c7", evidence=(digest,)).evidence == (digest,)
    with pytest.raises(BadInput, match="cannot be read"):
        keep(home, "inc", tmp_path / "nothing.pdf")
