"""The tables of the books as queries name them. `migrations/` makes them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

SCHEMA = "books"
metadata = MetaData(schema=SCHEMA)


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


records = Table(
    "records",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("strand", Integer, nullable=False),
    Column("link", BigInteger, nullable=False),
    _text("kind"),
    _text("subject", nullable=True),
    _text("key"),
    _instant("effective_at"),
    _instant("recorded_at"),
    _text("recorded_by"),
    _text("why"),
    Column("request", BigInteger),
    _text("content"),
    Column("accounts", ARRAY(BigInteger)),
    Column("amounts", ARRAY(Numeric)),
    Column("entries_digest", LargeBinary),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("kind", "key"),
    UniqueConstraint("strand", "link"),
)
"""The log. `accounts` and `amounts` are a batch's entries, in order; `content` is canonical JSON."""

Index(
    "records_by_subject",
    records.c.kind,
    records.c.subject,
    records.c.effective_at,
    records.c.recorded_at,
    postgresql_where=records.c.subject.is_not(None),
)
Index("records_by_request", records.c.request, postgresql_where=records.c.request.is_not(None))

strands = Table(
    "strands",
    metadata,
    Column("strand", Integer, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    _instant("recorded_at"),
)
"""The end of each strand of the log."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("record", BigInteger, ForeignKey(records.c.id), nullable=False),
    Column("code", Text, nullable=False, unique=True),
    _text("owner"),
    _text("asset"),
    _text("place"),
    _text("holder", nullable=True),
    Column("may_overdraw", Boolean, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    Column("lanes", Integer, nullable=False, server_default="1"),
)
Index("accounts_by_owner", accounts.c.owner, accounts.c.asset)

balances = Table(
    "balances",
    metadata,
    Column("account", BigInteger, nullable=False),
    Column("lane", Integer, nullable=False),
    _instant("recorded_at"),
    _instant("effective_at"),
    Column("record", BigInteger, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("balance", Numeric, nullable=False),
    PrimaryKeyConstraint("account", "lane", "recorded_at"),
)
"""What each batch did to each account, and the running balance of its lane: worked from `records`, checked by `verify`."""

flow_rules = Table(
    "flow_rules",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("purpose", "payer", "receiver", "scope")),
    *(Column(name, ARRAY(Text), nullable=False) for name in ("made_by", "approved_by", "needs")),
    _text("en"),
    _text("ja"),
)

actions = Table(
    "actions",
    metadata,
    Column("action", Text, primary_key=True),
    *(Column(name, ARRAY(Text), nullable=False) for name in ("made_by", "approved_by")),
    _text("en"),
    _text("ja"),
)

owners = Table(
    "owners",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("may_overdraw", Boolean, nullable=False),
    _text("ja"),
)
