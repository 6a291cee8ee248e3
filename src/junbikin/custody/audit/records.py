"""Records of the books in a pack: each with every field that its digest covers, so that anyone can work it out again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from junbikin.books.database import Books, telling
from junbikin.books.proof.chain import INSTANT, heads
from junbikin.books.proof.checkpoint import make_checkpoint
from junbikin.books.proof.cut import cut
from junbikin.books.proof.digests import heads_digest
from junbikin.calendars import Period
from junbikin.custody.audit.files import File, Missing, listed
from junbikin.figures import Name

RECORDS = "books/records.csv"
PEOPLE = "books/people.csv"
CHECKPOINT = "books/checkpoint.json"

OF_DAYS = ("position", "custody", "reconciliation")
"""Kinds that are of a day: only those of the period are in a pack."""
OF_CUSTODY = (
    "break", "place", "provider", "address", "token", "challenge", "insurer", "policy", "account_status", "rules",
)  # fmt: skip
"""Kinds that are in a pack from the first record on: what was registered before the period holds in it."""

COLUMNS = {
    "strand": "strand",
    "link": "link",
    "id": "id",
    "kind": "kind",
    "subject": "coalesce(subject, '')",
    "key": "key",
    "effective_at": INSTANT.format("effective_at"),
    "recorded_at": INSTANT.format("recorded_at"),
    "recorded_by": "recorded_by",
    "why": "why",
    "request": "coalesce(request::text, '')",
    "entries_digest": "coalesce(encode(entries_digest, 'hex'), '')",
    "previous": "encode(previous, 'hex')",
    "digest": "encode(digest, 'hex')",
    "accounts": "coalesce(array_to_string(accounts, ',', 'NULL'), '')",
    "amounts": "coalesce(array_to_string(amounts, ',', 'NULL'), '')",
    "content": "content",
}
"""The columns of a file of records, and how each is written: as docs/books-format.md writes it for the digest."""

# Contents that say how a password is proved stay out, unless the whole log is asked for.
_CHOSEN = """
  (kind = ANY (%(of_days)s::text[]) AND effective_at >= %(start)s AND effective_at <= %(end)s OR kind = ANY (%(of_custody)s::text[])
   OR kind = 'request' AND subject = ANY (%(of_custody)s::text[])
   OR kind = 'decision' AND request IN (SELECT id FROM books.records WHERE kind = 'request' AND subject = ANY (%(of_custody)s::text[])))
"""
UP_TO = """
  EXISTS (SELECT 1 FROM unnest(%(strands)s::int[], %(lengths)s::bigint[]) s(strand, length) WHERE s.strand = r.strand AND r.link <= s.length)
"""
"""SQL of whether a record `r` was there when the log stood where `Standing.reach` says."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the log stood when the pack was made: number, length and head of every strand, and the first record's digest."""

    strands: tuple[tuple[int, int, bytes], ...]
    first: str

    @property
    def reach(self) -> dict[str, list[int]]:
        """How far it reaches, as queries take it."""
        return {"strands": [strand[0] for strand in self.strands], "lengths": [strand[1] for strand in self.strands]}

    def document(self, *, whole: bool) -> dict[str, Any]:
        """As JSON."""
        return {
            "whole_log": whole,
            "records": sum(length for _, length, _ in self.strands),
            "first": self.first,
            "heads": heads_digest(self.strands),
            "strands": [{"strand": n, "length": length, "head": head.hex()} for n, length, head in self.strands],
        }


