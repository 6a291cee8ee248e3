"""The archive: each position once, the last ones at hand, and no file taken for what it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from junbikin.errors import PositionProblem
from junbikin.home import Home
from junbikin.reserve.archive import keep, last, read

from .homes import BALANCES, HOLDINGS, PRICES, make, position


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("archive")
    return make(folder, customer_balances=BALANCES, holdings=HOLDINGS, prices=PRICES)


def test_a_position_is_kept_under_its_day_rulebook_and_digest(home: Home) -> None:
    found = position(home, "hk-sfc")
    (path,) = keep(home, [found])
    assert path.name == f"2025-03-31-hk-sfc-{found.digest[:12]}.json"
    assert read(path) == [json.loads(json.dumps(found.document()))]


def test_the_same_position_is_kept_once(home: Home) -> None:
    found = position(home, "jp-fiea-175")
    first, second = keep(home, [found]), keep(home, [found])
    assert first == second
    assert len(list(home.positions.glob("*-jp-fiea-175-*.json"))) == 1
    assert not list(home.positions.glob("*.new"))


def test_the_last_assessment_is_the_last_one_kept(home: Home) -> None:
    keep(home, [position(home, "hk-sfc"), position(home, "jp-fiea-175")])
    assert [document["position"]["rulebook"]["id"] for document in last(home)] == ["hk-sfc", "jp-fiea-175"]
    keep(home, [position(home, "jp-reserve-candidate")])
    assert [document["position"]["rulebook"]["id"] for document in last(home)] == ["jp-reserve-candidate"]


def test_a_home_in_which_nothing_was_assessed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(PositionProblem, match="nothing was assessed") as caught:
        last(make(tmp_path / "new"))
    assert "junbikin assess" in caught.value.then
    assert caught.value.where


def test_several_positions_in_one_file_are_read(home: Home, tmp_path: Path) -> None:
    documents = [position(home, "hk-sfc").document(), position(home, "jp-fiea-175").document()]
    (tmp_path / "both.json").write_text(json.dumps({"positions": documents}), encoding="utf-8")
    assert [document["digest"] for document in read(tmp_path / "both.json")] == [d["digest"] for d in documents]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"a": 0.5}', b'{"a": NaN}', b'{"a": 1e5}', b'{"positions": 5}', b'{"positions": null}'],
)
def test_a_file_that_is_not_as_we_write_it_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(PositionProblem) as caught:
        read(tmp_path / "odd.json")
    assert caught.value.where == str(tmp_path / "odd.json")
    assert caught.value.then


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(PositionProblem) as caught:
            read(path)
        assert caught.value.where == str(path)
        assert caught.value.then
