"""Who might do what, and when: times in which neither the rules nor the roles of anybody changed."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.rules import Rules

READERS = frozenset({"auditor", "supervisor"})
"""Roles that only read."""

UNDER_WAY = timedelta(minutes=10)
"""For so long a role that was taken away still counts: roles are looked at first, then locks are waited for, then it is recorded."""


@dataclass(frozen=True, slots=True)
class Eras:
    """Since when each era lasts, oldest first; eras count from 1. The rules, and for each person since when they had which roles."""

    since: list[datetime]
    rules: Rules
    people: dict[str, list[tuple[datetime, frozenset[str]]]]

    def version(self, era: int) -> int:
        """The version of the rules in an era, or 0."""
        return bisect_right(self.rules.since, self.since[era - 1]) if era else 0

    def roles(self, name: str, era: int) -> frozenset[str]:
        """What somebody might act as in an era. None when nobody of that name was on record, or active."""
        if not era:
            return frozenset()
        changes = self.people.get(name, [])
        times = [at for at, _ in changes]
        at = self.since[era - 1]
        first, end = bisect_right(times, at - UNDER_WAY) - 1, bisect_right(times, at)
        return frozenset().union(*(roles for _, roles in changes[max(first, 0) : end]))


_PEOPLE = """
  SELECT subject, recorded_at, CASE says->>'active' WHEN 'true' THEN ARRAY(SELECT jsonb_array_elements_text(says->'roles')) ELSE '{}' END AS roles
  FROM (SELECT subject, recorded_at, content::jsonb AS says FROM books.records WHERE kind = 'person' AND subject IS NOT NULL OFFSET 0) p
  ORDER BY recorded_at
"""


def read_eras(connection: Connection, rules: Rules) -> Eras:
    """The eras on record. People are few, and their roles seldom change."""
    people: dict[str, list[tuple[datetime, frozenset[str]]]] = {}
    for row in connection.rows(_PEOPLE):
        said, roles = people.setdefault(row.subject, []), frozenset(row.roles)
        if not said or said[-1][1] != roles:
            said.append((row.recorded_at, roles))
    changes = {at for said in people.values() for at, _ in said}
    return Eras(sorted({*rules.since, *changes, *(at + UNDER_WAY for at in changes)}), rules, people)
