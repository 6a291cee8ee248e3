"""Kill −9 at random points of planning, paying, taking answers in and disputing: nobody twice, nobody lost, totals agree, the rerun finishes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from books.cast import Cast

from . import lives

KILLS, LIVES = 5, 2


def test_whoever_is_killed_pays_nobody_twice_and_forgets_nobody(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    cast = founded(tmp_path / "home")
    lives.begun(cast)
    chance, errors = random.Random(7), tmp_path / "errors"  # noqa: S311
    for _ in range(KILLS):
        process = lives.living(cast.books.home, LIVES, errors)
        time.sleep(1.5 + chance.uniform(0, 3))
        process.kill()
        process.wait()
    last = lives.living(cast.books.home, LIVES, errors)
    assert last.wait(120) == 0, errors.read_text(encoding="utf-8")
    assert lives.faults(cast.books, LIVES) == []
