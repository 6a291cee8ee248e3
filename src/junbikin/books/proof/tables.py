"""Whether what is read are the books' own tables: plain ones that show all their rows, with their guards on."""

from __future__ import annotations

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.verdict import Difference

_TABLES = """
  SELECT relname FROM pg_class WHERE relnamespace = 'books'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p')
    AND (relkind <> 'r' OR relrowsecurity) ORDER BY 1 LIMIT 1
"""


def check_tables(connection: Connection) -> Difference | None:
    """Whether everything that is read is a table, and shows all its rows: nothing stands in for one."""
    odd = connection.row(_TABLES)
    if odd is None:
        return None
    return Difference(
        "replaced", "it is no plain table that shows all its rows", f"books.{odd.relname}", "a table", "something else"
    )


_GUARDS = """
  SELECT relname FROM unnest(%(tables)s::text[]) WITH ORDINALITY t(relname, place) WHERE NOT coalesce((
    SELECT bool_and(g.tgenabled = 'O') FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE c.relnamespace = 'books'::regnamespace AND c.relname = t.relname AND NOT g.tgisinternal), false)
  ORDER BY place LIMIT 1
"""

_GUARDED = ["records", "strands", "accounts", "balances", "owners", "flow_rules", "actions"]


def check_guards(connection: Connection) -> Difference | None:
    """Whether the triggers that keep the past from being changed are on."""
    bare = connection.row(_GUARDS, tables=_GUARDED)
    if bare is None:
        return None
    return Difference("guard", "its guard against changes is off", f"books.{bare.relname}", "on", "off")
