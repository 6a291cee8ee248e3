"""Refusals: every message says what is wrong and what to do next; most also say where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import junbikin
from junbikin import errors
from junbikin.errors import JunbikinError

from .runs import csv, program, refused

SOURCES = sorted(Path(junbikin.__path__[0]).rglob("*.py"))
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, JunbikinError)}
ERRORS.add("UnitMismatch")


def made(file: Path) -> Iterator[ast.Call]:
    """Every place in a file at which one of our errors is made."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield node


def test_every_error_that_the_source_makes_says_what_to_do_next() -> None:
    calls = [(file, call) for file in SOURCES for call in made(file)]
    assert len(calls) > 60
    mute = [
        f"{file.name}:{call.lineno}"
        for file, call in calls
        if not any(word.arg == "then" and getattr(word.value, "value", "?") != "" for word in call.keywords)
    ]
    assert mute == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["ingest", "trades", "missing.csv"], "missing.csv does not exist"),
        (["ingest", "trades", "."], "is a folder"),
        (["ingest", "trades", "empty.csv"], "empty"),
        (["ingest", "trades", "other.csv"], "no column"),
        (["ingest", "trades", "trades.csv", "--mapping", "bitflier"], "no mapping"),
        (["ingest", "holdings", "trades.csv", "--mapping", "bitflyer"], "'trades'"),
        (["ingest", "trades", "trades.csv", "trades.csv"], "named twice"),
        (["facts", "quarantine", "nothing"], "no dataset"),
        (["assess", "--rulebook", "jp-fiea-715"], "no rulebook"),
        (["assess", "--rulebook", "empty.csv"], "no rulebook"),
        (["compare", "--rulebook", "hk"], "no rulebook"),
        (["explain", "gap", "--position", "missing.json"], "does not exist"),
        (["verify", "trades.csv"], "not JSON"),
        (["verify", "missing.json"], "does not exist"),
        (["verify", "."], ""),
        (["explain", "gap", "--position", "."], ""),
        (["assess", "--rulebook", "jp-fiea-175", "--html", "nowhere/report.html"], ""),
        (["init", "trades.csv"], ""),
        (["rulebooks", "show", "hk"], "no rulebook"),
        (["rulebooks", "check", "."], "no rulebook"),
    ],
)
def test_a_refusal_says_what_and_what_next(
    business: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    csv(tmp_path, "trades", "t,2025-03-31T10:00:00Z,BTC,JPY,buy,1,1,margin")
    assert part in refused(*words, home=business).what


def test_a_refusal_goes_to_standard_error_in_three_lines_and_ends_with_2(business: Path, tmp_path: Path) -> None:
    ended = program("verify", tmp_path / "missing.json", home=business)
    assert (ended.returncode, ended.stdout) == (2, "")
    what, where, then = ended.stderr.splitlines()
    assert what.startswith("error: ")
    assert where == f"  where: {tmp_path / 'missing.json'}"
    assert then.startswith("  next:  ")


def test_an_asset_whose_name_is_no_unit_is_refused_before_it_stops_every_assessment(tmp_path: Path) -> None:
    """`btc` is no symbol of a unit: either its row is refused, or it can be assessed."""
    from .runs import run, said

    home = tmp_path / "home"
    said("init", home)
    said("ingest", "customer_balances", csv(tmp_path, "customer_balances", "2025-03-31,ada,btc,1"), home=home)
    said("ingest", "holdings", csv(tmp_path, "holdings", "2025-03-31,vault,btc,1,customer,cold"), home=home)
    assert run("assess", "--as-of", "2025-03-31", "--rulebook", "hk-sfc", home=home).exit_code == 0


@pytest.mark.parametrize(
    "words", [["prove", "customer", "\udcff"], ["books", "balance", "\udcff\udcfe"], ["facts", "--as-of=\udce3"]]
)
def test_what_is_not_utf8_is_refused_wherever_it_stands(words: list[str], tmp_path: Path) -> None:
    done = program(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: an argument is not UTF-8")
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr
