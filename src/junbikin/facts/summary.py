"""What facts a home has, a line per dataset."""

from __future__ import annotations

from typing import Any

from junbikin.facts.datasets import DATASETS
from junbikin.facts.log import live_segments, read_log
from junbikin.home import Home


def summary(home: Home) -> list[dict[str, Any]]:
    """One line for each dataset that was ever ingested: days, rows, and the account of its files."""
    entries = read_log(home.facts)
    lines = []
    for dataset in DATASETS.values():
        mine = [entry for entry in entries if entry.dataset == dataset.name]
        if not mine:
            continue
        days = live_segments(entries, dataset.name)
        sources = [source for entry in mine for source in entry.sources]
        lines.append(
            {
                "dataset": dataset.name,
                "ja": dataset.ja,
                "days": len(days),
                "first": min(days, default=None),
                "last": max(days, default=None),
                "rows": sum(segment.rows for segments in days.values() for segment in segments),
                "read": sum(source.read for source in sources),
                "duplicate": sum(source.duplicate for source in sources),
                "quarantined": sum(source.quarantined for source in sources),
                "withdrawn": sum(entry.withdrawn for entry in mine),
                "files": len({source.sha256 for source in sources}),
                "sources": [{"file": s.name, "sha256": s.sha256, "read": s.read} for s in sources],
            }
        )
    return lines
