"""Who is affected by what the books say: the customers of a place, and those whose dispute was upheld."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb

from junbikin.books.database import telling
from junbikin.books.journal import known_now
from junbikin.errors import BadInput
from junbikin.facts.engine import file as one_file
from junbikin.figures import Data, Name, plain
from junbikin.findings import Finding, Severity
from junbikin.incidents.disputes import upheld
from junbikin.incidents.plan.customers import strangers
from junbikin.incidents.plan.found import QUANTITY, Found, Scene
from junbikin.incidents.plan.rule import Disputed, HoldersAtPlace

_AT_PLACE = """
COPY (
  SELECT coalesce(a.holder, '') AS holder, trim_scale(sum(b.amount)) FROM books.balances b JOIN books.accounts a ON a.id = b.account
  WHERE a.owner = 'customer' AND a.asset = %(asset)s AND a.place = %(place)s AND b.effective_at <= %(at)s AND b.recorded_at <= %(known)s
  GROUP BY a.holder HAVING sum(b.amount) > 0 ORDER BY coalesce(a.holder, '') COLLATE "C"
) TO STDOUT (FORMAT csv)
"""


def at_place(scene: Scene, affected: HoldersAtPlace) -> Found:
    """The customers for whom the books have the asset at the place. Raises `BadInput` when some of it is booked for no one by name."""
    file = scene.folder / "at-place.csv"
    values: dict[str, Any] = {
        "asset": affected.asset, "place": affected.place, "at": affected.at, "known": known_now(scene.books),
    }  # fmt: skip
    with (
        telling(scene.books.home), scene.books.driver() as connection, connection.cursor() as cursor,
        file.open("wb") as stream, cursor.copy(_AT_PLACE.encode(), values) as copied,
    ):  # fmt: skip
        stream.writelines(copied)
    rows = (
        f"SELECT account_id, holding FROM read_csv({one_file(str(file))}, header = false, auto_detect = false, delim = ',', "
        f"quote = '\"', escape = '\"', columns = {{'account_id': 'VARCHAR', 'holding': '{QUANTITY}'}}, nullstr = '\\N')"
    )
    for (holding,) in scene.engine.execute(f"SELECT holding FROM ({rows}) WHERE account_id = ''").fetchall():
        raise BadInput(
            f"{plain(holding)} {affected.asset} at {affected.place} are booked for no customer by name: nobody could be paid them",
            where=f"customer/{affected.asset}/{affected.place}",
            then="name the customers in a file of accounts, or book each one's part to an account of their own",
        )
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    at = affected.at.isoformat()
    return Found(
        rows,
        Data("books", f"customer/{affected.asset}/{affected.place} by holder at {at}", digest),
        Name(f"{affected.asset} of customers at {affected.place}, {at}", f"{at}の{affected.place}における利用者の{affected.asset}"),
    )  # fmt: skip


def disputed(scene: Scene, affected: Disputed) -> Found:
    """Those whose dispute over the asset was upheld. Raises `BadInput` when there is none that is not covered yet."""
    rows = [one for one in upheld(scene.books, scene.incident) if one.asset == affected.asset]
    if not rows:
        raise BadInput(
            f"no dispute over {affected.asset} is upheld and not yet covered by an approved plan",
            where=f"incident {scene.incident}", then="see `junbikin incident dispute list`",
        )  # fmt: skip
    found = _summed(
        scene.engine, affected.asset, scene.incident, [(one.account, one.amount, one.record) for one in rows]
    )
    return replace(found, findings=_customers(scene))


def _customers(scene: Scene) -> tuple[Finding, ...]:
    """A warning when disputes were upheld for accounts that are no customer's."""
    found = strangers(scene, "work.upheld", "account_id")
    if found is None:
        return ()
    return (
        Finding(
            "accounts-unknown",
            Severity.WARNING,
            Name(
                f"disputes were upheld for accounts that are no customer's, who never had a balance of anything ({found.count:,}; the first is {found.first})",
                f"残高の記録がない口座の不服申立てが認容されている（{found.count:,}口座、最初は{found.first}）",
            ),
            Name("make sure who they are before the plan is approved", "承認前に口座の実在を確認する"),
        ),
    )


def _summed(
    engine: duckdb.DuckDBPyConnection, asset: str, incident: str, rows: Sequence[tuple[str, Decimal, int]]
) -> Found:
    engine.execute(f"CREATE OR REPLACE TABLE work.upheld (account_id VARCHAR, quantity {QUANTITY})")
    engine.executemany("INSERT INTO work.upheld VALUES (?, ?)", [[account, amount] for account, amount, _ in rows])
    told = "\n".join(
        f"{record},{account},{plain(amount)}" for account, amount, record in sorted(rows, key=lambda r: r[2])
    )
    digest = hashlib.sha256(told.encode()).hexdigest()
    name = Name(f"{asset} by which disputes were upheld", f"認容された不服申立ての{asset}")
    return Found(
        "SELECT account_id, sum(quantity)::DECIMAL(38,18) AS holding FROM work.upheld GROUP BY account_id",
        Data("books", f"upheld disputes of {incident}", digest),
        name,
        disputes=tuple(sorted(record for _, _, record in rows)),
    )
