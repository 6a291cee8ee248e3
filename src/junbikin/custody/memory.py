"""What was found on earlier days, remembered beside a digest of all that it was worked from, so that a day is judged once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import rfc8785

from junbikin.custody.view import CustodyView
from junbikin.reserve.sources import data_source
from junbikin.rulebooks.load import Rulebook

VERSION = "2"
"""Changes when what is judged does, so that what was remembered is not mistaken for it."""

_PRICES_BACK = timedelta(days=400)
"""How far back a regime may look for prices: a year to the end of the month before, and a little more."""


@dataclass
class Memory:
    """Lapses and figures by rulebook and day; `file` None: nothing is kept, nor believed."""

    file: Path | None
    _kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None and self.file.exists():
            try:
                kept = json.loads(self.file.read_bytes())
            except ValueError:
                return
            self._kept = kept["days"] if kept.get("version") == VERSION else {}

    def lapses(self, rulebook: Rulebook, view: CustodyView) -> set[tuple[str, str]]:
        """Code and subject of everything that lapsed on the view's day. Raises `ParameterMissing`."""
        return {(code, subject) for code, subject in self._day(rulebook, view)["lapses"]}

    def values(self, rulebook: Rulebook, view: CustodyView) -> dict[str, Decimal | None]:
        """Key → value of every step of every duty on the view's day; None: a hole. Raises `ParameterMissing`."""
        kept: dict[str, str | None] = self._day(rulebook, view)["values"]
        return {key: None if text is None else Decimal(text) for key, text in kept.items()}

    def _day(self, rulebook: Rulebook, view: CustodyView) -> dict[str, Any]:
        name, of = f"{rulebook.id} {view.as_of}", _digest(rulebook, view)
        kept = self._kept.get(name)
        if kept is None or kept["of"] != of:
            checks = rulebook.checks(view)
            found = sorted({(lapse.finding.code, lapse.subject) for check in checks for lapse in check.lapses})
            values = {step.key: step.node["value"] for check in checks for step in check.steps if step.key}
            kept = self._kept[name] = {"of": of, "lapses": [list(pair) for pair in found], "values": values}
        day: dict[str, Any] = kept
        return day

    def write(self) -> None:
        """Keeps what was judged for the next run."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"version": VERSION, "days": self._kept}, separators=(",", ":")))
        fresh.replace(self.file)


def _digest(rulebook: Rulebook, view: CustodyView) -> str:
    """Of everything that the duties read on a day: the rulebook, the parts of the lake, the registry, the books."""
    lake, day = view.lake, view.as_of
    spans: dict[str, dict[str, Any]] = {
        "customer_balances": view.newest("customer_balances")[1],
        "holdings": view.newest("holdings")[1],
        "reserve_assets": view.newest("reserve_assets")[1],
        "prices": lake.days("prices", day - _PRICES_BACK, day),
        "financials": lake.days("financials", date.min, day),
        "audits": lake.days("audits", date.min, day),
    }
    registered, ledger = view.registered, view.ledger
    content = {
        "rulebook": rulebook.digest,
        "home": [lake.home.currency, str(lake.home.time_zone), str(lake.home.price_max_age_days)],
        "facts": {
            name: sorted(s.sha256 for segments in days.values() for s in segments) for name, days in spans.items()
        },
        "registry": [registered.places, registered.providers] if registered else None,
        "books": data_source("reserve_assets", "", ledger.rows("reserve_assets")).digest if ledger else None,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
