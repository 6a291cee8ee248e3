"""By when an incident asks for what (期限): notices, reports and states, by the rulebook of custody, and whether each was kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from junbikin.calendars import business_days_after
from junbikin.figures import Name, Rule
from junbikin.home import Home
from junbikin.incidents.incident import Incident
from junbikin.incidents.permission import report_due
from junbikin.incidents.timeline import Event
from junbikin.rulebooks.load import Rulebook, load_rulebook
from junbikin.rulebooks.parameters import Rules

_PREFIX = "incident."


class Standing(StrEnum):
    """How a deadline stands."""

    KEPT = "kept"
    LATE = "kept late"
    DUE = "due"
    OVERDUE = "overdue"
    DROPPED = "no longer asked"

    @property
    def words(self) -> Name:
        """What it is called."""
        ja = {
            "kept": "期限内",
            "kept late": "期限超過後に実施",
            "due": "期限前",
            "overdue": "期限超過",
            "no longer asked": "不要",
        }
        return Name(self.value, ja[self.value])


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that is due at an instant by a rule, and the event that kept it, if one did."""

    name: Name
    due_at: datetime
    rule: Rule
    kept_by: Event | None
    asked: bool = True

    def standing(self, at: datetime) -> Standing:
        """How it stands at an instant."""
        if self.kept_by is not None:
            return Standing.KEPT if self.kept_by.at <= self.due_at else Standing.LATE
        if not self.asked:
            return Standing.DROPPED
        return Standing.DUE if at <= self.due_at else Standing.OVERDUE


def rulebook_for(home: Home) -> Rulebook | None:
    """The first rulebook of custody in force that says by when an incident asks for what; None when none does."""
    found = (load_rulebook(name, home.path) for name in home.custody)
    return next((book for book in found if any(key.startswith(_PREFIX) for key in book.parameters)), None)


def deadlines(home: Home, incident: Incident, permissions: Iterable[str], at: datetime) -> tuple[Deadline, ...]:
    """What is or was due up to an instant, and what is due next, by when; nothing where no rulebook in force says so.

    `permissions` are those of the approved plans: what is paid without confirmation may have to be reported. Raises
    `ParameterMissing` when the rulebook has no value on the day on which the incident was found.
    """
    found_on = incident.found_at.astimezone(home.time_zone).date()
    told = list(_unconfirmed(home, incident, permissions))
    book = rulebook_for(home)
    if book is not None:
        rules = book.on(found_on)
        told += _hours(incident, rules)
        told += _days(home, incident, rules, found_on)
        told += _monthly(home, incident, rules, at)
    return tuple(sorted(told, key=lambda deadline: deadline.due_at))


def _unconfirmed(home: Home, incident: Incident, permissions: Iterable[str]) -> Iterator[Deadline]:
    """What is paid without confirmation is reported, where the item that it is paid under asks for that."""
    reported = _first(_told(incident, "authority", ("permission_report",)))
    name = Name("report of payments made without confirmation", "確認を要しない補塡の報告")
    for rulebook, day in sorted(
        {due for permission in permissions if (due := report_due(home, incident.id, permission))}
    ):
        _, rule = load_rulebook(rulebook, home.path).on(day).word("report.months")
        yield Deadline(name, home.end_of(day), rule, reported)


def _hours(incident: Incident, rules: Rules) -> Iterator[Deadline]:
    """What is due within hours of discovery."""
    reported = {
        "first_notice_hours": (Name("first notice to the authority", "当局への初報"), "authority", ("first_notice",)),
        "public_notice_hours": (Name("public notice", "公表"), "public", ("public_notice",)),
        "customer_notice_hours": (Name("notice to customers", "利用者への通知"), "customers", ("customer_notice",)),
    }
    for key, (name, to, what) in reported.items():
        if rules.has(_PREFIX + key):
            yield _within(incident, rules, key, name, _first(_told(incident, to, what)))
    if rules.has(f"{_PREFIX}contained_hours"):
        name = Name("contained", "被害拡大の防止")
        yield _within(incident, rules, "contained_hours", name, _came_to(incident, "contained"))


def _within(incident: Incident, rules: Rules, key: str, name: Name, kept_by: Event | None) -> Deadline:
    hours = rules.integer(_PREFIX + key)
    return Deadline(name, incident.found_at + timedelta(hours=hours), _rule(rules, key), kept_by)


def _days(home: Home, incident: Incident, rules: Rules, found_on: date) -> Iterator[Deadline]:
    """What is due within business days of discovery: to the end of the last."""
    asks = {
        "compensating_business_days": (Name("compensation begins", "補償の開始"), _came_to(incident, "compensating")),
        "follow_up_business_days": (Name("follow-up report", "続報"), _first(_progress(incident))),
    }
    for key, (name, kept_by) in asks.items():
        if rules.has(_PREFIX + key):
            due = home.end_of(business_days_after(found_on, rules.integer(_PREFIX + key)))
            yield Deadline(name, due, _rule(rules, key), kept_by, _asked(incident, due))


def _monthly(home: Home, incident: Incident, rules: Rules, at: datetime) -> Iterator[Deadline]:
    """Progress by a day of every month after the follow-up report, until it is closed: up to the next one after `at`.

    A month is kept by the first report since the one before was due that keeps no other.
    """
    key = "monthly_progress_day"
    if not rules.has(_PREFIX + key) or not rules.has(f"{_PREFIX}follow_up_business_days"):
        return
    rule, day = _rule(rules, key), rules.integer(_PREFIX + key, least=1)
    first = business_days_after(
        incident.found_at.astimezone(home.time_zone).date(), rules.integer(f"{_PREFIX}follow_up_business_days")
    )
    before, last = home.end_of(first), min(at, incident.closed_at or at)
    year, month, used = first.year, first.month, set[int]()
    while before <= last:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        due = home.end_of(date(year, month, min(day, 28)))
        kept_by = _first(event for event in _progress(incident) if event.at > before and event.record not in used)
        used |= {kept_by.record} if kept_by else set()
        name = Name(f"progress by {due.date()}", f"{due.date()}までの進捗報告")
        yield Deadline(name, due, rule, kept_by, _asked(incident, due))
        before = due


def _asked(incident: Incident, due: datetime) -> bool:
    """Whether it is asked for still: closing an incident ends what was to come, and undoes nothing that was missed."""
    return incident.closed_at is None or incident.closed_at > due


def _progress(incident: Incident) -> list[Event]:
    return _told(incident, "authority", ("follow_up", "final"))


def _told(incident: Incident, to: str, what: tuple[str, ...]) -> list[Event]:
    return [event for event in incident.reports if event.says["to"] == to and event.says["what"] in what]


def _came_to(incident: Incident, state: str) -> Event | None:
    return _first(event for name, event in incident.states if name == state)


def _first(told: Iterator[Event] | list[Event]) -> Event | None:
    return min(told, key=lambda event: event.at, default=None)


def _rule(rules: Rules, key: str) -> Rule:
    _, source = rules.word(_PREFIX + key)
    return source
