"""Checkpoints: what an outsider keeps shows later that the past was changed, whoever changed it and however well."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.books.proof.checkpoint import (
    KEY_FILE,
    Checkpoint,
    fingerprint,
    make_checkpoint,
    make_key,
    read_checkpoint,
    read_key,
)
from junbikin.books.proof.verify import verify
from junbikin.errors import BadInput, BooksDamaged
from junbikin.home import Home, create_home

from .cast import Cast, assembled
from .tampering import TABLES, Owner, rechain, record_of, unguarded

PASSPHRASE = "words that open the key"  # noqa: S105 - of tests


@pytest.fixture
def cast(books: Any) -> Cast:
    """Everyone, with three payments in."""
    cast = assembled(books)
    for number in range(3):
        cast.pay_in("customer/JPY/pool/c1", 100 + number, key=f"in{number}")
    return cast


@pytest.fixture
def kept(cast: Cast, tmp_path: Path) -> Checkpoint:
    """What an auditor keeps: read from the file, signed by the operator's key."""
    signer = make_key(cast.books.home, PASSPHRASE)
    make_checkpoint(cast.books, read_key(cast.books.home, PASSPHRASE), tmp_path / "kept.json")
    return read_checkpoint(tmp_path / "kept.json", signer)


def test_books_that_went_on_still_contain_their_checkpoint(cast: Cast, kept: Checkpoint) -> None:
    cast.pay_in("customer/JPY/pool/c1", 7)
    verdict = verify(cast.books, kept)
    assert verdict.difference is None
    assert (verdict.records, verdict.batches) == (kept.records + 1, kept.batches + 1)


def test_who_works_out_the_whole_chain_again_passes_verify_but_not_the_checkpoint(
    cast: Cast, kept: Checkpoint, owner: Owner
) -> None:
    with unguarded(owner, *TABLES):
        owner.execute("UPDATE books.records SET why = 'another reason' WHERE key = 'in1'")
        rechain(owner)
    assert verify(cast.books).difference is None
    difference = verify(cast.books, kept).difference
    assert difference is not None
    assert difference.kind == "rewritten"
    [(_, length, head)] = [strand for strand in kept.strands if strand[1] > 0]
    assert (difference.where, difference.expected) == (f"strand 0, link {length}", head.hex())


def test_a_tail_cut_everywhere_passes_verify_but_not_the_checkpoint(cast: Cast, kept: Checkpoint, owner: Owner) -> None:
    last = record_of(owner, "in2")["id"]
    with unguarded(owner, *TABLES):
        owner.execute("DELETE FROM books.records WHERE id = %s", (last,))
        owner.execute("DELETE FROM books.balances WHERE record = %s", (last,))
        rechain(owner)
    assert verify(cast.books).difference is None
    difference = verify(cast.books, kept).difference
    assert difference is not None
    assert difference.kind == "cut"


def test_a_checkpoint_of_other_books_is_refused(cast: Cast, kept: Checkpoint, owner: Owner) -> None:
    with unguarded(owner, *TABLES):
        owner.execute("UPDATE books.records SET recorded_at = recorded_at - interval '1 second' WHERE link = 1")
        rechain(owner)
    with pytest.raises(BooksDamaged, match="of other books"):
        verify(cast.books, kept)


def test_nothing_is_signed_when_the_log_does_not_end_where_it_says(
    cast: Cast, kept: Checkpoint, owner: Owner, tmp_path: Path
) -> None:
    with unguarded(owner, *TABLES):
        owner.execute("DELETE FROM books.records WHERE key = 'in2'")
    with pytest.raises(BooksDamaged, match="nothing was signed"):
        make_checkpoint(cast.books, read_key(cast.books.home, PASSPHRASE), tmp_path / "never.json")
    assert not (tmp_path / "never.json").exists()


def altered(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A checkpoint file with other values; None takes one away."""
    return lambda content: {name: value for name, value in (content | changes).items() if value is not None}


def test_a_file_that_is_not_as_it_was_signed_is_refused_and_says_why(
    cast: Cast, kept: Checkpoint, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    content = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    strands = [content["strands"][0] | {"length": 1}, *content["strands"][1:]]
    for change, error, words in (
        (altered(records=kept.records + 1), BooksDamaged, "was altered"),
        (altered(strands=strands), BooksDamaged, "was altered"),
        (altered(more="than was signed"), BooksDamaged, "was altered"),
        (altered(public_key=other), BooksDamaged, "was altered"),
        (altered(signature=content["signature"][2:]), BooksDamaged, "was altered"),
        (altered(signature="no hex"), BadInput, "not whole"),
        (altered(strands=None), BadInput, "not whole"),
        (altered(format="junbikin-checkpoint-9"), BadInput, "junbikin-checkpoint-9"),
        (altered(format=None), BadInput, "of none"),
    ):
        with subtests.test(words):
            path = tmp_path / "altered.json"
            path.write_text(json.dumps(change(content)), encoding="utf-8")
            with pytest.raises(error, match=words):
                read_checkpoint(path)
    for text in ("", "[1]", "{", "\\x00"):
        (tmp_path / "none.json").write_text(text, encoding="utf-8")
        with pytest.raises(BadInput, match="no checkpoint"):
            read_checkpoint(tmp_path / "none.json")
    with pytest.raises(BooksDamaged, match="signed by another key"):
        read_checkpoint(tmp_path / "kept.json", fingerprint(Ed25519PrivateKey.generate().public_key()))
    assert read_checkpoint(tmp_path / "kept.json", kept.signer.upper()) == kept


def test_a_checkpoint_is_never_written_over_another(cast: Cast, kept: Checkpoint, tmp_path: Path) -> None:
    before = (tmp_path / "kept.json").read_bytes()
    with pytest.raises(BadInput, match="cannot be written"):
        make_checkpoint(cast.books, read_key(cast.books.home, PASSPHRASE), tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_bytes() == before


def test_a_signed_checkpoint_that_leaves_strands_out_is_refused(cast: Cast, kept: Checkpoint, tmp_path: Path) -> None:
    content = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    key = read_key(cast.books.home, PASSPHRASE)
    content["strands"] = []
    del content["signature"]
    content["signature"] = key.sign(rfc8785.dumps(content)).hex()
    (tmp_path / "empty.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BadInput, match="contradicts itself"):
        read_checkpoint(tmp_path / "empty.json")


@pytest.fixture
def bare(tmp_path: Path) -> Home:
    """A home without books: keys need none."""
    return create_home(tmp_path / "bare", "Example")


def test_a_key_is_for_its_owner_alone_encrypted_and_never_replaced(bare: Home) -> None:
    signer = make_key(bare, PASSPHRASE)
    path = bare.keys / KEY_FILE
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in content
    assert fingerprint(read_key(bare, PASSPHRASE).public_key()) == signer
    for wrong in ("another", None):
        with pytest.raises(BadInput, match="cannot be opened"):
            read_key(bare, wrong)
    with pytest.raises(BadInput, match="already"):
        make_key(bare, PASSPHRASE)
    assert path.read_bytes() == content


def test_a_key_without_a_passphrase_is_made_only_when_that_is_said(bare: Home) -> None:
    with pytest.raises(BadInput, match="empty"):
        make_key(bare, "")
    with pytest.raises(BadInput, match="no signing key"):
        read_key(bare, None)
    signer = make_key(bare, None)
    assert fingerprint(read_key(bare, None).public_key()) == signer
    with pytest.raises(BadInput, match="cannot be opened"):
        read_key(bare, "one that it has not")
