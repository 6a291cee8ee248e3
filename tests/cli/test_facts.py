"""`ingest` and `facts`: the account of every row, and what was refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from junbikin.facts.datasets import DATASETS

from .runs import as_json, csv, program, refused, said

GOOD = ["2025-03-31,ada,BTC,6", "2025-03-31,ben,BTC,4"]
BAD = ["2025-03-31,ben,BTC,4", "2025-03-31,cyd,BTC,much", "2025-03-32,dan,BTC,1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one sound file."""
    folder = tmp_path_factory.mktemp("facts")
    said("init", folder / "home")
    text = said("ingest", "customer_balances", csv(folder, "customer_balances", *GOOD), home=folder / "home")
    assert text == "customer_balances: read 2 = accepted 2 + duplicates 0 + quarantined 0\n"
    return folder / "home"


@pytest.fixture(scope="module")
def receipt(home: Path) -> dict[str, object]:
    """The receipt of a second file, which has a duplicate and two rows that are refused."""
    file = csv(home.parent, "customer_balances", *BAD, name="second.csv")
    answer: dict[str, object] = as_json(said("ingest", "customer_balances", file, "--json", home=home))
    return answer


@pytest.mark.usefixtures("receipt")
class TestAfterTheSecond:
    """What is shown once the second file was read."""

    def test_facts_are_a_line_for_each_dataset(self, home: Path) -> None:
        lines = said("facts", home=home).splitlines()
        assert lines[1].split() == ["customer_balances", "1", "2025-03-31", "2025-03-31", "2", "1", "2", "2"]
        assert "利用者残高" in said("--lang", "ja", "facts", home=home)

    def test_facts_as_json_are_the_same_account(self, home: Path) -> None:
        (line,) = as_json(said("facts", "--json", home=home))["datasets"]
        assert (line["dataset"], line["days"], line["rows"], line["read"]) == ("customer_balances", 1, 2, 5)
        assert (line["duplicate"], line["quarantined"], line["files"]) == (1, 2, 2)
        assert line["read"] == line["rows"] + line["duplicate"] + line["quarantined"]

    def test_quarantine_gives_file_line_reason_and_row(self, home: Path) -> None:
        text = said("facts", "quarantine", "customer_balances", home=home)
        assert text.startswith("2 rows refused")
        assert "line 3" in text
        assert "quantity: not a number: much" in text
        assert "line 4" in text
        assert "as_of: not a date as 2026-04-01: 2025-03-32" in text

    def test_quarantine_as_json_gives_every_row(self, home: Path) -> None:
        rows = as_json(said("facts", "quarantine", "--json", home=home))["rows"]
        assert [(row["file"], row["position"], row["settled"]) for row in rows] == [
            ("second.csv", 3, False),
            ("second.csv", 4, False),
        ]

    def test_quarantine_may_be_cut_and_says_so(self, home: Path) -> None:
        assert "1 more" in said("facts", "quarantine", "--limit", "1", home=home)
        assert "more" not in said("facts", "quarantine", "--limit", "0", home=home)

    def test_quarantine_of_another_dataset_is_empty(self, home: Path) -> None:
        assert said("facts", "quarantine", "trades", home=home) == "nothing is in quarantine\n"


def test_a_receipt_as_json_accounts_for_every_row(receipt: dict[str, object]) -> None:
    assert {key: receipt[key] for key in ("dataset", "read", "accepted", "duplicate", "quarantined", "withdrawn")} == {
        "dataset": "customer_balances", "read": 3, "accepted": 0, "duplicate": 1, "quarantined": 2, "withdrawn": 0,
    }  # fmt: skip
    assert len(str(receipt["head"])) == 64
    assert [source["name"] for source in receipt["sources"]] == ["second.csv"]  # type: ignore[attr-defined]


def test_a_receipt_with_refused_rows_says_where_to_look(tmp_path: Path) -> None:
    said("init", tmp_path / "home")
    lines = said(
        "ingest", "customer_balances", csv(tmp_path, "customer_balances", *BAD), home=tmp_path / "home"
    ).splitlines()
    assert lines == [
        "customer_balances: read 3 = accepted 1 + duplicates 0 + quarantined 2",
        "next: junbikin facts quarantine customer_balances",
    ]