def standing(books: Books, key: Ed25519PrivateKey | None, folder: Path) -> Standing:
    """Where the log stands now; with a key as a signed checkpoint in the pack."""
    if key is not None:
        (folder / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
        made = make_checkpoint(books, key, folder / CHECKPOINT)
        return Standing(made.strands, made.first.hex())
    with cut(books) as view:
        first = view.main.row("SELECT digest FROM books.records WHERE strand = 0 AND link = 1")
        return Standing(tuple(heads(view.main)), first.digest.hex() if first else "")


def checkpoint(folder: Path) -> File | Missing:
    """The signed checkpoint of the pack."""
    if (folder / CHECKPOINT).exists():
        return listed(folder, CHECKPOINT, Name("checkpoint of the books", "帳簿の検証点"))
    return Missing(
        CHECKPOINT,
        Name(
            "there is no signing key (`junbikin books key` makes one): nothing signed says where the books stood",
            "署名鍵がない（`junbikin books key` で作成）。帳簿の位置を示す署名済みの検証点はない",
        ),
    )


def write_records(books: Books, at: Standing, period: Period, folder: Path, *, whole: bool) -> Iterator[File | Missing]:
    """The records that concern custody, or with `whole` every record, up to where the log stood."""
    values = {
        "of_days": list(OF_DAYS), "of_custody": list(OF_CUSTODY), **at.reach,
        "start": start_of(period.start, books), "end": books.home.end_of(period.end),
    }  # fmt: skip
    chosen = UP_TO if whole else f"{_CHOSEN} AND {UP_TO}"
    copy_records(books, folder / RECORDS, chosen, values)
    yield listed(folder, RECORDS, Name("records of the books", "帳簿の記録"))
    if whole:
        return
    copy_csv(
        books, folder / PEOPLE,
        f"""SELECT id, subject AS name, content::jsonb->>'status' AS status,
          (SELECT string_agg(role, '|' ORDER BY role) FROM jsonb_array_elements_text(content::jsonb->'roles') role) AS roles,
          {INSTANT.format("recorded_at")} AS recorded_at, recorded_by, why, strand, link, encode(digest, 'hex') AS digest
          FROM books.records r WHERE kind = 'person' AND {UP_TO} ORDER BY strand, link""",
        values,
    )  # fmt: skip
    yield listed(folder, PEOPLE, Name("who could act, in which roles", "担当者と役割"))
    yield Missing(
        "books: every other record",
        Name(
            "the whole log was not asked for (--whole-log): records of other kinds, and what proves passwords, are not in the pack",
            "全記録は求められていない（--whole-log）。他の種類の記録とパスワードの検証値は含まない",
        ),
    )


def start_of(day: date, books: Books) -> datetime:
    """The first instant of a day for the operator."""
    return datetime(day.year, day.month, day.day, tzinfo=books.home.time_zone)


def copy_records(books: Books, target: Path, chosen: str, values: dict[str, Any]) -> None:
    """Writes the records that a condition on `books.records r` chooses, strand by strand."""
    columns = ", ".join(f"{how} AS {name}" for name, how in COLUMNS.items())
    copy_csv(books, target, f"SELECT {columns} FROM books.records r WHERE {chosen} ORDER BY strand, link", values)


def copy_csv(books: Books, target: Path, query: str, values: dict[str, Any]) -> None:
    """Writes the rows of a query, with a header."""
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(sql.SQL(query))
    with (
        telling(books.home), books.driver() as connection, connection.cursor() as cursor,
        target.open("wb") as stream, cursor.copy(copy, values) as rows,
    ):  # fmt: skip
        stream.writelines(rows)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A record of a kind that is of a day, as its content names the document, and of a reconciliation the list of breaks."""

    record: int
    kind: str
    subject: str
    as_of: date
    digest: str
    list_digest: str


def on_record(books: Books, at: Standing, kinds: Sequence[str], period: Period) -> list[OnRecord]:
    """What is on record of the days of a period, up to where the log stood, by day."""
    query = f"""
      SELECT id, kind, coalesce(subject, ''), content FROM books.records r
      WHERE kind = ANY (%(kinds)s::text[]) AND effective_at >= %(start)s AND effective_at <= %(end)s AND {UP_TO} ORDER BY effective_at, recorded_at
    """
    values = {
        "kinds": list(kinds), "start": start_of(period.start, books), "end": books.home.end_of(period.end), **at.reach,
    }  # fmt: skip
    with telling(books.home), books.driver() as connection:
        rows = connection.execute(query.encode(), values).fetchall()
    return [_on_record(*row) for row in rows]


def _on_record(record: int, kind: str, subject: str, content: str) -> OnRecord:
    says = json.loads(content)
    return OnRecord(record, kind, subject, date.fromisoformat(says["as_of"]), says["digest"], says.get("list", ""))
