"""Since when something is so: over days without facts, over days on which nobody could tell, and after it ended."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import junbikin.rulebooks
from junbikin.custody.day import CustodyDay
from junbikin.custody.judging import judged
from junbikin.home import Home, create_home, open_home
from junbikin.rulebooks.load import load_rulebook

from .conftest import bring, set_to

D = [date(2025, 6, 1 + number) for number in range(30)]
"""D[1] is Monday, 2 June 2025; the month has no holiday."""


def held(*quantities: tuple[int, str]) -> list[str]:
    """Holdings of 10 BTC owed, by day."""
    return [f"{D[day]},vault,BTC,{quantity},customer,cold" for day, quantity in quantities]


def owed(*days: int) -> list[str]:
    return [f"{D[day]},ada,BTC,10" for day in days]


def home_with(folder: Path, balances: list[str], holdings: list[str], prices: list[str] | None = None) -> Home:
    home = create_home(folder / "home", "Example")
    bring(home, "customer_balances", balances)
    bring(home, "holdings", holdings)
    if prices:
        bring(home, "prices", prices)
    return home


def on(home: Home, day: date, rulebook: str = "jp-psa") -> CustodyDay:
    (found,) = judged(open_home(home.path), [load_rulebook(rulebook, home.path)], day, None)
    return found


def dates(day: CustodyDay, code: str, subject: str = "") -> tuple[date | None, date | None] | None:
    """Since when and by when to be cured; None when it was not found."""
    found = [lapse.finding for duty in day.duties for lapse in duty.lapses if (lapse.finding.code, lapse.subject) == (code, subject)]  # fmt: skip
    assert len(found) <= 1
    return (found[0].since, found[0].cure_by) if found else None


def test_on_the_first_day_of_which_anything_is_known_it_arises_that_day(tmp_path: Path) -> None:
    home = home_with(tmp_path, owed(1), held((1, "9")))
    assert dates(on(home, D[1]), "held-short", "BTC") == (D[1], D[3])


def test_it_keeps_its_first_day_and_its_cure_date_while_it_lasts_whatever_its_amount(tmp_path: Path) -> None:
    home = home_with(tmp_path, owed(1, 2, 3, 4), held((1, "10"), (2, "9"), (3, "1"), (4, "9.9")))
    assert dates(on(home, D[1]), "held-short", "BTC") is None
    assert [dates(on(home, D[day]), "held-short", "BTC") for day in (2, 3, 4)] == [(D[2], D[4])] * 3


def test_what_ended_and_comes_again_arises_anew(tmp_path: Path) -> None:
    home = home_with(tmp_path, owed(1, 2, 3), held((1, "9"), (2, "10"), (3, "9")))
    assert [dates(on(home, D[day]), "held-short", "BTC") for day in (1, 2, 3)] == [(D[1], D[3]), None, (D[3], D[5])]


def test_another_asset_is_another_lapse(tmp_path: Path) -> None:
    eth = [f"{D[day]},ada,ETH,5" for day in (1, 2)]
    home = home_with(tmp_path, [*owed(1, 2), *eth], [*held((1, "9"), (2, "9")), f"{D[1]},vault,ETH,5,customer,cold"])
    assert dates(on(home, D[2]), "held-short", "BTC") == (D[1], D[3])
    assert dates(on(home, D[2]), "held-short", "ETH") == (D[2], D[4])


def test_days_without_facts_of_their_own_are_judged_by_the_newest_before_them(tmp_path: Path) -> None:
    home = home_with(tmp_path, owed(1, 8), held((1, "9"), (8, "9")))
    assert dates(on(home, D[5]), "held-short", "BTC") == (D[1], D[3])
    assert dates(on(home, D[8]), "held-short", "BTC") == (D[1], D[3])


def test_what_arises_on_a_day_without_facts_arises_on_that_day(tmp_path: Path) -> None:
    """Nothing was worked out for Monday, nor since; the audit fell due on the Saturday before."""
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{date(2025, 6, 6)},ada,JPY,5"])
    bring(home, "holdings", [f"{date(2025, 6, 6)},kaede,JPY,5,customer,trust"])
    bring(home, "audits", ["2024-06-07,segregation,Auditor,2024-03-31"])
    day = on(home, date(2025, 6, 12))
    assert dates(day, "money-not-counted") == (date(2025, 6, 9), None)
    assert dates(day, "audit-late", "segregation") == (date(2025, 6, 8), None)


def test_a_business_day_that_was_not_worked_out_is_not_forgotten_on_sunday(tmp_path: Path) -> None:
    """Friday 6 June was missed: the weekend neither cures it nor starts it anew."""
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{date(2025, 6, 5)},ada,JPY,5"])
    bring(home, "holdings", [f"{date(2025, 6, 5)},kaede,JPY,5,customer,trust"])
    assert dates(on(home, date(2025, 6, 5)), "money-not-counted") is None
    for day in (6, 7, 8, 9):
        assert dates(on(home, date(2025, 6, day)), "money-not-counted") == (date(2025, 6, 6), None)


def test_balances_without_the_days_holdings_do_not_count_as_worked_out(tmp_path: Path) -> None:
    home = home_with(tmp_path, [f"{D[day]},ada,JPY,5" for day in (1, 2)], [f"{D[1]},kaede,JPY,5,customer,trust"])
    day = on(home, D[2])
    assert dates(day, "money-not-counted") == (D[2], None)
    assert [finding.code for finding in day.beside] == ["days-differ"]


PRICED = [f"BTC,JPY,{D[day]}T09:00:00+09:00,100,ours" for day in (1, 2, 5, 6)]


def test_a_day_on_which_nobody_could_tell_starts_no_new_time_to_cure(tmp_path: Path) -> None:
    """Half of the coins are hot on 2 to 7 June; of 4 and 5 June there is no price."""
    hot = [f"{D[day]},online,BTC,5,customer,hot" for day in range(1, 7)]
    home = home_with(tmp_path, owed(*range(1, 7)), [*held(*((day, "5") for day in range(1, 7))), *hot], PRICED)
    set_to(home, "price_max_age_days", "0")
    assert [dates(on(home, D[day]), "hot-above") for day in range(1, 7)] == [
        (D[1], D[3]), (D[1], D[3]), None, None, (D[1], D[3]), (D[1], D[3]),
    ]  # fmt: skip
    assert [dates(on(home, D[day]), "hot-above-unknown") for day in (2, 3, 4, 5)] == [None, (D[3], None), (D[3], None), None]  # fmt: skip


def test_a_day_on_which_nobody_could_tell_does_not_begin_anything_either(tmp_path: Path) -> None:
    hot = [f"{D[day]},online,BTC,5,customer,hot" for day in range(3, 7)]
    home = home_with(tmp_path, owed(*range(1, 7)), [*held(*((day, "5" if day > 2 else "10") for day in range(1, 7))), *hot], PRICED)  # fmt: skip
    set_to(home, "price_max_age_days", "0")
    assert dates(on(home, D[2]), "hot-above") is None
    assert dates(on(home, D[6]), "hot-above") == (D[5], D[9])


def own_rulebook(home: Home, old: str, new: str) -> Home:
    """The home with a copy of jp-psa of its own, `old` replaced by `new` throughout."""
    folder = home.path / "own"
    shutil.copytree(Path(junbikin.rulebooks.__path__[0]) / "jp_psa", folder)
    text = (folder / "rulebook.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "rulebook.toml").write_text(text.replace(old, new), encoding="utf-8")
    return home


def test_nothing_lasts_since_before_the_regime_was_in_force(tmp_path: Path) -> None:
    home = own_rulebook(home_with(tmp_path, owed(1, 2, 3), held((1, "9"), (2, "9"), (3, "9"))), "2020-05-01", str(D[2]))
    assert dates(on(home, D[3], "own"), "held-short", "BTC") == (D[2], D[4])


def test_a_shortfall_before_the_ten_holidays_of_2019_is_cured_by_the_second_business_day_after_them(
    tmp_path: Path,
) -> None:
    """27 April to 6 May 2019 were all holidays. Short since Friday 26 April: 7 May is the first business day, 8 May the second."""
    home = create_home(tmp_path / "home", "Example")
    days = [date(2019, 4, 26), *(date(2019, 5, day) for day in (7, 8, 9))]
    bring(home, "customer_balances", [f"{day},ada,JPY,5" for day in days])
    bring(home, "holdings", [f"{day},kaede,JPY,4,customer,trust" for day in days])
    own_rulebook(home, "2020-05-01", "2017-04-01")
    for day in (date(2019, 4, 26), date(2019, 5, 3), date(2019, 5, 8)):
        assert dates(on(home, day, "own"), "money-short") == (date(2019, 4, 26), date(2019, 5, 8))
        assert "overdue" not in words(on(home, day, "own"))
    late = on(home, date(2019, 5, 9), "own")
    assert dates(late, "money-short") == (date(2019, 4, 26), date(2019, 5, 8))
    assert "overdue since 2019-05-09" in words(late)
    assert "2019-05-09から期限超過" in words(late)


def words(day: CustodyDay) -> str:
    return "".join(finding.what.en + finding.what.ja for finding in day.findings if finding.code == "money-short")
