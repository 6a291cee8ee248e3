"""Deliberately broken files: each must give a good refusal, or a good reason for each row refused, and no wrong fact.

Each folder of broken/ is a case: its input (in the folder, or made by the recipe of its name in recipes.py; with
folders 1, 2 inside, an ingest each, tried in every order), perhaps mapping.toml, and expected.txt:

    # why the case is there
    dataset: NAME                            when it is not trades
    refused                                  then each line is a fragment of the message; one starts with "next:"

or

    read N = accepted N + duplicates N + quarantined N     over all ingests of the case
    [FILE ]PLACE N: FRAGMENT                 one line for every row in quarantine, no more and no fewer
    fact COLUMN=VALUE …                      one line for every row in the lake, no more and no fewer
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest

from junbikin.errors import BadInput, MappingProblem, SourceRefused
from junbikin.home import Home, create_home

from .recipes import RECIPES
from .support import (
    Trade,
    balance,
    files_of,
    live,
    mapping_of_own_names,
    quarantine,
    same_number,
    take,
    write_csv,
    write_jsonl,
)

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(folder.name for folder in BROKEN.iterdir() if folder.is_dir())
_ROW = re.compile(r"(?:(?P<file>\S+) )?(?P<place>line|record|row|lake)(?: (?P<position>\d+))?: ?(?P<reason>.*)")


@dataclass
class Expected:
    """What expected.txt says."""

    dataset: str = "trades"
    refused: bool = False
    fragments: list[str] = field(default_factory=list)
    account: str = ""
    rows: list[re.Match[str]] = field(default_factory=list)
    facts: list[dict[str, str]] = field(default_factory=list)


def read_expected(case: str) -> Expected:
    expected = Expected()
    for line in (BROKEN / case / "expected.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("dataset: "):
            expected.dataset = line.removeprefix("dataset: ")
        elif line == "refused":
            expected.refused = True
        elif expected.refused:
            expected.fragments.append(line)
        elif line.startswith("read "):
            expected.account = line
        elif line.startswith("fact "):
            expected.facts.append(dict(part.split("=", 1) for part in line.split()[1:]))
        else:
            match = _ROW.fullmatch(line)
            assert match, f"{case}: expected.txt does not say what this is: {line}"
            expected.rows.append(match)
    return expected


def orders(case: str, scratch: Path) -> Iterator[Sequence[list[Path]]]:
    """The ingests of a case, each a list of files, in every order in which they can come."""
    folder = BROKEN / case
    if case in RECIPES:
        yield [RECIPES[case](scratch)]
        return
    steps = sorted(path for path in folder.iterdir() if path.is_dir()) or [folder]
    inputs = [
        sorted(path for path in step.iterdir() if path.name not in ("expected.txt", "mapping.toml")) for step in steps
    ]
    yield from permutations(inputs)


@pytest.mark.parametrize("case", [case for case in CASES if read_expected(case).refused])
def test_a_broken_file_is_refused_with_a_remedy_and_nothing_changes(case: str, home: Home, tmp_path: Path) -> None:
    expected = read_expected(case)
    take(home, write_csv(tmp_path / "before.csv", [Trade("BEFORE")]))
    before = files_of(home)
    scratch = tmp_path / "input"
    scratch.mkdir()
    [[paths]] = orders(case, scratch)
    with pytest.raises((SourceRefused, MappingProblem)) as refusal:
        take(home, *paths, dataset=expected.dataset, mapping=mapping_of(case))
    message = flat(str(refusal.value))
    assert "next: " in message
    for fragment in expected.fragments:
        assert flat(fragment) in message
    assert files_of(home) == before


@pytest.mark.parametrize("case", [case for case in CASES if not read_expected(case).refused])
def test_a_faulty_row_is_quarantined_with_place_and_reason_and_the_others_stand(
    case: str, home: Home, tmp_path: Path
) -> None:
    expected = read_expected(case)
    for number, steps in enumerate(orders(case, tmp_path)):
        lake = fresh(home, number)
        receipts = [take(lake, *paths, dataset=expected.dataset, mapping=mapping_of(case)) for paths in steps]
        read, accepted, duplicates, quarantined = balance(receipts)
        told = f"read {read} = accepted {accepted} + duplicates {duplicates} + quarantined {quarantined}"
        assert told == expected.account
        rows = quarantine(lake, expected.dataset)
        assert_quarantined(rows, expected.rows)
        assert_rows_kept_as_they_stood(rows, [path for paths in steps for path in paths], case)
        assert_facts(live(lake, expected.dataset), expected.facts)


def fresh(home: Home, number: int) -> Home:
    """A home of its own for each order of a case."""
    return home if number == 0 else create_home(home.path.parent / f"home{number}", "Test")


def mapping_of(case: str) -> Path | None:
    path = BROKEN / case / "mapping.toml"
    return path if path.exists() else None


def flat(text: str) -> str:
    return " ".join(text.split())


def assert_quarantined(rows: list[dict[str, Any]], expected: list[re.Match[str]]) -> None:
    found = [f"{row['file']} {row['place']} {row['position']}: {row['reason']}" for row in rows]
    assert len(rows) == len(expected), found
    for row in expected:
        file, place, position, reason = row.group("file", "place", "position", "reason")
        start = f"{place} {position}: "
        assert any(
            text.split(" ", 1)[1].startswith(start) and reason in text and file in (None, text.split(" ", 1)[0])
            for text in found
        ), f"{row.group()} is not among {found}"


def assert_rows_kept_as_they_stood(rows: list[dict[str, Any]], paths: list[Path], case: str) -> None:
    """A row that is told by its line in a text file is kept as exactly that line."""
    encoding = (
        "cp932" if "encoding" in case and "cp932" in (BROKEN / case / "mapping.toml").read_text() else "utf-8-sig"
    )
    for row in rows:
        if row["place"] == "line":
            [path] = [path for path in paths if path.name == row["file"]]
            line = path.read_bytes().decode(encoding).split("\n")[row["position"] - 1].removesuffix("\r")
            assert row["raw"] == line


def assert_facts(rows: list[dict[str, str | None]], expected: list[dict[str, str]]) -> None:
    assert len(rows) == len(expected), rows
    for fact in expected:
        alike = [row for row in rows if all(same_number(row[name] or "", value) for name, value in fact.items())]
        assert len(alike) == 1, f"{fact} is not one of {rows}"


def test_every_case_has_input_and_every_recipe_a_case() -> None:
    assert set(RECIPES) <= set(CASES)
    for case in set(CASES) - set(RECIPES):
        assert {path.name for path in (BROKEN / case).iterdir()} - {"expected.txt", "mapping.toml"}, case


def refusal_of(home: Home, path: Path) -> str:
    """The message with which a file is refused, or nothing. An error of the engine itself is a crash."""
    message = ""
    try:
        take(home, path)
    except BadInput as refusal:
        message = str(refusal)
    except duckdb.Error as crash:
        pytest.fail(f"the engine's own error came out: {str(crash)[:200]}")
    assert not message or "next:" in message
    return message


def told_or_refused(home: Home, path: Path) -> bool:
    """Ingests a file whose only row must not be accepted: whether it was refused, or the row is in quarantine."""
    return bool(refusal_of(home, path)) or (not live(home) and len(quarantine(home)) == 1)


@pytest.mark.parametrize(
    ("why", "more"),
    [
        ("a misspelt account_id would be lost", '"acount_id": "A2"'),
        ("which of the two prices?", '"price": "5"'),
        ("the same member twice as numbers", '"price": 5'),
    ],
)
def test_a_json_member_that_nothing_reads_is_never_dropped_in_silence(
    why: str, more: str, home: Home, tmp_path: Path
) -> None:
    """CSV and Parquet files with a column that the mapping does not know are refused; JSON must not lose it."""
    path = write_jsonl(tmp_path / "trades.jsonl", [Trade("T1")])
    path.write_text("{" + more + ", " + path.read_text()[1:])
    assert told_or_refused(home, path), why


def test_a_json_number_is_not_mistaken_for_one_of_the_same_name_inside_another_member(
    home: Home, tmp_path: Path
) -> None:
    """The two differ in a digit that a float does not see; the price is exact, or the row is not taken."""
    path = write_jsonl(tmp_path / "trades.jsonl", [Trade("T1", price="1234567890.12345672")])
    path.write_text('{"fee": {"price": 1234567890.12345671}, ' + path.read_text()[1:])
    mapping = mapping_of_own_names(tmp_path, 'ignore = ["fee"]')
    take(home, path, mapping=mapping)
    assert {row["price"] for row in live(home)} <= {"1234567890.12345672"}


def test_a_fraction_of_an_epoch_second_is_kept_or_refused_but_not_rounded(home: Home, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "trades.csv", [Trade("T1", "1516924800.5")])
    mapping = mapping_of_own_names(tmp_path, executed_at='time_format = "epoch_s"')
    take(home, path, mapping=mapping)
    assert {row["executed_at"] for row in live(home)} <= {"2018-01-26T00:00:00.500000Z"}


def test_line_ends_of_both_kinds_in_one_file_are_read_or_named_as_the_fault(home: Home, tmp_path: Path) -> None:
    """As when a file from Windows is put after one from elsewhere."""
    path = write_csv(tmp_path / "trades.csv", [Trade("T1"), Trade("T2"), Trade("T3")])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 2))
    refusal = refusal_of(home, path)
    assert "line end" in refusal or [row["account_id"] for row in live(home)] == ["A1", "A1", "A1"], refusal


@pytest.mark.parametrize("write", [write_csv, write_jsonl])
def test_a_line_longer_than_the_reader_takes_is_told_and_no_crash(write: Any, home: Home, tmp_path: Path) -> None:
    path = write(tmp_path / "trades", [Trade("T1" * 1_500_000)])
    assert told_or_refused(home, path)


def test_what_an_unclosed_quote_swallows_is_not_lost(home: Home, tmp_path: Path) -> None:
    """Every row after the quote is kept in quarantine, or the file is refused with the line of the quote."""
    path = write_csv(tmp_path / "trades.csv", [Trade(f"T{number}") for number in range(2_000)])
    path.write_text(path.read_text().replace("\nT100,", '\n"T100,', 1))
    refusal = refusal_of(home, path)
    assert "102" in refusal or "T1999," in "".join(row["raw"] for row in quarantine(home))
