"""Notices: every number of everybody's derivation, one by one and all at once, and what the authority and the public are told."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from books.cast import Cast
from custody.conftest import bring
from incidents.paying import Paying, approved_plan, quiet
from incidents.plan.scene import IN_KIND, INCIDENT, OCCURRED, YEN
from junbikin.errors import BadInput
from junbikin.facts.lake import open_lake
from junbikin.incidents import incident as events
from junbikin.incidents.claims import claims_of
from junbikin.incidents.deadlines import deadlines
from junbikin.incidents.disputes import file
from junbikin.incidents.folders import payees_folder
from junbikin.incidents.happenings import happenings
from junbikin.incidents.incident import incident_of
from junbikin.incidents.notices import notice, write_notices
from junbikin.incidents.pay.judge import prepare
from junbikin.incidents.pay.newest import keep_as_newest
from junbikin.incidents.plan.document import derivation
from junbikin.incidents.timeline import tell
from junbikin.reports.incident_report import TO_THE_AUTHORITY, Known, report
from junbikin.reports.incident_words import price_of, priced
from junbikin.reports.notice import notice_told
from junbikin.reports.public_notice import public_notice
from junbikin.reports.told import Told, markdown
from junbikin.reports.told_page import told_page

KINDS = (*TO_THE_AUTHORITY, "public")
AT = datetime(2026, 5, 1, 9, tzinfo=UTC)
RULES = {
    "whole": {},
    "pro rata": {"shared": 'how = "pro_rata"\nlost = "1.23456789"'},
    "mixed": {
        "parts": IN_KIND.replace('share = "1"', 'share = "0.4"')
        + "\n"
        + YEN.format(price='how = "fixed", value = "10000001.37", source = "the board"').replace(
            'share = "1"', 'share = "0.6"'
        )
    },
}


@pytest.fixture(scope="module", params=RULES)
def paying(
    founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Paying:
    """A plan by each rule, of which nothing is paid; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("paying")
    return approved_plan(founded(folder / "home"), folder, **RULES[request.param])


