"""Making the books and bringing them to this version: tables by Alembic, then the rules and functions as they stand here."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, text

from junbikin.books.schema import SCHEMA, actions, flow_rules, owners

HERE = Path(__file__).parent
FUNCTIONS = (
    "chain",
    "people",
    "reading",
    "incidents",
    "claims",
    "grounds",
    "refusals",
    "journal",
    "requests",
    "worked",
    "breaks",
    "guards",
)
"""The files of `sql/`, in the order in which they build on each other."""


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(HERE / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def revisions() -> tuple[str, ...]:
    """Every revision of the schema, oldest first; the last is this version's."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def migrate(owner: Engine, app: str, revision: str = "head") -> None:
    """Makes the books, or brings them to `revision`, as one transaction of the owner; `app` is the role that uses them."""
    with owner.begin() as connection:
        make_tables(connection, revision)
        make_rules(connection, app)


def lock_owners(connection: Connection) -> None:
    """Lets one owner at a time make or migrate books, until its transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(7107)"))


def make_tables(connection: Connection, revision: str = "head") -> None:
    """Makes the tables as of a revision, or brings them to it, within the owner's transaction. One owner at a time."""
    lock_owners(connection)
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    command.upgrade(_config(connection), revision)


def make_rules(connection: Connection, app: str) -> None:
    """Functions, rules and rights as they stand in this version, within the owner's transaction."""
    _functions(connection)
    _rules(connection)
    quoted = connection.dialect.identifier_preparer.quote(app)
    connection.exec_driver_sql((HERE / "sql" / "grants.sql").read_text(encoding="utf-8").replace(":app", quoted))


_NO_FUNCTIONS = text("""
    SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc WHERE pronamespace = CAST(:schema AS regnamespace)
""")


def _functions(connection: Connection) -> None:
    """The functions and the guards that call them, and none of an earlier version beside them."""
    for drop in connection.scalars(_NO_FUNCTIONS, {"schema": SCHEMA}).all():
        connection.exec_driver_sql(drop)
    for name in FUNCTIONS:
        connection.exec_driver_sql((HERE / "sql" / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))


def _rules(connection: Connection) -> None:
    """Owners, flow rules and actions as the tables beside this file say."""
    for table in (owners, flow_rules, actions):
        connection.execute(text(f"ALTER TABLE {table.fullname} DISABLE TRIGGER USER"))
        connection.execute(table.delete())
        connection.execute(table.insert(), list(rules(table)))
        connection.execute(text(f"ALTER TABLE {table.fullname} ENABLE TRIGGER USER"))
    connection.execute(text("SELECT books.note_rules()"))


def rules(table: Table) -> Iterator[dict[str, object]]:
    """The rows of a rule table, read from its CSV; several words in one cell are parted by `|`."""
    with (HERE / f"{table.name}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {name: _cell(name, cell) for name, cell in row.items()}


def _cell(name: str, cell: str) -> object:
    if name in ("made_by", "approved_by", "needs"):
        return [word for word in cell.split("|") if word]
    return cell == "yes" if name == "may_overdraw" else cell
