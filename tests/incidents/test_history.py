"""Incidents on record are the history that the requirement reads: losses less what came back, beside those ingested."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from books.cast import Cast
from custody.conftest import bring
from junbikin.books.journal import known_now
from junbikin.calendars import Period
from junbikin.facts.lake import open_lake
from junbikin.figures import Data, Figure
from junbikin.incidents import incident as events
from junbikin.incidents.timeline import tell
from junbikin.reserve.assess import assess
from junbikin.reserve.history import record
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.verify import verify
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import load_rulebook

DAY = date(2025, 9, 30)
YEAR = Period("FY2025", date(2025, 4, 1), date(2026, 3, 31))
OCCURRED = datetime(2025, 6, 2, 3, tzinfo=UTC)


@pytest.fixture
def cast(founded: Callable[[Path], Cast], tmp_path: Path) -> Cast:
    return founded(tmp_path / "home")


def told(cast: Cast, incident: str, *says: dict[str, Any]) -> None:
    opened = events.opened(cast.books, incident, "hack", OCCURRED, OCCURRED, "taken")
    for each in (opened, *says):
        tell(cast.books, cast.cem, incident, each, "as seen", OCCURRED)


def taken(value: str | None, place: str = "online") -> dict[str, Any]:
    return events.taken("XEM", Decimal(5), place, "hot", "", [], (value, "a price"))


def losses(cast: Cast, day: date = DAY, known_at: datetime | None = None) -> Figure:
    ledger = Ledger(cast.books, day, known_at or known_now(cast.books))
    return FactsView(open_lake(cast.books.home), day, ledger).net_losses(YEAR)


def sources(figure: Figure) -> list[str]:
    return [each.source.query for each in figure.walk() if isinstance(each.source, Data)]


def test_a_loss_less_what_came_back_counts_and_says_where_it_is_from(cast: Cast) -> None:
    told(cast, "inc", taken("1000"), taken("500", "other"), events.recovered("XEM", Decimal(1), "200", "tx"))
    found = losses(cast)
    assert found.value == Decimal(1300)
    assert sources(found) == ["loss of inc, by the books", "recovered of inc, by the books"]


def test_incidents_from_files_and_from_the_books_stand_beside_each_other(cast: Cast) -> None:
    bring(cast.books.home, "incidents", ["filed,2025-05-01,fraud,,300,100"])
    told(cast, "inc", taken("1000"))
    assert losses(cast).value == Decimal(1200)


def test_of_equal_ids_the_books_win_and_the_source_says_so(cast: Cast) -> None:
    bring(cast.books.home, "incidents", ["inc,2025-05-01,hack,hot,7777,0"])
    told(cast, "inc", taken("1000"))
    found = losses(cast)
    assert found.value == Decimal(1000)
    assert "loss of inc, by the books instead of the file" in sources(found)


@pytest.mark.parametrize(
    "says", [[], [taken(None)], [taken("1000"), taken(None, "other")]], ids=["nothing", "unpriced", "part"]
)
def test_a_loss_that_is_not_known_is_a_hole_and_not_nothing(cast: Cast, says: list[dict[str, Any]]) -> None:
    told(cast, "inc", *says)
    assert losses(cast).holes


def test_what_had_not_happened_or_was_not_known_is_not_seen(cast: Cast) -> None:
    before = known_now(cast.books)
    told(cast, "inc", taken("1000"))
    assert losses(cast, date(2025, 6, 1)).value == 0
    assert losses(cast, known_at=before).value == 0
    assert losses(cast, date(2025, 6, 2)).value == Decimal(1000)


def test_a_position_that_reads_it_goes_on_record_and_is_verified_after_more_is_told(cast: Cast) -> None:
    home = cast.books.home
    bring(home, "customer_balances", ["2025-09-30,c1,BTC,6"])
    bring(home, "holdings", ["2025-09-30,vault,BTC,6,customer,cold"])
    bring(home, "prices", ["BTC,JPY,2025-09-30T09:00:00+09:00,10000000,ours"])
    told(cast, "inc", taken("4000000000000"))
    lake, ledger = open_lake(home), Ledger(cast.books, DAY, known_now(cast.books))
    position = assess(lake, load_rulebook("jp-reserve-candidate"), DAY, FactsView(lake, DAY, ledger))
    assert any(step.key == "loss.inc" for step in position.requirement.walk())
    record(cast.books, [position])
    tell(cast.books, cast.cem, "inc", taken("1", "other"), "more", OCCURRED)
    checked = verify(home, position.document())
    assert checked.difference is None
    assert checked.recomputed.digest == position.digest
