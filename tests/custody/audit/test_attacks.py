"""Forged packs: what is altered, left out, added or rewritten is found by the check whose work it is, and named with its file."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junbikin.custody.audit.check import books, breaks, documents, facts, folder, proofs, samples
from junbikin.custody.audit.check.result import Checked, Outcome, Pack
from junbikin.custody.audit.check.run import check, differing
from junbikin.custody.audit.index import FILE, read_index
from junbikin.custody.audit.records import RECORDS
from junbikin.errors import BadInput
from junbikin.figures import Name

from .exchange import ENDED, Exchange
from .forging import STRANGER, change_json, change_rows, digest_of, forged, index_of, only, write_index

Attack = Callable[[Path], None]
Rows = list[dict[str, str]]


def first(pack: Path, signer: str = "") -> Checked:
    """The first difference of a pack."""
    return next(each for each in check(pack, signer) if each.outcome is Outcome.DIFFERS)


def found(pack: Path, what: Name, where: str, signer: str = "") -> Checked:
    """The difference that a check found in a file; no difference is anywhere else before it."""
    wrong = first(pack, signer)
    assert (wrong.what, wrong.where) == (what, where), wrong
    return wrong


def test_whatever_is_forged_the_auditor_who_holds_the_fingerprint_sees_another_signer(
    pack: Path, exchange: Exchange
) -> None:
    forged(pack, key=STRANGER)
    assert "another key" in found(pack, folder.SIGNATURE, FILE, exchange.signer).told.en


def test_a_stranger_cannot_sign_the_checkpoint_and_the_statements_too(pack: Path) -> None:
    forged(pack, key=STRANGER)
    assert [each.what for each in differing(check(pack))] == [books.POINT, proofs.STATEMENTS]


def test_without_checkpoint_and_statements_only_the_fingerprint_tells_a_stranger(pack: Path) -> None:
    (pack / "books/checkpoint.json").unlink()
    for path in ("proofs", "samples/proofs"):
        shutil.rmtree(pack / path)
    forged(pack, key=STRANGER)
    assert not differing(check(pack))


def test_an_index_that_lost_its_signature_is_not_taken_for_signed(pack: Path, exchange: Exchange) -> None:
    write_index(pack, index_of(pack) | {"signature": None, "public_key": None})
    assert "not signed" in found(pack, folder.SIGNATURE, FILE, exchange.signer).told.en


def test_an_edited_index_no_longer_fits_its_signature(pack: Path) -> None:
    write_index(pack, index_of(pack) | {"operator": "Another"})
    assert "the index was altered" in found(pack, folder.SIGNATURE, FILE).told.en


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_byte_of_every_file_counts(pack: Path, data: st.DataObject) -> None:
    files = sorted(path for path in pack.rglob("*") if path.is_file() and path.name != FILE)
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 7))
    try:
        path.write_bytes(before[:place] + bytes([before[place] ^ 1 << bit]) + before[place + 1 :])
        [wrong] = folder.files(Pack(pack, read_index(pack)), lambda what, share: None)
    finally:
        path.write_bytes(before)
    assert (wrong.outcome, wrong.where) == (Outcome.DIFFERS, path.relative_to(pack).as_posix())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_the_index_can_change_what_is_signed(pack: Path, exchange: Exchange, data: st.DataObject) -> None:
    before, says = (pack / FILE).read_bytes(), index_of(pack)
    place, bit = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 7))
    try:
        (pack / FILE).write_bytes(before[:place] + bytes([before[place] ^ 1 << bit]) + before[place + 1 :])
        try:
            index = read_index(pack)
        except BadInput:
            return
        [made] = folder.signature(Pack(pack, index, exchange.signer), lambda what, share: None)
    finally:
        (pack / FILE).write_bytes(before)
    assert made.outcome is Outcome.DIFFERS or index == says  # blanks between parts say nothing


def test_a_file_that_was_removed_added_or_made_a_link_is_named(pack: Path) -> None:
    path = only(pack, "evidence/*/esplora*.json")
    shutil.move(path, pack / "elsewhere.json")
    assert "added" in found(pack, folder.FILES, "elsewhere.json").told.en
    shutil.move(pack / "elsewhere.json", pack.parent / "elsewhere.json")
    assert "missing" in found(pack, folder.FILES, path.relative_to(pack).as_posix()).told.en
    path.symlink_to(pack.parent / "elsewhere.json")
    assert "link" in found(pack, folder.FILES, path.relative_to(pack).as_posix()).told.en


# From here on the forger is the operator itself: every digest of the index fits again, and its own key signs it.


def test_an_altered_figure_does_not_give_its_digest(pack: Path) -> None:
    path = only(pack, "custody/*.json")

    def alter(content: Any) -> None:
        node = next(n for n in content["figures"].values() if (n["op"], n["unit"]) == ("given", "BTC"))
        node["value"] = "95"

    change_json(path, alter)
    forged(pack)
    assert "altered" in found(pack, documents.FIGURES, path.relative_to(pack).as_posix()).told.en


def test_a_figure_that_was_taken_out_is_missed(pack: Path) -> None:
    path = only(pack, "custody/*.json")

    def lose(content: Any) -> None:
        inputs = {part for node in content["figures"].values() for part in node["inputs"]}
        del content["figures"][next(digest for digest in content["figures"] if digest not in inputs)]

    change_json(path, lose)
    forged(pack)
    assert "is not whole" in found(pack, documents.FIGURES, path.relative_to(pack).as_posix()).told.en


@pytest.mark.parametrize("kind", ["position", "custody"])
def test_a_finding_left_out_of_a_document_makes_it_another_than_the_one_on_record(pack: Path, kind: str) -> None:
    path = only(pack, {"position": "positions/*.json", "custody": "custody/*.json"}[kind])
    old = json.loads(path.read_text(encoding="utf-8"))["digest"]

    def soften(content: Any) -> None:
        parts = [content[kind]] if kind == "position" else content[kind]["duties"]
        told = next(part for part in parts if part["findings"])
        told["findings"] = told["findings"][1:]
        content["digest"] = hashlib.sha256(rfc8785.dumps(content[kind])).hexdigest()

    new = change_json(path, soften)

    def fit(index: dict[str, Any]) -> None:
        for day in index["days"]:
            for one in day["documents"]:
                if one["digest"] == old:
                    one |= {"digest": new["digest"], "findings": one["findings"][1:]}
                    one["worst"] = max(
                        (f["severity"] for f in one["findings"]), key=["notice", "warning", "hole", "breach"].index
                    )

    forged(pack, fit)
    assert "records have it as None" in found(pack, books.ON_RECORD, path.relative_to(pack).as_posix()).told.en


def test_a_finding_left_out_of_the_index_is_missed_in_it(pack: Path) -> None:
    def silence(index: dict[str, Any]) -> None:
        index["days"][0]["documents"][0]["findings"].pop()

    path = index_of(pack)["days"][0]["documents"][0]["path"]
    forged(pack, silence)
    assert "something else" in found(pack, documents.FIGURES, path).told.en


def test_a_day_left_out_of_the_index_is_missed(pack: Path) -> None:
    for path in pack.glob("*/2026-04-02-j*.json"):
        path.unlink()
    forged(pack, lambda index: index["days"].pop(1))
    assert "2026-04-02" in found(pack, documents.DAYS, FILE).told.en


@pytest.mark.parametrize(("kind", "folder"), [("position", "positions"), ("custody", "custody")])
def test_a_document_that_was_removed_is_still_on_record(pack: Path, kind: str, folder: str) -> None:
    path = only(pack, f"{folder}/2026-04-02*.json")
    path.unlink()

    def forget(index: dict[str, Any]) -> None:
        index["days"][1]["documents"] = [one for one in index["days"][1]["documents"] if one["kind"] != kind]

    forged(pack, forget)
    assert "2026-04-02 that is not in the pack" in found(pack, books.ON_RECORD, RECORDS).told.en


def test_a_document_that_no_day_tells_of_is_named(pack: Path) -> None:
    shutil.copy(only(pack, "custody/*.json"), pack / "custody" / "2026-04-01-jp-psa-000000000000.json")
    forged(pack)
    found(pack, documents.DAYS, "custody/2026-04-01-jp-psa-000000000000.json")


def test_altered_evidence_is_not_what_the_statement_names(pack: Path) -> None:
    path = only(pack, "evidence/2026-04-03/esplora*.json")
    path.write_text(path.read_text(encoding="utf-8").replace("400000000", "900000000"), encoding="utf-8")
    forged(pack)
    assert "BTC by esplora-own" in found(pack, facts.STATED, path.relative_to(pack).as_posix()).told.en


def _restated(pack: Path, *, table: bool) -> Path:
    """Evidence, statement, and perhaps the table that was ingested, changed together."""
    path = only(pack, "evidence/2026-04-03/esplora*.json")
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    text = (
        path.read_text(encoding="utf-8")
        .replace('"400000000"', '"900000000"')
        .replace('"quantity": "4"', '"quantity": "9"')
    )
    path.write_text(text, encoding="utf-8")
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    for target in [pack / "facts/statements.csv", *(pack.glob("evidence/2026-04-03/*.csv") if table else ())]:
        target.write_text(
            target.read_text(encoding="utf-8")
            .replace(old, new)
            .replace("2026-04-03,vault,BTC,9,", "2026-04-03,vault,BTC,14,"),
            encoding="utf-8",
        )
    return path


def test_a_statement_changed_with_its_evidence_is_in_no_table_that_was_ingested(pack: Path) -> None:
    _restated(pack, table=False)
    forged(pack)
    assert "no table has the statement 2026-04-03" in found(pack, facts.INGESTED, "facts/statements.csv").told.en


def test_a_table_changed_with_both_was_never_ingested(pack: Path) -> None:
    _restated(pack, table=True)
    forged(pack)
    found(pack, facts.INGESTED, only(pack, "evidence/2026-04-03/*.csv").relative_to(pack).as_posix())


def test_a_line_taken_out_of_the_facts_log_breaks_its_chain(pack: Path) -> None:
    path = pack / "facts/log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    forged(pack)
    wrong = [each.what for each in differing(check(pack))]
    assert facts.CHAIN in wrong


def test_a_log_cut_short_lacks_what_documents_and_records_rest_on(pack: Path) -> None:
    path = pack / "facts/log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)[:-1]
    path.write_bytes(b"".join(lines))
    head = hashlib.sha256(lines[-1].rstrip(b"\n")).hexdigest()
    forged(pack, lambda index: index.update(facts={"head": head}))
    wrong = {each.what.en for each in differing(check(pack))}
    assert {documents.FACTS.en, facts.INGESTED.en, books.RECONCILED.en} <= wrong


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("operator", "Another", "no challenge of this operator"),
        ("date", "2026-04-01", "no challenge of this operator"),
        ("text", "I control everything", "no challenge of this operator"),
        ("signature", "0x" + "11" * 65, "signature does not fit"),
    ],
)
def test_a_proof_of_control_that_was_altered_proves_nothing(pack: Path, part: str, value: str, told: str) -> None:
    path = only(pack, "challenges/proved/*.json")
    change_json(path, lambda content: content.update({part: value}))
    forged(pack)
    assert told in found(pack, facts.CONTROL, path.relative_to(pack).as_posix()).told.en


def _of(kind: str, act: str = "") -> Callable[[dict[str, str]], bool]:
    return lambda row: row["kind"] == kind and (not act or json.loads(row["content"])["act"] == act)


def test_a_record_altered_does_not_give_its_digest(pack: Path) -> None:
    def rewrite(rows: Rows) -> None:
        next(filter(_of("break", "explain"), rows))["why"] = "nothing happened"

    change_rows(pack / RECORDS, rewrite)
    forged(pack)
    assert "(break break:" in found(pack, books.DIGESTS, RECORDS).told.en


@pytest.mark.parametrize("end", [False, True])
def test_a_record_altered_with_its_digest_no_longer_fits_the_chain(whole: Path, end: bool) -> None:
    def rewrite(rows: Rows) -> None:
        row = rows[-1] if end else next(filter(_of("break", "explain"), rows))
        row["why"] = "nothing happened"
        row["digest"] = digest_of(row)

    change_rows(whole / RECORDS, rewrite)
    forged(whole)
    told = found(whole, books.CHAIN, RECORDS).told.en
    assert ("another record is at the end" if end else "does not follow") in told


@pytest.mark.parametrize(
    ("place", "told"), [(0, "before it is missing"), (7, "before it is missing"), (-1, "after it is missing")]
)
def test_a_record_cut_from_the_whole_log_is_missed(whole: Path, place: int, told: str) -> None:
    def cut(rows: Rows) -> None:
        del rows[place]

    change_rows(whole / RECORDS, cut)
    forged(whole)
    assert told in found(whole, books.CHAIN, RECORDS).told.en


def test_a_strand_cut_whole_is_missed(whole: Path) -> None:
    change_rows(whole / RECORDS, lambda rows: rows.clear())
    forged(whole)
    assert "strand 0 is missing" in [each.told.en for each in differing(check(whole)) if each.what == books.CHAIN]


def test_an_entry_of_a_posting_altered_is_found(whole: Path) -> None:
    def rewrite(rows: Rows) -> None:
        row = next(filter(_of("batch"), rows))
        row["amounts"] = row["amounts"].replace("5", "6")

    change_rows(whole / RECORDS, rewrite)
    forged(whole)
    assert "(batch in c1)" in found(whole, books.DIGESTS, RECORDS).told.en


def test_an_explanation_cut_from_the_records_leaves_a_break_that_ended_otherwise(pack: Path) -> None:
    change_rows(pack / RECORDS, lambda rows: [row for row in rows if not _of("break", "explain")(row)])
    forged(pack)
    assert ENDED in found(pack, breaks.ENDED, "breaks.csv").told.en


def test_a_breaks_ending_rewritten_is_found(pack: Path) -> None:
    def rewrite(rows: Rows) -> None:
        row = next(row for row in rows if row["state"] == "open")
        row |= {"state": "closed", "closed_by": "ben", "closed_why": "all is well"}

    change_rows(pack / "breaks.csv", rewrite)
    forged(pack)
    found(pack, breaks.ENDED, "breaks.csv")


def test_a_break_taken_out_of_list_and_ending_is_still_on_record(pack: Path) -> None:
    path = only(pack, "reconciliations/2026-04-03*.csv")
    change_rows(path, lambda rows: [row for row in rows if row["of"] != "c2"])
    change_rows(pack / "breaks.csv", lambda rows: [row for row in rows if row["of"] != "c2"])
    forged(pack)
    found(pack, books.RECONCILED, path.relative_to(pack).as_posix())


def test_a_reconciliation_that_nobody_recorded_is_named(pack: Path) -> None:
    shutil.copy(only(pack, "reconciliations/*.csv"), pack / "reconciliations/2026-04-02-0000000000000000.csv")
    forged(pack)
    found(pack, books.RECONCILED, "reconciliations/2026-04-02-0000000000000000.csv")


def test_another_seed_draws_others(pack: Path) -> None:
    forged(pack, lambda index: index["sampling"].update(seed="the operator's choice"))
    found(pack, samples.DRAWS, "samples/customers.csv")


def test_a_customer_put_among_those_drawn_has_no_such_draw(pack: Path) -> None:
    def put(rows: Rows) -> None:
        rows[0]["id"] = "a-friend"

    change_rows(pack / "samples/customers.csv", put)
    forged(pack)
    assert samples.DRAWS in [each.what for each in differing(check(pack))]


def test_postings_put_in_place_of_those_drawn_are_found_in_the_whole_log(whole: Path) -> None:
    change_rows(whole / "samples/postings.csv", lambda rows: rows[:1])
    forged(whole)
    found(whole, samples.POSTED, "samples/postings.csv")


def test_breaks_put_in_place_of_those_drawn_are_found(pack: Path) -> None:
    change_rows(pack / "samples/breaks.csv", lambda rows: rows[:1])
    forged(pack)
    found(pack, samples.BROKEN, "samples/breaks.csv")


def test_a_move_left_out_of_a_customers_statement_does_not_lead_to_the_balance(pack: Path) -> None:
    change_rows(pack / "samples/statements.csv", lambda rows: rows[1:])
    forged(pack)
    found(pack, samples.SUMS, "samples/statements.csv")


def test_proofs_of_two_customers_are_not_exchanged(pack: Path) -> None:
    one, other = (pack / f"samples/proofs/{number}.json" for number in (1, 2))
    first_text, second_text = one.read_text(encoding="utf-8"), other.read_text(encoding="utf-8")
    one.write_text(second_text, encoding="utf-8")
    other.write_text(first_text, encoding="utf-8")
    forged(pack)
    assert "was drawn" in found(pack, proofs.CUSTOMER, "samples/proofs/1.json").told.en


def test_a_checkpoint_of_another_moment_contradicts_the_index(pack: Path, exchange: Exchange) -> None:
    beside = only(pack, "proofs/*/*/checkpoint.json")
    content = json.loads(beside.read_text(encoding="utf-8"))
    content["records"] += 1
    beside.write_text(json.dumps(content), encoding="utf-8")
    forged(pack)
    assert proofs.STATEMENTS in [each.what for each in differing(check(pack))]


@pytest.mark.parametrize("part", ["days", "files", "period", "books", "facts", "sampling"])
def test_an_index_of_nonsense_is_a_difference_or_a_refusal_and_never_a_crash(pack: Path, part: str) -> None:
    for nonsense in ([1], {"a": 1}, "x"):
        forged_copy = pack.parent / "copy"
        shutil.copytree(pack, forged_copy)
        try:
            forged(forged_copy, lambda index, nonsense=nonsense: index.update({part: nonsense}))  # type: ignore[misc]
            try:
                made = list(check(forged_copy))
            except BadInput:
                continue
            assert differing(made)
        finally:
            shutil.rmtree(forged_copy)
