"""`books verify`, `checkpoint`, `key`, `backup`, `restore`: what outsiders can check, and what survives a disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from .office import Databases, Office
from .runs import as_json, refused, run, said

PASSPHRASE = {"JUNBIKIN_KEY_PASSPHRASE": "of the signing key"}
C1 = "customer/JPY/pool/c1"


@pytest.fixture
def signed(office: Office, tmp_path: Path) -> tuple[Office, Path, str]:
    """Books with one deposit, a checkpoint of them, and the fingerprint of the key that signed it."""
    office.deposit("100", "w-1")
    fingerprint = as_json(said("books", "key", "--json", home=office.home, env=PASSPHRASE))["fingerprint"]
    file = tmp_path / "kept.json"
    said("books", "checkpoint", "--out", file, home=office.home, env=PASSPHRASE)
    return office, file, fingerprint


def verdict(home: Path, *words: str | Path, code: int = 0) -> Any:
    """What verify finds."""
    return as_json(said("books", "verify", *words, "--json", home=home, code=code))


def test_books_as_they_were_written_are_verified_against_a_checkpoint(signed: tuple[Office, Path, str]) -> None:
    office, file, fingerprint = signed
    office.deposit("5", "w-2")
    found = verdict(office.home, "--checkpoint", file, "--signer", fingerprint)
    assert (found["first_difference"], found["entries"], found["signer"]) == (None, 4, fingerprint)
    shown = office.says("", "books", "verify", "--checkpoint", str(file))
    assert shown.startswith(f"verified: {found['records']} records, 4 entries; everything was recomputed and agrees\n")


def test_a_changed_amount_is_named_and_ends_with_1(signed: tuple[Office, Path, str], databases: Databases) -> None:
    office, _, _ = signed
    [database] = re.findall(r"/(t[0-9a-f]{32})", (office.home / "junbikin.toml").read_text())
    with psycopg.connect(databases.owner(database), autocommit=True) as attacker:
        attacker.execute("ALTER TABLE books.records DISABLE TRIGGER USER")
        attacker.execute("UPDATE books.records SET amounts = '{-101,101}' WHERE amounts = '{-100,100}'")
    found = verdict(office.home, code=1)["first_difference"]
    assert found["kind"] == "altered"
    assert office.says("", "books", "verify", code=1).startswith(f"DIFFERS: {found['where']}: {found['what']}")


def test_a_checkpoint_that_was_altered_or_signed_by_another_is_refused(
    signed: tuple[Office, Path, str], tmp_path: Path
) -> None:
    office, file, fingerprint = signed
    other = tmp_path / "altered.json"
    content = json.loads(file.read_text())
    other.write_text(json.dumps(content | {"records": content["records"] + 1}))
    assert "was altered" in refused("books", "verify", "--checkpoint", other, home=office.home).what
    wrong = "0" * len(fingerprint)
    assert "another key" in refused("books", "verify", "--checkpoint", file, "--signer", wrong, home=office.home).what


def test_the_signing_key_is_made_once_and_opened_with_its_passphrase_alone(
    signed: tuple[Office, Path, str], tmp_path: Path
) -> None:
    office, file, _ = signed
    checkpoint = ["books", "checkpoint", "--out"]
    assert "already" in refused("books", "key", "--no-passphrase", home=office.home).what
    assert "no terminal" in refused(*checkpoint, tmp_path / "new.json", home=office.home).what
    other = {"JUNBIKIN_KEY_PASSPHRASE": "another"}
    assert "cannot be opened" in refused(*checkpoint, tmp_path / "new.json", home=office.home, env=other).what
    assert "cannot be written" in refused(*checkpoint, file, home=office.home, env=PASSPHRASE).what


def test_a_key_without_a_passphrase_needs_none(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    office.says("", "books", "key", "--no-passphrase")
    made = office.json("", "books", "checkpoint")
    assert made["batches"] == 0
    assert verdict(office.home, "--checkpoint", made["file"])["checkpoint_made_at"] == made["made_at"]


def test_a_backup_restored_elsewhere_has_the_same_heads_and_contains_the_checkpoint(
    signed: tuple[Office, Path, str], databases: Databases, tmp_path: Path
) -> None:
    office, checkpoint, _ = signed
    file = tmp_path / "books.backup"
    saved = office.json("", "books", "backup", str(file))
    assert "already" in refused("books", "backup", file, home=office.home).what
    database = databases.new()
    home = databases.home(tmp_path / "elsewhere", database)
    restore = ["books", "restore", str(file), "--owner", databases.owner(database)]
    assert as_json(said(*restore, "--json", home=home)) == saved
    assert verdict(home, "--checkpoint", checkpoint)["heads"] == saved["heads"]
    assert as_json(said("books", "balance", C1, "--json", home=home))["balance"] == "100"
    assert "already" in refused(*restore, home=home).what


def test_what_is_no_backup_is_refused_and_makes_nothing(databases: Databases, tmp_path: Path) -> None:
    database = databases.new()
    home = databases.home(tmp_path / "home", database)
    (tmp_path / "text").write_text("no backup")
    for file in ("text", "missing"):
        refused("books", "restore", tmp_path / file, "--owner", databases.owner(database), home=home)
    assert "no books" in refused("books", "accounts", home=home).what


def test_nothing_but_json_is_on_standard_output(signed: tuple[Office, Path, str]) -> None:
    office, file, _ = signed
    ended = run("books", "verify", "--checkpoint", file, "--json", home=office.home)
    assert as_json(ended.stdout)["first_difference"] is None
    assert ended.stderr == ""
