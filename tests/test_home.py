"""A home: made once, found from below, and plain about a setting that is not right."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from pathlib import Path

import pytest

from junbikin.errors import HomeProblem
from junbikin.home import CONFIG, create_home, find_home, open_home


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNBIKIN_HOME", raising=False)


def test_a_new_home_has_every_setting_written_out(tmp_path: Path) -> None:
    home = create_home(tmp_path / "new" / "deep", "Example Exchange")
    assert home == open_home(tmp_path / "new" / "deep")
    assert home.operator == "Example Exchange"
    assert (home.currency, home.time_zone.key, home.fiscal_year_starts) == ("JPY", "Asia/Tokyo", (4, 1))
    assert home.rulebooks == ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc")
    assert (home.price_max_age_days, home.snapshot_max_age_days, home.memory_limit) == (3, 1, "2GB")
    assert not home.invented
    assert isinstance(home.today(), date)


def test_the_operator_is_named_after_the_folder_when_nobody_says_otherwise(tmp_path: Path) -> None:
    assert create_home(tmp_path / "kaede").operator == "kaede"


@pytest.mark.parametrize("name", ["株式会社 例", 'The "Best" Exchange', "back\\slash", "two\nlines", "{operator}"])
def test_any_operators_name_survives(tmp_path: Path, name: str) -> None:
    assert create_home(tmp_path / "home", name).operator == name


def test_a_second_home_in_the_same_place_is_refused_and_the_first_left_alone(tmp_path: Path) -> None:
    create_home(tmp_path, "first")
    with pytest.raises(HomeProblem, match="a home here already") as caught:
        create_home(tmp_path, "second")
    assert caught.value.where == str(tmp_path / CONFIG)
    assert caught.value.then
    assert open_home(tmp_path).operator == "first"


def test_a_home_is_found_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_home(tmp_path / "outer", "outer")
    create_home(tmp_path / "outer" / "inner", "inner")
    below = tmp_path / "outer" / "inner" / "some" / "where"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_home(None).operator == "inner"
    monkeypatch.chdir(tmp_path / "outer")
    assert find_home(None).operator == "outer"


def test_what_is_named_goes_before_the_variable_and_the_variable_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("named", "variable", "folder"):
        create_home(tmp_path / name)
    monkeypatch.chdir(tmp_path / "folder")
    monkeypatch.setenv("JUNBIKIN_HOME", str(tmp_path / "variable"))
    assert find_home(tmp_path / "named").operator == "named"
    assert find_home(None).operator == "variable"
    monkeypatch.setenv("JUNBIKIN_HOME", "")
    assert find_home(None).operator == "folder"


def test_no_home_anywhere_says_how_to_make_or_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HomeProblem, match="no home found") as caught:
        find_home(None)
    assert caught.value.where == str(tmp_path)
    assert "junbikin init" in caught.value.then
    assert "JUNBIKIN_HOME" in caught.value.then


def test_a_folder_without_a_home_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(HomeProblem, match="no home here") as caught:
        open_home(tmp_path)
    assert caught.value.where == str(tmp_path / CONFIG)
    assert "junbikin init" in caught.value.then


def test_naming_the_settings_file_instead_of_its_folder_is_no_crash(tmp_path: Path) -> None:
    create_home(tmp_path / "home")
    with contextlib.suppress(HomeProblem):
        assert open_home(tmp_path / "home" / CONFIG).operator == "home"


def test_a_home_where_a_file_is_already_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(HomeProblem) as caught:
        create_home(tmp_path / "taken")
    assert caught.value.then


def changed(folder: Path, setting: str, line: str) -> Path:
    """A new home with the line of one setting replaced."""
    create_home(folder)
    text = (folder / CONFIG).read_text(encoding="utf-8")
    found, count = re.subn(rf"(?m)^{setting} = .*$", line, text)
    assert count == 1
    (folder / CONFIG).write_text(found, encoding="utf-8")
    return folder


SETTINGS = ["operator", "time_zone", "currency", "fiscal_year_starts", "rulebooks", "price_max_age_days",
            "snapshot_max_age_days", "memory_limit"]  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_missing_setting_is_named(tmp_path: Path, setting: str) -> None:
    with pytest.raises(HomeProblem, match=f"'{setting}' is missing") as caught:
        open_home(changed(tmp_path, setting, ""))
    assert caught.value.where == str(tmp_path / CONFIG)
    assert setting in caught.value.then


def test_an_unknown_setting_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(HomeProblem, match="unknown setting 'curency'") as caught:
        open_home(changed(tmp_path, "currency", 'curency = "JPY"'))
    assert caught.value.where == str(tmp_path / CONFIG)
    assert "currency" in caught.value.then


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("operator", "operator = 5"),
        ("time_zone", 'time_zone = "Asia/Tokio"'),
        ("time_zone", 'time_zone = ""'),
        ("time_zone", "time_zone = 9"),
        ("currency", "currency = true"),
        ("currency", 'currency = "yen"'),
        ("fiscal_year_starts", 'fiscal_year_starts = "13-01"'),
        ("fiscal_year_starts", 'fiscal_year_starts = "02-29"'),
        ("fiscal_year_starts", 'fiscal_year_starts = "April"'),
        ("fiscal_year_starts", "fiscal_year_starts = 2026-04-01"),
        ("rulebooks", 'rulebooks = "hk-sfc"'),
        ("rulebooks", "rulebooks = [1]"),
        ("price_max_age_days", 'price_max_age_days = "3"'),
        ("price_max_age_days", "price_max_age_days = 1.5"),
        ("price_max_age_days", "price_max_age_days = true"),
        ("price_max_age_days", "price_max_age_days = -1"),
        ("snapshot_max_age_days", "snapshot_max_age_days = false"),
        ("memory_limit", "memory_limit = 2"),
        ("memory_limit", 'memory_limit = "lots"'),
    ],
)
def test_a_mistyped_setting_is_refused_with_its_name_its_place_and_what_to_do(
    tmp_path: Path, setting: str, line: str
) -> None:
    with pytest.raises(HomeProblem) as caught:
        open_home(changed(tmp_path, setting, line))
    assert caught.value.where == str(tmp_path / CONFIG)
    assert caught.value.then
    assert setting in str(caught.value)


def test_an_invented_home_is_marked_by_true_or_false_only(tmp_path: Path) -> None:
    assert open_home(changed(tmp_path / "yes", "memory_limit", 'memory_limit = "2GB"\ninvented = true')).invented
    with pytest.raises(HomeProblem, match="invented"):
        open_home(changed(tmp_path / "no", "memory_limit", 'memory_limit = "2GB"\ninvented = "no"'))


@pytest.mark.parametrize("content", [b"operator = ", b"\xff\xfe\x00", b"operator = 'a'\noperator = 'b'"])
def test_settings_that_are_not_toml_are_told_with_their_place(tmp_path: Path, content: bytes) -> None:
    create_home(tmp_path)
    (tmp_path / CONFIG).write_bytes(content)
    with pytest.raises(HomeProblem, match="cannot be read") as caught:
        open_home(tmp_path)
    assert caught.value.where == str(tmp_path / CONFIG)
    assert caught.value.then
