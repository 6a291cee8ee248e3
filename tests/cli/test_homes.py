"""`init`, and how commands find their home."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runs import program, refused, run, said


def test_init_says_what_it_made_and_what_comes_next(tmp_path: Path) -> None:
    text = said("init", tmp_path / "home", "--operator", "例示")
    assert text.splitlines()[0] == f"made a home for 例示 in {tmp_path / 'home'}"
    assert text.splitlines()[1].startswith("next: ")
    assert (tmp_path / "home" / "junbikin.toml").exists()


def test_init_in_the_same_place_twice_refuses(tmp_path: Path) -> None:
    assert program("init", tmp_path).returncode == 0
    before = (tmp_path / "junbikin.toml").read_bytes()
    ended = program("init", tmp_path, "--operator", "another")
    assert ended.returncode == 2
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert lines[0] == "error: there is a home here already"
    assert lines[1] == f"  where: {tmp_path / 'junbikin.toml'}"
    assert lines[2].startswith("  next:  ")
    assert (tmp_path / "junbikin.toml").read_bytes() == before


def test_the_home_is_found_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said("init", tmp_path / "home")
    (tmp_path / "home" / "below").mkdir()
    monkeypatch.chdir(tmp_path / "home" / "below")
    assert said("facts").startswith("no facts yet")


def test_without_a_home_every_command_that_needs_one_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "any.csv"
    file.write_text("a\n1\n")
    for words in (["facts"], ["facts", "quarantine"], ["ingest", "trades", file], ["assess"], ["compare"],
                  ["explain", "gap"], ["verify", file], ["books", "accounts"], ["request", "list"], ["people"]):  # fmt: skip
        assert "junbikin init" in refused(*words).then


def test_a_setting_that_is_not_right_is_refused_by_every_command(tmp_path: Path) -> None:
    said("init", tmp_path)
    config = tmp_path / "junbikin.toml"
    config.write_text(config.read_text().replace("currency", "curency"))
    for command in ("facts", "assess", "compare"):
        assert refused(command, home=tmp_path).where == str(config)


def test_naming_the_settings_file_as_home_is_no_crash(tmp_path: Path) -> None:
    said("init", tmp_path)
    result = run("facts", home=tmp_path / "junbikin.toml")
    if result.exit_code:
        refused("facts", home=tmp_path / "junbikin.toml")
