"""The commands of an incident, one after the other as people type them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from books.cast import PASSWORD, Cast
from cli.runs import as_json, refused, run, said
from custody.conftest import bring, place
from incidents.paying import approved_plan
from junbikin.errors import JunbikinError


class Desk:
    """A home whose commands are run by somebody."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.home = cast, cast.books.home.path

    def says(self, name: str, *words: str | Path) -> str:
        return said(*words, home=self.home, env=self._who(name))

    def json(self, name: str, *words: str | Path) -> Any:
        return as_json(self.says(name, *words, "--json"))

    def refuses(self, name: str, *words: str | Path) -> JunbikinError:
        return refused(*words, home=self.home, env=self._who(name))

    def approved(self, name: str, *words: str | Path) -> None:
        number = self.json(name, *words)["request"]
        self.says("ben", "request", "approve", str(number), "--why", "seen")

    @staticmethod
    def _who(name: str) -> dict[str, str]:
        return {"JUNBIKIN_PERSON": name, "JUNBIKIN_PASSWORD": PASSWORD}


OPEN = [
    "--cause",
    "hack",
    "--occurred",
    "2025-06-02T00:02:13+09:00",
    "--found",
    "2025-06-02T11:25:00+09:00",
    "--title",
    "XEM taken",
]


@pytest.fixture(scope="module")
def desk(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    cast = founded(tmp_path_factory.mktemp("desk") / "home")
    bring(cast.books.home, "prices", ["XEM,JPY,2025-06-02T03:00:00+09:00,88.549,a"])
    bring(cast.books.home, "customer_balances", ["2025-06-01,c1,XEM,526300010", "2025-06-01,c2,MONA,50"])
    place(cast, "online", "hot", "")
    desk = Desk(cast)
    desk.says("cem", "incident", "open", "inc", *OPEN)
    desk.says("cem", "incident", "taken", "inc", "--asset", "XEM", "--quantity", "7", "--place", "online")
    return desk


def test_an_incident_is_followed_from_opening_to_closing(desk: Desk, tmp_path: Path) -> None:
    name = "day"
    desk.says("cem", "incident", "open", name, *OPEN)
    taken = ("--asset", "XEM", "--quantity", "526300010", "--place", "online", "--transaction", "d0b1")
    desk.says("cem", "incident", "taken", name, *taken, "--at", "2025-06-02T00:02:13+09:00")
    letter = tmp_path / "first.md"
    letter.write_text("to the authority")
    desk.says(
        "ada",
        "incident",
        "reported",
        name,
        "--to",
        "authority",
        "--what",
        "first_notice",
        "--document",
        letter,
        "--at",
        "2025-06-02T12:00:00+09:00",
    )
    desk.says("cem", "incident", "freeze", name, "--asset", "XEM", "--why", "while we look")
    desk.says("cem", "incident", "note", name, "keys changed")
    desk.says("cem", "incident", "recovered", name, "--asset", "JPY", "--quantity", "1000", "--reference", "insurer 7")
    desk.says("cem", "incident", "state", name, "contained")
    found = desk.json("", "incident", "show", name)
    assert (found["loss"], found["recovered"], found["frozen"], found["state"]) == (
        "46603339585.49",
        "1000",
        ["XEM"],
        "contained",
    )
    assert found["taken"][0]["storage"] == "hot"
    first = next(each for each in found["deadlines"] if each["parameter"] == "incident.first_notice_hours")
    assert (first["standing"], first["provenance"]) == ("kept", "assumption")
    desk.approved("cem", "incident", "thaw", name, "--asset", "XEM", "--why", "moved")
    desk.says("cem", "incident", "state", name, "closed")
    for lang in ("en", "ja"):
        text = desk.says("", "--lang", lang, "incident", "show", name)
        assert "¥46,603,339,585" in text
        assert desk.says("", "--lang", lang, "incident", "list").count("XEM taken") == 2
    assert desk.json("", "incident", "show", name)["frozen"] == []


def test_what_has_no_price_is_told_and_asks_for_one(desk: Desk) -> None:
    desk.says("cem", "incident", "open", "unpriced", *OPEN)
    words = ("incident", "taken", "unpriced", "--asset", "MONA", "--quantity", "5", "--place", "online")
    result = run(*words, home=desk.home, env=desk._who("cem"))
    assert result.exit_code == 0
    assert "its worth is not known" in result.stderr
    assert "more than" not in result.stderr
    slip = run(*words[:6], "5000", *words[7:], home=desk.home, env=desk._who("cem"))
    assert "more than the 50 MONA that customers own" in slip.stderr
    assert desk.json("", "incident", "show", "unpriced")["loss"] is None
    assert "needs the price" in desk.refuses("cem", *words, "--value", "5").what
    desk.says("cem", *words, "--value", "722.74", "--priced", "144.548, the exchange's own")
    assert desk.json("", "incident", "show", "unpriced")["loss"] == "722.74"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("open", "inc", *OPEN), "there is an incident inc already"),
        (("open", "a/b", *OPEN), "cannot name an incident"),
        (("open", "late", *OPEN[:2], "--occurred", "2025-06-03", "--found", "2025-06-02", "--title", "t"), "before it happened"),
        (("open", "zone", *OPEN[:2], "--occurred", "2025-06-02T00:00:00", "--found", "2025-06-02", "--title", "t"), "has no zone"),
        (("show", "nothing"), "there is no incident nothing"),
        (("note", "inc", " "), "the note is empty"),
        (("note", "inc", "x", "--at", "2999-01-01"), "is ahead"),
        (("taken", "inc", "--asset", "XEM", "--quantity", "1e5", "--place", "online"), "is no amount"),
        (("taken", "inc", "--asset", "XEM", "--quantity", "1", "--place", "nowhere"), "the place nowhere is not registered"),
        (("taken", "inc", "--asset", "XEN", "--quantity", "1", "--place", "online"), "nobody here owns or holds XEN"),
        (("taken", "inc", "--asset", "XEM", "--quantity", "1.1234567", "--place", "online"), "has 7 decimals, and XEM has 6"),
        (("taken", "inc", "--asset", "MONA", "--quantity", "0", "--place", "online"), "nothing is on record as taken of MONA at online"),
        (("recovered", "inc", "--asset", "XEM", "--quantity", "8", "--reference", "r"), "7 XEM was taken"),
        (("reported", "inc", "--to", "customers", "--what", "first_notice"), "would keep no deadline"),
        (("freeze", "inc", "--asset", "XEN", "--why", "w"), "nobody here owns or holds XEN"),
        (("open", "INC", *OPEN), "differs from INC only in capitals"),
        (("state", "inc", "contained", "--despite", "w"), "although something is open"),
        (("dispute", "file", "inc", "--account", "c9", "--asset", "XEM", "--claims", "x", "--why", "w"), "there is no customer's account c9"),
        (("dispute", "file", "inc", "--account", "c1", "--asset", "MONA", "--claims", "x", "--why", "w"), "no MONA was taken in inc"),
        (("dispute", "file", "inc", "--account", "c1", "--asset", "XEM", "--claims", " ", "--why", "w"), "what the customer claims is empty"),
        (("state", "inc", "closed"), "does not go from opened to closed"),
        (("thaw", "inc", "--asset", "XEM", "--why", "w"), "XEM is not frozen for inc"),
        (("permission", "inc", "--ground", "hearsay"), "'hearsay' is no ground"),
        (("permission", "inc", "--act", "ヘ"), "'ヘ' is no act"),
        (("dispute", "decide", "inc", "1", "upheld", "--adjustment", "1", "--why", "w"), "no dispute of inc"),
        (("dispute", "file", "nothing", "--account", "c", "--asset", "X", "--claims", "x", "--why", "w"), "no incident nothing"),
        (("notice", "inc", "p", "c1"), "there is no plan p"),
        (("notices", "inc", "p", "--to", "x.csv"), "there is no plan p"),
    ],
)  # fmt: skip
def test_bad_words_are_refused_with_what_is_wrong(desk: Desk, words: tuple[str, ...], what: str) -> None:
    assert what in desk.refuses("cem", "incident", *words).what


