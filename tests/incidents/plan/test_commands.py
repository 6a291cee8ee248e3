"""`incident draft`, `plan`, `compare` and `ask`, as a person runs them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import PASSWORD, Cast
from cli.runs import as_json, refused, run, said
from custody.conftest import bring
from junbikin.incidents.plan.rule import Shared, read_rule

from .scene import BALANCES, INCIDENT, Scene, built


@pytest.fixture(scope="module")
def scene(founded: Callable[[Path], Cast], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("commands")
    scene = built(founded(folder / "home"), folder)
    bring(scene.home, "market_trades", ["zaif,1,2026-03-10T12:00:00Z,BTC,JPY,10000000.5,0.3"])
    return scene


def test_drafts_are_rules_of_this_home_and_give_plans_as_they_are(scene: Scene) -> None:
    rules = scene.folder / "rules"
    text = said("incident", "draft", INCIDENT, rules, home=scene.home.path)
    names = ["in-kind", "vwap", "yen"]
    assert sorted(file.stem for file in rules.iterdir()) == names
    assert "next: junbikin incident plan" in text
    assert refused("incident", "draft", INCIDENT, rules, home=scene.home.path).what == "this file is there already"
    for name in names:
        assert read_rule(rules / f"{name}.toml").title
        assert "NAME" not in (rules / f"{name}.toml").read_text()
        assert f"{name}: BTC" in said("incident", "plan", INCIDENT, name, rules / f"{name}.toml", home=scene.home.path)
    assert "no trade" not in (rules / "vwap.toml").read_text()
    assert tomllib.loads((rules / "vwap.toml").read_text())["parts"][0]["price"]["sources"] == ["zaif"]
    prices = {"in-kind": "BTC", "yen": "52250000", "vwap": "47500003"}
    sides = as_json(said("incident", "compare", INCIDENT, "--json", home=scene.home.path))["plans"]
    assert [side["plan"] for side in sides] == names
    assert {side["plan"]: side["pays"].get("JPY", "BTC") for side in sides} == prices
    for lang, word in (("en", "nobody was asked yet"), ("ja", "案（未申請）")):
        table = said("--lang", lang, "incident", "compare", INCIDENT, *names[1:], home=scene.home.path)
        assert word in table
        assert "in-kind" not in table


def test_without_a_plan_there_is_none_to_compare_and_a_draft_shares_what_was_taken_where_customers_held_more(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    scene = built(founded(tmp_path / "home"), tmp_path, [*BALANCES, "2026-03-09,c7,BTC,1000"])
    assert refused("incident", "compare", INCIDENT, home=scene.home.path).what == "there is no plan to compare"
    said("incident", "draft", INCIDENT, tmp_path / "rules", home=scene.home.path)
    in_kind = read_rule(tmp_path / "rules" / "in-kind.toml")
    assert in_kind.shared == Shared("pro_rata", Decimal("4.75000004"))
    assert in_kind.funding.place == {"BTC": "vault"}
    vwap = tmp_path / "rules" / "vwap.toml"
    assert "no trade of BTC in JPY in these 24 hours" in vwap.read_text()
    assert "there is no price" in refused("incident", "plan", INCIDENT, "vwap", vwap, home=scene.home.path).what


def test_asking_shows_what_would_move_and_waits_for_somebody_else(scene: Scene) -> None:
    rules = scene.folder / "rules-to-ask"
    said("incident", "draft", INCIDENT, rules, home=scene.home.path)
    said("incident", "plan", INCIDENT, "asked", rules / "yen.toml", home=scene.home.path)
    secret = scene.folder / "password"
    secret.write_text(PASSWORD)
    words = [
        "incident",
        "ask",
        INCIDENT,
        "asked",
        "--confirmed",
        "by the association",
        "--evidence",
        str(rules / "yen.toml"),
        "--why",
        "the board decided",
    ]
    done = run(*words, "--as", "cem", "--password-file", secret, home=scene.home.path)
    assert done.exit_code == 0, done.exception
    assert "reserve/JPY/kaede  pays 20,000,000 JPY" in done.stderr
    assert f"claimant/JPY/kaede/{INCIDENT}  receives 52,250,000 JPY" in done.stderr
    assert "waits for the approval of ben" in done.stdout
    answer = said(*words, "--as", "cem", "--password-file", secret, "--json", home=scene.home.path)
    assert json.loads(answer)["may_approve"] == ["ben"]
