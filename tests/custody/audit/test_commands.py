"""`audit pack` and `audit check` as people run them: what they print, how they end, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.runs import as_json, program, refused, said

from .exchange import Exchange
from .forging import forged

PERIOD = ("--period", "2026-04-01..2026-04-05")


def test_a_pack_is_made_and_checked(exchange: Exchange, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    made = said("audit", "pack", *PERIOD, "--seed", "s", "--sample", "1", folder, home=exchange.home.path)
    assert "of 2026-04-01..2026-04-05" in made
    assert "missing:\n  books: every other record: the whole log was not asked for" in made
    shown = said("audit", "check", folder, "--signer", exchange.signer)
    assert "nothing differs; 4 of 23 checks could not be made, or not wholly" in shown
    japanese = said("--lang", "ja", "audit", "check", folder, "--signer", exchange.signer)
    assert "目次の署名" in japanese
    assert "抽出：利用者" in japanese


def test_as_json_it_tells_all_of_it(exchange: Exchange, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    made = as_json(said("audit", "pack", *PERIOD, "--whole-log", folder, "--json", home=exchange.home.path))
    assert made["books"]["whole_log"]
    assert made["files"] == len(json.loads((folder / "index.json").read_text(encoding="utf-8"))["files"])
    assert [part["part"] for part in made["missing"]] == ["samples"]
    found = as_json(said("audit", "check", folder, "--json"))
    assert found["agrees"]
    assert {check["outcome"] for check in found["checks"]} == {"agrees", "not checked"}


def test_a_forged_pack_ends_with_1_and_names_the_first_difference(pack: Path, exchange: Exchange) -> None:
    (pack / "breaks.csv").write_text("id\n", encoding="utf-8")
    shown = said("audit", "check", pack, code=1)
    assert "DIFFERS: breaks.csv: the file was altered" in shown
    forged(pack)
    assert "DIFFERS: breaks.csv: lists and records give another line" in said("audit", "check", pack, code=1)
    found = as_json(said("audit", "check", pack, "--json", code=1))
    assert [check["where"] for check in found["checks"] if check["outcome"] == "differs"] == ["breaks.csv", "samples/breaks.csv"]  # fmt: skip


def test_it_is_checked_where_there_is_no_home(pack: Path, tmp_path: Path) -> None:
    done = program("audit", "check", pack, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "content", [None, "", "{}", '{"format": "junbikin-audit-2"}', '{"format": "junbikin-audit-1"}', "[1.5]"]
)
def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "index.json").write_text(content, encoding="utf-8")
    assert str(tmp_path) in refused("audit", "check", tmp_path).where


def test_a_checkpoint_that_is_none_is_refused_and_not_a_difference(pack: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nosuch.json"
    assert refused("audit", "check", pack, "--checkpoint", nothing).where == str(nothing)
    for content in ("", "{}", "[]", '{"format": "junbikin-checkpoint-1"}'):
        nothing.write_text(content, encoding="utf-8")
        assert refused("audit", "check", pack, "--checkpoint", nothing).where == str(nothing)


def test_a_checkpoint_that_was_altered_is_a_difference(pack: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.json"
    text = (pack / "books" / "checkpoint.json").read_text(encoding="utf-8")
    altered.write_text(text.replace('"operator": "', '"operator": "A'), encoding="utf-8")
    shown = said("audit", "check", pack, "--checkpoint", altered, code=1)
    assert f"DIFFERS: {altered}: " in shown
    assert "was altered" in shown


def test_a_missing_file_is_told_by_its_name_in_words(pack: Path) -> None:
    files = [file["path"] for file in json.loads((pack / "index.json").read_text(encoding="utf-8"))["files"]]
    for path in sorted({Path(file).parts[0]: file for file in files}.values()):
        kept = (pack / path).read_bytes()
        (pack / path).unlink()
        found = as_json(said("audit", "check", pack, "--json", code=1))
        wrong = [each for each in found["checks"] if each["outcome"] == "differs"]
        assert wrong[0]["where"] == path
        for each in wrong:
            assert "Errno" not in each["en"] + each["ja"], each
            assert str(pack) not in each["en"] + each["where"], each
        (pack / path).write_bytes(kept)


def test_what_cannot_be_packed_is_refused(exchange: Exchange, tmp_path: Path) -> None:
    home = exchange.home.path
    assert "no period" in refused("audit", "pack", "--period", "last year", tmp_path / "pack", home=home).what
    assert "has not come yet" in refused("audit", "pack", "--period", "2999-01", tmp_path / "pack", home=home).what
    (tmp_path / "file").write_text("mine")
    assert "this name already" in refused("audit", "pack", *PERIOD, tmp_path / "file", home=home).what
    assert "cannot be made" in refused("audit", "pack", *PERIOD, tmp_path / "file" / "pack", home=home).what
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
