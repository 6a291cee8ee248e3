"""Documents of an incident: reports as they were given, evidence, what permissions rest on. Kept in the home by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from junbikin.errors import BadInput
from junbikin.home import Home
from junbikin.incidents.folders import documents_folder


def keep(home: Home, incident: str, file: Path) -> str:
    """Keeps a copy of a file and returns its SHA-256. Raises `BadInput` when it cannot be read."""
    try:
        with file.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as problem:
        raise BadInput(f"it cannot be read: {problem.strerror}", where=str(file), then="name another file") from None
    target = documents_folder(home, incident) / f"{digest}{file.suffix.lower()}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(file, half)
        half.replace(target)
    return digest


def keep_text(home: Home, incident: str, content: bytes, suffix: str) -> str:
    """Keeps a document that was made here and returns its SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    target = documents_folder(home, incident) / f"{digest}{suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.{os.getpid()}")
    half.write_bytes(content)
    half.replace(target)
    return digest


def kept(home: Home, incident: str, digest: str) -> Path | None:
    """The document of that SHA-256, or None when this home does not have it."""
    return next(iter(sorted(documents_folder(home, incident).glob(f"{digest}*"))), None)
