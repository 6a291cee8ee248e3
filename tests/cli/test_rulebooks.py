"""`rulebooks`: list, show, check."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import junbikin.rulebooks

from .runs import as_json, program, refused, said

SHIPPED = {
    "jp-fiea-175": "precedent", "jp-reserve-candidate": "candidate", "hk-sfc": "enacted", "kr-vaupa": "enacted", "jp-psa": "enacted",
    "jp-fiea-39": "precedent",
}  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A rulebook of one's own with a worked example."""
    folder = tmp_path / "mine"
    shutil.copytree(Path(junbikin.rulebooks.__path__[0]) / "hk_sfc", folder, ignore=shutil.ignore_patterns("examples"))
    (folder / "examples").mkdir()
    (folder / "examples" / "one.toml").write_text(
        """
        title = { en = "a hundred", ja = "百" }
        source = "by hand"
        as_of = 2025-03-31
        customer_assets = { BTC = { cold = "96", rest = "4" } }
        expected = { requirement = "52", cover_cold = "48" }
        """,
        encoding="utf-8",
    )
    return folder


def test_the_list_names_every_shipped_rulebook_with_its_status() -> None:
    rows = [line.split()[:2] for line in said("rulebooks").splitlines()[1:]]
    assert dict(rows) == SHIPPED
    assert "責任準備金" in said("--lang", "ja", "rulebooks")


def test_the_list_as_json() -> None:
    answer = as_json(said("rulebooks", "--json"))
    assert {book["id"]: book["status"] for book in answer} == SHIPPED
    assert all(len(book["digest"]) == 64 and book["title"]["ja"] for book in answer)


@pytest.mark.parametrize("rulebook", SHIPPED)
def test_show_gives_every_parameter_with_value_provenance_and_citation(rulebook: str) -> None:
    text = said("rulebooks", "show", rulebook)
    answer = as_json(said("rulebooks", "show", rulebook, "--json"))
    assert answer["id"] == rulebook
    assert rulebook in text
    for key, parameter in answer["parameters"].items():
        assert key[:20] in text
        assert parameter["citation"]
        assert parameter["provenance"] in ("text", "official", "press", "assumption")
        assert all(value["value"] is None or isinstance(value["value"], str) for value in parameter["values"])


@pytest.mark.parametrize("rulebook", SHIPPED)
def test_shipped_rulebooks_hold(rulebook: str) -> None:
    text = said("rulebooks", "check", rulebook)
    assert text.splitlines()[-1].endswith(" 0 failed")
    assert "FAIL" not in text


def test_a_rulebook_in_a_folder_is_checked_with_its_examples(mine: Path) -> None:
    first, last = said("rulebooks", "check", mine).splitlines()
    assert first == "ok   one: a hundred"
    assert re.fullmatch(r"hk-sfc: \d+ parameters, 1 worked examples?, 0 failed", last)


def test_an_example_that_does_not_come_out_is_named_and_the_program_ends_with_1(mine: Path) -> None:
    example = mine / "examples" / "one.toml"
    example.write_text(example.read_text(encoding="utf-8").replace('"48"', '"49"'), encoding="utf-8")
    ended = program("rulebooks", "check", mine)
    assert ended.returncode == 1
    assert "FAIL one" in ended.stdout
    assert "cover_cold: expected 49, got 48" in ended.stdout


def test_an_example_that_expects_nothing_is_refused(mine: Path) -> None:
    example = mine / "examples" / "one.toml"
    text = example.read_text(encoding="utf-8")
    example.write_text(text[: text.index("expected")], encoding="utf-8")
    assert refused("rulebooks", "check", mine).where == str(example)


@pytest.mark.parametrize("command", ["show", "check"])
def test_an_unknown_rulebook_suggests_the_near_one_and_lists_all(command: str) -> None:
    problem = refused("rulebooks", command, "hk-sfcc")
    assert "did you mean 'hk-sfc'?" in problem.then
    assert all(book in problem.then for book in SHIPPED)


def test_a_broken_rulebook_is_refused_with_its_place(mine: Path) -> None:
    file = mine / "rulebook.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('value = "0.5"', "value = 0.5"), encoding="utf-8")
    problem = refused("rulebooks", "check", mine)
    assert "0.5 is a bare number" in problem.what
    assert problem.where == str(file)


def test_a_formula_that_fails_ends_with_3_and_names_the_rulebook(mine: Path) -> None:
    (mine / "formula.py").write_text("def assess(facts, rules):\n    return 1 / 0\n")
    ended = program("rulebooks", "check", mine)
    assert ended.returncode in (2, 3)
    assert "formula.py" in ended.stderr
