"""The custody day: every duty of a rulebook on one day, what lapsed, since when, and by when it must be cured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import rfc8785

from junbikin import __version__
from junbikin.custody.checking import checks_of
from junbikin.custody.memory import Memory
from junbikin.custody.view import DATASETS, CustodyView
from junbikin.errors import ParameterMissing
from junbikin.facts.run import Progress
from junbikin.figures import Data, Figure, Name, given, plain, to_table
from junbikin.figures.amounts import EXACT
from junbikin.findings import Finding, Severity
from junbikin.reserve.assess import evidence
from junbikin.reserve.health import findings_on
from junbikin.reserve.sources import data_source
from junbikin.rulebooks.duties import UNKNOWN, cure_by, cured_under
from junbikin.rulebooks.interface import Check, Lapse
from junbikin.rulebooks.load import Rulebook

FORMAT = "junbikin-custody-1"


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty as it was kept on the day: its figures in reading order, and what lapsed, gravest first.

    `told`, `against` and `looked_at` are those of its `Check`: how it stands in a figure or two.
    """

    key: str
    name: Name
    steps: tuple[Figure, ...]
    lapses: tuple[Lapse, ...]
    told: tuple[Figure, ...] = ()
    against: Figure | None = None
    looked_at: Name | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, gravest first."""
        return tuple(lapse.finding for lapse in self.lapses)

    @property
    def verdict(self) -> Name:
        """The answer in a word."""
        worst = max((finding.severity for finding in self.findings), default=Severity.NOTICE)
        return {Severity.BREACH: Name("breach", "違反"), Severity.HOLE: Name("unknown", "不明"), Severity.WARNING: Name("warning", "注意")}.get(
            worst, Name("kept", "適正")
        )  # fmt: skip


@dataclass(frozen=True)
class CustodyDay:
    """Every duty of one operator on one day under one rulebook.

    `beside` are findings on the facts themselves, `known_at` is of the books, where there are any. `balances_of` and
    `holdings_of` are the days of the newest balances and holdings, which may lie before `as_of`.
    """

    operator: str
    invented: bool
    as_of: date
    rulebook: Rulebook
    head: str
    duties: tuple[Duty, ...]
    beside: tuple[Finding, ...]
    evidence: tuple[dict[str, Any], ...]
    known_at: datetime | None = None
    balances_of: date | None = None
    holdings_of: date | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding once, gravest first, then by the day by which it must be cured."""
        found = dict.fromkeys([*(finding for duty in self.duties for finding in duty.findings), *self.beside])
        return tuple(sorted(found, key=lambda finding: (-finding.severity, finding.cure_by or date.max)))

    @property
    def worst(self) -> Severity | None:
        """The gravest; None when there is nothing to find."""
        return max((finding.severity for finding in self.findings), default=None)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every root figure, in reading order."""
        steps = [step for duty in self.duties for step in duty.steps]
        return (*steps, *(finding.amount for finding in self.findings if finding.amount is not None))

    def figure(self, key: str) -> Figure | None:
        """The figure of that code name, or None."""
        return next((figure for root in self.figures for figure in root.walk() if figure.key == key), None)

    @cached_property
    def body(self) -> dict[str, Any]:
        """What the digest covers: the same facts under the same rulebook give the same body on every machine."""
        return {
            "operator": self.operator,
            "invented": self.invented,
            "as_of": self.as_of.isoformat(),
            "balances_of": self.balances_of and self.balances_of.isoformat(),
            "holdings_of": self.holdings_of and self.holdings_of.isoformat(),
            "rulebook": {"id": self.rulebook.id, "status": self.rulebook.status, "digest": self.rulebook.digest},
            "duties": [
                {
                    "key": duty.key,
                    "name": duty.name.words,
                    "verdict": duty.verdict.en,
                    "steps": [step.digest for step in duty.steps],
                    "findings": [{"subject": lapse.subject, **lapse.finding.document()} for lapse in duty.lapses],
                }
                for duty in self.duties
            ],
            "beside": [finding.document() for finding in self.beside],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return hashlib.sha256(rfc8785.dumps(self.body)).hexdigest()

    def document(self) -> dict[str, Any]:
        """The whole day as JSON: body, figures, and the evidence behind them. Amounts are strings."""
        known_at = self.known_at.astimezone(UTC).isoformat() if self.known_at else None
        return {
            "format": FORMAT,
            "made_by": f"junbikin {__version__}",
            "digest": self.digest,
            "custody": self.body,
            "figures": to_table(self.figures),
            "facts": {"head": self.head, "sources": list(self.evidence), "books_known_at": known_at},
        }


def judge(
    rulebook: Rulebook,
    view: CustodyView,
    view_on: Callable[[date], CustodyView],
    memory: Memory,
    progress: Progress = lambda what, share: None,
) -> CustodyDay:
    """The custody day of `view`; `view_on` gives those of days before it.

    Raises `ParameterMissing` when the rulebook lacks a number it needs.
    """
    checks = checks_of(rulebook, view)
    memory.note(rulebook, view, checks)
    since = _since(rulebook, view, view_on, checks, memory, progress)
    duties = tuple(_duty(check, view.as_of, since) for check in checks)
    used = set(DATASETS) | {
        f.source.dataset for duty in duties for root in duty.steps for f in root.walk() if isinstance(f.source, Data)
    }
    return CustodyDay(
        operator=view.lake.home.operator,
        invented=view.lake.home.invented,
        as_of=view.as_of,
        rulebook=rulebook,
        head=view.lake.head,
        duties=duties,
        beside=(*_days_differ(view), *_stated_less(view), *findings_on(view, used - {"trades"}, [])),
        evidence=evidence(view.lake, used - set(view.ledger.datasets if view.ledger else ())),
        known_at=view.ledger.known_at if view.ledger else None,
        balances_of=view.property.owed_on,
        holdings_of=view.property.held_on,
    )


def _duty(check: Check, as_of: date, since: dict[tuple[str, str], date]) -> Duty:
    lapses = [_dated(lapse, as_of, since[lapse.finding.code, lapse.subject]) for lapse in check.lapses]
    gravest_first = tuple(sorted(lapses, key=lambda lapse: -lapse.finding.severity))
    return Duty(check.key, check.name, check.steps, gravest_first, check.told, check.against, check.looked_at)


def _dated(lapse: Lapse, as_of: date, since: date) -> Lapse:
    """The lapse with its dates; one that should be cured already says so, and keeps both."""
    cure = cure_by(lapse, since)
    what = lapse.finding.what
    if cure is not None and cure < as_of:
        late = cure + timedelta(days=1)
        what = Name(f"{what.en}; overdue since {late}", f"{what.ja}（{late}から期限超過）")
    return replace(
        lapse,
        finding=replace(lapse.finding, what=what, since=since, cure_by=cure, cure_provenance=cured_under(lapse)),
    )


def _days_differ(view: CustodyView) -> list[Finding]:
    """Balances and holdings are held against each other although they are of different days."""
    owed_on, held_on = view.property.owed_on, view.property.held_on
    if owed_on is None or held_on is None or owed_on == held_on:
        return []
    return [
        Finding(
            "days-differ",
            Severity.WARNING,
            Name(
                f"balances are of {owed_on}, holdings of {held_on}: they are compared all the same",
                f"残高は{owed_on}、保有残高は{held_on}時点だが、比較している",
            ),
            Name("ingest both of one day", "同じ日の残高と保有残高を取り込む"),
        )
    ]


def _stated_less(view: CustodyView) -> Iterator[Finding]:
    """Places of which somebody outside states less, for the day, than holdings say: what is held is in dispute."""
    held: dict[tuple[str, str], Decimal] = {}
    for row in view.property.rows if view.property.held_on == view.as_of else ():
        there = row["location_id"], row["asset"]
        held[there] = EXACT.add(held.get(there, Decimal(0)), row["quantity"])
    for row in view.lake.rows("statements", view.lake.days("statements", view.as_of, view.as_of)):
        place, asset = row["location_id"], row["asset"]
        if row["quantity"] < held.get((place, asset), Decimal(0)):
            source = data_source("statements", f"{asset} at {place} by {row['source']}, of {view.as_of}", [row])
            stated = given(
                row["quantity"], asset, Name(f"{asset} at {place}, as stated", f"{place}の{asset}（証明）"), source
            )
            yield Finding(
                "stated-less",
                Severity.HOLE,
                Name(
                    f"{row['source']} states less {asset} at {place} than holdings say, {plain(held[place, asset])}",
                    f"{row['source']}の証明では{place}の{asset}が保有残高（{plain(held[place, asset])}）より少ない",
                ),
                Name(
                    "find out which is true: `junbikin custody reconcile`",
                    "いずれが正しいか確認する：`junbikin custody reconcile`",
                ),
                amount=stated,
            )


def _since(
    rulebook: Rulebook,
    view: CustodyView,
    view_on: Callable[[date], CustodyView],
    checks: tuple[Check, ...],
    memory: Memory,
    progress: Progress,
) -> dict[tuple[str, str], date]:
    """(code, subject) → the first day of the row of days up to the view's on which it was so.

    Every day counts, each judged as it was: a day without facts of its own by the newest before it. A day on which nobody
    could tell neither ends the row nor begins it, so that withholding facts starts no new time to cure.
    """
    since = {(lapse.finding.code, lapse.subject): view.as_of for check in checks for lapse in check.lapses}
    going_on = set(since)
    day, first = view.as_of, min(days_before(view), default=view.as_of)
    while going_on and day > first:
        day -= timedelta(days=1)
        progress(f"since when, {rulebook.id}, {day}", (view.as_of - day) / (view.as_of - first))
        try:
            then = memory.lapses(rulebook, view_on(day))
        except ParameterMissing:  # the regime was not in force yet
            break
        since |= dict.fromkeys(going_on & then, day)
        going_on = {
            (code, subject) for code, subject in going_on if then & {(code, subject), (code + UNKNOWN, subject)}
        }
    return since


def days_before(view: CustodyView) -> Iterator[date]:
    """Earlier days of which balances or holdings are known, latest first."""
    days = {day for name in ("customer_balances", "holdings") for day in view.lake.days(name, end=view.as_of)}
    return (day for day in sorted(map(date.fromisoformat, days), reverse=True) if day < view.as_of)
