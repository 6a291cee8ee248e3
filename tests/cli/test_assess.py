"""`assess`, `compare`: the answer in words and as JSON, and how the program ends."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import junbikin.rulebooks

from .conftest import DAY
from .runs import as_json, csv, program, refused, run, said

SEVERITIES = ["notice", "warning", "hole", "breach"]


def test_the_answer_stands_first_in_english(assessed: Path) -> None:
    text = said("assess", "--as-of", DAY, "--rulebook", "hk-sfc", home=assessed)
    first = text[: text.index("How it was reached")]
    assert re.search(r"Requirement\s+¥52,000,000 ", first)
    assert re.search(r"Resources\s+¥39,200,000 ", first)
    assert re.search(r"shortfall\s+−¥12,800,000 ", first)
    for words in ("Reserve assets", "lent", "not dedicated to the reserve", "Insurance", "p-1", "Findings", "breach",
                  "2025-04-02", "cover_cold"):  # fmt: skip
        assert words in text


def test_the_answer_in_japanese(assessed: Path) -> None:
    result = run("--lang", "ja", "assess", "--as-of", DAY, "--rulebook", "hk-sfc", home=assessed)
    text = result.stdout
    for words in (
        "要積立額",
        "充当可能財源",
        "不足",
        "−¥12,800,000",
        "準備金資産",
        "準備金専用でない",
        "指摘事項",
        "違反",
    ):
        assert words in text
    assert not re.search(r"Requirement|Resources|shortfall|Findings|breach", text)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "rests on press figures and assumptions"), ("ja", "報道値・仮定を含む")]
)
def test_what_a_position_rests_on_stands_whole_on_its_face(quiet: Path, lang: str, words: str) -> None:
    """However short the operator's name and the amounts are."""
    assert words in said("--lang", lang, "assess", "--as-of", DAY, "--rulebook", "jp-reserve-candidate", home=quiet)


def test_the_operators_name_stands_as_it_is_written(assessed: Path) -> None:
    said("assess", "--as-of", DAY, home=assessed)
    for words in (["assess", "--rulebook", "jp-reserve-candidate"], ["compare"]):
        assert "Example [red] 取引所" in said(*words, "--as-of", DAY, home=assessed)


