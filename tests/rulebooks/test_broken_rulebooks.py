"""A rulebook that is not well formed is refused with what is wrong, where, and what to do next.

Each folder of `broken/` is `SOUND` with one defect, and `expected.txt`: what the message must contain, a fragment a
line. A defect of the formula is in `formula.txt`, so that no tool takes it for our code.
"""

from __future__ import annotations

import difflib
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from junbikin.errors import BadInput, ParameterMissing, RulebookProblem
from junbikin.figures import Provenance, Rule
from junbikin.rulebooks.load import Rulebook, known_rulebooks, load_rulebook
from junbikin.rulebooks.stated import StatedFacts, load_examples, stated_case

BROKEN = sorted(folder for folder in (Path(__file__).parent / "broken").iterdir() if folder.is_dir())
REFUSED_BY_THE_UNIT = {"unknown-unit"}
"""Refused below the rulebooks, where units are read, and so with the wider error."""

SOUND = """\
id = "broken"
title = { en = "Broken on purpose", ja = "わざと壊した規則集" }
jurisdiction = "JP"
status = "candidate"

[parameters.floor]
name = { en = "floor", ja = "下限" }
unit = "JPY"
provenance = "assumption"
citation = { en = "ours", ja = "当方の仮定" }
values = [{ from = 2026-04-01, value = "100" }]
"""
VALUES = 'values = [{ from = 2026-04-01, value = "100" }]'
FORMULA = """\
from junbikin.rulebooks.interface import Facts, Outcome
from junbikin.rulebooks.parameters import Rules


def assess(facts: Facts, rules: Rules) -> Outcome:
    floor = rules.number("floor")
    return Outcome(floor.named("requirement", "requirement", "要積立額"), (floor,))
"""
FIRST_DAY = date(2026, 4, 1)


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_a_broken_rulebook_says_what_is_wrong_and_what_to_do_next(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "rulebook.toml", tmp_path)
    formula = folder / "formula.txt"
    (tmp_path / "formula.py").write_text(formula.read_text("utf-8") if formula.exists() else FORMULA, "utf-8")
    with pytest.raises(BadInput if folder.name in REFUSED_BY_THE_UNIT else RulebookProblem) as caught:
        load_rulebook(str(tmp_path))
    fragments = (folder / "expected.txt").read_text("utf-8").splitlines()
    assert fragments
    assert [fragment for fragment in fragments if fragment not in str(caught.value)] == []
    assert _next_step(caught.value)


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_a_broken_rulebook_differs_from_the_sound_one_in_one_place(folder: Path) -> None:
    broken = (folder / "rulebook.toml").read_text("utf-8").splitlines()
    changes = [op for op in difflib.SequenceMatcher(None, SOUND.splitlines(), broken).get_opcodes() if op[0] != "equal"]
    assert len(changes) == (0 if (folder / "formula.txt").exists() else 1)


def test_the_sound_rulebook_loads_and_gives_its_figure(tmp_path: Path) -> None:
    book = _written(tmp_path, SOUND)
    outcome = book.outcome(StatedFacts(FIRST_DAY))
    assert outcome.requirement.known == 100
    source = Rule("broken", "floor", "ours", "当方の仮定", Provenance.ASSUMPTION, "2026-04-01")
    assert outcome.requirement.source == source


def test_a_rulebook_without_a_formula_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rulebook.toml").write_text(SOUND, "utf-8")
    with pytest.raises(RulebookProblem, match=r"no formula\.py") as caught:
        load_rulebook(str(tmp_path))
    assert _next_step(caught.value)


def test_a_rulebook_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rulebook.toml").write_bytes(b'id = "\xff"\n')
    (tmp_path / "formula.py").write_text(FORMULA, "utf-8")
    with pytest.raises(RulebookProblem, match="not TOML") as caught:
        load_rulebook(str(tmp_path))
    assert _next_step(caught.value)


def test_a_misspelt_id_is_answered_with_the_near_one_and_all_that_are_known() -> None:
    with pytest.raises(RulebookProblem) as caught:
        load_rulebook("jp-fiea-157")
    assert "did you mean 'jp-fiea-175'?" in _next_step(caught.value)
    assert all(name in _next_step(caught.value) for name in known_rulebooks())


def test_a_null_parameter_loads_and_stops_the_formula_by_name(tmp_path: Path) -> None:
    book = _written(tmp_path, SOUND.replace(VALUES, 'values = [{ from = 2026-04-01, unknown = "no ordinance yet" }]'))
    with pytest.raises(ParameterMissing) as caught:
        book.outcome(StatedFacts(FIRST_DAY))
    assert "broken: floor is not known on 2026-04-01 (no ordinance yet)" in str(caught.value)
    assert _next_step(caught.value)


