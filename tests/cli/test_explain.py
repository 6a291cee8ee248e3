"""`explain`: down to the rule and to the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import DAY
from .runs import as_json, refused, run, said


def test_a_key_is_opened_down_to_its_rule_and_its_file(assessed: Path) -> None:
    text = said("explain", "cover_cold", home=assessed)
    for words in ("hk-sfc", "¥48,000,000", "cover.cold", "press", "SFC platform operators' regime", "holdings",
                  "holdings.csv", "customer_balances.csv", "prices.csv"):  # fmt: skip
        assert words in text
    assert "trades.csv" not in text


def test_an_explanation_in_japanese(assessed: Path) -> None:
    text = said("--lang", "ja", "explain", "cover_cold", home=assessed)
    for words in ("コールド分の補償", "補償割合（コールド）", "報道", "事実データ"):
        assert words in text


def test_a_path_leads_inward(assessed: Path) -> None:
    text = said("explain", "volume_leg/volume.spot_venue.FY2024", home=assessed)
    assert "¥20,000,000" in text
    assert "trades.csv" in text


def test_depth_opens_as_many_levels_as_asked(assessed: Path) -> None:
    shallow, whole = (said("explain", "custody_leg", "--depth", depth, home=assessed) for depth in ("1", "0"))
    assert "owed.BTC" not in shallow
    assert "…" in shallow
    assert "owed.BTC" in whole
    assert len(shallow.splitlines()) < len(whole.splitlines())


def test_an_unknown_key_suggests_near_ones(assessed: Path) -> None:
    problem = refused("explain", "custody_lag", home=assessed)
    assert "custody_leg" in problem.then
    assert "cover_cold" in refused("explain", "cover-cold", home=assessed).then


def test_a_key_of_several_positions_needs_a_rulebook(assessed: Path) -> None:
    problem = refused("explain", "requirement", home=assessed)
    assert "jp-fiea-175" in problem.what
    assert "--rulebook" in problem.then
    assert "¥52,000,000" in said("explain", "requirement", "--rulebook", "hk-sfc", home=assessed)
    assert refused("explain", "requirement", "--rulebook", "hk", home=assessed).then


def test_json_is_the_figure_and_everything_under_it(assessed: Path) -> None:
    answer = as_json(said("explain", "requirement", "--rulebook", "hk-sfc", "--json", home=assessed))
    assert answer["figures"][answer["root"]]["value"] == "52000000"
    named = {digest for node in answer["figures"].values() for digest in node["inputs"]}
    assert named | {answer["root"]} == set(answer["figures"])


def test_a_position_in_a_file_is_explained_without_a_home(
    assessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "position.json"
    file.write_text(said("assess", "--as-of", DAY, "--rulebook", "hk-sfc", "--json", home=assessed), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "¥52,000,000" in said("explain", "requirement", "--position", file)
    said("assess", "--as-of", DAY, home=assessed)


@pytest.mark.parametrize("content", ["{}", "[]", "5", "null", '{"position": {}}', '{"positions": [{}]}', "{", ""])
def test_a_file_that_is_no_position_is_refused(assessed: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "odd.json"
    file.write_text(content)
    refused("explain", "gap", "--position", file, home=assessed)
    refused("explain", "gap", "--position", file, "--rulebook", "hk-sfc", home=assessed)


def test_an_altered_file_is_refused(assessed: Path, tmp_path: Path) -> None:
    (kept,) = (assessed / "positions").glob("*-hk-sfc-*.json")
    document = json.loads(kept.read_text(encoding="utf-8"))
    document["figures"][document["position"]["requirement"]]["value"] = "1"
    file = tmp_path / "altered.json"
    file.write_text(json.dumps(document))
    assert "altered" in refused("explain", "requirement", "--position", file, home=assessed).what


def test_before_the_first_assessment_it_says_what_to_run(tmp_path: Path) -> None:
    said("init", tmp_path)
    assert "junbikin assess" in refused("explain", "gap", home=tmp_path).then


def test_every_key_that_assess_shows_can_be_explained(assessed: Path) -> None:
    answer = as_json(said("assess", "--as-of", DAY, "--rulebook", "jp-reserve-candidate", "--json", home=assessed))
    (document,) = answer["positions"]
    for digest in document["position"]["steps"]:
        key = document["figures"][digest]["key"]
        assert run("explain", key, home=assessed).exit_code == 0, key
    said("assess", "--as-of", DAY, home=assessed)
