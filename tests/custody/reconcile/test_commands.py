"""The commands: what people and programs are told, and how they end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.runs import as_json, refused, said
from junbikin.home import create_home

from .scene import DAY, Scene, at

NEXT = DAY + timedelta(days=1)


def person(name: str) -> dict[str, str]:
    """Somebody who acts."""
    return {"JUNBIKIN_PERSON": name, "JUNBIKIN_PASSWORD": "four words make passwords"}


@pytest.fixture
def lacking(scene: Scene) -> Scene:
    """c1 lacks a coin."""
    scene.pay("c1", 5, at())
    scene.facts("customer_balances", f"{DAY},c1,BTC,4")
    return scene


def reconciled(scene: Scene, *words: str, code: int = 0) -> Any:
    """What `custody reconcile` tells programs of the first day."""
    return as_json(said("custody", "reconcile", "--as-of", str(DAY), *words, "--json", home=scene.home.path, code=code))


def test_a_break_goes_through_its_life_by_commands_alone(lacking: Scene) -> None:
    path = lacking.home.path
    text = said("custody", "reconcile", "--as-of", str(DAY), "--record", home=path)
    assert "3 breaks" in text
    assert "on record as" in text
    listed = as_json(said("custody", "breaks", "--class", "missing", "--json", home=path))
    assert (listed["count"], listed["as_of"]) == (1, str(DAY))
    [one] = listed["breaks"]
    assert (one["of"], one["amount"], one["state"], one["age_days"]) == ("c1", "-1", "open", 0)
    said("custody", "break", "assign", one["id"], "--to", "cem", "--why", "his desk", home=path, env=person("ada"))
    told = said("custody", "break", "explain", one["id"][:9], "--why", "fee twice", home=path, env=person("cem"))
    assert f"break {one['id']} is explained (record " in told
    shown = said("custody", "breaks", home=path)
    assert "explained" in shown
    assert "fee twice" in shown
    there = refused("custody", "break", "close", one["id"], "--why", "done", home=path, env=person("ben"))
    assert "still there" in there.what
    assert "correcting entry" in there.then
    lacking.facts("customer_balances", f"{NEXT},c1,BTC,5")
    said("custody", "reconcile", "--as-of", str(NEXT), "--record", home=path)
    said("custody", "break", "close", one["id"], "--why", "seen", home=path, env=person("ben"))
    ended = as_json(said("custody", "breaks", "--state", "closed", "--json", home=path))
    assert [(each["id"], [act["act"] for act in each["acts"]]) for each in ended["breaks"]] == [
        (one["id"], ["assign", "explain", "close"])
    ]
    assert "verified" in said("books", "verify", home=path)


def test_programs_get_every_side_as_text_and_an_exit_code_by_the_gravest(lacking: Scene) -> None:
    found = reconciled(lacking, "--fail-on", "breach", code=1)
    [btc] = found["totals"]
    assert (btc["platform"], btc["booked"], btc["accounts"]) == ("4", "5", 1)
    assert found["breaks"]["count"] == len(found["breaks"]["first"]) == 3
    assert found["record"] is None
    lacking.facts("customer_balances", f"{DAY},c1,BTC,5", corrects="mended")
    reconciled(lacking, "--fail-on", "breach")
    reconciled(lacking, "--fail-on", "hole", code=1)


def test_in_japanese_too(lacking: Scene) -> None:
    told = said(
        "--lang",
        "ja",
        "custody",
        "reconcile",
        "--as-of",
        str(DAY),
        home=None,
        env={"JUNBIKIN_HOME": str(lacking.home.path)},
    )
    assert "差異 3件" in told
    assert "不足" in told


def test_watching_reconciles_when_something_changed_and_says_so_when_nothing_did(lacking: Scene) -> None:
    words = ("custody", "watch", "--every", "1s", "--times", "2")
    assert "unchanged: " in said(*words, home=lacking.home.path)
    lines = [as_json(line) for line in said(*words, "--json", home=lacking.home.path).splitlines()]
    assert [(line["changed"], line["in_full"]) for line in lines] == [(True, False), (False, False)]
    assert refused("custody", "watch", "--every", "often", home=lacking.home.path).where == "--every"


def test_nothing_known_is_no_agreement_in_whatever_form(scene: Scene) -> None:
    path = scene.home.path
    told = said("custody", "reconcile", "--as-of", str(DAY), "--record", "--fail-on", "hole", home=path, code=1)
    assert "nothing could be reconciled" in told
    assert "no breaks" not in told
    said("custody", "reconcile", "--as-of", str(DAY), "--fail-on", "breach", home=path)
    assert as_json(said("custody", "breaks", "--class", "unknown", "--json", home=path))["count"] == 2
    watched = said("custody", "watch", "--every", "1s", "--times", "2", home=path)
    assert "2 breaks, nothing could be reconciled" in watched
    japanese = said("--lang", "ja", "custody", "reconcile", home=None, env={"JUNBIKIN_HOME": str(path)})
    assert "照合できるものがない" in japanese


def test_without_books_nothing_is_recorded(tmp_path: Path) -> None:
    home = create_home(tmp_path / "bare", "Bare").path
    said("custody", "reconcile", "--fail-on", "hole", home=home, code=1)
    assert "no books" in refused("custody", "reconcile", "--record", home=home).what
    refused("custody", "breaks", home=home)


def test_before_anything_is_on_record_the_list_says_what_to_do(scene: Scene) -> None:
    assert "--record" in said("custody", "breaks", home=scene.home.path)
    assert as_json(said("custody", "breaks", "--json", home=scene.home.path))["as_of"] is None


def test_names_cannot_pose_as_ours_on_a_terminal(lacking: Scene) -> None:
    lacking.facts("customer_balances", f"{DAY},[red]c9‮,BTC,1")
    told = said("custody", "reconcile", "--as-of", str(DAY), home=lacking.home.path)
    assert "[red]c9\\u202e" in told
