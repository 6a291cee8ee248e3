"""Verify: what agrees, and that nothing altered — in the file, the facts or the rules — passes."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import junbikin.rulebooks
from junbikin.errors import FactsDamaged, PositionProblem
from junbikin.facts.lake import open_lake
from junbikin.home import Home, open_home
from junbikin.reserve.assess import assess
from junbikin.reserve.document import read_document
from junbikin.reserve.verify import verify
from junbikin.rulebooks.load import load_rulebook

from .homes import ALL_CAUSES, ASSETS, BALANCES, DAY, HOLDINGS, POLICIES, PRICES, add, make, position, put, with_setting

TRADES = """
trade_id executed_at               asset quote side price    quantity line
t-1      2025-03-31T10:00:00+09:00 BTC   JPY   buy  10000000 2        spot_venue
"""
RESERVE = f"""
{ASSETS}
2025-03-31 cash deposit JPY 50000000 bank-a true  true JP 1
2025-03-31 lent deposit JPY 7000     bank-b false true JP 1
"""
INSURANCE = f"""
{POLICIES}
2025-03-31 p-1 insurer 2024-03-01 2024-04-01 2026-03-31 {ALL_CAUSES} hot|cold 9000000 1000000
2025-03-31 p-2 insurer -          2024-04-01 2026-03-31 {ALL_CAUSES} hot|cold 8000000 0
"""
RULEBOOKS = ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc")


def business(folder: Path) -> Home:
    """A small business with something of everything."""
    return make(
        folder,
        trades=TRADES,
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        reserve_assets=RESERVE,
        policies=INSURANCE,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return business(tmp_path_factory.mktemp("business"))


def document(home: Home, rulebook: str = "hk-sfc") -> dict[str, Any]:
    """The position as a file would hold it."""
    read: dict[str, Any] = json.loads(json.dumps(position(home, rulebook).document()))
    return read


@pytest.fixture(scope="module")
def original(home: Home) -> dict[str, Any]:
    return document(home)


@pytest.fixture
def paper(original: dict[str, Any]) -> dict[str, Any]:
    """A copy of a position to alter."""
    return copy.deepcopy(original)


# Agreement


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_an_honest_position_agrees(home: Home, rulebook: str) -> None:
    stated = document(home, rulebook)
    result = verify(home, stated)
    assert result.difference is None
    assert not result.rulebook_changed
    assert result.recomputed.digest == stated["digest"]


def test_sums_kept_since_are_not_believed(tmp_path: Path) -> None:
    home = make(tmp_path / "home", trades=TRADES)
    stated = document(home, "jp-fiea-175")
    kept = home.path / "cache" / "trades.json"
    text = kept.read_text()
    assert '"20000000"' in text
    kept.write_text(text.replace('"20000000"', '"10000000"'))
    assert verify(home, stated).difference is None


def test_a_position_agrees_after_more_facts_came(tmp_path: Path) -> None:
    home = business(tmp_path / "home")
    papers = [document(home, rulebook) for rulebook in RULEBOOKS]
    add(
        home,
        trades=TRADES.replace("t-1", "t-2"),
        customer_balances="as_of account_id asset quantity\n2025-03-31 cyd BTC 1",
    )
    put(home, "trades", TRADES.replace("10000000", "10000001"), corrects="mistyped")
    for paper, rulebook in zip(papers, RULEBOOKS, strict=True):
        newer = document(home, rulebook)
        assert newer["digest"] != paper["digest"]
        assert verify(home, paper).difference is None
        assert verify(home, newer).difference is None


def test_the_same_facts_in_another_folder_give_the_same_position(home: Home, tmp_path: Path) -> None:
    other = business(tmp_path / "elsewhere" / "home")
    for rulebook in RULEBOOKS:
        assert position(other, rulebook).digest == position(home, rulebook).digest


# The facts were altered


def segment(home: Home, dataset: str) -> Path:
    (file,) = (home.facts / dataset).glob("*/*.parquet")
    return file


def moved(home: Home, tmp_path: Path) -> Home:
    """A copy of a home to damage."""
    shutil.copytree(home.path, tmp_path / "copy")
    return open_home(tmp_path / "copy")


@pytest.mark.parametrize("dataset", ["trades", "customer_balances", "holdings", "prices", "reserve_assets", "policies"])
def test_an_altered_segment_is_named(home: Home, paper: dict[str, Any], tmp_path: Path, dataset: str) -> None:
    damaged = moved(home, tmp_path)
    file = segment(damaged, dataset)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(FactsDamaged, match=file.name) as caught:
        verify(damaged, paper)
    assert caught.value.where == str(file)
    assert caught.value.then


def test_a_missing_segment_is_named(home: Home, paper: dict[str, Any], tmp_path: Path) -> None:
    damaged = moved(home, tmp_path)
    file = segment(damaged, "holdings")
    file.unlink()
    with pytest.raises(FactsDamaged) as caught:
        verify(damaged, paper)
    assert caught.value.where == str(file)
    with pytest.raises(FactsDamaged) as caught:
        position(damaged)
    assert caught.value.where == str(file)


def test_a_log_without_the_line_that_the_position_knew_is_refused(
    home: Home, paper: dict[str, Any], tmp_path: Path
) -> None:
    damaged = moved(home, tmp_path)
    log = damaged.facts / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(FactsDamaged, match="no entry") as caught:
        verify(damaged, paper)
    assert caught.value.then


def test_the_position_of_another_home_is_refused(paper: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(FactsDamaged, match="not the facts"):
        verify(make(tmp_path / "other", trades=TRADES), paper)


# The file was altered


def passes(home: Home, paper: dict[str, Any]) -> bool:
    """Whether a paper is neither refused nor found to differ."""
    try:
        return verify(home, paper).difference is None
    except PositionProblem:
        return False


def test_an_altered_amount_is_refused_wherever_it_stands(home: Home, original: dict[str, Any]) -> None:
    unnoticed = []
    for digest, node in original["figures"].items():
        paper = copy.deepcopy(original)
        paper["figures"][digest]["value"] = "1" if node["value"] != "1" else "2"
        with contextlib.suppress(PositionProblem):
            read_document(paper)
            unnoticed.append(f"{node['key']} {node['name']['en']} = {node['value']}")
    assert unnoticed == []


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("operator", "Somebody Else"),
        ("invented", True),
        ("as_of", "2025-03-30"),
        ("rulebook", {"id": "jp-fiea-175", "status": "enacted", "digest": ""}),
        ("requirement", "0" * 64),
        ("steps", []),
        ("assets", []),
        ("policies", []),
        ("findings", []),
        ("more", "than there was"),
    ],
)
def test_an_altered_body_is_refused(paper: dict[str, Any], part: str, value: Any) -> None:
    assert paper["position"].get(part) != value
    paper["position"][part] = value
    with pytest.raises(PositionProblem, match="altered") as caught:
        read_document(paper)
    assert caught.value.then


@pytest.mark.parametrize(
    ("part", "value"), [("severity", "notice"), ("what", {"en": "all is well", "ja": ""}), ("cure_by", "2099-12-31")]
)
def test_an_altered_finding_is_refused(paper: dict[str, Any], part: str, value: Any) -> None:
    paper["position"]["findings"][0][part] = value
    with pytest.raises(PositionProblem, match="altered"):
        read_document(paper)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("requirement", "1"),
        ("resources", "99999999999"),
        ("gap", "1"),
        ("gap", None),
        ("currency", "USD"),
        ("verdict", "undetermined"),
        ("provenance", ["text"]),
        ("complete", False),
    ],
)
def test_an_altered_summary_does_not_pass(home: Home, paper: dict[str, Any], part: str, value: Any) -> None:
    assert paper["summary"][part] != value
    paper["summary"][part] = value
    assert not passes(home, paper)


@pytest.mark.parametrize(("part", "value"), [("file", "other.csv"), ("sha256", "0" * 64), ("read", 7)])
def test_altered_evidence_does_not_pass(home: Home, paper: dict[str, Any], part: str, value: Any) -> None:
    assert paper["facts"]["sources"][0][part] != value
    paper["facts"]["sources"][0][part] = value
    assert not passes(home, paper)


@pytest.mark.parametrize("part", ["format", "digest", "summary", "position", "figures", "facts"])
def test_a_position_without_one_of_its_parts_is_refused(home: Home, paper: dict[str, Any], part: str) -> None:
    del paper[part]
    with pytest.raises(PositionProblem) as caught:
        verify(home, paper)
    assert caught.value.then


@pytest.mark.parametrize("rubbish", [None, 5, "text", [], {}, 2**60, float("nan")], ids=repr)
@pytest.mark.parametrize("part", [None, "digest", "summary", "position", "figures", "facts", "position.operator"])
def test_rubbish_in_place_of_a_part_is_refused(
    home: Home, paper: dict[str, Any], part: str | None, rubbish: Any
) -> None:
    whole: Any = paper
    if part is None:
        whole = rubbish
    elif part == "position.operator":
        whole["position"]["operator"] = rubbish
    else:
        whole[part] = rubbish
    with pytest.raises(PositionProblem) as caught:
        verify(home, whole)
    assert caught.value.then


def test_a_position_made_from_other_amounts_differs_at_the_amount(home: Home, tmp_path: Path) -> None:
    """Every digest in it holds, and it claims our facts: only working it again shows that it lies."""
    liar = make(tmp_path / "liar", customer_balances=BALANCES.replace(" 6", " 1"), holdings=HOLDINGS, prices=PRICES,
                reserve_assets=RESERVE, policies=INSURANCE)  # fmt: skip
    paper = document(liar)
    paper["facts"]["head"] = open_lake(home).head
    difference = verify(home, paper).difference
    assert difference is not None
    assert difference.path[0] == "requirement"
    assert difference.path[-1] == "owed.BTC"
    assert "'5'" in difference.stated
    assert "'10'" in difference.recomputed


# The rules were altered


def book(home: Home, name: str, shipped: str = "hk_sfc") -> Path:
    """A copy of a shipped rulebook in the home, in force there alone."""
    folder = home.path / "books" / name
    shutil.copytree(Path(junbikin.rulebooks.__path__[0]) / shipped, folder)
    with_setting(home, "rulebooks", f'["books/{name}"]')
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_rulebook_of_ones_own_is_verified_from_its_folder(home: Home, tmp_path: Path) -> None:
    mine = moved(home, tmp_path)
    edit(book(mine, "own") / "rulebook.toml", 'id = "hk-sfc"', 'id = "own"')
    mine = open_home(mine.path)
    assert verify(mine, document(mine, "books/own")).difference is None


def test_a_changed_rate_is_named_as_the_first_difference(home: Home, paper: dict[str, Any], tmp_path: Path) -> None:
    """The home's own folder has the id of a shipped rulebook: it is the one in force."""
    mine = moved(home, tmp_path)
    edit(book(mine, "hk") / "rulebook.toml", 'value = "0.5" }]', 'value = "0.4" }]')
    result = verify(open_home(mine.path), paper)
    assert result.rulebook_changed
    assert result.difference is not None
    assert result.difference.path == ("requirement", "cover_cold", "cover.cold")
    assert "'0.5'" in result.difference.stated
    assert "'0.4'" in result.difference.recomputed


