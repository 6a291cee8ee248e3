"""The rules as the log has them: every version since its time, and whether the tables still say the last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.verdict import Difference


class Rule(NamedTuple):
    """Which roles may make something and which may approve it (none: it needs no approval), and what it must state."""

    made_by: frozenset[str]
    approved_by: frozenset[str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Every version on record, oldest first. Versions count from 1."""

    since: list[datetime]
    said: list[dict[str, list[list[Any]]]]
    flows: list[dict[tuple[str, ...], Rule]]
    actions: list[dict[str, Rule]]

    def flow(self, version: int, *flow: str) -> Rule | None:
        """The rule of a flow (purpose, payer, receiver, scope) under a version; None: it is not allowed."""
        return self.flows[version - 1].get(flow)

    @property
    def needs(self) -> list[str]:
        """All that a flow of any version must state."""
        return sorted({need for version in self.flows for rule in version.values() for need in rule.needs})

    @property
    def may_overdraw(self) -> list[dict[str, bool]]:
        """For each version: owner → whether new accounts of theirs may be overdrawn."""
        return [dict(version["owners"]) for version in self.said]


def read_rules(connection: Connection) -> Rules:
    """The rules on record."""
    rows = connection.rows("SELECT recorded_at, content FROM books.records WHERE kind = 'rules' ORDER BY recorded_at")
    said = [json.loads(row.content) for row in rows]
    flows = [
        {
            tuple(flow[:4]): Rule(frozenset(flow[4]), frozenset(flow[5]), tuple(flow[6]))
            for flow in version["flow_rules"]
        }
        for version in said
    ]
    actions = [
        {name: Rule(frozenset(made_by), frozenset(approved_by)) for name, made_by, approved_by in version["actions"]}
        for version in said
    ]
    return Rules([row.recorded_at for row in rows], said, flows, actions)


_TABLES = {
    "actions": "SELECT action, made_by, approved_by FROM books.actions",
    "flow_rules": "SELECT purpose, payer, receiver, scope, made_by, approved_by, needs FROM books.flow_rules",
    "owners": "SELECT owner, may_overdraw FROM books.owners",
}


def check_rules(connection: Connection, rules: Rules) -> Difference | None:
    """Whether the tables of owners, flow rules and actions say what the last version on record says."""
    if not rules.said:
        return Difference("rules", "no rules are on record", "books.records", "rules", "")
    for table, query in _TABLES.items():
        said = {json.dumps(row, ensure_ascii=False) for row in rules.said[-1][table]}
        found = {json.dumps(list(row), ensure_ascii=False) for row in connection.rows(query)}
        if said != found:
            missing, extra = (min(rows, default="") for rows in (said - found, found - said))
            return Difference("rules", "the rules in force are not those on record", f"books.{table}", missing, extra)
    return None
