"""Asking for a plan: by what its loss may be made good, and that nobody is paid twice unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import PASSWORD, Cast
from cli.runs import refused, said
from junbikin.errors import BadInput, PositionProblem
from junbikin.incidents import incident as events
from junbikin.incidents.documents import kept
from junbikin.incidents.permission import RULEBOOK, report_due
from junbikin.incidents.plan import asking, permitted
from junbikin.incidents.plan.asking import ask
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.making import make
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import decide, request_numbered
from junbikin.reports.requests import request_lines
from junbikin.rulebooks.load import load_rulebook

from .scene import IN_KIND, INCIDENT, OCCURRED, Scene, approved, built


def quiet(what: str, share: float) -> None:
    """Tells nobody."""


@pytest.fixture(scope="module")
def scene(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Plans are only looked at here."""
    folder = tmp_path_factory.mktemp("asking")
    scene = built(founded(folder / "home"), folder)
    for name in ("letter", "second", "third", "fourth"):
        (folder / f"{name}.txt").write_text(f"the {name}", encoding="utf-8")
    return scene


@pytest.fixture(scope="module")
def plan(scene: Scene) -> Plan:
    return scene.plan("yen")


def exempt(scene: Scene, plan: Plan, *grounds: str, act: str = "", letters: str = "") -> str:
    evidence = [scene.folder / f"{name}.txt" for name in letters.split()]
    return permitted.exempt(scene.home, scene.incident(), plan, load_rulebook(RULEBOOK), grounds, act, evidence)


def test_what_was_confirmed_has_a_reference_and_a_document_that_is_kept(scene: Scene, plan: Plan) -> None:
    letter = scene.folder / "letter.txt"
    digest = hashlib.sha256(b"the letter").hexdigest()
    said = permitted.confirmed(scene.home, plan, "association, no. 12", [letter])
    assert said == f"confirmed: association, no. 12, evidence sha256 {digest}"
    assert kept(scene.home, INCIDENT, digest) is not None
    assert report_due(scene.home, INCIDENT, said) is None
    for reference, evidence, what in ((" ", [letter], "no reference"), ("no. 12", [], "nothing shows that")):
        with pytest.raises(BadInput, match=what):
            permitted.confirmed(scene.home, plan, reference, evidence)


def test_a_theft_from_outside_needs_confirmation_whatever_a_lawyer_or_a_committee_says(
    scene: Scene, plan: Plan
) -> None:
    with pytest.raises(BadInput, match="confirmation is needed: no act of the firm"):
        exempt(scene, plan)
    for grounds in (("lawyer_settlement", "confirmed_in_writing"), ("committee",)):
        with pytest.raises(BadInput, match=r"confirmation is needed: .*FIB Ordinance 119"):
            exempt(scene, plan, *grounds, letters="letter second third fourth")


def test_the_rulebook_is_asked_about_the_plans_own_amounts_and_its_day_of_payment(scene: Scene, plan: Plan) -> None:
    with pytest.raises(BadInput, match="30,000,000 is above 1,000,000 yen"):
        exempt(scene, plan, act="ホ")
    with pytest.raises(BadInput, match="nothing shows what is stated: books_show_it, act ハ"):
        exempt(scene, plan, "books_show_it", act="ハ")
    words = exempt(scene, plan, "books_show_it", act="ハ", letters="letter")
    assert words == exempt(scene, plan, "books_show_it", act="ハ", letters="letter")
    assert words.startswith("exempt: FIB Ordinance 119(1)(xi) a mistake in executing orders that the books show: ")
    assert asking.PERMISSION.fullmatch(words)
    due = date(2026, 5, 31)
    assert f"to be reported by {due}" in words
    assert report_due(scene.home, INCIDENT, words) == (RULEBOOK, due)
    digest = words.partition("answer sha256 ")[2][:64]
    file = kept(scene.home, INCIDENT, digest)
    assert file is not None
    answer = json.loads(file.read_text(encoding="utf-8"))
    assert (answer["on"], answer["people"], answer["plan"]) == ("2026-04-03", "4", plan.digest)
    assert answer["figures"]["largest"] == "30000000"
    assert hashlib.sha256(b"the letter").hexdigest() in answer["evidence"]


def test_a_deadline_is_not_dropped_when_the_answer_behind_it_is_gone_or_altered(scene: Scene, plan: Plan) -> None:
    words = exempt(scene, plan, "books_show_it", act="ニ", letters="letter")
    file = kept(scene.home, INCIDENT, words.partition("answer sha256 ")[2][:64])
    assert file is not None
    content = file.read_bytes()
    for broken in (content.replace(b"2026", b"2036"), None):
        file.unlink()
        if broken:
            file.write_bytes(broken)
        with pytest.raises(PositionProblem, match="what a plan's permission rests on is not here"):
            report_due(scene.home, INCIDENT, words)
        file.write_bytes(content)


def test_one_customers_judgment_frees_no_payment_to_others(scene: Scene, plan: Plan) -> None:
    with pytest.raises(BadInput, match="is shown for 1 of 4"):
        exempt(scene, plan, "judgment", letters="letter")
    words = exempt(scene, plan, "judgment", letters="letter second third fourth")
    assert words.startswith("exempt: FIB Ordinance 119(1)(i) final judgment")
    assert report_due(scene.home, INCIDENT, words) is None


