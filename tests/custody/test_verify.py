"""A custody day is verified as a position is: nothing altered in the file, the facts, the registry or the rules passes."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from books.cast import Cast
from cli.runs import as_json, refused, run, said
from junbikin.books.journal import known_now
from junbikin.custody.judging import judged
from junbikin.custody.verify import read_custody_day, verify
from junbikin.errors import FactsDamaged, PositionProblem
from junbikin.home import Home, create_home, open_home
from junbikin.reserve.ledger import Ledger
from junbikin.rulebooks.load import load_rulebook

from .conftest import bring, place, provider, set_to
from .test_day import DAY, FACTS
from .test_since import own_rulebook

BEFORE = DAY - timedelta(days=1)


def business(folder: Path) -> Home:
    """Two days with a little of everything that can be found."""
    home = create_home(folder, "Example")
    for dataset, rows in FACTS.items():
        bring(home, dataset, rows)
        if dataset in ("customer_balances", "holdings", "prices"):
            bring(home, dataset, [row.replace(str(DAY), str(BEFORE)) for row in rows if str(DAY) in row])
    return home


def document(home: Home, rulebook: str = "jp-psa", ledger: Ledger | None = None) -> dict[str, Any]:
    """The day as a file would hold it."""
    (day,) = judged(open_home(home.path), [load_rulebook(rulebook, home.path)], DAY, ledger)
    read: dict[str, Any] = json.loads(json.dumps(day.document()))
    return read


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return business(tmp_path_factory.mktemp("custody") / "home")


@pytest.fixture(scope="module")
def original(home: Home) -> dict[str, Any]:
    return document(home)


@pytest.fixture
def paper(original: dict[str, Any]) -> dict[str, Any]:
    """A copy of a day to alter."""
    return copy.deepcopy(original)


# Agreement


@pytest.mark.parametrize("rulebook", ["jp-psa", "hk-sfc", "kr-vaupa"])
def test_an_honest_day_agrees(home: Home, rulebook: str) -> None:
    stated = document(home, rulebook)
    result = verify(home, stated)
    assert result.difference is None
    assert not result.rulebook_changed
    assert result.recomputed.digest == stated["digest"]


def test_what_was_remembered_is_not_believed(tmp_path: Path) -> None:
    """Somebody made the memory say that nothing lapsed the day before."""
    home = business(tmp_path / "home")
    stated = document(home)
    kept = home.path / "cache" / "custody.json"
    says = json.loads(kept.read_bytes())
    for day in says["days"].values():
        day["lapses"] = []
    kept.write_text(json.dumps(says))
    assert verify(home, stated).difference is None
    lie = document(home)
    difference = verify(home, lie).difference
    assert difference is not None
    assert difference.path == ("held", "held-short BTC", "cure_by")
    assert (difference.stated, difference.recomputed) == ("2025-06-10", "2025-06-09")


def test_a_day_agrees_after_more_facts_came(tmp_path: Path) -> None:
    home = business(tmp_path / "home")
    older = document(home)
    bring(home, "holdings", [f"{DAY},found,BTC,1,customer,cold"])
    bring(home, "holdings", [f"{BEFORE},cold-1,BTC,9,customer,cold"], "mistyped")
    newer = document(home)
    assert newer["digest"] != older["digest"]
    assert verify(home, older).difference is None
    assert verify(home, newer).difference is None


@pytest.fixture
def cast(founded: Callable[[Path], Cast], tmp_path: Path) -> Cast:
    """A business with books whose registry knows one place, kept by Minato."""
    made = founded(tmp_path / "books")
    for dataset in ("customer_balances", "holdings", "prices"):
        bring(made.books.home, dataset, FACTS[dataset])
    place(made, "cold-1", "cold", "minato")
    provider(made, "minato", "2025-05-31")
    return made


def test_books_and_registry_are_taken_as_they_were_known(cast: Cast) -> None:
    home = cast.books.home
    older = document(home, ledger=Ledger(cast.books, DAY, known_now(cast.books)))
    provider(cast, "minato", "2026-05-31")
    newer = document(home, ledger=Ledger(cast.books, DAY, known_now(cast.books)))
    said_of = [
        [finding["code"] for duty in paper["custody"]["duties"] for finding in duty["findings"]]
        for paper in (older, newer)
    ]
    assert ["provider-unchecked" in codes for codes in said_of] == [True, False]
    assert verify(home, older).difference is None
    assert verify(home, newer).difference is None
    older["facts"]["books_known_at"] = newer["facts"]["books_known_at"]
    difference = verify(home, older).difference
    assert difference is not None
    assert difference.path == ("places", "provider-unchecked minato at cold-1")
    assert (difference.stated, difference.recomputed) == ("breach", "None")


# The file was altered


def passes(home: Home, paper: Any) -> bool:
    """Whether a paper is neither refused nor found to differ."""
    try:
        return verify(home, paper).difference is None
    except PositionProblem:
        return False


def test_an_altered_amount_is_refused_wherever_it_stands(original: dict[str, Any]) -> None:
    unnoticed = []
    for digest, node in original["figures"].items():
        paper = copy.deepcopy(original)
        paper["figures"][digest]["value"] = "1" if node["value"] != "1" else "2"
        with contextlib.suppress(PositionProblem):
            read_custody_day(paper)
            unnoticed.append(f"{node['key']} {node['name']['en']} = {node['value']}")
    assert unnoticed == []


@pytest.mark.parametrize("part", ["operator", "invented", "as_of", "rulebook", "duties", "beside", "more"])
def test_an_altered_body_is_refused(paper: dict[str, Any], part: str) -> None:
    paper["custody"][part] = "another"
    with pytest.raises(PositionProblem, match="altered"):
        read_custody_day(paper)


@pytest.mark.parametrize(
    "part", ["code", "subject", "severity", "what", "next", "amount", "since", "cure_by", "cure_provenance"]
)
def test_an_altered_finding_is_refused(paper: dict[str, Any], part: str) -> None:
    finding = paper["custody"]["duties"][0]["findings"][0]
    assert part in finding
    finding[part] = "2099-12-31"
    with pytest.raises(PositionProblem, match="altered"):
        read_custody_day(paper)


@pytest.mark.parametrize("part", ["format", "digest", "custody", "figures", "facts"])
@pytest.mark.parametrize("rubbish", [None, 5, "text", [], {}, 2**60, float("nan"), ...], ids=repr)
def test_rubbish_in_place_of_a_part_and_a_part_that_is_gone_are_refused(
    home: Home, paper: dict[str, Any], part: str, rubbish: Any
) -> None:
    if rubbish is ...:
        del paper[part]
    else:
        paper[part] = rubbish
    with pytest.raises(PositionProblem) as caught:
        verify(home, paper)
    assert caught.value.then


@pytest.mark.parametrize(("part", "value"), [("file", "other.csv"), ("sha256", "0" * 64), ("read", 7)])
def test_altered_evidence_does_not_pass(home: Home, paper: dict[str, Any], part: str, value: Any) -> None:
    assert paper["facts"]["sources"][0][part] != value
    paper["facts"]["sources"][0][part] = value
    assert not passes(home, paper)


def test_a_day_worked_from_other_amounts_differs_at_the_amount(home: Home, tmp_path: Path) -> None:
    """Every digest in it holds, and it claims our facts: only working it again shows that it lies."""
    liar = business(tmp_path / "liar")
    bring(liar, "holdings", [f"{DAY},cold-1,BTC,9.9,customer,cold"], "to please")
    paper = document(liar) | {"facts": document(home)["facts"]}
    difference = verify(home, paper).difference
    assert difference is not None
    assert difference.path[0] == "held"
    assert difference.path[-1] == "stored.BTC"
    assert ("'9.9'" in difference.stated, "'8'" in difference.recomputed) == (True, True)


def test_a_finding_left_out_by_a_lenient_rulebook_is_named(tmp_path: Path) -> None:
    """The liar's rulebook asks for audits less often; it gave the file the digest of ours."""
    home = business(tmp_path / "home")
    own_rulebook(home, 'value = "12"', 'value = "120"')
    paper = document(home, "own")
    result = verify(home, paper)
    assert result.rulebook_changed
    assert result.difference is not None
    assert result.difference.path == ("rulebook",)


