"""Where entries come from (codes, a CSV file, the batch that they undo), and what they come to, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from junbikin.books.batch import Entries
from junbikin.books.database import Books, telling
from junbikin.books.journal import account_numbers
from junbikin.books.schema import records
from junbikin.errors import BadInput, BooksRefused, SourceRefused
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT


@dataclass(frozen=True, slots=True)
class Side:
    """What the accounts of one owner, asset and scope (`held` or `booked`) pay and receive; both are at least 0."""

    owner: str
    asset: str
    scope: str
    accounts: int
    pays: Decimal
    gets: Decimal


def between(books: Books, payer: str, receiver: str, amount: Decimal) -> Entries:
    """One account pays another. Raises `BadInput` when nothing is paid, `BooksRefused` when there is no such account."""
    if amount <= 0:
        raise BadInput(f"the amount {plain(amount)} is not above 0", then="say what is paid, and who pays whom")
    if payer == receiver:
        raise BadInput(f"{payer} would pay itself", then="name two accounts")
    return from_codes(books, [payer, receiver], [EXACT.minus(amount), amount])


def from_codes(books: Books, codes: Sequence[str], amounts: Sequence[Decimal]) -> Entries:
    """Entries of accounts by code and what each receives. Raises `BooksRefused` naming the first unknown account."""
    return Entries.of(account_numbers(books, codes), amounts)


_READ = """
CREATE TABLE entries AS
SELECT row_number() OVER () + 1 AS line, trim(given.account) AS account, trim(given.amount) AS amount
FROM read_csv($file, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', null_padding = false) given
"""
_FAULT = r"""
SELECT line, account, amount FROM entries
WHERE coalesce(account, '') = '' OR regexp_full_match(amount, '[+-]?[0-9]+([.][0-9]+)?') IS NOT TRUE
ORDER BY line LIMIT 1
"""
_COLUMNS = r"""
SELECT '{' || string_agg('"' || replace(replace(account, '\', '\\'), '"', '\"') || '"', ',' ORDER BY line) || '}',
  '{' || string_agg(regexp_replace(regexp_replace(ltrim(amount, '+'), '([.][0-9]*?)0+$', '\1'), '[.]$', ''), ',' ORDER BY line) || '}'
FROM entries
"""
_NUMBERS = text("""
    SELECT CAST(array_agg(a.id ORDER BY c.line) AS text), min(c.line) FILTER (WHERE a.id IS NULL)
    FROM unnest(CAST(:codes AS text[])) WITH ORDINALITY c(code, line) LEFT JOIN books.accounts a ON a.code = c.code
""")
_CODE = text("SELECT (CAST(:codes AS text[]))[:line]")


def from_csv(books: Books, file: Path) -> Entries:
    """The entries in a CSV file with the columns `account` and `amount`; its rows stay in the engine.

    Raises `SourceRefused` naming the first row that is no entry, `BooksRefused` naming the first unknown account.
    """
    codes, amounts = _columns(file, books.home.memory_limit)
    with telling(books.home), books.engine.connect() as connection:
        numbers, missing = connection.execute(_NUMBERS, {"codes": codes}).one()
        if missing is not None:
            code = connection.scalar(_CODE, {"codes": codes, "line": missing})
            raise BooksRefused(
                f"there is no account {code}", where=f"{file}, row {missing + 1}",
                then="see `junbikin books accounts`, or open it with `junbikin books open`",
            )  # fmt: skip
    return Entries(numbers, amounts)


def _columns(file: Path, memory_limit: str) -> tuple[str, str]:
    """Codes and amounts as literals of `text[]` and `numeric[]`."""
    import duckdb

    then = "write a CSV file with the columns account,amount and at least two rows"
    if not file.is_file():
        raise SourceRefused("there is no such file", where=str(file), then=then)
    with duckdb.connect(config={"memory_limit": memory_limit}) as engine:
        try:
            engine.execute(_READ, {"file": re.sub(r"[*?\[]", r"[\g<0>]", str(file))})
        except duckdb.BinderException:
            raise SourceRefused("it has no columns account and amount", where=str(file), then=then) from None
        except duckdb.Error as problem:
            first = str(problem).splitlines()[0]
            raise SourceRefused(f"this cannot be read: {first}", where=str(file), then=then) from None
        for line, account, amount in engine.execute(_FAULT).fetchall():
            raise SourceRefused(
                f"this is no entry: account {account or '(none)'}, amount {amount or '(none)'}", where=f"{file}, row {line}",
                then="write an account's code and plain digits, below 0 for what pays, such as -1200.5",
            )  # fmt: skip
        columns: Any = engine.execute(_COLUMNS).fetchone()
    if columns[0] is None:
        raise SourceRefused("the file has no entries", where=str(file), then=then)
    return str(columns[0]), str(columns[1])


def opposite(books: Books, record: int) -> Entries:
    """What undoes a batch. Raises `BooksRefused` when the record is no batch."""
    turned = text("CAST((SELECT array_agg(-a ORDER BY o) FROM unnest(amounts) WITH ORDINALITY x(a, o)) AS text)")
    query = select(text("CAST(accounts AS text)"), turned).select_from(records)
    with telling(books.home), books.engine.connect() as connection:
        found = connection.execute(query.where(records.c.id == record, records.c.kind == "batch")).one_or_none()
    if found is None:
        raise BooksRefused(
            f"record {record} is no batch", then="see `junbikin books statement ACCOUNT` for the numbers of batches"
        )
    return Entries(*found)


_SIDES = text("""
    SELECT a.owner, a.asset, CASE WHEN a.place = 'booked' THEN 'booked' ELSE 'held' END AS scope, count(DISTINCT a.id),
      coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0), coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0)
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:amounts AS numeric[])) e(account, amount) JOIN books.accounts a ON a.id = e.account
    GROUP BY 1, 2, 3 ORDER BY 2, 3, 1
""")
_FIRST = text("""
    SELECT a.code, e.amount FROM unnest(CAST(:numbers AS bigint[]), CAST(:amounts AS numeric[])) WITH ORDINALITY e(account, amount, line)
    JOIN books.accounts a ON a.id = e.account ORDER BY e.line LIMIT :limit
""")


def sides(books: Books, entries: Entries) -> list[Side]:
    """What the entries come to, by asset, scope and owner."""
    with telling(books.home), books.engine.connect() as connection:
        found = connection.execute(_SIDES, {"numbers": entries.numbers, "amounts": entries.amounts})
        return [Side(*row) for row in found]


def first(books: Books, entries: Entries, limit: int | None = None) -> list[tuple[str, Decimal]]:
    """The first `limit` entries (None: all), as account codes and amounts."""
    with telling(books.home), books.engine.connect() as connection:
        found = connection.execute(_FIRST, {"numbers": entries.numbers, "amounts": entries.amounts, "limit": limit})
        return [(code, amount) for code, amount in found]
