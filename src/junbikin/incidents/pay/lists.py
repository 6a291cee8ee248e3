"""Lists of coins to be sent (現物払出一覧) for a custodian."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb

from junbikin.facts.engine import literal
from junbikin.incidents.pay.files import Written, digest_of, settle
from junbikin.incidents.pay.iso20022 import payment_id
from junbikin.incidents.pay.payees import Payees


def write(
    payees: Payees, engine: duckdb.DuckDBPyConnection, payments: str, asset: str, order: int, folder: Path, stem: str
) -> list[Written]:
    """Writes the list that asks a custodian to send `payments` (SQL of number, account_id and amount), a CSV file, and returns it.

    Its columns: payment_id, account_id, asset, quantity, network, address; by payment number.
    """
    [(people, total)] = engine.execute(f"SELECT count(*), sum(amount) FROM ({payments})").fetchall()
    if not people:
        return []
    path = folder / f"{stem}.csv"
    engine.execute(
        f"COPY (SELECT {payment_id(asset, order, 'number')} AS payment_id, account_id, {literal(asset)} AS asset, "
        f"{_plain('amount')} AS quantity, network, address FROM ({payments}) JOIN {payees.table(asset)} USING (number) ORDER BY number) "
        f"TO {literal(str(path))} (FORMAT csv, HEADER)"
    )
    settle(path)
    return [Written(path, digest_of(path), people, Decimal(total))]


def _plain(amount: str) -> str:
    """SQL of an exact amount as text, without zeros at its end."""
    return f"if(position('.' IN {amount}::VARCHAR) > 0, rtrim(rtrim({amount}::VARCHAR, '0'), '.'), {amount}::VARCHAR)"