def test_a_parameter_that_was_unknown_is_read_from_the_day_it_is_known(tmp_path: Path) -> None:
    dated = 'values = [{ from = 2026-04-01, unknown = "no ordinance yet" }, { from = 2027-04-01, value = "70" }]'
    book = _written(tmp_path, SOUND.replace(VALUES, dated))
    with pytest.raises(ParameterMissing, match="no ordinance yet"):
        book.on(date(2027, 3, 31)).number("floor")
    assert book.on(date(2027, 4, 1)).number("floor").known == 70


def test_a_value_holds_until_the_day_before_the_next_one(tmp_path: Path) -> None:
    dated = 'values = [{ from = 2027-04-01, value = "70" }, { from = 2026-04-01, value = "100" }]'
    book = _written(tmp_path, SOUND.replace(VALUES, dated))
    days = [date(2026, 4, 1), date(2027, 3, 31), date(2027, 4, 1), date(2126, 4, 1)]
    assert [book.on(day).number("floor").known for day in days] == [100, 100, 70, 70]


def test_a_day_before_the_first_value_is_refused_and_the_first_day_named(tmp_path: Path) -> None:
    book = _written(tmp_path, SOUND)
    before = FIRST_DAY - timedelta(days=1)
    with pytest.raises(ParameterMissing) as caught:
        book.outcome(StatedFacts(before))
    assert "broken: floor has no value on 2026-03-31" in str(caught.value)
    assert "2026-04-01" in str(caught.value)
    assert _next_step(caught.value)


@pytest.mark.parametrize("name", sorted(known_rulebooks()))
def test_a_shipped_rulebook_refuses_the_day_before_it_begins(name: str) -> None:
    book = load_rulebook(name)
    first = min(value.since for parameter in book.parameters.values() for value in parameter.values)
    before = first - timedelta(days=1)
    facts = StatedFacts(before, assets={"BTC": ("1", "1")})
    case = stated_case(before, {"cause": "hack"})
    judge = book.outcome if book.assess else book.checks
    with pytest.raises(ParameterMissing, match=f"no value on {before}") as caught:
        book.permitted(case) if book.permission else judge(facts)
    assert name in str(caught.value)
    assert _next_step(caught.value)


def test_a_parameter_that_the_rulebook_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterMissing) as caught:
        _written(tmp_path, SOUND).on(FIRST_DAY).number("ceiling")
    assert "the rulebook broken has no parameter 'ceiling'" in str(caught.value)
    assert _next_step(caught.value)


@pytest.mark.parametrize("name", sorted(known_rulebooks()))
def test_a_copy_in_a_folder_outside_the_package_works_like_the_shipped_one(name: str, tmp_path: Path) -> None:
    shipped = load_rulebook(name)
    shutil.copytree(shipped.folder, tmp_path / "ours")
    by_path, beside_home = load_rulebook(str(tmp_path / "ours")), load_rulebook("ours", base=tmp_path)
    assert by_path.digest == beside_home.digest == shipped.digest
    for book in (by_path, beside_home):
        examples = load_examples(book)
        assert [example.title for example in examples] == [example.title for example in load_examples(shipped)]
        assert [example.differences(book) for example in examples] == [[] for _ in examples]


def test_a_changed_copy_judges_by_its_own_numbers_and_has_its_own_digest(tmp_path: Path) -> None:
    shipped = load_rulebook("hk-sfc")
    shutil.copytree(shipped.folder, tmp_path / "ours")
    file = tmp_path / "ours" / "rulebook.toml"
    text = (
        file.read_text("utf-8").replace('id = "hk-sfc"', 'id = "stricter"').replace('value = "0.5"', 'value = "0.75"')
    )
    file.write_text(text, "utf-8")
    ours = load_rulebook("ours", base=tmp_path)
    facts = StatedFacts(FIRST_DAY, assets={"BTC": ("1000", "10")})
    requirements = [book.outcome(facts).requirement for book in (shipped, ours)]
    assert [figure.known for figure in requirements] == [510, 760]
    assert {f.source.rulebook for f in requirements[1].walk() if isinstance(f.source, Rule)} == {"stricter"}
    assert ours.digest != shipped.digest


def test_the_digest_covers_the_formula_too(tmp_path: Path) -> None:
    before = _written(tmp_path, SOUND).digest
    (tmp_path / "formula.py").write_text(FORMULA + "\n# another formula\n", "utf-8")
    assert load_rulebook(str(tmp_path)).digest != before


def test_an_example_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    book = _written(tmp_path, SOUND)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "one.toml").write_text('titel = "one"\n', "utf-8")
    with pytest.raises(RulebookProblem, match="unknown key 'titel'") as caught:
        load_examples(book)
    assert "one.toml" in str(caught.value)
    assert _next_step(caught.value)


def _written(folder: Path, toml: str) -> Rulebook:
    (folder / "rulebook.toml").write_text(toml, "utf-8")
    (folder / "formula.py").write_text(FORMULA, "utf-8")
    return load_rulebook(str(folder))


def _next_step(problem: BaseException) -> str:
    """What the message says to do next; empty when it does not say."""
    return "".join(line.partition("next:")[2].strip() for line in str(problem).splitlines() if "next:" in line)
