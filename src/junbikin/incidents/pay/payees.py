"""Who can be paid how: each customer's newest payout instruction, judged, for every payment number of a plan.

Kept in a folder named by its digest: for each asset arrays by payment number and a table, and the first 80 bytes of every
bank transfer's record. The same facts and the same list of banks give the same files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rfc8785
from numpy.typing import NDArray

from junbikin.errors import BadInput
from junbikin.facts.engine import parquet
from junbikin.incidents.pay.files import digest_of, settle, writing
from junbikin.incidents.pay.statuses import Status, Way

PAYEE = 80
"""The bytes of a transfer's record that say who is paid."""
YEN = "JPY"
WAYS = {"zengin": Way.BANK, "iso20022": Way.BANK, "account": Way.ACCOUNT, "custodian": Way.ADDRESS}
"""By which way each channel pays."""
MANIFEST, RECORDS, TABLE = "payees.json", "payees.bin", "payees.parquet"
ARRAYS: dict[str, np.dtype[Any]] = {"status": np.dtype("u1"), "way": np.dtype("u1"), "given": np.dtype("<i8")}
"""For each asset, of each payment number: status, way, and when the instruction was given (microseconds since 1970; 0: none)."""
FORMAT = 1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Payees:
    """Payees of the plan with the digest `plan`. `counts`: for each asset, how many have each status by its word; `facts` is the head of
    the lake's log."""

    folder: Path
    digest: str
    plan: str
    people: int
    counts: Mapping[str, Mapping[str, int]]
    facts: str
    banks: str

    @property
    def records(self) -> NDArray[np.uint8]:
        """The first 80 bytes of each payment's Zengin record, by payment number from 1 on; zeros where no bank can be paid."""
        return np.memmap(self.folder / RECORDS, np.uint8, "r", shape=(self.people, PAYEE))

    def array(self, asset: str, name: str) -> NDArray[Any]:
        """One of `ARRAYS` of an asset. Raises `BadInput` when the plan pays none of it."""
        if asset not in self.counts:
            raise BadInput(
                f"there are no payees of {asset}", where=str(self.folder), then="name one of " + ", ".join(self.counts)
            )
        found: NDArray[Any] = np.memmap(self.folder / asset / f"{name}.bin", ARRAYS[name], "r", shape=(self.people,))
        return found

    def payable(self, channel: str, asset: str, first: int, people: int) -> Mask:
        """Which of the payments `first` to `first` + `people` − 1 can be paid by a channel."""
        some = slice(first - 1, first - 1 + people)
        found: Mask = (self.array(asset, "status")[some] == Status.OK) & (
            self.array(asset, "way")[some] == WAYS[channel]
        )
        return found

    def given_since(self, before: Payees, asset: str, first: int, people: int) -> Mask:
        """Of which of these payments the instruction is newer than the one that was judged `before`."""
        some = slice(first - 1, first - 1 + people)
        found: Mask = self.array(asset, "given")[some] > before.array(asset, "given")[some]
        return found

    def table(self, asset: str) -> str:
        """SQL of the table of an asset by payment number: status, channel, where to pay and whom, when that was given."""
        return parquet([str(file) for file in sorted((self.folder / asset).glob("*.parquet"))])


def open_payees(above: Path, digest: str) -> Payees:
    """The payees of a digest. Raises `BadInput` when they are not there or a file of theirs is not what it was."""
    folder = above / digest
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        payees = _of(folder, content)
        if payees.digest != digest:
            raise ValueError(f"{MANIFEST} says other things")
        for name, sha256 in content["files"].items():
            if digest_of(folder / name) != sha256:
                raise ValueError(f"{name} is another file")
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise BadInput(
            f"the payees {digest[:12]} are missing or were altered: {problem}", where=str(folder),
            then="judge the payout instructions again: junbikin incident payees",
        ) from None  # fmt: skip
    return payees


def sealed(made: Path, above: Path, content: dict[str, Any]) -> Payees:
    """The payees whose files are in `made`, put where they are kept; those that are kept already are left alone."""
    files = sorted(str(file.relative_to(made)) for file in made.rglob("*") if file.is_file())
    content = {"format": str(FORMAT), "files": {name: digest_of(made / name) for name in files}} | content
    payees = _of(made, content)
    folder = above / payees.digest
    if folder.exists():
        shutil.rmtree(made)
    else:
        with writing(made / MANIFEST) as manifest:
            manifest.write(rfc8785.dumps(content))
        settle(made)
        made.rename(folder)
        settle(above)
    return _of(folder, content)


def _of(folder: Path, content: Mapping[str, Any]) -> Payees:
    digest = hashlib.sha256(rfc8785.dumps(dict(content))).hexdigest()
    counts = {asset: {word: int(count) for word, count in by.items()} for asset, by in content["counts"].items()}
    return Payees(folder, digest, content["plan"], int(content["people"]), counts, content["facts"], content["banks"])
