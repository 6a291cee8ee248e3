"""The index of a pack: what it is of, every file by digest, every day, what is missing; signed with the operator's key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from junbikin import __version__
from junbikin.books.proof.checkpoint import fingerprint
from junbikin.books.proof.digests import instant
from junbikin.calendars import Period, is_business_day
from junbikin.custody.audit.files import File, Missing, plain_json
from junbikin.errors import BadInput
from junbikin.home import Home

FORMAT = "junbikin-audit-1"
FILE = "index.json"
PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Said:
    """A document of a day in the pack; `record` is its number in the books, None when it is not on record there.

    `worst` is the gravest severity among its findings, None when there is none; a finding is as the document has it, without
    what a reader of the index does not need.
    """

    day: date
    kind: str
    rulebook: str
    digest: str
    path: str
    record: int | None
    worst: str | None
    findings: tuple[dict[str, Any], ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind,
            "rulebook": self.rulebook,
            "digest": self.digest,
            "path": self.path,
            "record": self.record,
            "worst": self.worst,
            "findings": list(self.findings),
        }


@dataclass(frozen=True, slots=True)
class Sampling:
    """What samples are drawn by: the auditor's seed, and how many of each."""

    seed: str
    count: int


def content(
    home: Home,
    period: Period,
    made_at: str,
    sampling: Sampling | None,
    facts_head: str,
    books: dict[str, Any] | None,
    parts: Iterable[File | Missing | Said],
) -> dict[str, Any]:
    """The index, not yet signed."""
    found = list(parts)
    said = [part for part in found if isinstance(part, Said)]
    return {
        "format": FORMAT,
        "made_by": f"junbikin {__version__}",
        "made_at": made_at,
        "operator": home.operator,
        "invented": home.invented,
        "period": {"name": period.name, "start": period.start.isoformat(), "end": period.end.isoformat()},
        "time_zone": str(home.time_zone),
        "sampling": {"seed": sampling.seed, "count": sampling.count} if sampling else None,
        "facts": {"head": facts_head},
        "books": books,
        "days": list(_days(period, said)),
        "missing": [part.document() for part in found if isinstance(part, Missing)],
        "files": sorted((part.document() for part in found if isinstance(part, File)), key=lambda file: file["path"]),
    }


def business_days(period: Period) -> list[date]:
    """The business days of a period."""
    days = (period.start + timedelta(days=count) for count in range(period.days))
    return [day for day in days if is_business_day(day)]


def bounds(period: dict[str, str], zone: ZoneInfo) -> tuple[str, str]:
    """The first and the last instant of the period that an index names, as records write them."""
    first, last = (date.fromisoformat(period[part]) for part in ("start", "end"))
    start = datetime.combine(first, time(), zone)
    return instant(start), instant(datetime.combine(last + timedelta(days=1), time(), zone) - datetime.resolution)


def _days(period: Period, said: list[Said]) -> Iterable[dict[str, Any]]:
    """Every business day, and every other day of which something was said."""
    by_day: dict[date, list[Said]] = {}
    for one in said:
        by_day.setdefault(one.day, []).append(one)
    for day in (period.start + timedelta(days=count) for count in range(period.days)):
        if day in by_day or is_business_day(day):
            documents = sorted(by_day.get(day, []), key=lambda one: (one.kind, one.rulebook, one.record or 0, one.path))
            yield {
                "day": day.isoformat(),
                "business_day": is_business_day(day),
                "documents": [one.document() for one in documents],
            }


def signed(index: dict[str, Any], key: Ed25519PrivateKey | None) -> dict[str, Any]:
    """The index with the signer's public key and signature; both None without a key."""
    index = index | {"public_key": key.public_key().public_bytes_raw().hex() if key else None}
    return index | {"signature": key.sign(rfc8785.dumps(index)).hex() if key else None}


def signer_of(index: dict[str, Any], where: str) -> str | None:
    """The fingerprint of the key that signed an index, None when nobody did.

    Raises `BadInput` for a signature that cannot be read, `InvalidSignature` for one that does not fit.
    """
    if index["signature"] is None:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(index["public_key"]))
        signature = bytes.fromhex(index["signature"])
        content = rfc8785.dumps({name: value for name, value in index.items() if name != "signature"})
    except (TypeError, ValueError) as problem:
        raise BadInput(f"the signature cannot be read: {problem}", where=where, then="ask for the original") from None
    key.verify(signature, content)
    return fingerprint(key)


_PARTS = {
    "made_by": str, "made_at": str, "operator": str, "invented": bool, "period": dict, "time_zone": str, "sampling": (dict, type(None)),
    "facts": dict, "books": (dict, type(None)), "days": list, "missing": list, "files": list,
    "public_key": (str, type(None)), "signature": (str, type(None)),
}  # fmt: skip


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a pack, in the form that it must have. Raises `BadInput` when it is none."""
    path = folder / FILE
    try:
        index = plain_json(path)
    except OSError as problem:
        raise BadInput(
            f"there is no audit pack here: {problem.strerror}", where=str(path), then="name the folder that `junbikin audit pack` made"
        ) from None  # fmt: skip
    except ValueError:
        raise BadInput("the index is not JSON as we write it", where=str(path), then="ask for the original") from None
    found = index.get("format") if isinstance(index, dict) else None
    if found != FORMAT:
        raise BadInput(
            f"this is no audit pack of the format {FORMAT}, but {found or 'of none'}", where=str(path),
            then="name a folder that `junbikin audit pack` made, or use a newer junbikin",
        )  # fmt: skip
    for name, kind in _PARTS.items():
        if not isinstance(index.get(name, ...), kind):  # type: ignore[arg-type]
            raise BadInput(f"the index lacks {name!r}", where=str(path), then="ask for the original")
    return dict(index)
