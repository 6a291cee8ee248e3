"""`people`: who may act; passwords are asked for without echo and are nowhere to be read."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from junbikin.cli.people import people as group
from junbikin.registry.people import ROLES

from .office import Office, secret
from .runs import ENGLISH, as_json, refused, said


def test_the_first_two_are_added_at_once_and_the_third_by_request(tmp_path: Path) -> None:
    home = tmp_path / "home"
    said("init", home)
    assert "junbikin books migrate" in refused("people", home=home).then
    assert "next: junbikin people add" in said("books", "migrate", home=home)
    given = {"JUNBIKIN_NEW_PASSWORD": "four words of somebody", "JUNBIKIN_PERSON": ""}
    for name, role in (("ada", "reserve_officer"), ("ben", "approver")):
        assert said("people", "add", name, "--role", role, home=home, env=given).startswith(f"{name} is added")
    third = ["people", "add", "cem", "--role", "incident_commander"]
    assert "--as" in refused(*third, home=home, env=given).then
    acting = given | {"JUNBIKIN_PASSWORD": "four words of somebody"}
    asked = as_json(said(*third, "--as", "ada", "--json", home=home, env=acting))
    assert asked["may_approve"] == ["ben"]
    assert [p["name"] for p in as_json(said("people", "--json", home=home))["people"]] == ["ada", "ben"]


def test_roles_are_changed_by_request_which_shows_what_they_were(office: Office) -> None:
    asked = office.json("ada", "people", "change", "cem", "--role", "approver", "--why", "new duty")["request"]
    assert "roles: approver (now: incident_commander)" in office.says("", "request", "show", str(asked))
    office.says("ben", "request", "approve", str(asked), "--why", "agreed")
    [cem] = [p for p in office.json("", "people", "list")["people"] if p["name"] == "cem"]
    assert cem == {"name": "cem", "roles": ["approver"], "active": True}


def test_whoever_is_inactive_acts_no_more(office: Office) -> None:
    office.approved("ada", "people", "change", "cem", "--inactive", "--why", "left")
    assert "no longer active" in office.refuses("cem", "books", "freeze", "own/JPY/bank", "--why", "any").what
    assert "no" in office.says("", "people").splitlines()[3].split()


def test_a_new_password_ends_the_old_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNBIKIN_NEW_PASSWORD", secret("eve"))
    office.says("cem", "people", "password")
    freeze = ["books", "freeze", "own/JPY/bank", "--why", "any"]
    assert "another password" in office.refuses("cem", *freeze).what
    said(*freeze, home=office.home, env={"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": secret("eve")})


def test_a_forgotten_password_is_replaced_by_a_card_that_nobody_else_could_make(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNBIKIN_NEW_PASSWORD", secret("eve"))
    card = tmp_path / "cem.json"
    mark = as_json(said("people", "card", "cem", "--out", card, "--json"))["mark"]
    assert (
        "no card of dai" in office.refuses("ada", "people", "change", "dai", "--card", card, "--why", "forgotten").what
    )
    asked = office.json("ada", "people", "change", "cem", "--card", card, "--why", "forgotten")["request"]
    assert f"card: {mark}" in office.says("", "request", "show", str(asked))
    office.says("ben", "request", "approve", str(asked), "--why", "asked cem")
    freeze = ["books", "freeze", "own/JPY/bank", "--why", "any"]
    said(*freeze, home=office.home, env={"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": secret("eve")})


def test_a_change_of_roles_keeps_the_password_that_one_has_when_it_is_approved(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "people",
        "change",
        "cem",
        "--role",
        "incident_commander",
        "--role",
        "reserve_officer",
        "--why",
        "also that",
    ]
    asked = office.json("ada", *words)["request"]
    monkeypatch.setenv("JUNBIKIN_NEW_PASSWORD", secret("eve"))
    office.says("cem", "people", "password")
    office.says("ben", "request", "approve", str(asked), "--why", "agreed")
    freeze = ["books", "freeze", "own/JPY/bank", "--why", "any"]
    said(*freeze, home=office.home, env={"JUNBIKIN_PERSON": "cem", "JUNBIKIN_PASSWORD": secret("eve")})


def test_what_proves_a_password_is_shown_to_nobody(office: Office) -> None:
    [first] = [r["request"] for r in office.json("", "request", "list")["requests"] if r["of"] == "cem"]
    shown = office.json("", "request", "show", str(first))
    assert shown["says"] == {"active": True, "name": "cem", "roles": ["incident_commander"]}
    assert "verifier" not in office.says("", "request", "show", str(first))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["add", "ada", "--role", "approver"], "on record already"),
        (["add", "eva", "--role", "approver", "--new-password-file", "missing"], "cannot be read"),
        (["add", "eva", "--role", "approver"], "no terminal"),
        (["add", "e va", "--role", "approver", "--new-password-file", "password"], "no blanks"),
        (["add", "eva", "--role", "approver", "--new-password-file", "short"], "at least 12"),
        (["add", "eva", "--role", "auditor", "--role", "approver", "--new-password-file", "password"], "only read"),
        (["change", "ada", "--why", "any"], "nothing is to change"),
        (["change", "eva", "--inactive", "--why", "any"], "no person eva"),
        (["password", "--password-file", "empty"], "first line is empty"),
    ],
)
def test_a_refusal_says_what_and_what_next(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("password", "four words of eva\nnot read"), ("short", "eva"), ("empty", "\nsecond line")):
        Path(name).write_text(text)
    assert part in office.refuses("ada", "people", *words).what


def test_every_role_can_be_given() -> None:
    [role] = [p for p in group.commands["add"].params if p.name == "roles"]
    assert isinstance(role.type, click.Choice)
    assert set(role.type.choices) == set(ROLES)


def test_on_a_terminal_passwords_are_asked_for_without_echo_and_new_ones_twice(office: Office) -> None:
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if not name.startswith("JUNBIKIN_")} | ENGLISH
    words = [sys.executable, "-m", "junbikin", "--home", str(office.home), "people", "password", "--as", "cem"]
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as started:
        os.close(theirs)
        shown = b""
        for asked, typed in (
            (b"password of cem: ", secret("cem")), (b"new password of cem: ", "another four words"), (b"onfirm", "another four words"),
        ):  # fmt: skip
            while asked not in shown:
                shown += os.read(ours, 1000)
            os.write(ours, typed.encode() + b"\n")
            before, shown = shown, b""
            assert secret("cem").encode() not in before
        started.wait(20)
        shown += os.read(ours, 1000)
    os.close(ours)
    assert b"cem has a new password" in shown
    assert b"four words" not in shown
