"""What forgers of a pack do: alter what is in it, make the index fit again, and sign it: insiders with the operator's own key."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.custody.audit.index import FILE, signed

from .exchange import OPERATOR

STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def index_of(pack: Path) -> dict[str, Any]:
    """What the index says."""
    return dict(json.loads((pack / FILE).read_text(encoding="utf-8")))


def write_index(pack: Path, index: dict[str, Any]) -> None:
    """Writes an index as it stands."""
    (pack / FILE).write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def forged(
    pack: Path, change: Callable[[dict[str, Any]], object] = lambda index: None, key: Ed25519PrivateKey = OPERATOR
) -> None:
    """Makes the index fit the files again, those added and those removed too, changes it, and signs it."""
    index = index_of(pack)
    there = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()} - {FILE}
    told = {file["path"]: file for file in index["files"]}
    index["files"] = [{"en": "", "ja": ""} | told.get(path, {}) | measured(pack, path) for path in sorted(there)]
    change(index)
    signing = {name: value for name, value in index.items() if name not in ("public_key", "signature")}
    write_index(pack, signed(signing, key))


def measured(pack: Path, path: str) -> dict[str, Any]:
    """A file as an index lists it."""
    content = (pack / path).read_bytes()
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def only(pack: Path, pattern: str) -> Path:
    """The first file of a pattern."""
    return min(pack.glob(pattern))


def change_json(path: Path, change: Callable[[Any], None]) -> Any:
    """Changes a JSON file in place. Returns its content."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return content


def change_rows(path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]] | None]) -> None:
    """Changes the rows of a CSV file in place."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows, names = list(reader), list(reader.fieldnames or ())
    changed = change(rows)
    rows = rows if changed is None else changed
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def digest_of(row: dict[str, str]) -> str:
    """The digest of a record, by docs/books-format.md, from its row in a pack."""
    names = (
        "previous", "id", "strand", "link", "kind", "subject", "key", "effective_at", "recorded_at", "recorded_by", "why",
        "request", "entries_digest", "content",
    )  # fmt: skip
    return hashlib.sha256("\n".join(["junbikin-record-1", *(row[name] for name in names)]).encode()).hexdigest()


def canonical(content: Any) -> str:
    """Canonical JSON as text."""
    return rfc8785.dumps(content).decode()
