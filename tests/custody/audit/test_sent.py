"""Files of statements as they were sent: kept at the ingest, handed over in the pack, held against the log."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from cli.runs import as_json, refused, said
from junbikin.custody.evidence.ingested import folder_of, keep_ingested
from junbikin.errors import BadInput
from junbikin.facts.log import read_log
from junbikin.home import Home, open_home

from .forging import forged, index_of

MAPPING = """
dataset = "statements"
[columns.as_of]
column = "Day"
[columns.location_id]
column = "Vault"
[columns.asset]
column = "Coin"
[columns.quantity]
column = "Amount"
[columns.source]
column = "By"
"""
SENT = "Day,Vault,Coin,Amount,By\n2026-04-02,kaede,BTC,5,kaede-trust\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without books that was sent a statement in the trust's own words."""
    path = tmp_path / "home"
    said("init", path)
    (tmp_path / "trust.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "kaede 2026.csv").write_text(SENT, encoding="utf-8")
    said("ingest", "statements", tmp_path / "kaede 2026.csv", "--mapping", tmp_path / "trust.toml", home=path)
    (tmp_path / "kaede 2026.csv").unlink()
    return open_home(path)


def packed(home: Home, folder: Path, period: str = "2026-04") -> Path:
    """A pack of a period."""
    said("audit", "pack", "--period", period, folder, home=home.path)
    return folder


def missing(pack: Path) -> list[str]:
    """The parts of the evidence that the index says are missing."""
    return [part["part"] for part in index_of(pack)["missing"] if part["part"].startswith("evidence/")]


def test_the_file_is_in_the_pack_as_it_was_sent_and_of_the_log(home: Home, tmp_path: Path) -> None:
    pack = packed(home, tmp_path / "pack")
    name = hashlib.sha256(SENT.encode()).hexdigest() + ".csv"
    assert (pack / "evidence" / "ingested" / name).read_text(encoding="utf-8") == SENT
    assert missing(pack) == []
    found = as_json(said("audit", "check", pack, "--json"))["checks"]
    [ingested] = [each for each in found if each["check"] == "evidence that was ingested"]
    assert (ingested["outcome"], ingested["count"]) == ("agrees", 1)


def test_a_pack_of_other_days_has_it_not(home: Home, tmp_path: Path) -> None:
    pack = packed(home, tmp_path / "pack", "2026-05")
    assert not (pack / "evidence").exists()


def test_a_file_that_was_not_kept_is_told_and_one_that_was_changed_stops_the_pack(home: Home, tmp_path: Path) -> None:
    [kept] = folder_of(home).iterdir()
    kept.write_text(SENT.replace("5", "6"), encoding="utf-8")
    assert "was changed" in refused("audit", "pack", "--period", "2026-04", tmp_path / "pack", home=home.path).what
    kept.unlink()
    pack = packed(home, tmp_path / "pack")
    assert missing(pack) == ["evidence/ingested"]
    (tmp_path / "again.csv").write_text(SENT, encoding="utf-8")  # known rows are taken once, and the file is kept
    said("ingest", "statements", tmp_path / "again.csv", "--mapping", tmp_path / "trust.toml", home=home.path)
    assert missing(packed(home, tmp_path / "other")) == []


def test_a_file_that_was_never_ingested_does_not_pass_for_one(home: Home, tmp_path: Path) -> None:
    pack = packed(home, tmp_path / "pack")
    [file] = (pack / "evidence" / "ingested").iterdir()
    file.write_text(SENT.replace("5", "6"), encoding="utf-8")
    forged(pack)
    shown = said("audit", "check", pack, code=1)
    assert "the log of the facts has no such file" in shown


def test_a_file_that_changed_meanwhile_is_not_kept_under_the_other_ones_digest(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("another\n", encoding="utf-8")
    [entry] = read_log(home.facts)
    [kept] = folder_of(home).iterdir()
    kept.unlink()
    with pytest.raises(BadInput, match="changed while"):
        keep_ingested(home, entry, [other])
    assert list(folder_of(home).iterdir()) == []


def test_other_facts_are_not_kept_twice(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("asset,quote,at,price,source\nBTC,JPY,2026-04-01T10:00:00+09:00,1,ours\n", encoding="utf-8")
    receipt = json.loads(said("ingest", "prices", file, "--json", home=home.path))
    assert receipt["accepted"] == 1
    assert len(list(folder_of(home).iterdir())) == 1