def test_every_rulebook_in_force_is_assessed_in_its_order(assessed: Path) -> None:
    text = said("assess", "--as-of", DAY, home=assessed)
    places = [text.index(f"· {book}") for book in ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc")]
    assert places == sorted(places)


def numbers(node: Any) -> list[Any]:
    """Every `value` and every amount of a summary in some JSON."""
    if isinstance(node, dict):
        own = [node[key] for key in ("value", "requirement", "resources", "gap") if key in node]
        return [x for x in own if not isinstance(x, dict)] + [x for part in node.values() for x in numbers(part)]
    return [x for part in node for x in numbers(part)] if isinstance(node, list) else []


def test_json_has_every_amount_as_text_and_no_float(assessed: Path) -> None:
    answer = as_json(said("assess", "--as-of", DAY, "--json", home=assessed))
    assert [p["position"]["rulebook"]["id"] for p in answer["positions"]] == [
        "jp-fiea-175", "jp-reserve-candidate", "hk-sfc",
    ]  # fmt: skip
    hong_kong = answer["positions"][2]
    assert hong_kong["summary"] == {
        "requirement": "52000000", "resources": "39200000", "gap": "-12800000", "currency": "JPY", "verdict": "shortfall",
        "provenance": ["press", "assumption"], "complete": True,
    }  # fmt: skip
    assert any(value == "50000000.5" for value in numbers(answer))
    assert all(value is None or isinstance(value, str) for value in numbers(answer))


def test_json_is_alone_on_standard_output(assessed: Path, tmp_path: Path) -> None:
    ended = program("assess", "--as-of", DAY, "--json", home=assessed)
    assert ended.returncode == 0
    assert as_json(ended.stdout)["positions"]


def test_a_day_that_is_none_is_refused(assessed: Path) -> None:
    for day in ("2025-02-29", "31.3.2025", "yesterday"):
        result = run("assess", "--as-of", day, home=assessed)
        assert result.exit_code == 2
        assert "%Y-%m-%d" in result.stderr or "2026" in result.stderr


def test_the_report_is_written_where_asked(assessed: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    result = run("assess", "--as-of", DAY, "--rulebook", "hk-sfc", "--json", "--html", file, home=assessed)
    assert as_json(result.stdout)["positions"]
    assert str(file) in result.stderr
    text = file.read_text(encoding="utf-8")
    assert "<html" in text
    assert "Example [red] 取引所" in text
    assert "52,000,000" in text


# How it ends


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home under whose facts article 175 finds nothing on 31 March, and only an open year before it."""
    folder = tmp_path_factory.mktemp("quiet")
    said("init", folder / "home")
    rows = [f"イ,{year}-04-01,{year + 1}-03-30,0" for year in (2022, 2023, 2024)]
    said("ingest", "declared_volumes", csv(folder, "declared_volumes", *rows), home=folder / "home")
    return folder / "home"


def codes(home: Path, rulebook: str, day: str = DAY) -> list[int]:
    """The exit codes by the severity asked for."""
    words = ["assess", "--as-of", day, "--rulebook", rulebook]
    assert run(*words, home=home).exit_code == 0
    return [run(*words, "--fail-on", severity, home=home).exit_code for severity in SEVERITIES]


def test_without_findings_nothing_fails(quiet: Path) -> None:
    assert codes(quiet, "jp-fiea-175") == [0, 0, 0, 0]
    assert "No findings." in said("assess", "--as-of", DAY, "--rulebook", "jp-fiea-175", home=quiet)


def test_a_notice_fails_on_notice_only(quiet: Path) -> None:
    assert codes(quiet, "jp-fiea-175", "2025-03-30") == [1, 0, 0, 0]


def test_a_hole_fails_on_all_but_a_breach(quiet: Path) -> None:
    assert codes(quiet, "hk-sfc") == [1, 1, 1, 0]


def test_a_breach_fails_on_everything(quiet: Path) -> None:
    assert codes(quiet, "jp-reserve-candidate") == [1, 1, 1, 1]


def test_a_warning_fails_on_warning_and_notice(copied: Path) -> None:
    more = [f"{DAY},{name},deposit,JPY,1000,{name},true,true,JP,1" for name in ("b-1", "b-2")]
    said("ingest", "reserve_assets", csv(copied, "reserve_assets", *more, name="more.csv"), home=copied)
    assert codes(copied, "jp-fiea-175") == [1, 1, 0, 0]


def test_failing_is_an_exit_code_of_the_program_and_the_answer_is_printed_all_the_same(quiet: Path) -> None:
    ended = program("assess", "--as-of", DAY, "--rulebook", "hk-sfc", "--fail-on", "hole", "--json", home=quiet)
    assert ended.returncode == 1
    assert as_json(ended.stdout)["positions"][0]["summary"]["verdict"] == "undetermined"


# A number that a rulebook does not have


@pytest.fixture
def nulled(copied: Path) -> Path:
    """A home whose own rulebook has a number that is not known."""
    folder = copied / "books" / "null"
    shutil.copytree(Path(junbikin.rulebooks.__path__[0]) / "hk_sfc", folder)
    file = folder / "rulebook.toml"
    text = file.read_text(encoding="utf-8").replace('id = "hk-sfc"', 'id = "hk-null"')
    changed = text.replace('value = "0.5" }]', 'unknown = "the draft leaves it open" }]', 1)
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    return copied


def in_force(home: Path, *names: str) -> None:
    config = home / "junbikin.toml"
    text = re.sub(r"(?m)^rulebooks = .*$", f"rulebooks = {list(names)}", config.read_text(encoding="utf-8"))
    config.write_text(text, encoding="utf-8")


def test_an_unknown_number_stops_its_rulebook_by_name_and_no_other(nulled: Path) -> None:
    in_force(nulled, "books/null", "jp-fiea-175")
    result = run("assess", "--as-of", DAY, home=nulled)
    assert result.exit_code == 0, result.exception
    assert "jp-fiea-175" in result.stdout
    assert "hk-null" not in result.stdout
    for words in ("hk-null", "cover.cold", "the draft leaves it open", "next:"):
        assert words in result.stderr
    compared = run("compare", "--as-of", DAY, "--json", home=nulled)
    assert [line["rulebook"] for line in as_json(compared.stdout)["positions"]] == [
        "jp-fiea-175", "hk-sfc", "jp-reserve-candidate", "kr-vaupa",
    ]  # fmt: skip
    assert "cover.cold" in compared.stderr


def test_an_unknown_number_stops_a_rulebook_named_on_the_command_line_too(nulled: Path) -> None:
    folder = nulled / "books" / "null"
    result = run("assess", "--as-of", DAY, "--rulebook", folder, "--rulebook", "jp-fiea-175", "--json", home=nulled)
    assert [p["position"]["rulebook"]["id"] for p in as_json(result.stdout)["positions"]] == ["jp-fiea-175"]
    assert "hk-null: cover.cold is not known" in result.stderr


def test_a_single_rulebook_that_cannot_be_assessed_is_an_error(nulled: Path) -> None:
    problem = refused("assess", "--as-of", DAY, "--rulebook", nulled / "books" / "null", home=nulled)
    assert "hk-null: cover.cold is not known on 2025-03-31 (the draft leaves it open)" in problem.what
    assert program("assess", "--as-of", DAY, "--rulebook", "books/null", home=nulled).returncode == 2


def test_when_no_rulebook_can_be_assessed_the_program_does_not_end_well(nulled: Path) -> None:
    shutil.copytree(nulled / "books" / "null", nulled / "books" / "void")
    words = ["assess", "--as-of", DAY, "--rulebook", "books/null", "--rulebook", "books/void"]
    assert run(*words, home=nulled).exit_code != 0


def test_a_day_before_a_rulebook_began_stops_it(assessed: Path) -> None:
    problem = refused("assess", "--as-of", "2007-09-29", "--rulebook", "jp-fiea-175", home=assessed)
    assert "has no value on 2007-09-29" in problem.what
    assert "2007-09-30" in problem.where


# Side by side


def test_compare_sets_every_known_rulebook_side_by_side(assessed: Path) -> None:
    text = said("compare", "--as-of", DAY, home=assessed)
    for words in ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc", "¥52,000,000", "¥2,000,000,000", "−¥12,800,000"):
        assert words in text
    assert "要積立額" in said("--lang", "ja", "compare", "--as-of", DAY, home=assessed)


def test_compare_as_json_says_what_assess_says(assessed: Path) -> None:
    answer = as_json(said("compare", "--as-of", DAY, "--json", home=assessed))
    assessments = as_json(said("assess", "--as-of", DAY, "--json", home=assessed))["positions"]
    assert answer["as_of"] == DAY
    compared = {line["rulebook"]: line["digest"] for line in answer["positions"]}
    assert {p["position"]["rulebook"]["id"]: p["digest"] for p in assessments}.items() <= compared.items()
    assert all(value is None or isinstance(value, str) for value in numbers(answer))


def test_compare_leaves_the_last_assessment_as_it_was(copied: Path) -> None:
    said("assess", "--as-of", DAY, "--rulebook", "hk-sfc", home=copied)
    said("compare", "--as-of", DAY, home=copied)
    assert "cover_cold" in said("explain", "requirement", home=copied)


def test_facts_ingested_later_are_not_seen_when_asked_what_was_known_before(assessed: Path) -> None:
    """The home's facts came in today; yesterday nothing was known, and today all of it was."""
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date()
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    words = ("assess", "--as-of", DAY, "--rulebook", "hk-sfc")
    assert "no balances of customers known" in said(*words, "--known-on", str(yesterday), home=assessed)
    assert said(*words, "--known-on", str(tomorrow), home=assessed) == said(*words, home=assessed)


def test_a_day_that_has_not_come_is_not_assessed(business: Path) -> None:
    assert "has not come yet" in refused("assess", "--as-of", "2999-01-01", home=business).what
