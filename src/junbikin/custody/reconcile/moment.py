"""The moment of a reconciliation: the instant that balances are of, and up to which the books were read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import text

from junbikin.books.database import Books, telling
from junbikin.books.proof.digests import heads_digest
from junbikin.home import Home

_WAIT = text("SELECT pg_advisory_xact_lock_shared(7101, strand) FROM books.strands ORDER BY strand")
_STANDING = text("SELECT strand, length, head, clock_timestamp() FROM books.strands ORDER BY strand")


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, its instant, when the books were read, and where each strand of them ended then: () without books."""

    as_of: date
    at: datetime
    known_at: datetime
    strands: tuple[tuple[int, int, bytes], ...]

    @property
    def heads(self) -> str | None:
        """One digest over the strands' ends: which books these are."""
        return heads_digest(self.strands) if self.strands else None


def moment_of(home: Home, as_of: date, books: Books | None) -> Moment:
    """The end of a day that is over, or now: whoever is writing into the books is waited for, so that nothing before can still come."""
    if books is None:
        now = datetime.now(UTC)
        return Moment(as_of, min(home.end_of(as_of), now), now, ())
    with telling(home), books.engine.begin() as connection:
        connection.execute(_WAIT)
        rows = connection.execute(_STANDING).all()
    known = rows[0][3]
    ends = tuple((strand, length, bytes(head)) for strand, length, head, _ in rows)
    return Moment(as_of, min(home.end_of(as_of), known), known, ends)
