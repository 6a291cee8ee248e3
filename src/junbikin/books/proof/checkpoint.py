"""Checkpoints (検証点): a small signed file of where the log stands, for auditors and the supervisor to keep."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from junbikin.books.database import Books
from junbikin.books.proof.chain import STRANDS, heads
from junbikin.books.proof.cut import Connection, cut
from junbikin.books.proof.digests import heads_digest, instant
from junbikin.books.proof.verdict import Difference
from junbikin.errors import BadInput, BooksDamaged
from junbikin.home import Home

FORMAT = "junbikin-checkpoint-1"
KEY_FILE = "checkpoint.pem"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the log stood: length and head of every strand, and the first record's digest, which tells whose books."""

    operator: str
    made_at: str
    records: int
    batches: int
    first: bytes
    strands: tuple[tuple[int, int, bytes], ...]
    """Number, length and head of each."""
    signer: str
    """The fingerprint of the key that signed it: SHA-256 of the public key, in hex."""


def make_key(home: Home, passphrase: str | None) -> str:
    """Makes the operator's signing key and returns its fingerprint, which outsiders note down. None: not encrypted.

    Raises `BadInput` when there is a key already, or the passphrase is empty.
    """
    if passphrase == "":
        raise BadInput("the passphrase is empty", then="give one, or say that the key shall not be encrypted")
    key, path = Ed25519PrivateKey.generate(), home.keys / KEY_FILE
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    home.keys.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInput(
            "there is a signing key already", where=str(path),
            then="keep it: whoever has checkpoints knows the operator by it",
        ) from None  # fmt: skip
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return fingerprint(key.public_key())


