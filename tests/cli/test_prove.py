"""`prove` and `verify-proof`: what customers are owed, proved and verified as people do it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import rfc8785

from junbikin.books.proof.checkpoint import read_checkpoint

from .office import Office
from .runs import as_json, csv, program, refused, run, said

DAY = "2025-03-31"
ROWS = [f"{DAY},ada,BTC,6", f"{DAY},ben,BTC,4", f"{DAY},ben,JPY,1500", f"{DAY},cem,BTC,0"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with balances and a key, without books."""
    folder = tmp_path / "home"
    said("init", folder, "--operator", "Example 取引所")
    said("ingest", "customer_balances", csv(tmp_path, "customer_balances", *ROWS), home=folder)
    said("books", "key", "--no-passphrase", home=folder)
    return folder


def test_a_day_is_proved_and_every_customer_verifies_their_own(home: Path, tmp_path: Path) -> None:
    shown = said("prove", "--as-of", DAY, home=home)
    assert "1,500" in shown
    assert "without a checkpoint" in shown
    assert "not tied" not in shown
    made = as_json(said("prove", "show", "--as-of", DAY, "--json", home=home))
    said("prove", "customer", "ben", "--as-of", DAY, "--out", tmp_path / "ben.json", home=home)
    told = as_json(said("verify-proof", tmp_path / "ben.json", "--json"))
    assert (told["verified"], told["balances"], told["statement"]) == (
        True,
        {"BTC": "4", "JPY": "1500"},
        made["digest"],
    )
    published = Path(made["folder"]) / "statement.json"
    text = said("verify-proof", tmp_path / "ben.json", "--statement", published, "--signer", told["signer"])
    assert text.startswith("verified: ben")
    assert made["digest"] in text
    assert json.loads((tmp_path / "ben.json").read_text())["balances"][1]["amount"] == "1500"


def test_a_proof_that_does_not_hold_ends_with_1_in_the_readers_language(home: Path, tmp_path: Path) -> None:
    said("prove", "--as-of", DAY, "--untied", home=home)
    file = tmp_path / "ben.json"
    said("prove", "customer", "ben", "--as-of", DAY, "--out", file, home=home)
    altered = tmp_path / "altered.json"
    altered.write_text(file.read_text().replace('"amount": "1500"', '"amount": "2500"'))
    assert said("verify-proof", altered, code=1).startswith("FAILS: JPY: the way up does not lead")
    assert said("--lang", "ja", "verify-proof", altered, code=1).startswith("検証失敗: JPY：")
    told = as_json(said("verify-proof", altered, "--json", code=1))
    assert told["verified"] is False
    assert "JPY" in told["fault"]["ja"]
    assert "another key" in said("verify-proof", file, "--signer", "0" * 64, code=1)
    assert "no proof" in refused("verify-proof", home / "junbikin.toml").what


def test_the_proofs_of_a_home_are_listed_and_told_apart(home: Path, tmp_path: Path) -> None:
    assert "no proofs yet" in said("prove", "list", home=home)
    first = as_json(said("prove", "--as-of", DAY, "--untied", "--json", home=home))
    tied = as_json(said("prove", "--as-of", DAY, "--json", home=home))
    assert tied["statement"]["assets"] == first["statement"]["assets"]
    said(
        "ingest",
        "customer_balances",
        csv(tmp_path, "customer_balances", f"{DAY},dai,BTC,1", name="more.csv"),
        home=home,
    )
    last = as_json(said("prove", "--as-of", DAY, "--json", home=home))
    names = [proof["name"] for proof in as_json(said("prove", "list", "--json", home=home))["proofs"]]
    assert names == [first["name"], tied["name"], last["name"]]
    old = as_json(said("prove", "show", "--as-of", DAY, "--proof", first["name"], "--json", home=home))
    assert old["statement"] == first["statement"]
    assert first["statement"]["position"] is None
    assert all(name in said("prove", "list", "--as-of", DAY, home=home) for name in names)
    out = tmp_path / "dai.json"
    assert "is in no tree" in refused(
        "prove", "customer", "dai", "--as-of", DAY, "--proof", first["name"], "--out", out, home=home
    ).what  # fmt: skip
    said("prove", "customer", "dai", "--as-of", DAY, "--out", out, home=home)
    assert "another statement" in said(
        "verify-proof", out, "--statement", Path(tied["folder"]) / "statement.json", code=1
    )


