"""The timeline of an incident: what may be told, what it amounts to, and that it only grows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from books.cast import Cast
from custody.conftest import bring
from junbikin.errors import BadInput, BooksRefused
from junbikin.facts.lake import open_lake
from junbikin.home import Home
from junbikin.incidents import incident as events
from junbikin.incidents.deadlines import Standing, deadlines
from junbikin.incidents.documents import keep_text
from junbikin.incidents.incident import Incident, incident_of, incidents
from junbikin.incidents.permission import ANSWER, RULEBOOK, answer, case_of, in_words
from junbikin.incidents.telling import check
from junbikin.incidents.timeline import tell
from junbikin.incidents.valued import valued
from junbikin.registry.requests import ask_to_record, decide
from junbikin.rulebooks.load import load_rulebook

OCCURRED = datetime(2025, 6, 2, 0, 2, 13, tzinfo=UTC)
FOUND = datetime(2025, 6, 2, 2, 25, tzinfo=UTC)


@dataclass
class Told:
    """A cast that tells of incidents: Cem does."""

    cast: Cast

    @property
    def home(self) -> Home:
        return self.cast.books.home

    def opened(self, name: str, cause: str = "hack") -> Incident:
        says = events.opened(self.cast.books, name, cause, OCCURRED, FOUND, "XEM taken from the hot wallet")
        self.tell(name, says)
        return self.of(name)

    def tell(self, name: str, says: dict[str, Any], at: datetime | None = None, by: str = "cem") -> int:
        return tell(self.cast.books, self.cast.people[by], name, says, "as seen", at)

    def of(self, name: str, known_at: datetime | None = None) -> Incident:
        return incident_of(self.cast.books, name, known_at)

    def standing(self, name: str, at: datetime) -> dict[str, Standing]:
        """What is due → how it stands at an instant."""
        return {each.name.en: each.standing(at) for each in deadlines(self.home, self.of(name), [], at)}


@pytest.fixture(scope="module")
def told(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(founded(tmp_path_factory.mktemp("timeline") / "home"))


def _taken(value: tuple[str | None, str], quantity: str = "523000000", place: str = "online") -> dict[str, Any]:
    return events.taken("XEM", Decimal(quantity), place, "hot", "", ["d0b1a2"], value)


def test_an_incident_is_what_was_told_of_it(told: Told) -> None:
    told.opened("inc-1")
    told.tell("inc-1", _taken(("46310000000", "88.549 JPY, a source")))
    told.tell("inc-1", events.state("contained"))
    told.tell("inc-1", events.note("the exchange was told"))
    found = told.of("inc-1")
    assert (found.cause, found.occurred_at, found.found_at, found.state) == ("hack", OCCURRED, FOUND, "contained")
    assert [(each.asset, each.quantity, each.place, each.storage) for each in found.taken] == [
        ("XEM", Decimal(523000000), "online", "hot")
    ]
    assert found.loss.value == Decimal(46310000000)
    assert [event.kind for event in found.events] == ["opened", "taken", "state", "note"]
    assert {event.by for event in found.events} == {"cem"}
    assert found.id in [each.id for each in incidents(told.cast.books)]


def test_what_was_told_last_of_an_asset_at_a_place_counts(told: Told) -> None:
    told.opened("inc-2")
    told.tell("inc-2", _taken(("100", "p"), "1"))
    told.tell("inc-2", _taken(("300", "p"), "3"))
    told.tell("inc-2", _taken(("50", "p"), "2", "other"))
    found = told.of("inc-2")
    assert [(each.place, each.quantity) for each in found.taken] == [("online", Decimal(3)), ("other", Decimal(2))]
    assert found.loss.value == Decimal(350)
    assert len(found.events) == 4


def test_a_loss_that_nobody_can_price_is_a_hole_and_not_nothing(told: Told) -> None:
    told.opened("inc-3")
    assert told.of("inc-3").loss.holes
    told.tell("inc-3", _taken((None, "no price")))
    loss = told.of("inc-3").loss
    assert loss.holes
    told.tell("inc-3", _taken(("70", "p"), "1", "other"))
    loss = told.of("inc-3").loss
    assert (loss.value, bool(loss.holes)) == (Decimal(70), True)


def test_what_was_known_before_is_read_again(told: Told) -> None:
    told.opened("inc-4")
    before = told.of("inc-4").events[-1].recorded_at
    told.tell("inc-4", events.state("contained"))
    assert (told.of("inc-4", before).state, told.of("inc-4").state) == ("opened", "contained")


def test_states_follow_each_other_and_a_closed_one_is_opened_again(told: Told) -> None:
    told.opened("inc-5")
    for wrong in ("compensating", "closed", "opened"):
        with pytest.raises(BooksRefused, match="does not go from opened"):
            told.tell("inc-5", events.state(wrong))
    for right in ("contained", "compensating", "closed", "opened", "contained"):
        told.tell("inc-5", events.state(right))
    assert [state for state, _ in told.of("inc-5").states] == [
        "opened", "contained", "compensating", "closed", "opened", "contained",
    ]  # fmt: skip
    assert told.of("inc-5").closed_at is None


def test_an_incident_is_opened_once(told: Told) -> None:
    told.opened("inc-6")
    with pytest.raises(BadInput, match="there is an incident inc-6 already"):
        told.opened("inc-6")
    with pytest.raises(BooksRefused, match="opened already"):
        told.tell("inc-6", {**told.of("inc-6").opening.says})


def test_names_that_differ_in_capitals_alone_are_one(told: Told) -> None:
    told.opened("Inc-Cap")
    with pytest.raises(BadInput, match="Inc-Cap already, which differs from inc-cap only in capitals"):
        told.opened("inc-cap")


def test_what_was_told_by_mistake_is_taken_back(told: Told) -> None:
    told.opened("inc-10")
    told.tell("inc-10", _taken(("100", "p"), "1"))
    told.tell("inc-10", _taken(("50", "p"), "2", "other"))
    told.tell("inc-10", _taken(("0", "taken back"), "0"))
    found = told.of("inc-10")
    assert [(each.place, each.quantity) for each in found.taken] == [("other", Decimal(2))]
    assert (found.loss.value, found.lost("XEM"), len(found.events)) == (Decimal(50), Decimal(2), 4)
    told.tell("inc-10", _taken(("0", "taken back"), "0", "other"))
    assert told.of("inc-10").loss.holes


AT = FOUND + timedelta(hours=1)


@pytest.mark.parametrize(
    ("says", "at", "what"),
    [
        (events.state("closed"), AT, "does not go from opened to closed"),
        (events.state("opened"), AT, "is opened already"),
        (events.state("contained"), FOUND - timedelta(minutes=1), "before it was found"),
        (events.reported("authority", "first_notice", ""), FOUND - timedelta(minutes=1), "before it was found"),
        (events.note("n"), OCCURRED - timedelta(minutes=1), "before it happened"),
        (_taken(("1", "p"), "1"), OCCURRED - timedelta(days=1), "before it happened"),
        (events.recovered("XEM", Decimal("5.1"), None, "tx"), AT, "5 XEM was taken: 5.1 more"),
        (events.recovered("BTC", Decimal(1), None, "tx"), AT, "no BTC was taken"),
    ],
)
def test_what_cannot_be_told_of_it_as_it_stands_is_refused(
    told: Told, says: dict[str, Any], at: datetime, what: str
) -> None:
    of = _standing_alone(told)
    with pytest.raises(BadInput, match=what) as refused:
        check(of, says, at)
    if what.startswith("does not go"):
        assert refused.value.then == "`junbikin incident state alone contained` comes first"


def _standing_alone(told: Told) -> Incident:
    """An incident that is open, of which 5 XEM were taken."""
    if "alone" not in [each.id for each in incidents(told.cast.books)]:
        told.opened("alone")
        told.tell("alone", _taken(("5", "p"), "5"))
    return told.of("alone")


def test_nothing_more_is_taken_or_got_back_once_it_is_closed(told: Told) -> None:
    told.opened("inc-11")
    told.tell("inc-11", _taken(("5", "p"), "5"))
    for state in ("contained", "closed"):
        told.tell("inc-11", events.state(state))
    for says in (_taken(("5", "p"), "5"), events.recovered("XEM", Decimal(1), None, "tx")):
        with pytest.raises(BadInput, match="the incident is closed") as refused:
            check(told.of("inc-11"), says, None)
        assert "state inc-11 opened" in refused.value.then
    check(told.of("inc-11"), events.note("the last word"), None)
    with pytest.raises(BadInput, match="before it was closed"):
        check(told.of("inc-11"), events.state("opened"), AT)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a:b", "あ", "x" * 65])
def test_a_name_that_could_not_be_a_folder_or_an_account_is_refused(told: Told, name: str) -> None:
    with pytest.raises(BadInput, match="cannot name an incident"):
        told.opened(name)


def test_what_cannot_have_been_is_refused(told: Told) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(BadInput, match="before it happened"):
        events.opened(told.cast.books, "inc-7", "hack", FOUND, OCCURRED, "t")
    with pytest.raises(BadInput, match="is ahead"):
        events.opened(told.cast.books, "inc-7", "hack", OCCURRED, ahead, "t")
    with pytest.raises(BadInput, match="use one of hack"):
        events.opened(told.cast.books, "inc-7", "theft", OCCURRED, FOUND, "t")
    with pytest.raises(BadInput, match="nothing was got back"):
        events.recovered("XEM", Decimal(0), None, "tx")
    with pytest.raises(BooksRefused, match="there is no incident inc-7"):
        told.tell("inc-7", events.note("n"))
    with pytest.raises(BooksRefused, match="there is no incident inc-7"):
        told.of("inc-7")


def test_a_reader_tells_nothing_and_who_acts_may_note(told: Told) -> None:
    told.opened("inc-8")
    with pytest.raises(BooksRefused):
        told.tell("inc-8", events.note("n"), by="dai")
    with pytest.raises(BooksRefused, match="incident_commander"):
        told.tell("inc-8", events.state("contained"), by="ada")
    told.tell("inc-8", events.note("n"), by="ada")
    told.tell("inc-8", events.reported("authority", "first_notice", ""), by="ada")
    assert [event.by for event in told.of("inc-8").events] == ["cem", "ada", "ada"]


def test_a_frozen_asset_stands_by_its_incident_until_two_people_open_it(told: Told) -> None:
    told.opened("inc-9")
    books, cem = told.cast.books, told.cast.cem
    books.call("freeze_asset", cem.name, cem.secret, "XEM", "inc-9", "while we look")
    assert told.of("inc-9").frozen == ("XEM",)
    number = ask_to_record(books, told.cast.ada, "asset_status", "XEM", {"status": "open"}, "keys changed")
    assert told.of("inc-9").frozen == ("XEM",)
    decide(books, told.cast.ben, number, "approve", "seen")
    assert told.of("inc-9").frozen == ()


def test_worth_is_the_price_of_the_day_of_the_loss_to_the_last_digit(told: Told) -> None:
    bring(told.home, "prices", ["XEM,JPY,2025-06-02T03:00:00+09:00,88.549,a", "XEM,JPY,2025-06-03T03:00:00+09:00,70,a"])
    lake = open_lake(told.home)
    day = OCCURRED.astimezone(told.home.time_zone).date()
    worth, priced = valued(lake, "XEM", Decimal("523000000.000001"), day)
    assert worth == "46311127000.000088549"
    assert re.search(r"88\.549 JPY.*XEM/JPY of 2025-06-02, source a", priced)
    assert valued(lake, "JPY", Decimal(5), day) == ("5", "JPY itself")
    nothing, why = valued(lake, "MONA", Decimal(5), day)
    assert nothing is None
    assert "no price of MONA" in why


# Deadlines, by the parameters of jp-psa as they ship: one hour, a day, three days; seven and ten business days; the tenth of a month.


def test_deadlines_are_kept_late_due_and_overdue(told: Told) -> None:
    told.opened("due-1")
    assert told.standing("due-1", FOUND + timedelta(minutes=59))["first notice to the authority"] is Standing.DUE
    assert told.standing("due-1", FOUND + timedelta(minutes=61))["first notice to the authority"] is Standing.OVERDUE
    told.tell("due-1", events.reported("authority", "first_notice", ""), FOUND + timedelta(hours=1))
    told.tell("due-1", events.reported("public", "public_notice", ""), FOUND + timedelta(hours=25))
    stands = told.standing("due-1", FOUND + timedelta(days=2))
    assert stands["first notice to the authority"] is Standing.KEPT
    assert stands["public notice"] is Standing.LATE
    assert stands["notice to customers"] is Standing.DUE
    assert stands["contained"] is Standing.OVERDUE


@pytest.mark.parametrize(
    ("to", "what"), [("customers", "first_notice"), ("authority", "customer_notice"), ("public", "final")]
)
def test_a_report_that_would_keep_no_deadline_is_refused(to: str, what: str) -> None:
    with pytest.raises(BadInput, match="would keep no deadline"):
        events.reported(to, what, "")


def test_a_notice_to_customers_keeps_no_deadline_of_the_authority(told: Told) -> None:
    told.opened("due-2")
    told.tell("due-2", events.reported("customers", "customer_notice", ""), FOUND)
    assert told.standing("due-2", FOUND + timedelta(hours=2))["first notice to the authority"] is Standing.OVERDUE


def test_closing_ends_what_was_to_come_and_undoes_nothing_that_was_missed(told: Told) -> None:
    """The follow-up is due on 2025-06-16 and was not given by then; it was closed on the 20th."""
    told.opened("due-8")
    zone = told.home.time_zone
    for state in ("contained", "closed"):
        told.tell("due-8", events.state(state), datetime(2025, 6, 20, tzinfo=zone))
    stands = told.standing("due-8", datetime(2025, 7, 20, tzinfo=zone))
    assert stands["follow-up report"] is Standing.OVERDUE
    assert stands["compensation begins"] is Standing.OVERDUE
    assert stands["progress by 2025-07-10"] is Standing.DROPPED


def test_business_days_skip_weekends_and_holidays(told: Told) -> None:
    """Found on Monday 2025-06-02: ten business days later is 2025-06-16; seven is 2025-06-11."""
    told.opened("due-3")
    dues = {each.name.en: each.due_at for each in deadlines(told.home, told.of("due-3"), [], FOUND)}
    assert dues["follow-up report"].isoformat() == "2025-06-16T23:59:59.999999+09:00"
    assert dues["compensation begins"].isoformat() == "2025-06-11T23:59:59.999999+09:00"


def test_progress_is_asked_each_month_until_it_is_closed(told: Told) -> None:
    told.opened("due-4")
    zone = told.home.time_zone
    told.tell("due-4", events.reported("authority", "follow_up", ""), datetime(2025, 6, 16, 9, tzinfo=zone))
    told.tell("due-4", events.reported("authority", "follow_up", ""), datetime(2025, 7, 10, 23, tzinfo=zone))
    told.tell("due-4", events.reported("authority", "follow_up", ""), datetime(2025, 8, 11, 9, tzinfo=zone))
    at = datetime(2025, 9, 15, tzinfo=zone)
    stands = told.standing("due-4", at)
    assert stands["follow-up report"] is Standing.KEPT
    assert [stands[f"progress by 2025-{month:02}-10"] for month in (7, 8, 9, 10)] == [
        Standing.KEPT, Standing.LATE, Standing.OVERDUE, Standing.DUE,
    ]  # fmt: skip
    for state in ("contained", "closed"):
        told.tell("due-4", events.state(state), datetime(2025, 8, 20, tzinfo=zone))
    closed = told.standing("due-4", at)
    assert [name for name in closed if name.startswith("progress")] == [
        "progress by 2025-07-10", "progress by 2025-08-10", "progress by 2025-09-10",
    ]  # fmt: skip
    assert closed["progress by 2025-09-10"] is Standing.DROPPED


def test_each_deadline_says_how_far_it_is_law(told: Told) -> None:
    told.opened("due-5")
    rules = {each.name.en: str(each.rule.provenance) for each in deadlines(told.home, told.of("due-5"), [], FOUND)}
    assert rules.pop("progress by 2025-07-10", "press") == "press"
    assert set(rules.values()) == {"assumption"}


def test_what_is_paid_without_confirmation_is_reported_where_its_item_asks_for_it(told: Told) -> None:
    told.opened("due-6", "system_failure")
    case = case_of(told.of("due-6"), date(2025, 6, 20), ["books_show_it"], per_day=Decimal(5_000_000))
    book = load_rulebook(RULEBOOK)
    said = book.permitted(case)
    digest = keep_text(told.home, "due-6", rfc8785.dumps(answer(book, case, said)), ".json")
    words = ANSWER.format(words=in_words(said), digest=digest)
    permissions = [words, "confirmed: no. 12", "exempt: as typed; to be reported by 2025-07-01"]
    at = datetime(2025, 7, 31, 16, tzinfo=UTC)
    [due] = [each for each in deadlines(told.home, told.of("due-6"), permissions, at) if "without" in each.name.en]
    assert (due.due_at.isoformat(), due.standing(at)) == ("2025-07-31T23:59:59.999999+09:00", Standing.OVERDUE)
    assert str(due.rule.provenance) == "text"
    told.tell("due-6", events.reported("authority", "permission_report", ""), FOUND + timedelta(days=20))
    [due] = [each for each in deadlines(told.home, told.of("due-6"), permissions, at) if "without" in each.name.en]
    assert due.standing(at) is Standing.KEPT


def test_a_hack_gives_no_words_for_a_plan_until_it_is_confirmed(told: Told) -> None:
    told.opened("due-7")
    book = load_rulebook(RULEBOOK)
    said = book.permitted(case_of(told.of("due-7"), date(2025, 6, 20), [], largest=Decimal(1), per_day=Decimal(1)))
    assert said.needed is True
    assert in_words(said) == ""
    with pytest.raises(BadInput, match="'hearsay' is no ground"):
        book.permitted(case_of(told.of("due-7"), date(2025, 6, 20), ["hearsay"]))
