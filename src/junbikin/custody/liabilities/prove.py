"""Proves what customers are owed on a day (債務証明の作成): trees, checkpoint and statement, in the home or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock, Timeout

from junbikin.books.database import Books
from junbikin.books.proof.checkpoint import make_checkpoint
from junbikin.books.proof.digests import instant
from junbikin.custody.liabilities.balances import Owed, Snapshot, rows_of, snapshot
from junbikin.custody.liabilities.building import Grown, grow, sync
from junbikin.custody.liabilities.kept import CHECKPOINT, POSITION, PRIVATE, STATEMENT, folder_of, write_manifest
from junbikin.custody.liabilities.pool import workers
from junbikin.custody.liabilities.secret import secret_of
from junbikin.custody.liabilities.statement import LeftOut, Statement, Total
from junbikin.custody.liabilities.sums import units_of
from junbikin.custody.liabilities.tie import Tie
from junbikin.custody.reconcile.refused import Unmended, unmended_balances
from junbikin.errors import BadInput, JunbikinError
from junbikin.facts.lake import Lake
from junbikin.facts.run import Progress
from junbikin.figures import plain


def prove(
    lake: Lake,
    as_of: date,
    key: Ed25519PrivateKey,
    books: Books | None,
    tie: Tie | None,
    progress: Progress,
    despite: str = "",
) -> Path:
    """Makes the proof of a day and returns its folder. When the same was proved before, that is the folder.

    `despite` is the reason to sign although balances of the day were refused when they were ingested; it stands in the statement.
    Raises `BadInput` when there are such balances and no reason, when the day has no balances or negative ones, when a total is not
    what the tie says is owed, and when another proof is being made; `FactsDamaged` when facts are not what they were;
    `BooksDamaged` when the books are not.
    """
    left_out = _left_out(unmended_balances(lake, as_of), as_of, despite)
    proofs = folder_of(lake.home)
    proofs.mkdir(mode=0o700, exist_ok=True)
    try:
        with FileLock(proofs / ".lock", timeout=0):
            building = proofs / ".building"
            shutil.rmtree(building, ignore_errors=True)  # of a run that was killed
            building.mkdir(mode=0o700)
            try:
                return _made(lake, as_of, key, books, tie, left_out, building, progress)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    except Timeout:
        raise BadInput(
            "another proof is being made in this home", where=str(proofs), then="wait until it is done"
        ) from None


def _made(
    lake: Lake,
    as_of: date,
    key: Ed25519PrivateKey,
    books: Books | None,
    tie: Tie | None,
    left_out: LeftOut | None,
    building: Path,
    progress: Progress,
) -> Path:
    secret, private = secret_of(lake.home), building / PRIVATE
    private.mkdir(mode=0o700)
    with workers(rows_of(lake, as_of)) as each:
        found = snapshot(lake, as_of, each)
        if tie:
            _agree(tie, found)
        grown = grow(found, lake.home.operator, secret, lake.home.memory_limit, private, each, progress)
    _as_counted(grown, found.owed)
    totals = tuple(Total(each.asset, each.root) for each in grown)
    public = key.public_key().public_bytes_raw()
    position = tie.digest if tie else ""
    statement = Statement(
        lake.home.operator,
        as_of,
        instant(datetime.now(UTC)),
        totals,
        position,
        "",
        public,
        lake.home.invented,
        left_out=left_out,
    )
    target = folder_of(lake.home) / as_of.isoformat() / statement.name[:16]
    if target.exists():
        return target
    if books:
        make_checkpoint(books, key, building / CHECKPOINT)
        content = json.loads((building / CHECKPOINT).read_text(encoding="utf-8"))
        statement = replace(statement, checkpoint=sha256(rfc8785.dumps(content)).hexdigest())
    if tie:
        (building / POSITION).write_bytes(tie.document)
    write_manifest(building, grown, secret, [segment.sha256 for segment in found.segments])
    text = json.dumps(statement.signed(key).content, ensure_ascii=False, indent=1) + "\n"
    (building / STATEMENT).write_text(text, encoding="utf-8")
    _keep(building, target)
    return target


_FIRST = 5
"""Accounts that a refusal names."""


def _left_out(refused: Unmended, as_of: date, despite: str) -> LeftOut | None:
    """What a statement says of refused balances. Raises `BadInput` when there are some and no reason to sign all the same."""
    if not refused.rows:
        return None
    if despite.strip():
        return LeftOut(refused.rows, despite.strip())
    named, more = refused.accounts[:_FIRST], len(refused.accounts) - _FIRST
    of = f", of the accounts {', '.join(map(repr, named))}{f' and {more:,} more' if more > 0 else ''}" if named else ""
    raise BadInput(
        f"{refused.rows:,} {'row' if refused.rows == 1 else 'rows'} of customer_balances of {as_of} stand refused since the ingest{of}: "
        "a proof would leave out what is owed by them", where=f"customer_balances of {as_of}",
        then="see them with `junbikin facts quarantine customer_balances`, ingest what is right and prove again; "
        'or sign without them, which the statement then says: --despite-refused "WHY"',
    )  # fmt: skip


def _agree(tie: Tie, found: Snapshot) -> None:
    """Raises `BadInput` unless the balances come to what the reconciled day says is owed, asset by asset."""
    ours = {owed.asset: owed.total for owed in found.owed}
    for asset in sorted(ours.keys() | tie.owed.keys()):
        here, there = ours.get(asset, Decimal(0)), tie.owed.get(asset, Decimal(0))
        if here != there:
            raise BadInput(
                f"customers' balances come to {plain(here)} {asset}, and the reconciled position says that {plain(there)} are owed",
                where=f"reconciliation {tie.digest[:16]}",
                then=f"reconcile {found.as_of} again, and prove it when both agree",
            )


def _as_counted(grown: Sequence[Grown], owed: Sequence[Owed]) -> None:
    """Holds the trees against the engine's own count and sum, taken before."""
    counted = {each.asset: (each.customers, units_of(each.total)) for each in owed if each.customers}
    if {each.asset: (each.root.count, each.root.sum) for each in grown} != counted:
        raise JunbikinError("the trees do not hold what the balances come to", then="please report this")


def _keep(building: Path, target: Path) -> None:
    """Puts a whole proof in its place, on disk: it is there after this, and was not before."""
    for file in building.rglob("*"):
        if file.is_file():
            sync(file)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    building.rename(target)
    sync(target.parent)