def test_pages_are_written_once_with_the_proof_or_without(home: Path, tmp_path: Path) -> None:
    said("prove", "--as-of", DAY, "--untied", home=home)
    mine, blank = tmp_path / "mine.html", tmp_path / "verify.html"
    said("prove", "customer", "ada", "--as-of", DAY, "--page", mine, home=home)
    said("prove", "page", blank)
    assert '"account": "ada"' in mine.read_text(encoding="utf-8")
    assert 'id="proof">null<' in blank.read_text(encoding="utf-8")
    assert "cannot be written" in refused("prove", "page", blank).what
    assert "nothing to write" in refused("prove", "customer", "ada", "--as-of", DAY, home=home).what


def test_what_is_missing_is_told_with_what_to_do(home: Path, tmp_path: Path) -> None:
    assert "no day is named" in refused("prove", home=home).what
    assert "has not come yet" in refused("prove", "--as-of", "2999-01-01", home=home).what
    assert "no customer balances of 2025-04-01" in refused("prove", "--as-of", "2025-04-01", "--untied", home=home).what
    assert "no proof of" in refused("prove", "show", "--as-of", DAY, home=home).what
    (home / "keys" / "checkpoint.pem").unlink()
    assert "books key" in refused("prove", "--as-of", DAY, home=home).then
    assert run("prove", "customer", "ada", home=home).exit_code == 2


def test_with_books_a_checkpoint_of_the_same_moment_is_in_the_statement(office: Office, tmp_path: Path) -> None:
    office.deposit("1500", "w-1")
    said("books", "key", "--no-passphrase", home=office.home)
    said("ingest", "customer_balances", csv(tmp_path, "customer_balances", f"{DAY},c1,JPY,1500"), home=office.home)
    made = as_json(said("prove", "--as-of", DAY, "--json", home=office.home))
    folder, statement = Path(made["folder"]), made["statement"]
    kept = folder / "checkpoint.json"
    assert hashlib.sha256(rfc8785.dumps(json.loads(kept.read_text()))).hexdigest() == statement["checkpoint"]
    assert hashlib.sha256((folder / "position.json").read_bytes()).hexdigest() == statement["position"]
    checkpoint = read_checkpoint(kept)
    assert hashlib.sha256(bytes.fromhex(statement["public_key"])).hexdigest() == checkpoint.signer
    assert (
        as_json(said("books", "verify", "--checkpoint", kept, "--json", home=office.home))["first_difference"] is None
    )


def test_run_as_a_program_it_says_nothing_on_standard_error(home: Path, tmp_path: Path) -> None:
    done = program("prove", "--as-of", DAY, "--untied", home=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_refused_balances_stop_a_proof_until_somebody_says_why(home: Path, tmp_path: Path) -> None:
    said("ingest", "customer_balances", csv(tmp_path, "customer_balances", f"{DAY},dai,BTC,4x"), home=home)
    for words in ((), ("--untied",)):
        assert "'dai'" in refused("prove", "--as-of", DAY, *words, home=home).what
    shown = said("prove", "--as-of", DAY, "--despite-refused", "dai was asked", home=home)
    assert "1 row of customer balances" in shown
    assert "dai was asked" in shown
    made = as_json(said("prove", "show", "--as-of", DAY, "--json", home=home))
    assert f"reconciled position with {made['breaks']} break" in shown
    said("prove", "customer", "ada", "--as-of", DAY, "--out", tmp_path / "ada.json", home=home)
    assert "dai was asked" in said("verify-proof", tmp_path / "ada.json")
    there = refused("prove", "customer", "dai", "--as-of", DAY, "--out", tmp_path / "dai.json", home=home)
    assert "nothing is owed" not in there.what