def test_a_correction_says_what_it_withdrew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    said("init", home)
    said("ingest", "customer_balances", csv(tmp_path, "customer_balances", *GOOD), home=home)
    right = csv(tmp_path, "customer_balances", "2025-03-31,ada,BTC,7", name="right.csv")
    text = said("ingest", "customer_balances", right, "--corrects", "typing error", home=home)
    assert "accepted 1 " in text
    assert "withdrawn from earlier ingests: 1" in text


def test_every_dataset_can_be_read_in_its_own_names(tmp_path: Path) -> None:
    """One sound row of each."""
    rows = {
        "trades": "t,2025-03-31T10:00:00Z,BTC,JPY,buy,1,1,margin,ada",
        "market_trades": "zaif,t,2025-03-31T10:00:00Z,XEM,JPY,88.549,1",
        "customer_balances": "2025-03-31,ada,BTC,1",
        "holdings": "2025-03-31,vault,BTC,1,own,cold,provider,letter",
        "prices": "BTC,JPY,2025-03-31T10:00:00Z,1,ours",
        "incidents": "i,2025-03-31,hack,hot,1,0,letter",
        "reserve_assets": "2025-03-31,a,deposit,JPY,1,bank,true,false,JP,1,letter",
        "policies": "2025-03-31,p,insurer,,2025-03-31,2099-03-31,hack,hot,1,0,letter",
        "controls": "2025-03-31,key_ceremony,single_person,letter",
        "reserve_entries": "e,2025-03-31,use,1,letter",
        "balance_changes": "2025-03-31T10:00:00Z,ada,BTC,1",
        "statements": "2025-03-31,vault,BTC,1,custodian,7,2025-03-31T10:00:00Z,letter",
        "financials": "2025-03-31,net_assets,-1,letter",
        "audits": "2025-03-31,segregation,auditor,2025-03-31,letter",
        "declared_volumes": "margin,2025-03-01,2025-03-31,1,letter",
        "payout_instructions": "ada,2025-03-31T10:00:00Z,bank,0001,001,1,0123456,ヤマダ　タロウ,JPY,mainnet,bc1q",
    }
    assert set(rows) == set(DATASETS)
    said("init", tmp_path / "home")
    unread = []
    for dataset, row in rows.items():
        try:
            text = said("ingest", dataset, csv(tmp_path, dataset, row), home=tmp_path / "home")
            assert text == f"{dataset}: read 1 = accepted 1 + duplicates 0 + quarantined 0\n"
        except AssertionError as problem:
            unread.append(f"{dataset}: {problem}")
    assert unread == []


def test_schema_names_every_dataset_column_choice_and_mapping() -> None:
    text, answer = said("facts", "schema"), as_json(said("facts", "schema", "--json"))
    assert list(answer) == list(DATASETS)
    for dataset in DATASETS.values():
        assert f"{dataset.name}  {dataset.ja}" in text
        assert list(answer[dataset.name]["columns"]) == [column.name for column in dataset.columns]
        for column in dataset.columns:
            assert column.name in text
            assert all(choice in text for choice in column.choices)
    assert "bitflyer" in text


def test_an_unknown_dataset_lists_the_names(home: Path) -> None:
    file = csv(home.parent, "trades", "t,2025-03-31T10:00:00Z,BTC,JPY,buy,1,1,margin", name="t.csv")
    for words in (["ingest", "trade", file], ["facts", "quarantine", "trade"]):
        problem = refused(*words, home=home)
        assert "'trade'" in problem.what
        assert all(name in problem.then for name in DATASETS)
    ended = program("ingest", "trade", file, home=home)
    assert ended.returncode == 2
    assert "next:" in ended.stderr


def test_a_new_home_has_no_facts_and_says_how_to_bring_some(tmp_path: Path) -> None:
    said("init", tmp_path)
    assert "next: junbikin ingest" in said("facts", home=tmp_path)
    assert said("facts", "quarantine", home=tmp_path) == "nothing is in quarantine\n"
