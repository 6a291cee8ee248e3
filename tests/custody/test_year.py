"""A year of an exchange, judged day by day: every finding appears on its day, keeps its dates, and disappears on its cure.

What happens is a list of events; what must be found is a table beside it, written by hand. Everything else of the year is
ordinary business, on which nothing may be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import Cast
from junbikin.books.journal import known_now
from junbikin.custody.day import CustodyDay, judge
from junbikin.custody.judging import judged, views_of
from junbikin.custody.memory import Memory
from junbikin.home import Home, open_home
from junbikin.reserve.ledger import Ledger
from junbikin.rulebooks.load import load_rulebook

from .conftest import bring, place, provider, set_to
from .exchange import STORAGES, Exchange, prices

FIRST, LAST = date(2025, 4, 1), date(2026, 3, 31)
RULEBOOK = load_rulebook("jp-psa")


# What happens


def golden_week(x: Exchange) -> None:
    x.deposit("ben", "JPY", "bank", 50_000_000)


def theft(x: Exchange) -> None:
    x.put("hot-1", "BTC", "-1.8")


def made_good(x: Exchange) -> None:
    x.put("own-1", "BTC", "-1.8", "own")
    x.put("cold-1", "BTC", "1.8")


def left_online(asset: str, amount: int) -> Callable[[Exchange], None]:
    def happens(x: Exchange) -> None:
        x.move(asset, amount - x.online[asset], "cold-1", "hot-1")
        x.online[asset] = Decimal(amount)

    return happens


EVENTS: dict[str, Callable[[Exchange], None]] = {
    # Friday 2 May: money comes in and stays at the bank over the holidays; some reaches the trust on the 7th, the rest on the 12th.
    "2025-05-02": golden_week,
    "2025-05-07": lambda x: x.move("JPY", 30_000_000, "bank", "trust"),
    "2025-05-12": lambda x: x.move("JPY", 20_000_000, "bank", "trust"),
    # Nearly all coins of the hot wallet are stolen; a week later own coins make it good.
    "2025-06-17": theft,
    "2025-06-24": made_good,
    # Twice too much stays online: more than the guarantee coins, then more than 5% of all.
    "2025-07-14": left_online("ETH", 45),
    "2025-07-16": left_online("ETH", 20),
    "2025-08-08": left_online("BTC", 16),
    "2025-08-13": left_online("BTC", 2),
    "2025-08-20": left_online("BTC", 16),
    "2025-08-21": left_online("BTC", 2),
    # A deposit is credited twice, put right, and credited twice again.
    "2025-09-08": lambda x: x.credit("cyd", "ETH", 3),
    "2025-09-10": lambda x: x.credit("cyd", "ETH", -3),
    "2025-09-11": lambda x: x.credit("cyd", "ETH", 3),
    "2025-09-12": lambda x: x.credit("cyd", "ETH", -3),
    # A new vault is used three days before it is registered.
    "2025-10-06": lambda x: x.move("BTC", 5, "cold-1", "cold-3"),
    # Own coins are sent to the customers' vault by mistake.
    "2025-11-04": lambda x: x.move("BTC", 4, "own-1", "cold-1", "own"),
    "2025-11-06": lambda x: x.move("BTC", 4, "cold-1", "own-1", "own"),
    # Far too much online again, and for two of those days nobody knows the price of it.
    "2025-11-19": left_online("ETH", 300),
    "2025-11-26": left_online("ETH", 20),
    # Money stays at the bank over the turn of the year, and is brought to the trust on the last day of the time to cure.
    "2025-12-30": lambda x: x.deposit("ada", "JPY", "bank", 10_000_000),
    "2026-01-06": lambda x: x.move("JPY", 10_000_000, "bank", "trust"),
    # One custodian is given too much.
    "2026-01-19": lambda x: x.move("BTC", 50, "cold-1", "cold-2"),
    "2026-02-02": lambda x: x.move("BTC", 50, "cold-2", "cold-1"),
    # A guarantee coin lies online for two days.
    "2026-03-02": lambda x: x.move("BTC", 1, "guard", "guard-hot", "guarantee"),
    "2026-03-04": lambda x: x.move("BTC", 1, "guard-hot", "guard", "guarantee"),
    # The hot wallet is passed off as cold.
    "2026-03-16": lambda x: x.said_to_be.update({"hot-1": "cold"}),
    "2026-03-17": lambda x: x.said_to_be.update({"hot-1": "hot"}),
}
SILENT = {"2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-02-03", "2026-02-04"}
"""Days of which no balances and no holdings are brought in: the holidays of the new year, and two business days."""
UNPRICED = {("ETH", "2025-11-20"), ("ETH", "2025-11-21")}
STATED = {"2025-04-01": 100_000_000, "2025-06-17": 30_000_000, "2025-07-01": 140_000_000}
"""Net assets: the theft nearly eats them, and capital is raised."""
AUDITED = {
    "2024-12-20": "segregation",
    "2025-03-31": "guarantee",
    "2026-01-15": "segregation",
    "2026-03-10": "guarantee",
}


def register(cast: Cast) -> None:
    """Minato was checked until the end of September, and again only from 20 October; cold-3 is registered late."""
    for name, storage in STORAGES.items():
        keeps = {"cold-2": "minato", "trust": "kaede"}.get(name, "")
        if name not in ("own-1", "cold-3"):
            place(cast, name, storage, keeps)
    place(cast, "cold-3", "cold", at=midnight("2025-10-09"))
    provider(cast, "kaede", "2027-03-31")
    provider(cast, "minato", "2025-09-30")
    provider(cast, "minato", "2026-09-30", at=midnight("2025-10-20"))


def midnight(day: str) -> datetime:
    """The first instant of a day in Tokyo."""
    return datetime.fromisoformat(f"{day}T00:00:00+09:00").astimezone(UTC)


# What must be found

STORY = """
code                      subject           from       to         since      cure_by
money-short               -                 2025-05-02 2025-05-11 2025-05-02 2025-05-08
held-short                BTC               2025-06-17 2025-06-23 2025-06-17 2025-06-19
net-assets-short          -                 2025-06-17 2025-06-30 2025-06-17 2025-06-19
guarantee-short           ETH               2025-07-14 2025-07-15 2025-07-14 2025-07-16
hot-above                 -                 2025-08-08 2025-08-12 2025-08-08 2025-08-13
guarantee-short           BTC               2025-08-08 2025-08-12 2025-08-08 2025-08-13
hot-above                 -                 2025-08-20 2025-08-20 2025-08-20 2025-08-22
guarantee-short           BTC               2025-08-20 2025-08-20 2025-08-20 2025-08-22
held-short                ETH               2025-09-08 2025-09-09 2025-09-08 2025-09-10
held-short                ETH               2025-09-11 2025-09-11 2025-09-11 2025-09-16
provider-unchecked        minato_at_cold-2  2025-10-01 2025-10-19 2025-10-01 -
place-unregistered        cold-3            2025-10-06 2025-10-08 2025-10-06 -
audit-due                 segregation       2025-10-22 2025-12-20 2025-10-22 2025-12-20
mixed                     cold-1            2025-11-04 2025-11-05 2025-11-04 -
hot-above                 -                 2025-11-19 2025-11-19 2025-11-19 2025-11-21
hot-above                 -                 2025-11-22 2025-11-25 2025-11-19 2025-11-21
guarantee-short           ETH               2025-11-19 2025-11-25 2025-11-19 2025-11-21
price-hole                ETH               2025-11-20 2025-11-21 2025-11-20 -
hot-above-unknown         -                 2025-11-20 2025-11-21 2025-11-20 -
net-assets-short-unknown  -                 2025-11-20 2025-11-21 2025-11-20 -
audit-late                segregation       2025-12-21 2026-01-14 2025-12-21 -
money-short               -                 2025-12-30 2026-01-05 2025-12-30 2026-01-06
concentrated              minato            2026-01-19 2026-02-01 2026-01-19 2026-02-17
audit-due                 guarantee         2026-01-31 2026-03-09 2026-01-31 2026-03-31
money-not-counted         -                 2026-02-03 2026-02-04 2026-02-03 -
guarantee-hot             BTC               2026-03-02 2026-03-03 2026-03-02 -
storage-differs           hot-1             2026-03-16 2026-03-16 2026-03-16 -
"""
"""Cure dates by hand: 3 to 6 May, 21 July, 11 August, 15 and 23 September, 13 October, 3 and 24 November, 12 January, 11 and
23 February and 20 March are holidays, 31 December to 3 January the banks'."""