# Facts, rules and settings were altered


def test_altered_facts_are_named(tmp_path: Path) -> None:
    home = business(tmp_path / "home")
    paper = document(home)
    file = min((home.facts / "audits").glob("*/*.parquet"))
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(FactsDamaged, match=file.name):
        verify(home, paper)


def test_the_day_of_another_home_is_refused(paper: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(FactsDamaged, match="not the facts"):
        verify(create_home(tmp_path / "other", "Example"), paper)


def test_a_changed_rate_is_named_as_the_first_difference(tmp_path: Path) -> None:
    """The home's own folder has the id of a shipped rulebook: it is the one in force."""
    home = business(tmp_path / "home")
    paper = document(home)
    own_rulebook(home, 'value = "0.05"', 'value = "0.04"')
    result = verify(set_to(home, "custody", '["own"]'), paper)
    assert result.rulebook_changed
    assert result.difference is not None
    assert result.difference.path == ("hot", "hot_limit", "duties.hot.most")
    assert ("'0.05'" in result.difference.stated, "'0.04'" in result.difference.recomputed) == (True, True)


def test_changed_settings_of_the_home_are_named(tmp_path: Path) -> None:
    home = business(tmp_path / "home")
    paper = document(home)
    difference = verify(set_to(home, "operator", '"Another"'), paper).difference
    assert difference is not None
    assert (difference.path, difference.stated, difference.recomputed) == (("operator",), "Example", "Another")


# The command


def test_the_command_takes_what_custody_prints_and_what_it_keeps(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "days.json"
    words = ("custody", "--as-of", str(DAY), "--rulebook", "jp-psa", "--rulebook", "hk-sfc", "--json")
    file.write_text(said(*words, home=home.path), encoding="utf-8")
    assert [line.split(",")[0] for line in said("verify", file, home=home.path).splitlines()] == ["jp-psa", "hk-sfc"]
    for kept in sorted((home.path / "custody").glob("*.json")):
        assert "verified" in said("verify", kept, home=home.path)


def test_the_command_ends_with_1_when_a_day_differs_and_refuses_an_altered_one(home: Home, tmp_path: Path) -> None:
    liar = business(tmp_path / "liar")
    bring(liar, "holdings", [f"{DAY},cold-1,BTC,9.9,customer,cold"], "to please")
    paper = document(liar) | {"facts": document(home)["facts"]}
    file = tmp_path / "day.json"
    file.write_text(json.dumps(paper), encoding="utf-8")
    result = run("verify", file, "--json", home=home.path)
    assert result.exit_code == 1
    assert as_json(result.stdout)["positions"][0]["first_difference"]["path"][0] == "held"
    paper["custody"]["beside"] = []
    paper["custody"]["duties"][0]["findings"] = []
    file.write_text(json.dumps(paper), encoding="utf-8")
    assert "altered" in refused("verify", file, home=home.path).what
