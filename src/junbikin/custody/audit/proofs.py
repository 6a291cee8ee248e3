"""Proofs of liabilities in a pack: what was signed for every day of the period, and the proofs of the customers drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from junbikin.calendars import Period
from junbikin.custody.audit.files import File, Missing, copied, written
from junbikin.custody.audit.samples import Drawn
from junbikin.custody.liabilities import kept
from junbikin.facts.run import Progress
from junbikin.figures import Name
from junbikin.home import Home

FOLDER = "proofs"
SAMPLED = "samples/proofs"

_PUBLIC = {
    kept.STATEMENT: Name("statement of liabilities", "債務証明書"),
    kept.CHECKPOINT: Name("statement of liabilities: checkpoint beside it", "債務証明書：検証点"),
    kept.POSITION: Name(
        "statement of liabilities: reconciled position that it is tied to", "債務証明書：照合済みの残高"
    ),
}


def statements(home: Home, period: Period, folder: Path) -> Iterator[File | Missing]:
    """The signed statement of every proof of the period, with what was put beside it. Trees stay in the home."""
    found = [path for path in kept.proofs(home) if date.fromisoformat(path.parent.name) in period]
    for path in found:
        for name, what in _PUBLIC.items():
            if (path / name).exists():
                yield copied(folder, path / name, f"{FOLDER}/{path.parent.name}/{path.name}/{name}", what)
    if not found:
        yield Missing(FOLDER, Name("no proof of liabilities was made of these days", "この期間の債務証明がない"))


def of_customers(home: Home, drawn: Drawn, folder: Path, progress: Progress) -> Iterator[File | Missing]:
    """The proof of each customer drawn, under the newest statement of the day. Raises `BadInput` when the trees are damaged."""
    found = list(kept.proofs(home, drawn.day))
    if not found:
        yield Missing(SAMPLED, Name(f"no proof of liabilities was made of {drawn.day}", f"{drawn.day}の債務証明がない"))
        return
    newest = kept.open_kept(found[-1])
    for number, account in enumerate(drawn.customers, 1):
        proof = kept.customers_proof(home, newest, account)
        text = json.dumps(proof.content, ensure_ascii=False, indent=1) + "\n"
        yield written(
            folder, f"{SAMPLED}/{number}.json", text.encode(), Name("proof of a customer drawn", "利用者別証明")
        )
        progress("proving samples", number / len(drawn.customers))
