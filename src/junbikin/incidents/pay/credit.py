"""Payment to customers' own accounts here, `customer/ASSET/PLACE/ACCOUNT`: the journal itself pays, and the file lists whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import ARRAY, Text, any_, cast, select

from junbikin.books.accounts import AT_ONCE, open_described
from junbikin.books.batch import Entries
from junbikin.books.claims import Claimants, record_result
from junbikin.books.columns import from_csv
from junbikin.books.database import telling
from junbikin.books.schema import accounts
from junbikin.facts.engine import literal
from junbikin.figures import Name, plain
from junbikin.incidents.pay.channels import PICKED, Batch, Numbers
from junbikin.incidents.pay.files import Written, digest_of
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.standing import numbers

_NAME = (
    "length(account_id) BETWEEN 1 AND 64 AND account_id = trim(account_id, ' \u00a0\u3000') AND account_id = nfc_normalize(account_id) "
    "AND NOT regexp_matches(account_id, '[\\x{0001}-\\x{001f}\\x{007f}-\\x{009f}\\x{00ad}\\x{200b}-\\x{200f}\\x{2028}-\\x{202e}\\x{2060}-\\x{206f}\\x{feff}/]')"
)
"""SQL of whether an account of the books can be named after a customer's account: as `books.is_name` has it."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Customers' accounts at a place."""

    by: Payer
    claimant: Claimants
    place: str

    unfit: ClassVar[Name] = Name(
        "no account here that could be credited: it is frozen or closed, or its id cannot name an account of the books",
        "入金できる口座がない（凍結・閉鎖、または帳簿の口座名にできないID）",
    )

    def fit(self, batch: Batch) -> Numbers:
        """See `Channel`: those whose account is open, once those that were missing are opened."""
        self._open(batch)
        batch.engine.register("open_here", {"account_id": np.array(self._opened(batch), object)})
        found = batch.column(
            "number", f"SELECT number FROM ({PICKED}) SEMI JOIN open_here USING (account_id) ORDER BY number"
        )
        batch.engine.unregister("open_here")
        return found

    def _open(self, batch: Batch) -> None:
        described = (
            f"SELECT to_json(list({{'owner': 'customer', 'asset': {literal(batch.order.asset)}, 'place': {literal(self.place)}, "
            f"'holder': account_id}} ORDER BY number)) FROM (SELECT *, row_number() OVER (ORDER BY number) // {AT_ONCE} AS turn FROM ({PICKED}) WHERE {_NAME}) "
            "GROUP BY turn ORDER BY turn"
        )
        for (turn,) in batch.engine.execute(described).fetchall():
            open_described(self.by.books, self.by.who, turn, self.by.why)

    def _opened(self, batch: Batch) -> list[str]:
        asked = batch.column("account_id", f"SELECT account_id FROM ({PICKED})").tolist()
        query = select(accounts.c.holder).where(
            accounts.c.code == any_(cast([f"{self._before(batch)}{one}" for one in asked], ARRAY(Text))),
            accounts.c.status == "open",
        )
        books = self.by.books
        with telling(books.home), books.engine.connect() as connection:
            return list(connection.scalars(query))

    def _before(self, batch: Batch) -> str:
        return f"customer/{batch.order.asset}/{self.place}/"

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`: the list of whom the journal pays."""
        listed = folder / f"{batch.stem}.csv"
        batch.engine.execute(
            f"COPY (SELECT number, account_id, amount FROM ({PICKED}) ORDER BY number) TO {literal(str(listed))} (HEADER, FORMAT csv)"
        )
        return [Written(listed, digest_of(listed), batch.people, batch.total)]

    def paid(self, batch: Batch, files: Sequence[Written]) -> None:
        """Settles the batch in the journal; whose account cannot be credited any more comes back."""
        [listed] = files
        credited = self.fit(batch)
        says = self._says(batch, credited, listed.sha256)
        order = batch.order
        entries = self._entries(batch, credited, listed.path.with_suffix(".entries")) if len(credited) else None
        record_result(
            self.by.books,
            self.by.who,
            f"{order.plan}:{order.asset}:{batch.chunk}",
            None,
            says,
            entries,
            None,
            self.by.why,
        )

    def _says(self, batch: Batch, credited: Numbers, source: str) -> Mapping[str, Any]:
        engine = batch.engine
        engine.register("credited", {"number": credited})
        [(settled, ids)] = engine.execute(
            "SELECT coalesce(sum(amount) FILTER (WHERE number IN (SELECT number FROM credited)), 0), string_agg(account_id, chr(10) ORDER BY number) FROM chunk"
        ).fetchall()
        back = np.setdiff1d(batch.numbers, credited)
        return {
            "asset": batch.order.asset,
            "channel": batch.order.channel,
            "chunk": str(batch.chunk),
            "ids": ids,
            "people": str(batch.people),
            "returned": {"no account that could be credited": _set(back)} if len(back) else {},
            "returned_total": plain(batch.total - settled),
            "run": str(batch.order.run),
            "settled": _set(credited),
            "settled_total": plain(settled),
            "source": source,
        }

    def _entries(self, batch: Batch, credited: Numbers, file: Path) -> Entries:
        engine = batch.engine
        [(total,)] = engine.execute("SELECT sum(amount) FROM chunk SEMI JOIN credited USING (number)").fetchall()
        engine.execute(
            f"COPY (SELECT account, amount FROM (SELECT 0 AS number, {literal(self.claimant.code)} AS account, {literal('-' + plain(total))} AS amount "
            f"UNION ALL SELECT number, concat({literal(self._before(batch))}, account_id), amount::VARCHAR FROM chunk SEMI JOIN credited USING (number)) ORDER BY number) "
            f"TO {literal(str(file))} (HEADER, FORMAT csv)"
        )
        try:
            return from_csv(self.by.books, file)
        finally:
            file.unlink()


def _set(some: Numbers) -> str:
    """The set of some numbers, from the smallest on."""
    if not len(some):
        return "{}"
    mask = np.zeros(int(some[-1] - some[0]) + 1, bool)
    mask[some - some[0]] = True
    return numbers(mask, int(some[0]))
