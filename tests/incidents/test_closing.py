"""What is open of an incident is named one by one before it is closed, and what happened of it stands on one timeline."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import PASSWORD, Cast
from cli.runs import as_json, refused, run, said
from incidents.paying import Paying, approved_plan
from incidents.plan.scene import INCIDENT
from junbikin.errors import BadInput
from junbikin.incidents import incident as events
from junbikin.incidents.closing import MOST, OpenEnd, despite, open_ends
from junbikin.incidents.disputes import Standing, decided, dispute_of, file
from junbikin.incidents.happenings import happenings
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import ask_to_record, decide
from junbikin.reports.happenings import happening


def begun(cast: Cast, folder: Path) -> Paying:
    """A plan of three people who get ¥15m, ¥22.5m and ¥10m, approved; it is paid to nobody yet."""
    paying = approved_plan(cast, folder)
    paying.entitle()
    tell(paying.scene.cast.books, paying.scene.cast.cem, INCIDENT, events.state("contained"), "seen")
    return paying


@pytest.fixture
def paying(founded: Callable[[Path], Cast], tmp_path: Path) -> Paying:
    return begun(founded(tmp_path / "home"), tmp_path)


@pytest.fixture(scope="module")
def unpaid(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Paying:
    """One that stays so, for tests that may follow each other."""
    folder = tmp_path_factory.mktemp("unpaid")
    return begun(founded(folder / "home"), folder)


def ends(paying: Paying) -> list[str]:
    books = paying.scene.cast.books
    return [end.what.en for end in open_ends(books, events.incident_of(books, INCIDENT))]


def told(paying: Paying, lang: str = "en") -> list[str]:
    books = paying.scene.cast.books
    return [happening(each, "ja" if lang == "ja" else "en") for each in happenings(books, paying.scene.incident())]


def disputed(paying: Paying) -> int:
    cast = paying.scene.cast
    return file(cast.books, cast.ada, INCIDENT, "c1", "BTC", "I held more", [], "", "letter")


def asked(paying: Paying, number: int) -> int:
    cast = paying.scene.cast
    says = decided(dispute_of(cast.books, INCIDENT, number), Standing.UPHELD, Decimal("0.5"))
    return ask_to_record(cast.books, cast.cem, "dispute", f"{INCIDENT}:c1", says, "as the ledger shows")


def test_everything_that_is_open_is_named(paying: Paying) -> None:
    cast = paying.scene.cast
    assert ends(paying) == ["47500000 JPY of 3 customers by the plan p are not paid"]
    paying.send("{[1,4)}", 3, 47_500_000, 1)
    assert ends(paying) == ["47500000 JPY of 3 customers by the plan p are sent and not answered"]
    number = disputed(paying)
    cast.books.call("freeze_asset", cast.cem.name, cast.cem.secret, "BTC", INCIDENT, "while we look")
    assert ends(paying)[1:] == [f"1 dispute is not decided ({number})", "BTC is frozen"]
    request = asked(paying, number)
    assert ends(paying)[-1] == f"request {request} waits (as the ledger shows)"
    decide(cast.books, cast.ben, request, "approve", "seen")
    assert ends(paying)[1:] == ["1 upheld dispute is not paid by any plan", "BTC is frozen"]
    thaw = ask_to_record(cast.books, cast.cem, "asset_status", "BTC", {"status": "open"}, "new keys")
    assert ends(paying)[-1] == f"request {thaw} waits (new keys)"
    decide(cast.books, cast.ben, thaw, "approve", "seen")
    assert ends(paying)[1:] == ["1 upheld dispute is not paid by any plan"]


def test_it_closes_when_everybody_is_paid_and_before_only_despite_what_is_open(paying: Paying) -> None:
    home, cem = paying.scene.home.path, {"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": PASSWORD}
    close = ("incident", "state", INCIDENT, "closed")
    error = refused(*close, home=home, env=cem)
    assert error.what == "it is not over: 47500000 JPY of 3 customers by the plan p are not paid"
    assert error.then.startswith(
        f"`junbikin incident pay {INCIDENT} p --asset JPY`; or close it all the same with --despite"
    )
    said(*close, "--despite", "ordered by the court", home=home, env=cem)
    shown = as_json(said("incident", "show", INCIDENT, "--json", home=home))
    assert shown["state"] == "closed"
    reason = "ordered by the court (despite 47500000 JPY of 3 customers by the plan p are not paid)"
    assert shown["timeline"][-1]["why"] == reason
    assert told(paying)[-1] == f"closed: {reason}"
    assert "closed" in refused("incident", "freeze", INCIDENT, "--asset", "BTC", "--why", "w", home=home, env=cem).what
    said("incident", "state", INCIDENT, "opened", home=home, env=cem)
    said("incident", "state", INCIDENT, "contained", home=home, env=cem)
    paying.send("{[1,4)}", 3, 47_500_000, 1)
    paying.answer("{[1,4)}", 47_500_000, {}, 0, 3, 1)
    assert ends(paying) == []
    assert "nothing of it is open" in refused(*close, "--despite", "w", home=home, env=cem).what
    said(*close, home=home, env=cem)


def test_a_reason_that_the_books_could_not_hold_is_said_in_short() -> None:
    some = tuple(OpenEnd(events.STATES["opened"], f"command {number}") for number in range(200))
    text = despite(some, "ordered")
    assert len(text) <= MOST
    assert text == "ordered (despite 200 open ends, the first: opened)"
    with pytest.raises(BadInput, match="nothing of it is open"):
        despite((), "ordered")


def test_the_timeline_has_all_that_happened_in_the_order_of_its_time(paying: Paying) -> None:
    cast = paying.scene.cast
    cast.books.call("freeze_asset", cast.cem.name, cast.cem.secret, "BTC", INCIDENT, "while we look")
    paying.send("{[1,4)}", 3, 47_500_000, 1)
    paying.answer("{[1,2)}", 15_000_000, {"2": "{[2,4)}"}, 32_500_000, 3, 1)
    number = disputed(paying)
    decide(cast.books, cast.ben, asked(paying, number), "approve", "seen")
    tell(cast.books, cast.cem, INCIDENT, events.note("two\nlines"), "noted")
    words = told(paying)
    assert re.sub(r"request \d+", "request N", "\n".join(words)).splitlines() == [
        "happened: the hot wallet was emptied",
        "found",
        "taken: 4.75000004 BTC at vault",
        "opened: hack",
        "plan p asked for (request N): pay",
        "plan p approved",
        "contained: seen",
        "BTC frozen: while we look",
        "plan p, run 1: ¥47,500,000 for 3 customers by zengin, value date 2026-04-03",
        "plan p, answers to run 1: ¥15,000,000 paid to 1 customer, ¥32,500,000 of 2 customers returned",
        f"dispute {number} of c1: BTC",
        f"dispute {number} of c1: upheld, 0.5 BTC more",
        "two lines",
    ]
    assert "補償計画p 支払処理1の結果：支払済 1名 ¥15,000,000、振込不能 2名 ¥32,500,000" in told(paying, "ja")
    times = [each.at for each in happenings(cast.books, paying.scene.incident())]
    assert times == sorted(times)
    before = happenings(cast.books, paying.scene.incident())[0].recorded_at
    assert [each.kind for each in happenings(cast.books, paying.scene.incident(), before)] == [
        "happened",
        "found",
        "opened",
    ]


def test_whoever_decides_is_warned_of_an_adjustment_above_all_that_was_taken(unpaid: Paying) -> None:
    home, number = unpaid.scene.home.path, disputed(unpaid)
    decides = ("incident", "dispute", "decide", INCIDENT, str(number), "upheld", "--why", "w", "--adjustment")
    cem = {"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": PASSWORD}
    warning = "warning: an adjustment of 5000 BTC is more than the 4.75000004 BTC that were taken in all"
    result = run(*decides, "5000", home=home, env=cem)
    assert warning in result.stderr
    assert f"will be asked for: dispute {number} of c1: upheld, 5,000 BTC more" in result.stderr
    waits = as_json(said("request", "list", "--waiting", "--json", home=home))["requests"][0]["request"]
    assert warning in said("request", "show", str(waits), home=home)
    japanese = run("--lang", "ja", *decides, "5000", home=home, env=cem)
    assert "注意：調整額5000 BTCは、流出したBTCの総量4.75000004を超えている" in japanese.stderr
    assert "はbenの承認待ちです\n申請者：cem（w）\n" in japanese.stdout
    assert "has 9 decimals, and BTC has 8" in refused(*decides, "0.000000001", home=home, env=cem).what


def test_what_goes_on_record_is_said_before_and_after_in_the_language_asked_for(unpaid: Paying) -> None:
    home, cem = unpaid.scene.home.path, {"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": PASSWORD}
    taken = (
        "incident", "taken", INCIDENT, "--asset", "BTC", "--quantity", "9", "--place", "vault", "--storage", "hot",
        "--at", "2026-03-10T12:00:00+09:00",
    )  # fmt: skip
    result = run(*taken, home=home, env=cem)
    assert result.exit_code == 0, result.output
    assert (
        f"will go on the timeline of {INCIDENT}: 2026-03-10 12:00 taken: 9 BTC at vault, hot, worth ¥99,000,000"
        in result.stderr
    )
    assert "; replaces 4.75000004 BTC (record " in result.stderr
    assert "None" not in result.stderr
    assert result.stdout.startswith(f"on the timeline of {INCIDENT} (record ")
    result = run("--lang", "ja", *taken[:6], "0", *taken[7:], home=home, env=cem)
    assert "取消：vaultのBTCに被害なし（9 BTC、記録" in result.stderr
    assert "の経過に記録しました" in result.stdout
    shown = as_json(said("incident", "show", INCIDENT, "--json", home=home))
    assert (shown["taken"], shown["loss"]) == ([], None)
