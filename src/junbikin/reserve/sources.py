"""Where a figure comes from: a query over a dataset, and the digest of the rows that it returned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import rfc8785

from junbikin.figures import Data, plain


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest rows of a dataset on or before the day asked; `day` is None when there are none."""

    dataset: str
    day: date | None
    rows: list[dict[str, Any]]

    def source(self, query: str, rows: Sequence[Any] | None = None) -> Data:
        """The source of a figure taken from these rows (all of them, or those given)."""
        return data_source(self.dataset, f"{query}, as of {self.day}", self.rows if rows is None else rows)


def data_source(dataset: str, query: str, rows: Sequence[Any]) -> Data:
    """A query over a dataset, with the digest of the canonical rows that it returned."""
    return Data(dataset, query, hashlib.sha256(rfc8785.dumps(_canonical(rows))).hexdigest())


def _canonical(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value if value is None or isinstance(value, str | bool | int) else str(value)