@dataclass(frozen=True)
class Told:
    """One finding on one day."""

    code: str
    subject: str
    since: str
    cure_by: str
    overdue: bool


def must_be_found(day: date) -> set[Told]:
    """What the table says of a day."""
    found = set()
    for line in STORY.strip().splitlines()[1:]:
        code, subject, first, last, since, cure_by = ("" if cell == "-" else cell for cell in line.split())
        if first <= str(day) <= last:
            late = bool(cure_by) and cure_by < str(day)
            found.add(Told(code, subject.replace("_", " "), since, cure_by, late))
    return found


def is_found(day: CustodyDay) -> set[Told]:
    """What was found on a day."""
    return {
        Told(
            lapse.finding.code,
            lapse.subject,
            str(lapse.finding.since),
            str(lapse.finding.cure_by or ""),
            "overdue since" in lapse.finding.what.en and "期限超過" in lapse.finding.what.ja,
        )
        for duty in day.duties
        for lapse in duty.lapses
    }


# The year


def days(first: date = FIRST, last: date = LAST) -> Iterator[date]:
    """From the first to the last, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, date], list[str]]:
    """(dataset, day) → what is known of that day, whenever it is brought in."""
    found: dict[tuple[str, date], list[str]] = {}
    x = Exchange()
    for day in days():
        x.business()
        if str(day) in EVENTS:
            EVENTS[str(day)](x)
        if str(day) not in SILENT:
            found["customer_balances", day] = list(x.balances(day))
            found["holdings", day] = list(x.holdings(day))
        priced = {asset: price for asset, price in prices(day).items() if (asset, str(day)) not in UNPRICED}
        found["prices", day] = [f"{a},JPY,{day}T23:00:00+09:00,{price},ours" for a, price in priced.items()]
    for on, amount in STATED.items():
        found["financials", date.fromisoformat(on)] = [f"{on},net_assets,{amount}"]
    for on, kind in AUDITED.items():
        found["audits", date.fromisoformat(on)] = [f"{on},{kind},Auditor,{on}"]
    return found


def bring_days(home: Home, rows: dict[tuple[str, date], list[str]], first: date, last: date) -> None:
    """Ingests everything of some days, a file for each dataset."""
    for dataset in sorted({dataset for dataset, _ in rows}):
        lines = [
            line for (name, day), some in rows.items() if name == dataset and first <= day <= last for line in some
        ]
        if lines:
            bring(home, dataset, lines)


@pytest.fixture(scope="module")
def cast(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Cast:
    made = founded(tmp_path_factory.mktemp("year") / "home")
    set_to(made.books.home, "price_max_age_days", "0")  # a price of another day is none
    register(made)
    return made


@pytest.fixture(scope="module")
def year(cast: Cast, rows: dict[tuple[str, date], list[str]]) -> dict[date, CustodyDay]:
    """Every day of the year, judged."""
    home = open_home(cast.books.home.path)
    bring_days(home, rows, date(2024, 1, 1), date(2025, 3, 31))
    for month in range(12):
        first = date(2025 + (month + 3) // 12, (month + 3) % 12 + 1, 1)
        bring_days(home, rows, first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    views = views_of(home, Ledger(cast.books, LAST, known_now(cast.books)))
    memory = Memory(home.path / "cache" / "custody.json")
    found = {day: judge(RULEBOOK, views.new(day), views.new, memory) for day in days()}
    memory.write()
    return found


def test_every_finding_appears_on_its_day_and_disappears_on_its_cure(year: dict[date, CustodyDay]) -> None:
    differ = {str(day): (is_found(found) ^ must_be_found(day)) for day, found in year.items()}
    assert {day: difference for day, difference in differ.items() if difference} == {}


def test_each_days_answers_are_as_grave_as_their_findings(year: dict[date, CustodyDay]) -> None:
    grave = {
        "money": ("2025-05-02", "breach"), "held": ("2025-06-17", "breach"), "places": ("2025-10-06", "breach"),
        "hot": ("2025-11-20", "unknown"), "net_assets": ("2025-11-21", "unknown"), "audits": ("2025-11-30", "warning"),
        "concentration": ("2026-01-20", "warning"), "guarantee": ("2026-03-02", "warning"), "apart": ("2025-11-04", "breach"),
    }  # fmt: skip
    for key, (day, verdict) in grave.items():
        assert next(duty.verdict.en for duty in year[date.fromisoformat(day)].duties if duty.key == key) == verdict
    quiet = year[date(2025, 4, 15)]
    assert {duty.verdict.en for duty in quiet.duties} == {"kept"}
    assert quiet.findings == ()


def test_a_theft_moves_what_is_held_what_must_match_it_and_what_is_owned(year: dict[date, CustodyDay]) -> None:
    before, after, cured = (year[date(2025, 6, day)] for day in (16, 17, 24))
    assert [value(day, "held_gap.BTC") for day in (before, after, cured)] == [0, Decimal("-1.8"), 0]
    assert [value(day, "guarantee_gap.BTC") for day in (before, after, cured)] == [1, Decimal("2.8"), 1]
    worth = 3 * prices(date(2025, 6, 17))["BTC"] + 30 * prices(date(2025, 6, 17))["ETH"]
    assert value(after, "net_assets_gap") == 30_000_000 - worth < 0


def value(day: CustodyDay, key: str) -> Decimal | None:
    """The value of a figure of a day."""
    figure = day.figure(key)
    assert figure is not None
    return figure.value


def test_facts_that_grow_old_are_told_beside_the_duties(year: dict[date, CustodyDay]) -> None:
    beside = {str(day): {finding.code for finding in found.beside} for day, found in year.items() if found.beside}
    old = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-02-04"]
    assert beside == {day: {"facts-old"} for day in old}


def test_days_judged_while_facts_come_in_are_the_same_as_those_judged_when_the_year_is_over(
    year: dict[date, CustodyDay], cast: Cast, rows: dict[tuple[str, date], list[str]], tmp_path: Path
) -> None:
    """Another home, another cut of files, another order of ingest, and a memory on disk between the days."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "junbikin.toml").write_bytes((cast.books.home.path / "junbikin.toml").read_bytes())
    home = open_home(tmp_path / "home")
    ledger = Ledger(cast.books, LAST, known_now(cast.books))
    bring_days(home, rows, FIRST, date(2025, 4, 30))
    bring_days(home, rows, date(2024, 1, 1), date(2025, 3, 31))
    for day in days(date(2025, 5, 1), date(2025, 5, 13)):
        bring_days(home, rows, day, day)
        (found,) = judged(home, [RULEBOOK], day, replace(ledger, as_of=day))
        assert found.body == year[day].body
        assert found.digest == year[day].digest
