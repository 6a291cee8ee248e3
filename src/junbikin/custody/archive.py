"""The custody days of a home, each kept as a file named by its digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from junbikin.custody.day import CustodyDay
from junbikin.home import Home


def folder(home: Home) -> Path:
    """Where they are kept."""
    return home.path / "custody"


def keep(home: Home, days: Sequence[CustodyDay]) -> list[Path]:
    """Writes each day; one that is there already is the same one."""
    folder(home).mkdir(parents=True, exist_ok=True)
    paths = []
    for day in days:
        path = folder(home) / f"{day.as_of}-{day.rulebook.id}-{day.digest[:12]}.json"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(day.document(), ensure_ascii=False, indent=1), encoding="utf-8")
            fresh.replace(path)
        paths.append(path)
    return paths