def test_permission_says_what_applies_and_what_to_ask_with(desk: Desk) -> None:
    text = desk.says("", "incident", "permission", "inc", "--largest", "80000", "--per-day", "80000")
    assert "Confirmation is needed" in text
    assert "not squarely an accident" in text
    assert "incident ask inc NAME --confirmed REFERENCE --evidence FILE" in text
    found = desk.json("", "incident", "permission", "inc", "--act", "ホ", "--per-day", "80000", "--on", "2026-05-26")
    assert (found["needed"], found["report_by"]) == (False, "2026-06-30")
    assert found["permission"].startswith("FIB Ordinance 119(1)(x)")
    assert found["scope"]["provenance"] == "assumption"
    assert "事故確認を要しない" in desk.says(
        "", "--lang", "ja", "incident", "permission", "inc", "--ground", "judgment"
    )


def test_disputes_are_filed_listed_and_decided(desk: Desk, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("I held 7")
    filed = desk.json(
        "ada", "incident", "dispute", "file", "inc", "--account", "c1", "--asset", "XEM", "--claims", "I held 7", "--evidence", letter, "--why", "letter",
    )  # fmt: skip
    assert (desk.home / "incidents" / "inc" / "documents" / f"{filed['evidence'][0]}.txt").read_text() == "I held 7"
    number = str(filed["dispute"])
    desk.approved(
        "cem", "incident", "dispute", "decide", "inc", number, "upheld", "--adjustment", "2.5", "--why", "so it was"
    )
    [found] = desk.json("", "incident", "dispute", "list", "inc")["disputes"]
    assert (found["standing"], found["adjustment"], found["dispute"]) == ("upheld", "2.5", int(number))
    assert desk.says("", "incident", "dispute", "list", "inc", "--waiting").strip() == "no dispute waits"
    assert "認容" in desk.says("", "--lang", "ja", "incident", "dispute", "list", "inc")


def test_claims_notices_and_reports_are_written(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    paying = approved_plan(founded(tmp_path / "home"), tmp_path)
    desk = Desk(paying.scene.cast)
    paying.entitle()
    assert "47,500,000" in desk.says("", "claims")
    assert desk.json("", "claims", "inc-1", "--plan", "p")["plans"][0]["legs"][0]["unpaid"] == {
        "people": 3,
        "amount": "47500000",
    }
    desk.says("", "claims", "--html", tmp_path / "claims.html")
    assert "kept on trust" in (tmp_path / "claims.html").read_text()
    assert desk.json("", "claims", "--list", "unclaimed", "--to", tmp_path / "u.csv")["claims"] == 3
    assert "a list needs a file" in desk.refuses("", "claims", "--list", "paid").what
    assert desk.json("", "incident", "notices", "inc-1", "p", "--to", tmp_path / "n.csv")["rows"] == 4
    assert "15,000,000" in desk.says("", "incident", "notice", "inc-1", "p", "c1")
    for kind in ("initial", "follow_up", "public"):
        page, text = tmp_path / f"{kind}.html", tmp_path / f"{kind}.md"
        desk.says("", "--lang", "ja", "incident", "report", "inc-1", "--kind", kind, "--html", page, "--markdown", text)
        assert text.read_text().startswith("# ")
        assert "事故の概要" in page.read_text()
        assert "事故の概要" in text.read_text()