def read_key(home: Home, passphrase: str | None) -> Ed25519PrivateKey:
    """The operator's signing key. Raises `BadInput` when there is none, or the passphrase is another."""
    path = home.keys / KEY_FILE
    try:
        content = path.read_bytes()
    except OSError:
        raise BadInput("there is no signing key", where=str(path), then="make one with `junbikin books key`") from None
    try:
        key = serialization.load_pem_private_key(content, None if passphrase is None else passphrase.encode())
    except (ValueError, TypeError) as problem:
        raise BadInput(
            f"the signing key cannot be opened: {problem}",
            where=str(path),
            then="give the passphrase that it was made with",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput("this is no Ed25519 key", where=str(path), then="put the operator's own key back")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """What a key is known by: SHA-256 of its 32 bytes, in hex."""
    return sha256(key.public_bytes_raw()).hexdigest()


def make_checkpoint(books: Books, key: Ed25519PrivateKey, path: Path) -> Checkpoint:
    """Signs where the log stands now, as one consistent cut, and writes it to a new file.

    Raises `BooksDamaged` when the log's ends are not where it says that they are, `BadInput` when the file is there.
    """
    with cut(books) as view:
        checkpoint = _standing(books, view.main, fingerprint(key.public_key()))
        wrong = against(view.main, checkpoint)
    if wrong is not None:
        raise BooksDamaged(wrong.what, where=wrong.where, then="run `junbikin books verify`; nothing was signed")
    content = _content(checkpoint) | {"public_key": key.public_key().public_bytes_raw().hex()}
    content["signature"] = key.sign(rfc8785.dumps(content)).hex()
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    except OSError as problem:
        raise BadInput(
            f"the checkpoint cannot be written: {problem.strerror}", where=str(path), then="name a new file"
        ) from None
    return checkpoint


_STANDING = """
  SELECT (SELECT count(*) FROM books.records) AS records, (SELECT count(*) FROM books.records WHERE kind = 'batch') AS batches,
    (SELECT digest FROM books.records WHERE strand = 0 AND link = 1) AS first
"""


def _standing(books: Books, connection: Connection, signer: str) -> Checkpoint:
    row = connection.row(_STANDING)
    strands = tuple(heads(connection))
    if row is None or row.first is None:
        raise BooksDamaged("the first record is missing", where="strand 0", then="run `junbikin books verify`")
    made_at = instant(datetime.now(UTC))
    return Checkpoint(books.home.operator, made_at, row.records, row.batches, row.first, strands, signer)


def _content(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "operator": checkpoint.operator,
        "made_at": checkpoint.made_at,
        "records": checkpoint.records,
        "batches": checkpoint.batches,
        "first": checkpoint.first.hex(),
        "heads": heads_digest(checkpoint.strands),
        "strands": [{"strand": n, "length": length, "head": head.hex()} for n, length, head in checkpoint.strands],
    }


def read_checkpoint(path: Path, signer: str = "") -> Checkpoint:
    """A checkpoint from its file, its signature checked. `signer` demands the key of that fingerprint.

    Raises `BadInput` for a file that is no checkpoint or of an unknown format, `BooksDamaged` for one that was altered
    or that another key signed.
    """
    content = _read(path)
    try:
        public_key, signature = (bytes.fromhex(content[name]) for name in ("public_key", "signature"))
        key = Ed25519PublicKey.from_public_bytes(public_key)
        strands = tuple((s["strand"], s["length"], bytes.fromhex(s["head"])) for s in content["strands"])
        checkpoint = Checkpoint(
            content["operator"], content["made_at"], content["records"], content["batches"],
            bytes.fromhex(content["first"]), strands, fingerprint(key),
        )  # fmt: skip
        signed = rfc8785.dumps({name: value for name, value in content.items() if name != "signature"})
    except (KeyError, TypeError, ValueError) as problem:
        raise BadInput(
            f"this checkpoint is not whole: {problem!r}", where=str(path), then="use the file as it was handed out"
        ) from None
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        raise BooksDamaged(
            "the signature does not fit: this checkpoint was altered",
            where=str(path),
            then="use the file as it was handed out",
        ) from None
    if signer and signer.lower() != checkpoint.signer:
        raise BooksDamaged(
            f"this checkpoint was signed by another key: {checkpoint.signer}", where=str(path),
            then=f"ask the operator for one by {signer.lower()}, or why the key is another",
        )  # fmt: skip
    numbers = [number for number, _, _ in strands]
    if numbers != list(range(STRANDS)) or content != _content(checkpoint) | {
        name: content[name] for name in ("public_key", "signature")
    }:
        raise BadInput("this checkpoint contradicts itself", where=str(path), then="ask the operator for another")
    return checkpoint


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadInput(
            f"the checkpoint cannot be read: {problem.strerror}", where=str(path), then="name a file that can be read"
        ) from None
    except ValueError:
        raise BadInput(
            "this is no checkpoint",
            where=str(path),
            then="name a file that `junbikin books checkpoint` made",
        ) from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise BadInput(
            f"this is no checkpoint of the format {FORMAT}, but {found or 'of none'}", where=str(path),
            then="name a file that `junbikin books checkpoint` made, or use a newer junbikin",
        )  # fmt: skip
    return dict(content)


_AT = """
  SELECT c.strand, c.length, r.digest, coalesce((SELECT max(link) FROM books.records WHERE strand = c.strand), 0) AS now
  FROM unnest(%(strands)s::int[], %(lengths)s::bigint[]) c(strand, length)
  LEFT JOIN books.records r ON r.strand = c.strand AND r.link = c.length WHERE c.length > 0 ORDER BY c.strand
"""


def against(connection: Connection, checkpoint: Checkpoint) -> Difference | None:
    """The first strand that does not contain, at the checkpoint's length, the checkpoint's head.

    That the strand holds together up to there is another check's work. Raises `BooksDamaged` for other books' checkpoint.
    """
    first = connection.row("SELECT digest FROM books.records WHERE strand = 0 AND link = 1")
    if first is None or first.digest != checkpoint.first:
        raise BooksDamaged(
            f"the checkpoint is of other books: of {checkpoint.operator}, made {checkpoint.made_at}",
            where="strand 0, link 1", then="use a checkpoint of these books; if it is one, they were rewritten from the first record",
        )  # fmt: skip
    strands, lengths, digests = (list(column) for column in zip(*checkpoint.strands, strict=True))
    for row in connection.rows(_AT, strands=strands, lengths=lengths):
        place = f"strand {row.strand}, link {row.length}"
        expected = digests[strands.index(row.strand)]
        if row.digest is None:
            what = "the tail that the checkpoint has seen was cut"
            return Difference("cut", what, place, f"{row.length} records", f"{row.now}")
        if row.digest != expected:
            what = f"the chain was rewritten since the checkpoint of {checkpoint.made_at}"
            return Difference("rewritten", what, place, expected.hex(), row.digest.hex())
    return None
