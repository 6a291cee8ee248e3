"""What was found on earlier days is remembered, and noticed when anything that it was worked from is another."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from books.cast import Cast
from junbikin.books.journal import known_now
from junbikin.custody.day import CustodyDay, judge
from junbikin.custody.judging import judged, views_of
from junbikin.custody.memory import Memory
from junbikin.home import Home, create_home, open_home
from junbikin.reserve.ledger import Ledger
from junbikin.rulebooks.load import Rulebook, load_rulebook

from .conftest import LONG_AGO, bring, place, provider, set_to
from .test_since import own_rulebook

FIRST, LAST = date(2025, 6, 2), date(2025, 6, 6)
DAYS = [date(2025, 6, day) for day in range(2, 7)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Five days on which a coin of ten is missing, half of the rest is hot, and money is on trust."""
    made = create_home(tmp_path / "home", "Example")
    bring(made, "customer_balances", [row for day in DAYS for row in (f"{day},ada,BTC,10", f"{day},ada,JPY,5")])
    bring(made, "holdings", [row for day in DAYS for row in (f"{day},vault,BTC,5,customer,cold", f"{day},online,BTC,4,customer,hot", f"{day},kaede,JPY,5,customer,trust")])  # fmt: skip
    bring(made, "prices", [f"BTC,JPY,{day}T09:00:00+09:00,100,ours" for day in DAYS])
    bring(made, "audits", [f"2025-05-01,{kind},Auditor,2025-03-31" for kind in ("segregation", "guarantee")])
    bring(made, "financials", ["2025-03-31,net_assets,1000"])
    return made


def on(home: Home, ledger: Ledger | None = None, rulebook: str = "jp-psa") -> CustodyDay:
    (found,) = judged(open_home(home.path), [load_rulebook(rulebook, home.path)], LAST, ledger)
    return found


