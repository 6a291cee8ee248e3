"""Files of a pack, each known by its digest, and what a pack lacks, with the reason."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junbikin.figures import Name


@dataclass(frozen=True, slots=True)
class File:
    """A file of a pack: where it is in the folder, its SHA-256 in hex, its length, and what it is."""

    path: str
    sha256: str
    bytes: int
    what: Name

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, "sha256": self.sha256, "bytes": self.bytes, "en": self.what.en, "ja": self.what.ja}


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a pack could hold and does not."""

    part: str
    why: Name

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"part": self.part, "en": self.why.en, "ja": self.why.ja}


def listed(folder: Path, path: str, what: Name) -> File:
    """A file that is in the folder already."""
    with (folder / path).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return File(path, digest, (folder / path).stat().st_size, what)


def copied(folder: Path, source: Path, path: str, what: Name) -> File:
    """A copy of a file of the home."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / path)
    return listed(folder, path, what)


def written(folder: Path, path: str, content: bytes, what: Name) -> File:
    """A file of this content."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)
    return File(path, hashlib.sha256(content).hexdigest(), len(content), what)


def plain_json(path: Path) -> Any:
    """What a JSON file says. Raises `ValueError` when it is not JSON, or holds a number that is not whole."""
    return json.loads(path.read_bytes(), parse_float=_no_float, parse_constant=_no_float)


def _no_float(text: str) -> Any:
    raise ValueError(f"a bare number: {text}")