@pytest.fixture(scope="module")
def untouched(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Paying:
    """A plan of which nothing is paid; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("untouched")
    return approved_plan(founded(folder / "home"), folder)


@pytest.fixture
def whole(founded: Callable[[Path], Cast], tmp_path: Path) -> Paying:
    return approved_plan(founded(tmp_path / "home"), tmp_path)


def written(paying: Paying, folder: Path) -> list[dict[str, str]]:
    to = folder / "notices.csv"
    count = write_notices(paying.scene.cast.books, INCIDENT, "p", to, quiet)
    with to.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == count.rows
    return rows


def test_the_file_says_of_everybody_what_one_derivation_says(paying: Paying, tmp_path: Path) -> None:
    """The derivation by fractions, customer by customer, is the oracle of the set-based one."""
    rows = written(paying, tmp_path)
    legs = [leg.asset for leg in paying.plan.legs]
    assert [(row["account_id"], row["asset"]) for row in rows] == [
        (account, asset) for asset in legs for account in ("c1", "c2", "c3", "c5")
    ]
    for row in rows:
        [amount] = [
            each for each in derivation(paying.scene.home, paying.plan, row["account_id"]) if str(each.unit) == row["asset"]
        ]  # fmt: skip
        down, more = amount.inputs
        assert (Decimal(row["amount"]), Decimal(row["rounded_down"]), Decimal(row["unit_more"])) == (
            amount.known, down.known, more.known,
        )  # fmt: skip
        exact = Decimal(row["holding"]) * Decimal(row["share"]) * Decimal(row["price"]) * Decimal(row["made_good"])
        exact /= Decimal(row["held_by_all"])
        assert Decimal(row["rounded_down"]) <= exact < Decimal(row["rounded_down"]) + Decimal(1)
        assert not re.search(r"[eE]|\.\d*0$", row["amount"])
    for leg in paying.plan.legs:
        assert sum(Decimal(row["amount"]) for row in rows if row["asset"] == leg.asset) == leg.total.known


def test_a_notice_leads_from_what_was_held_to_what_is_paid(paying: Paying) -> None:
    books = paying.scene.cast.books
    found = notice(books, INCIDENT, "p", "c1")
    for owed in found.owed:
        reached = owed.reached
        exact = Fraction(reached.held.known) * Fraction(reached.share.known) * Fraction(reached.made_good.known)
        exact *= Fraction(reached.price.known if reached.price else 1) / Fraction(reached.held_by_all.known)
        unit = Fraction(1, 10**owed.leg.decimals)
        assert reached.held.value == Decimal("1.5")
        assert reached.down.known <= exact < Fraction(reached.down.known) + unit
        rest = (exact - Fraction(reached.down.known)) / unit
        assert Fraction(reached.remainder) <= rest < Fraction(reached.remainder) + Fraction(1, 10**8)
        assert reached.down.known + reached.more.known == owed.amount.known
    told = notice_told(books.home, found, AT)
    for lang in ("en", "ja"):
        text = markdown(told, lang)
        assert "1.5 BTC" in text
        assert "\\*" not in text  # no unit is a product of units
        assert text.index("**") < text.index(paying.plan.digest)  # the amount comes first
        assert paying.plan.digest in text
    with pytest.raises(BadInput, match="does not concern c4"):
        notice(books, INCIDENT, "p", "c4")


def test_a_notice_says_how_it_stands_and_what_was_disputed(whole: Paying, tmp_path: Path) -> None:
    books = whole.scene.cast.books
    assert "not sent" in markdown(notice_told(books.home, notice(books, INCIDENT, "p", "c2"), AT), "en")
    whole.entitle()
    whole.send("{[1,4)}", 3, 47_500_000, 1)
    whole.answer("{[1,2)}", 15_000_000, {"no such account": "{[2,3)}"}, 2_500_000, 2, 1)
    file(books, whole.scene.cast.ada, INCIDENT, "c2", "BTC", "I held *more*", [], whole.plan.digest, "letter")
    text = markdown(notice_told(books.home, notice(books, INCIDENT, "p", "c2"), AT), "en")
    assert "it came back to us, and is kept for you: no such account" in text
    assert r"I held \*more\*" in text
    nothing = markdown(notice_told(books.home, notice(books, INCIDENT, "p", "c5"), AT), "en")
    assert "your share rounds to nothing" in nothing
    rows = {row["account_id"]: row for row in written(whole, tmp_path)}
    assert {account: (row["standing"], row["reason"], row["run"]) for account, row in rows.items()} == {
        "c1": ("settled", "", "1"), "c2": ("returned", "no such account", "1"), "c3": ("out", "", "1"), "c5": ("unpaid", "", "0"),
    }  # fmt: skip


def test_how_each_is_paid_is_told_without_giving_an_account_away(whole: Paying, tmp_path: Path) -> None:
    home, books = whole.scene.home, whole.scene.cast.books
    bring(
        home, "payout_instructions",
        ["c1,2026-03-20T10:00:00+09:00,bank,0001,001,1,7654321,ヤマダ タロウ", "c2,2026-03-20T10:00:00+09:00,bank,9998,001,1,1234567,サトウ"],
    )  # fmt: skip
    above = payees_folder(home, INCIDENT, whole.plan.digest)
    keep_as_newest(
        above, prepare(home, open_lake(home), whole.plan.digest, whole.plan.entitlements, above, quiet).digest
    )
    rows = {row["account_id"]: row for row in written(whole, tmp_path)}
    assert [(row["channel"], row["paid_to"], row["payee"]) for row in (rows["c1"], rows["c2"], rows["c3"])] == [
        ("bank", "0001-001-…321", "ok"), ("bank", "9998-001-…567", "unknown_bank"), ("", "", "no_instruction"),
    ]  # fmt: skip
    texts = {
        account: markdown(notice_told(home, notice(books, INCIDENT, "p", account), AT), "en")
        for account in ("c1", "c2")
    }
    assert "to your bank account 0001-001-…321" in texts["c1"]
    assert "please tell us anew where to pay it: no such bank" in texts["c2"]
    assert "7654321" not in texts["c1"] + str(rows)


def test_nobody_is_told_of_what_is_not_approved(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    from incidents.plan.scene import built

    scene = built(founded(tmp_path / "home"), tmp_path)
    scene.plan()
    with pytest.raises(BadInput, match="is not approved"):
        notice(scene.cast.books, INCIDENT, "p", "c1")
    with pytest.raises(BadInput, match="is not approved"):
        write_notices(scene.cast.books, INCIDENT, "p", tmp_path / "n.csv", quiet)


def told(paying: Paying, kind: str) -> Told:
    books = paying.scene.cast.books
    of, claims = incident_of(books, INCIDENT), claims_of(books, INCIDENT)
    at = of.events[-1].recorded_at
    known = Known(
        books.home,
        of,
        happenings(books, of),
        deadlines(books.home, of, [], at),
        claims,
        {paying.plan.digest: paying.plan},
        at,
    )
    return public_notice(known) if kind == "public" else report(known, kind)


def test_reports_are_of_the_same_figures_and_the_public_one_names_nobody(whole: Paying) -> None:
    cast = whole.scene.cast
    whole.entitle()
    whole.send("{[1,4)}", 3, 47_500_000, 1)
    whole.answer("{[1,2)}", 15_000_000, {}, 0, 1, 1)
    tell(cast.books, cast.cem, INCIDENT, events.note("keys <b>were</b> changed"), "done", OCCURRED)
    texts = {kind: markdown(told(whole, kind), "en") for kind in KINDS}
    for text in texts.values():
        assert "¥52,250,000" in text
    for kind in ("follow_up", "public"):
        assert "¥47,500,000" in texts[kind]
        assert "¥15,000,000" in texts[kind]
    assert "confirmed: no. 12" in texts["follow_up"]
    assert "keys \\<b\\>were\\</b\\> changed" in texts["initial"]
    for name in (*cast.people, "vault", r"record \d+"):
        assert not re.search(rf"\b{name}\b", texts["public"]), name
    for name in ("vault", "cem", r"record \d+"):
        assert re.search(rf"\b{name}\b", texts["follow_up"]), name


def test_the_authority_is_told_of_terms_that_the_law_sets_and_of_none_that_the_firm_set_itself(
    untouched: Paying,
) -> None:
    """All of this rulebook's terms rest on press or on the firm's own assumption."""
    text = markdown(told(untouched, "initial"), "en")
    assert "No law or order in the rulebooks in force here sets a term" in text
    assert "[assumption]" not in text
    assert "[press]" not in text


def test_the_public_is_not_told_an_incidents_name_or_title_and_is_told_whom_to_ask(whole: Paying) -> None:
    of = incident_of(whole.scene.cast.books, INCIDENT)
    for lang in ("en", "ja"):
        text = markdown(told(whole, "public"), lang)
        assert of.title not in text
        assert INCIDENT not in text
    assert "Whom to ask" in markdown(told(whole, "public"), "en")
    assert "事業者記入欄" in markdown(told(whole, "public"), "ja")


def test_the_loss_is_told_as_quantity_times_price(untouched: Paying) -> None:
    of = incident_of(untouched.scene.cast.books, INCIDENT)
    [one] = of.taken
    price = price_of(one)
    assert price is None or price * one.quantity == one.value
    grid = dataclasses.replace(
        one, quantity=Decimal("2.5"), value=Decimal("25"), priced="10 JPY, last BTC/JPY of 2026-03-09, source x"
    )
    assert price_of(grid) == 10
    assert priced(grid).ja == "¥10（2026-03-09のBTC/JPY終値、出所 x）"
    assert price_of(dataclasses.replace(grid, value=Decimal("26"))) is None


def test_a_figure_is_opened_once_in_a_page(untouched: Paying) -> None:
    page = told_page(told(untouched, "follow_up"), "en")
    marks = re.findall(r'<details id="(f[0-9a-f]+)"', page)
    assert marks
    assert len(marks) == len(set(marks))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_all_that_the_markdown_has_in_both_languages(untouched: Paying, kind: str) -> None:
    document = told(untouched, kind)
    page = told_page(document, "en")
    assert "<script" not in page
    for section in document.sections:
        assert section.title.en in page
        assert section.title.ja in page
        for line in section.lines:
            assert (
                line.value.ja.replace("'", "&#39;").replace('"', "&#34;").replace("<", "&lt;").replace(">", "&gt;")
                in page
            )
