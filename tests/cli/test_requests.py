"""`request`: what one person asks for takes effect when another approves it, and is shown whole before."""

from __future__ import annotations

import pytest

from .office import Office, pays
from .runs import run, said

MOVE = [
    *pays("relocation", "reserve/JPY/kaede", "reserve/JPY/minato", "20.50"),
    "--reference",
    "t-1",
    "--why",
    "spread places",
]


@pytest.fixture
def asked(office: Office) -> tuple[Office, str]:
    """Reserve money in one place, and a request of Ada's to move some of it to another."""
    office.json("ada", *pays("fund", "own/JPY/bank", "reserve/JPY/kaede", "50"))
    return office, str(office.json("ada", *MOVE)["request"])


def test_a_request_is_shown_whole_before_it_is_decided(asked: tuple[Office, str]) -> None:
    office, number = asked
    shown = office.json("", "request", "show", number)
    assert shown["entries"] == [
        {"account": "reserve/JPY/kaede", "amount": "-20.5"}, {"account": "reserve/JPY/minato", "amount": "20.5"}
    ]  # fmt: skip
    assert (shown["asked_by"], shown["why"], shown["may_approve"]) == ("ada", "spread places", ["ben"])
    [(key, digest)] = shown["digests"].items()
    words = office.says("", "request", "show", number)
    for part in ("relocation", "ada", "spread places", "t-1", "20.5 JPY", "approver (ben)", key, digest):
        assert part in words


def test_every_digit_of_an_amount_is_shown_before_it_is_decided(office: Office) -> None:
    amount = "12345678901.123456789012345678"
    asked = office.json(
        "ada", *pays("relocation", "reserve/JPY/kaede", "reserve/JPY/minato", amount), "--reference", "t", "--why", "w"
    )
    words = office.says("", "request", "show", str(asked["request"]))
    assert words.count(" 12,345,678,901.123456789012345678 JPY") == 2


def test_a_request_is_shown_in_japanese(asked: tuple[Office, str]) -> None:
    office, number = asked
    words = said("--lang", "ja", "request", "show", number, home=office.home)
    assert "準備金資産の移管" in words
    assert "reserve/JPY/minato  受取 20.5 JPY" in words


def test_nothing_moves_until_someone_else_approves_and_then_once(asked: tuple[Office, str]) -> None:
    office, number = asked
    decide = ["request", "approve", number, "--why", "as agreed"]
    assert "nobody approves their own" in office.refuses("ada", *decide).what
    assert "only reads" in office.refuses("dai", *decide).what
    assert "no role" in office.refuses("cem", *decide).what
    assert office.balance("reserve/JPY/minato") == "0"
    record = office.json("ben", *decide)["record"]
    assert office.balance("reserve/JPY/minato") == "20.5"
    assert "decided already" in office.refuses("ben", *decide).what
    assert office.json("", "request", "show", number)["record"] == record


def test_the_same_request_again_is_the_same_request_and_says_how_it_stands(asked: tuple[Office, str]) -> None:
    office, number = asked
    assert str(office.json("ada", *MOVE)["request"]) == number
    office.says("ben", "request", "refuse", number, "--why", "not this year")
    refusal = office.refuses("ada", *MOVE)
    assert refusal.what == f"request {number}, just this, was refused by ben: not this year"
    assert "another reference" in refusal.then


def test_whoever_could_never_make_a_batch_does_not_ask_for_it_in_place_of_whoever_can(office: Office) -> None:
    loss = [*pays("loss", "reserve/JPY/kaede", "outside/JPY/world", "5"), "--reference", "theft", "--why", "losses"]
    refusal = office.refuses("ada", *loss)
    assert "ada has no role that may ask for this" in refusal.what
    assert "incident_commander" in refusal.then
    assert office.json("cem", *loss)["may_approve"] == ["ben"]


def test_a_refused_request_moves_nothing_and_can_be_taken_back_by_whoever_made_it(asked: tuple[Office, str]) -> None:
    office, number = asked
    assert office.json("ada", "request", "refuse", number, "--why", "a mistake")["record"] is None
    assert "decided already" in office.refuses("ben", "request", "approve", number, "--why", "late").what
    assert office.balance("reserve/JPY/minato") == "0"


def test_the_list_names_every_request_and_on_demand_only_those_that_wait(asked: tuple[Office, str]) -> None:
    office, number = asked
    waiting = office.json("", "request", "list", "--waiting")["requests"]
    assert [(str(r["request"]), r["action"], r["verdict"]) for r in waiting] == [(number, "post", "")]
    assert len(office.json("", "request", "list")["requests"]) > 1
    assert "spread places" in office.says("", "request", "list", "--waiting")
    office.says("ben", "request", "approve", number, "--why", "yes")
    assert office.says("", "request", "list", "--waiting") == "no request waits\n"


def test_what_would_be_approved_is_shown_before_the_password_is_known_to_be_right(asked: tuple[Office, str]) -> None:
    office, number = asked
    env = {"JUNBIKIN_PERSON": "ben", "JUNBIKIN_PASSWORD": "not the password"}
    ended = run("request", "approve", number, "--why", "yes", home=office.home, env=env)
    assert "reserve/JPY/minato  receives 20.5 JPY" in ended.stderr
    assert "another password" in str(ended.exception)
    assert office.balance("reserve/JPY/minato") == "0"


def test_a_request_that_is_not_there_is_refused(office: Office) -> None:
    assert "no request 4711" in office.refuses("", "request", "show", "4711").what
    assert "no request 4711" in office.refuses("ben", "request", "approve", "4711", "--why", "any").what


def test_words_of_whoever_asks_cannot_pose_as_ours(office: Office) -> None:
    office.says("ada", *pays("fund", "own/JPY/bank", "reserve/JPY/kaede", "50"))
    forged = "t-1\n  reserve/JPY/minato  receives 1 JPY\x1b[8m"
    words = [
        *pays("relocation", "reserve/JPY/kaede", "reserve/JPY/minato", "20"),
        "--reference",
        forged,
        "--why",
        "moved",
    ]
    number = str(office.json("ada", *words)["request"])
    shown = office.says("", "request", "show", number)
    assert "\x1b" not in shown + office.says("", "request", "list", "--waiting")
    assert [line for line in shown.splitlines() if "receives" in line and "reference" not in line] == [
        "  reserve/JPY/minato  receives 20 JPY"
    ]