def test_coins_are_worth_what_they_are_on_the_day_of_the_plan(scene: Scene) -> None:
    coins = scene.plan("coins", parts=IN_KIND, order='["own"]')
    most = permitted.greatest(scene.home, scene.incident(), coins)
    assert (most.value, str(most.unit)) == (Decimal(27_000_000), "JPY")


def test_a_plan_is_asked_for_once_and_by_its_name(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    books, plan = cast.books, scene.plan("mix")
    number = ask(books, cast.cem, plan, "confirmed: yes", "why", quiet)
    assert ask(books, cast.cem, plan, "confirmed: yes", "another why", quiet) == number
    with pytest.raises(BadInput, match=f"by another permission: request {number} waits for approval"):
        ask(books, cast.cem, plan, "confirmed: no", "why", quiet)
    assert f"plan mix of {INCIDENT}" in said("request", "list", home=scene.home.path)
    lines = "\n".join(request_lines(books, request_numbered(books, number), "en"))
    assert f"post plan mix of {INCIDENT}" in lines
    assert "who held it at: 2026-03-10 12:00:00+09:00" in lines
    _another(scene, "inc-2")
    again = make(books, "inc-2", "again", scene.rule(order='["own"]'), scene.today, quiet)
    with pytest.raises(BadInput, match=f"the plan mix of {INCIDENT} .* makes the same good already"):
        ask(books, cast.cem, again, "confirmed: yes", "why", quiet)
    approved(scene, number)
    with pytest.raises(BadInput, match="was approved by ben, record"):
        ask(books, cast.cem, plan, "confirmed: no", "why", quiet)
    with pytest.raises(BadInput, match=f"the plan mix of {INCIDENT} .* makes the same good already"):
        ask(books, cast.cem, again, "confirmed: yes", "why", quiet)


def test_whom_another_plan_pays_as_well_is_said_and_shown_to_whoever_approves(
    founded: Callable[[Path], Cast], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = founded(tmp_path / "home")
    scene = built(cast, tmp_path)
    books = cast.books
    first = ask(books, cast.cem, scene.plan("first"), "confirmed: yes", "why", quiet)
    (tmp_path / "who.csv").write_text("account_id,quantity\nc1,0.5\nc2,0.1\n", encoding="utf-8")
    named = scene.plan(
        "named",
        affected='who = "accounts"\nasset = "BTC"\nfile = "who.csv"',
        shared='how = "specific"',
        order='["own"]',
    )
    with pytest.raises(BadInput, match=f"2 in the plan first of {INCIDENT}") as problem:
        ask(books, cast.cem, named, "confirmed: yes", "why", quiet)
    assert "--besides" in problem.value.then
    monkeypatch.setattr(asking, "plan_code", lambda digest: 7)
    with pytest.raises(BadInput, match=f"would have the numbers of those of the plan first of {INCIDENT}"):
        ask(books, cast.cem, named, "confirmed: yes", "why", quiet, "they were short of it")
    monkeypatch.undo()
    number = ask(books, cast.cem, named, "confirmed: yes", "why", quiet, "they were short of it")
    lines = request_lines(books, request_numbered(books, number), "en")
    assert f"  PAID BY OTHER PLANS AS WELL: 2 in the plan first of {INCIDENT}" in lines
    assert "  why they are owed both: they were short of it" in lines
    assert decide(books, cast.ben, number, "approve", "seen")
    decide(books, cast.ben, first, "refuse", "not yet")
    for says in (events.state("contained"), events.state("closed")):
        tell(books, cast.cem, INCIDENT, says, "over")
    with pytest.raises(BadInput, match="is closed"):
        ask(books, cast.cem, scene.plan("later", order='["own"]'), "confirmed: yes", "why", quiet)


def _another(scene: Scene, incident: str) -> None:
    """A second theft of the same coins on the same day."""
    opened = events.opened(scene.cast.books, incident, "hack", OCCURRED, OCCURRED, "again")
    taken = events.taken("BTC", Decimal("4.75000004"), "vault", "hot", "", [], ("52250000.44", "11000000 JPY"))
    for says in (opened, taken):
        tell(scene.cast.books, scene.cast.cem, incident, says, "as seen", OCCURRED)


def test_the_command_takes_no_words_for_a_permission(scene: Scene, plan: Plan) -> None:
    env = {"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": PASSWORD}
    words = ("incident", "ask", INCIDENT, "yen", "--why", "w")
    letter = scene.folder / "letter.txt"
    for more, what in (
        ((), "confirmation is needed"),
        (("--confirmed", "no. 12"), "nothing shows that it was confirmed"),
        (("--confirmed", "no. 12", "--evidence", letter, "--ground", "judgment"), "needs no ground"),
        (("--ground", "hearsay"), "'hearsay' is no ground"),
    ):
        assert what in refused(*words, *more, home=scene.home.path, env=env).what
    shown = said(
        "incident",
        "permission",
        INCIDENT,
        "--plan",
        "yen",
        "--ground",
        "judgment",
        "--shown",
        "4",
        home=scene.home.path,
    )
    assert "next: junbikin incident ask inc-1 yen --ground judgment --evidence FILE --why REASON" in shown
    assert (
        "the plan says the amounts"
        in refused("incident", "permission", INCIDENT, "--plan", "yen", "--largest", "1", home=scene.home.path).what
    )
