"""Whether what is derived from the log follows from it: accounts, their status, balances and lanes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.rules import Rules
from junbikin.books.proof.verdict import Difference

# Accounts as their records open them, each found by its number. A fault sorts by record and account.
_ACCOUNTS = """
  SELECT count(*) AS said, min(ARRAY[lpad(r.id::text, 19, '0'), lpad(f->>0, 19, '0'), f->>1, a.found, concat_ws(' ', f->>1,
      CASE WHEN r.may_overdraw->>(f->>2) = 'true' THEN 'may be overdrawn' ELSE 'is never overdrawn' END)])
    FILTER (WHERE a.fields IS DISTINCT FROM ARRAY[f->>1, f->>2, f->>3, f->>4, f->>5, r.may_overdraw->>(f->>2), r.id::text]) AS fault
  FROM (
    SELECT id, content, %(may_overdraw)s::jsonb->(width_bucket(recorded_at, %(since)s::timestamptz[]) - 1) AS may_overdraw
    FROM books.records WHERE kind = 'account' OFFSET 0) r
  CROSS JOIN LATERAL jsonb_array_elements(r.content::jsonb->'accounts') f
  LEFT JOIN LATERAL (
    SELECT ARRAY[code, owner, asset, place, holder, may_overdraw::text, record::text] AS fields,
      concat_ws(' ', code, CASE WHEN may_overdraw THEN 'may be overdrawn' ELSE 'is never overdrawn' END,
        CASE WHEN code <> concat_ws('/', owner, asset, place, holder) THEN 'but is ' || concat_ws('/', owner, asset, place, holder) END,
        CASE WHEN record <> r.id THEN 'of record ' || record END) AS found
    FROM books.accounts WHERE id = (f->>0)::bigint OFFSET 0) a ON true
"""

_UNKNOWN = """
  SELECT a.code FROM books.accounts a LEFT JOIN (
    SELECT r.id, (f->>0)::bigint AS account FROM books.records r, jsonb_array_elements(r.content::jsonb->'accounts') f
    WHERE r.kind = 'account') s ON s.account = a.id AND s.id = a.record
  WHERE s.id IS NULL ORDER BY a.id LIMIT 1
"""

_STATUS = """
  SELECT coalesce(a.code, s.subject) AS code, coalesce(s.status, 'open') AS said, a.status AS found FROM (
    SELECT DISTINCT ON (subject) subject, content::jsonb->>'status' AS status FROM books.records
    WHERE kind = 'account_status' ORDER BY subject, id DESC) s
  FULL JOIN books.accounts a ON a.code = s.subject
  WHERE a.status IS DISTINCT FROM coalesce(s.status, 'open') ORDER BY 1 LIMIT 1
"""

_UNUSED_LANES = """
  SELECT code, lanes FROM books.accounts a
  WHERE lanes <> 1 AND NOT EXISTS (SELECT 1 FROM books.balances b WHERE b.account = a.id) ORDER BY id LIMIT 1
