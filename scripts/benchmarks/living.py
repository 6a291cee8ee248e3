"""Kill −9, again and again, of whoever plans, pays, takes answers in and decides disputes, and of the database server, at random points."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row
from books import crashes
from books.cast import assembled
from incidents.pay import lives
from junbikin.books import server
from junbikin.books.database import make_books, open_books
from junbikin.home import create_home

PATIENCE_SECONDS = 900
SERVER_EVERY = 4
"""Of so many kills, one is of the server with all its processes."""


def bench(work: Path, kills: int) -> Iterator[Row]:
    """Kills, each as soon as the one before was restarted and at most three seconds later; then the rest is lived through undisturbed."""
    home = create_home(work / "living", "Bench")
    make_books(home)
    last = max(2, kills // 8)
    errors = work / "living.errors"
    with open_books(home) as books:
        lives.begun(assembled(books))
    chance = random.Random(kills)  # noqa: S311
    clients = servers = ended = 0
    for turn in range(kills):
        process = lives.living(home, last, errors)
        time.sleep(chance.uniform(0.8, 4))
        if process.poll() is not None:
            ended += 1
        if turn % SERVER_EVERY == SERVER_EVERY - 1:
            crashes.kill_server(home.books)
            servers += 1
        else:
            clients += 1
        process.kill()
        process.wait()
    start = time.perf_counter()
    code = lives.living(home, last, errors).wait(PATIENCE_SECONDS)
    rest = time.perf_counter() - start
    with open_books(home) as books:
        wrong = lives.faults(books, last) + ([f"the rerun ended with {code}"] if code else [])
    server.let_go(home.books)
    detail = (
        f"{clients} of who pays, {servers} of the server; {last} incidents, the rest lived through in {rest:.0f} s"
        if not wrong
        else "; ".join(wrong[:3])
    )
    yield Row(f"faults after {kills} kills in incidents", len(wrong), "", detail, at_most=0)
    yield Row("  kills while it ran", kills - ended, "", at_least=kills)