def test_a_changed_formula_is_named_at_the_figure_that_it_works_otherwise(
    home: Home, paper: dict[str, Any], tmp_path: Path
) -> None:
    mine = moved(home, tmp_path)
    edit(book(mine, "hk") / "formula.py", 'cold * rules.number("cover.cold")', 'cold * rules.number("cover.rest")')
    result = verify(open_home(mine.path), paper)
    assert result.rulebook_changed
    assert result.difference is not None
    assert result.difference.path[:2] == ("requirement", "cover_cold")


def test_a_rulebook_changed_only_in_its_words_is_told_apart_from_a_changed_figure(
    home: Home, paper: dict[str, Any], tmp_path: Path
) -> None:
    mine = moved(home, tmp_path)
    edit(book(mine, "hk") / "rulebook.toml", "Cover of at least", "A cover of at least")
    result = verify(open_home(mine.path), paper)
    assert result.rulebook_changed
    assert result.difference is not None
    assert result.difference.path == ("rulebook",)


def test_changed_settings_of_the_home_are_named(home: Home, paper: dict[str, Any], tmp_path: Path) -> None:
    mine = with_setting(moved(home, tmp_path), "operator", '"Another"')
    difference = verify(mine, paper).difference
    assert difference is not None
    assert (difference.path, difference.stated, difference.recomputed) == (("operator",), "Example", "Another")