"""


def check_accounts(connection: Connection, rules: Rules) -> Difference | None:
    """Whether the accounts are those that records opened, with the status last recorded."""
    [accounts] = connection.rows(_ACCOUNTS, since=rules.since, may_overdraw=json.dumps(rules.may_overdraw))
    [there] = connection.rows("SELECT count(*) AS accounts FROM books.accounts")
    if accounts.fault:
        record, _, code, found, said = accounts.fault
        where = f"books.accounts, {code}, opened with record {int(record)}"
        return Difference("account", "the account is not as it was opened", where, said, found or "")
    if accounts.said != there.accounts:
        unknown = connection.row(_UNKNOWN)
        where = f"books.accounts, {unknown.code}" if unknown else "books.accounts"
        return Difference("account", "no record opened it", where, f"{accounts.said} accounts", f"{there.accounts}")
    status = connection.row(_STATUS)
    if status is not None:
        return Difference(
            "account", "its status is not the one last recorded", status.code, status.said, status.found or ""
        )
    unused = connection.row(_UNUSED_LANES)
    if unused is not None:
        return Difference("lanes", _WHAT["lanes"], unused.code, "1", f"{unused.lanes}")
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """Accounts by number, from `first` up to but without `end` (None: without end)."""

    first: int
    end: int | None


SPANS = 32


def spans(connection: Connection) -> list[Span]:
    """All numbers that an account could have, in about equal shares of those in use."""
    row = connection.row("SELECT min(id) AS first, max(id) AS last FROM books.accounts")
    if row is None or row.first is None:
        return [Span(-(2**63), None)]
    step = (row.last - row.first) // SPANS + 1
    cuts = [-(2**63), *range(row.first + step, row.last + 1, step)]
    return [Span(first, end) for first, end in zip(cuts, [*cuts[1:], None], strict=True)]


# In each lane every row adds to the one before it, and both clocks rise; an account with one lane is never below zero if no
# row is. A fault sorts by its account; what it is stands second.
_LANES = """
  SELECT coalesce(sum(l.rows), 0)::bigint AS rows, min(
    CASE WHEN a.id IS NULL THEN ARRAY[lpad(l.account::text, 19, '0'), 'account', l.account::text]
      WHEN l.fault IS NOT NULL THEN l.fault
      WHEN a.lanes <> l.lanes THEN ARRAY[lpad(l.account::text, 19, '0'), 'lanes', a.code, l.lanes::text, a.lanes::text]
      WHEN l.least < 0 AND a.lanes = 1 AND NOT a.may_overdraw THEN ARRAY[lpad(l.account::text, 19, '0'), 'overdrawn', a.code, '0', l.least::text]
    END) AS fault
  FROM (
    SELECT account, count(*) AS rows, max(lane) + 1 AS lanes, min(balance) AS least, min(
      CASE WHEN balance <> before + amount THEN ARRAY[lpad(account::text, 19, '0'), 'balance', record::text, (before + amount)::text, balance::text]
        WHEN effective_at < earlier THEN ARRAY[lpad(account::text, 19, '0'), 'clock', record::text, earlier::text, effective_at::text]
      END) AS fault
    FROM (
      SELECT b.*, coalesce(lag(balance) OVER w, 0) AS before, lag(effective_at) OVER w AS earlier
      FROM books.balances b WHERE account >= %(first)s AND (%(end)s::bigint IS NULL OR account < %(end)s)
      WINDOW w AS (PARTITION BY account, lane ORDER BY recorded_at)) b
    GROUP BY account) l
  LEFT JOIN LATERAL (SELECT id, code, lanes, may_overdraw FROM books.accounts WHERE id = l.account OFFSET 0) a ON true
"""

# What an account with several lanes held at each effective time.
_HELD = """
  SELECT code, effective_at, held FROM (
    SELECT a.code, b.effective_at, sum(b.amount) OVER (PARTITION BY a.id ORDER BY b.effective_at) AS held
    FROM (
      SELECT id, code FROM books.accounts
      WHERE lanes > 1 AND NOT may_overdraw AND id >= %(first)s AND (%(end)s::bigint IS NULL OR id < %(end)s)) a
    JOIN books.balances b ON b.account = a.id) h
  WHERE held < 0 ORDER BY code, effective_at LIMIT 1
"""

_WHAT = {
    "account": "there is no such account",
    "balance": "the balance is not the one before it and the amount",
    "clock": "it is effective before the row before it in its lane",
    "lanes": "the number of its lanes is not that of its balances",
    "overdrawn": "it is overdrawn, which it must never be",
}


def check_span(connection: Connection, span: Span) -> tuple[int, Difference | None]:
    """How many balances the accounts of a span have, and the first that does not follow from those before it."""
    [row] = connection.rows(_LANES, first=span.first, end=span.end)
    if row.fault is None:
        low = connection.row(_HELD, first=span.first, end=span.end)
        if low is None:
            return row.rows, None
        return row.rows, Difference(
            "overdrawn", _WHAT["overdrawn"], f"{low.code} at {low.effective_at}", "0", f"{low.held:f}"
        )
    number, kind, place, *values = row.fault
    if kind in ("balance", "clock"):
        code = connection.row("SELECT code FROM books.accounts WHERE id = %(id)s::bigint", id=number)
        place = f"{code.code if code else number}, record {place}"
    return row.rows, Difference(kind, _WHAT[kind], f"books.balances of {place}", *values)


# A row of `balances` that no batch made: it is looked for only when there are more rows than batches made.
_EXTRA = """
  SELECT coalesce(a.code, b.account::text) AS code, b.record, b.amount FROM books.balances b
  LEFT JOIN books.records r ON r.id = b.record AND r.kind = 'batch' AND r.recorded_at = b.recorded_at AND b.account = ANY (r.accounts)
  LEFT JOIN books.accounts a ON a.id = b.account
  WHERE r.id IS NULL ORDER BY b.recorded_at, b.account LIMIT 1
"""


def extra_balance(connection: Connection, made: int, there: int) -> Difference | None:
    """Whether `balances` has rows that no batch made; each that a batch made was found already."""
    if made == there:
        return None
    extra = connection.row(_EXTRA)
    if extra is None:
        return Difference("balance", "rows are there twice", "books.balances", f"{made} rows", f"{there}")
    where = f"books.balances of {extra.code}, record {extra.record}"
    return Difference("balance", "no batch made this row", where, "", f"{extra.amount:f}")