def afresh(home: Home, ledger: Ledger | None = None, rulebook: str = "jp-psa") -> CustodyDay:
    """The day without anything remembered."""
    (home.path / "cache" / "custody.json").unlink(missing_ok=True)
    return on(home, ledger, rulebook)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days whose duties were worked out, while the test runs."""
    found: list[date] = []
    checks = Rulebook.checks

    def counted(self: Rulebook, facts: object) -> object:
        found.append(facts.as_of)  # type: ignore[attr-defined]
        return checks(self, facts)  # type: ignore[arg-type]

    monkeypatch.setattr(Rulebook, "checks", counted)
    return found


def test_what_is_remembered_is_what_was_worked_out(home: Home, looked_at: list[date]) -> None:
    first = on(home)
    assert looked_at == [LAST, *DAYS[3::-1]]
    looked_at.clear()
    assert on(home).body == first.body
    assert looked_at == [LAST]
    assert afresh(home).body == first.body


def test_a_day_that_was_judged_is_remembered_the_next_day(home: Home, looked_at: list[date]) -> None:
    for day in DAYS:
        judged(home, [load_rulebook("jp-psa")], day, None)
    assert looked_at == DAYS


ALTERED: dict[str, Callable[[Home], object]] = {
    "balances": lambda home: bring(home, "customer_balances", [f"{DAYS[2]},ada,BTC,9"], "mistyped"),
    "holdings": lambda home: bring(home, "holdings", [f"{DAYS[2]},vault,BTC,6,customer,cold"], "mistyped"),
    "more holdings": lambda home: bring(home, "holdings", [f"{DAYS[2]},found,BTC,1,customer,cold"]),
    "prices": lambda home: bring(home, "prices", [f"BTC,JPY,{DAYS[2]}T08:00:00+09:00,1,ours"]),
    "audits": lambda home: bring(home, "audits", [f"{DAYS[2]},segregation,Auditor,2025-03-31"]),
    "financials": lambda home: bring(home, "financials", [f"{DAYS[2]},net_assets,-5"]),
    "trades, which another rulebook might read": lambda home: bring(home, "trades", [f"t,{DAYS[2]}T09:00:00+09:00,BTC,JPY,buy,1,1,margin"]),
    "the currency": lambda home: set_to(home, "currency", '"USD"'),
    "the zone": lambda home: set_to(home, "time_zone", '"UTC"'),
    "how old a price may be": lambda home: set_to(home, "price_max_age_days", "0"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_altered_facts_and_settings_are_noticed(home: Home, looked_at: list[date], what: str) -> None:
    on(home)
    looked_at.clear()
    ALTERED[what](home)
    again = on(home)
    assert DAYS[2] in looked_at
    assert again.body == afresh(home).body


def test_only_days_from_the_altered_one_on_are_worked_out_again(home: Home, looked_at: list[date]) -> None:
    on(home)
    looked_at.clear()
    bring(home, "holdings", [f"{DAYS[2]},found,ETH,1,customer,cold"])
    on(home)
    assert sorted(looked_at) == DAYS[2:]


def test_another_rulebook_of_the_same_name_is_noticed(home: Home, looked_at: list[date]) -> None:
    own_rulebook(home, 'value = "0.05"', 'value = "0.04"')
    on(home, rulebook="jp-psa")
    looked_at.clear()
    again = on(home, rulebook="own")
    assert looked_at == [LAST, *DAYS[3::-1]]
    assert again.body == afresh(home, rulebook="own").body


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"{", b"[]", b"null", b"5", b"\xff", b"{}", b'{"stamp": 1, "days": {}}', b'{"stamp": "STAMP"}', b'{"stamp": "STAMP", "days": []}',
     b'{"stamp": "STAMP", "days": {"a": 1}}', b'{"stamp": "STAMP", "days": {"jp-psa 2025-06-05": {"of": "x", "lapses": [1], "values": {}, "worst": {}}}}'],
)  # fmt: skip
def test_a_damaged_memory_is_not_believed(home: Home, rubbish: bytes) -> None:
    kept = home.path / "cache" / "custody.json"
    first = on(home)
    stamp = json.loads(kept.read_bytes())["stamp"]
    kept.write_bytes(rubbish.replace(b"STAMP", stamp.encode()))
    assert on(home).body == first.body
    assert len(json.loads(kept.read_bytes())["days"]) == len(DAYS)


def test_a_memory_of_another_version_is_not_believed(home: Home, looked_at: list[date]) -> None:
    first = on(home)
    kept = home.path / "cache" / "custody.json"
    says = json.loads(kept.read_bytes())
    for day in says["days"].values():
        day["lapses"] = []
    kept.write_text(json.dumps(says | {"stamp": "0"}))
    looked_at.clear()
    assert on(home).body == first.body
    assert looked_at == [LAST, *DAYS[3::-1]]


def test_without_a_file_nothing_is_believed_and_nothing_is_kept(home: Home, looked_at: list[date]) -> None:
    on(home)
    looked_at.clear()
    memory = Memory(None)
    views = views_of(home, None)
    judge(load_rulebook("jp-psa"), views.on(LAST), views.new, memory)
    memory.write()
    assert looked_at == [LAST, *DAYS[3::-1]]


def test_an_altered_registry_is_noticed(founded: Callable[[Path], Cast], tmp_path: Path, looked_at: list[date]) -> None:
    cast = founded(tmp_path / "home")
    home = cast.books.home
    bring(home, "customer_balances", [f"{day},ada,LTC,10" for day in DAYS])
    bring(home, "holdings", [f"{day},vault-2,LTC,10,customer,cold" for day in DAYS])
    place(cast, "vault-2", "cold", "minato")
    provider(cast, "minato", "2025-06-03")
    first = on(home, ledger(cast))
    assert since(first, "provider-unchecked") == date(2025, 6, 4)
    looked_at.clear()
    assert on(home, ledger(cast)).body == first.body
    assert looked_at == [LAST]
    provider(cast, "minato", "2025-06-04", LONG_AGO.replace(year=2021))
    assert since(on(home, ledger(cast)), "provider-unchecked") == date(2025, 6, 5)
    place(cast, "vault-2", "cold", at=datetime(2025, 6, 6, tzinfo=UTC))
    assert since(on(home, ledger(cast)), "provider-unchecked") is None


def ledger(cast: Cast) -> Ledger:
    return Ledger(cast.books, LAST, known_now(cast.books))


def since(day: CustodyDay, code: str) -> date | None:
    return next((finding.since for finding in day.findings if finding.code == code), None)
