"""`verify`: how the program ends, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import DAY
from .runs import as_json, csv, program, refused, run, said


@pytest.fixture
def paper(copied: Path, tmp_path: Path) -> Path:
    """A file of all three positions of a home of one's own."""
    file = tmp_path / "positions.json"
    file.write_text(said("assess", "--as-of", DAY, "--json", home=copied), encoding="utf-8")
    return file


def test_an_honest_file_ends_with_0(copied: Path, paper: Path) -> None:
    said("ingest", "trades", csv(copied, "trades", f"t-2,{DAY}T11:00:00+09:00,BTC,JPY,buy,1,1,margin"), home=copied)
    ended = program("verify", paper, home=copied)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["jp-fiea-175", "jp-reserve-candidate", "hk-sfc"]
    assert all("verified" in line for line in lines)


def test_a_kept_position_verifies(copied: Path, paper: Path) -> None:
    kept = sorted((copied / "positions").glob("*-*.json"))
    assert kept
    for file in kept:
        assert "verified" in said("verify", file, home=copied)


def test_a_file_that_differs_ends_with_1_and_names_the_first_difference(copied: Path, paper: Path) -> None:
    """The same home under another operator's name."""
    config = copied / "junbikin.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("Example", "Sample"), encoding="utf-8")
    ended = program("verify", paper, home=copied)
    assert ended.returncode == 1
    assert "hk-sfc, 2025-03-31: DIFFERS at operator" in ended.stdout
    assert "stated:     Example" in ended.stdout
    assert "recomputed: Sample" in ended.stdout
    result = run("verify", paper, "--json", home=copied)
    assert result.exit_code == 1
    assert as_json(result.stdout)["positions"][0]["first_difference"]["path"] == ["operator"]


def test_an_altered_file_ends_with_2(copied: Path, paper: Path) -> None:
    document = json.loads(paper.read_text(encoding="utf-8"))
    document["positions"][1]["position"]["findings"] = []
    paper.write_text(json.dumps(document))
    ended = program("verify", paper, home=copied)
    assert ended.returncode == 2
    assert "altered" in ended.stderr
    assert "next:" in ended.stderr


def test_altered_facts_end_with_2(copied: Path, paper: Path) -> None:
    (segment,) = (copied / "facts" / "holdings").glob("*/*.parquet")
    segment.write_bytes(segment.read_bytes() + b"\0")
    ended = program("verify", paper, home=copied)
    assert ended.returncode == 2
    assert segment.name in ended.stderr


def test_json_says_for_each_position_what_came_of_it(copied: Path, paper: Path) -> None:
    lines = as_json(said("verify", paper, "--json", home=copied))["positions"]
    assert [line["rulebook"] for line in lines] == ["jp-fiea-175", "jp-reserve-candidate", "hk-sfc"]
    for line in lines:
        assert line["stated"] == line["recomputed"]
        assert line["first_difference"] is None
        assert line["rulebook_changed"] is False


def test_what_is_no_position_is_refused(copied: Path, tmp_path: Path) -> None:
    for name, content in (
        ("empty", "{}"),
        ("list", "[]"),
        ("float", '{"a": 0.5}'),
        ("half", '{"format": "junbikin-pos'),
    ):
        (tmp_path / name).write_text(content)
        refused("verify", tmp_path / name, home=copied)
    for path in (tmp_path / "missing", tmp_path):
        refused("verify", path, home=copied)


def test_a_file_without_positions_does_not_pass_for_verified(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text('{"positions": []}')
    refused("verify", tmp_path / "none.json", home=copied)
