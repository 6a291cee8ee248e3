"""The positions of a home: each assessed one kept as a file named by its digest, and which was assessed last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from junbikin.errors import PositionProblem
from junbikin.home import Home
from junbikin.reserve.position import Position


def keep(home: Home, positions: Sequence[Position]) -> list[Path]:
    """Writes each position (one already there is the same one) and notes them as the last."""
    home.positions.mkdir(parents=True, exist_ok=True)
    paths = []
    for position in positions:
        name = f"{position.as_of}-{position.rulebook.id}-{position.digest[:12]}.json"
        path = home.positions / name
        if not path.exists():
            _write(path, position.document())
        paths.append(path)
    _write(home.positions / "last.json", [path.name for path in paths])
    return paths


def _write(path: Path, content: Any) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(path)


def last(home: Home) -> list[dict[str, Any]]:
    """The documents of the last assessment. Raises `PositionProblem` when there was none."""
    pointer = home.positions / "last.json"
    if not pointer.exists():
        raise PositionProblem(
            "nothing was assessed in this home yet", where=str(home.path), then="run `junbikin assess`"
        )
    return [read(home.positions / name)[0] for name in json.loads(pointer.read_text(encoding="utf-8"))]


def read(path: Path) -> list[dict[str, Any]]:
    """The documents in a file: one, or those that `junbikin assess --json` or `junbikin custody --json` printed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except OSError as problem:
        raise PositionProblem(
            _unread(problem), where=str(path), then="name the file of a position or of a custody day"
        ) from None
    except (ValueError, UnicodeDecodeError):
        raise PositionProblem(
            "the file is not JSON as we write it", where=str(path), then="ask for the original"
        ) from None
    printed = [name for name in ("positions", "days") if isinstance(content, dict) and name in content]
    contents = content[printed[0]] if printed else [content]
    if not isinstance(contents, list) or not contents:
        raise PositionProblem(
            "there is no position or custody day in the file",
            where=str(path),
            then="name the file of a position or of a custody day",
        )
    return contents


def _unread(problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return "the file does not exist"
    return f"the file cannot be read: {problem.strerror}"


def _no_float(text: str) -> Any:
    raise ValueError(f"a bare number: {text}")