# Golden

TINY = {
    "rulebook.toml": """
id = "tiny"
title = { en = "Tiny", ja = "極小" }
jurisdiction = "JP"
status = "candidate"

[parameters.rate]
name = { en = "rate", ja = "率" }
unit = "1"
provenance = "assumption"
citation = { en = "this test", ja = "この試験" }
values = [{ from = 2020-01-01, value = "0.01" }]
"""
    + "".join(
        f"""
[parameters.{key}]
name = {{ en = "{key}", ja = "{key}" }}
unit = "{unit}"
provenance = "assumption"
citation = {{ en = "this test", ja = "この試験" }}
values = [{{ from = 2020-01-01, value = "{value}" }}]
"""
        for key, unit, value in (
            ("resources.haircut.deposit", "1", "0.1"),
            ("resources.realisable_days", "1", "5"),
            ("resources.jurisdictions", "word", "JP"),
            ("resources.place_share", "1", "0.6"),
            ("insurance.share", "1", "0.5"),
            ("insurance.causes", "word", "hack"),
            ("cure_business_days", "1", "2"),
        )
    ),
    "formula.py": """
from junbikin.rulebooks.interface import Facts, Outcome
from junbikin.rulebooks.parameters import Rules


def assess(facts: Facts, rules: Rules) -> Outcome:
    volume = facts.volume("spot_venue", facts.fiscal_year())
    requirement = (volume * rules.number("rate")).named("requirement", "requirement", "要積立額")
    return Outcome(requirement, (volume,))
""",
}
PINNED = "1e6c1062cbeba6994377e9ebf15a736dfe5e2e1def72dd10d699d8882f1988c0"


