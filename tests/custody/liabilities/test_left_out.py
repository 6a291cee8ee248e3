"""Balances that were refused when they were ingested: nothing is signed over them in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from junbikin.custody.liabilities.kept import breaks_of, proofs
from junbikin.custody.liabilities.proof import fault, proof_of
from junbikin.custody.liabilities.prove import prove
from junbikin.custody.liabilities.statement import LeftOut, statement_of
from junbikin.custody.liabilities.tie import tie_to
from junbikin.custody.reconcile.run import reconcile
from junbikin.errors import BadInput
from junbikin.facts.datasets import dataset_named
from junbikin.facts.ingest import ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.mappings import own_names
from junbikin.home import Home

from .scene import DAY, KEY, home_with, proof_for, proved, silent, statement_in

REFUSED = [f"{DAY},b,BTC,4x", f"{DAY},c,BTC,1", f"{DAY},c,BTC,2", f"{DAY},n,BTC,-3", f"{DAY},,BTC,9", ",e,BTC,9"]
"""Not a number; two that dispute each other; one below 0; without an account; without a day, in a file of this day."""


def told(home: Home, *rows: str, corrects: str = "") -> None:
    """Ingests rows, whatever becomes of them."""
    file = home.path / f"told-{len(list(home.path.glob('told-*')))}.csv"
    file.write_text("\n".join(["as_of,account_id,asset,quantity", *rows]) + "\n", encoding="utf-8")
    dataset = dataset_named("customer_balances")
    ingest(home, dataset, [file], own_names(dataset), corrects=corrects)


def despite(home: Home, why: str) -> Path:
    """The folder of a proof that is signed all the same."""
    return prove(open_lake(home), DAY, KEY, None, None, silent, why)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """a is owed 10; of others nothing can be told."""
    found = home_with(tmp_path / "home", {})
    told(found, f"{DAY},a,BTC,10", *REFUSED)
    return found


@pytest.mark.parametrize("row", [*REFUSED[:1], *REFUSED[3:]])
def test_one_refused_row_of_the_day_is_enough_to_sign_nothing(tmp_path: Path, row: str) -> None:
    home = home_with(tmp_path / "home", {})
    told(home, f"{DAY},a,BTC,10", row)
    with pytest.raises(BadInput, match=r"^1 row of customer_balances"):
        proved(home)
    assert not list(proofs(home))


def test_the_refusal_names_how_many_and_whose_and_what_to_do_tied_or_untied(home: Home) -> None:
    for tie in (None, tie_to(reconcile(open_lake(home), DAY))):
        with pytest.raises(BadInput, match=r"6 rows .*'b', 'c', 'n'") as refusal:
            proved(home, tie)
        assert "facts quarantine" in refusal.value.then
        assert "--despite-refused" in refusal.value.then


def test_what_was_mended_is_proved_as_if_it_had_never_been_refused(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", {})
    told(home, f"{DAY},a,BTC,10", *REFUSED[:4])
    told(home, f"{DAY},b,BTC,4", f"{DAY},c,BTC,2", f"{DAY},n,BTC,0", corrects="asked")
    folder = proved(home)
    assert statement_in(folder).left_out is None
    assert "left_out" not in statement_in(folder).content
    assert {balance.units for balance in proof_for(home, "c", folder).balances} == {2 * 10**18}


def test_a_file_that_is_ingested_again_refuses_no_more_rows_than_it_has(home: Home) -> None:
    told(home, f"{DAY},a,BTC,10", *REFUSED)
    with pytest.raises(BadInput, match=r"^6 rows"):
        proved(home)


def test_rows_of_another_day_stop_nothing(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    told(home, "2025-04-01,b,BTC,4x", "2025-03-30,b,BTC,-4")
    assert statement_in(proved(home)).left_out is None


def test_signed_all_the_same_the_statement_and_every_proof_say_how_many_and_why(home: Home) -> None:
    with pytest.raises(BadInput):
        despite(home, " ")
    folder = despite(home, "asked b; c is <i>settled</i>")
    statement = statement_in(folder)
    assert statement.left_out == LeftOut(6, "asked b; c is <i>settled</i>")
    assert any("6 rows" in line.en and "<i>settled</i>" in line.en and "6行" in line.ja for line in statement.face)
    proof = proof_for(home, "a", folder)
    assert fault(proof) is None
    assert proof_of(proof.content).statement.left_out == statement.left_out
    assert despite(home, "another reason") != folder  # what is signed otherwise is another proof
    hidden = replace(proof, statement=replace(statement, left_out=None))
    assert "signature" in (fault(hidden) or LeftOut(1, "").words).en


def test_who_is_in_no_tree_is_not_told_that_nothing_is_owed(home: Home) -> None:
    folder = despite(home, "asked")
    with pytest.raises(BadInput, match=r"'b' is in no tree.*says nothing of what is owed") as refusal:
        proof_for(home, "b", folder)
    assert "refused" in refusal.value.then


@pytest.mark.parametrize(
    "said", [None, {}, {"rows": 0, "why": "x"}, {"rows": 1, "why": ""}, {"rows": "1", "why": "x"}, {"rows": True, "why": "x"}, [1, "x"]]
)  # fmt: skip
def test_left_out_in_another_form_is_no_statement(home: Home, said: Any) -> None:
    content = statement_in(despite(home, "asked")).content
    with pytest.raises((ValueError, TypeError)):
        statement_of(content | {"left_out": said})


def test_breaks_of_the_position_are_told_and_an_altered_position_is_seen(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    untied = proved(home)
    assert breaks_of(untied, statement_in(untied)) is None
    found = reconcile(open_lake(home), DAY)
    assert found.breaks
    tied = proved(home, tie_to(found))
    assert breaks_of(tied, statement_in(tied)) == found.breaks
    (tied / "position.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match="missing or was altered"):
        breaks_of(tied, statement_in(tied))