def tiny(folder: Path) -> Home:
    """A business with little, under a rulebook that stands whole in this file."""
    home = make(folder, trades=TRADES, reserve_assets=RESERVE)
    (folder / "tiny").mkdir()
    for name, text in TINY.items():
        (folder / "tiny" / name).write_text(text, encoding="utf-8")
    return home


def test_a_tiny_position_has_the_digest_that_it_always_had(tmp_path: Path) -> None:
    """Golden: it changes only when what a position says, or how, does, and then kept positions no longer verify."""
    home = tiny(tmp_path / "one")
    found = position(home, "tiny")
    assert found.requirement.known == 200_000
    assert found.resources.total.known == 120_000
    assert found.digest == PINNED


WORK = """
import sys
from pathlib import Path
from junbikin.home import open_home
from junbikin.facts.lake import open_lake
from junbikin.reserve.assess import assess
from junbikin.rulebooks.load import load_rulebook
from datetime import date
home = open_home(Path(sys.argv[1]))
print(assess(open_lake(home), load_rulebook(sys.argv[2], home.path), date.fromisoformat(sys.argv[3])).digest)
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_digest_of_a_position_does_not_depend_on_the_seed_of_hashing(home: Home, seed: str) -> None:
    for rulebook in ("hk-sfc", "jp-reserve-candidate"):
        run = subprocess.run(
            [sys.executable, "-c", WORK, str(home.path), rulebook, str(DAY)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert run.stdout.strip() == position(home, rulebook).digest


def test_working_it_again_in_the_same_run_changes_nothing(home: Home) -> None:
    lake = open_lake(home)
    book = load_rulebook("jp-reserve-candidate")
    assert assess(lake, book, DAY).digest == assess(lake, book, DAY).digest
