"""Kill −9, again and again, of clients and of the server at random points: what was acknowledged is there, once and whole."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.ledger import opened
from benchmarks.rows import Row
from books import crashes
from junbikin.books import server
from junbikin.books.database import make_books, open_books
from junbikin.books.proof.verify import verify
from junbikin.home import create_home
from junbikin.registry import people

ENDLESS = 10**6
TOGETHER = 3


def bench(work: Path, kills: int) -> Iterator[Row]:
    """Two of three kills are of a client while two others post, every third of the server and all its processes."""
    home = create_home(work / "crashing", "Bench")
    make_books(home)
    with open_books(home) as books:
        for name, role in ((crashes.WHO, "reserve_officer"), ("ben", "approver")):
            people.found(books, name, [role], crashes.PASSWORD, "founding")
        ada = people.actor(books, crashes.WHO, crashes.PASSWORD)
        opened(books, ada, crashes.ACCOUNTS)
    chance = random.Random(kills)  # noqa: S311
    clients: list[crashes.Client] = []
    alive: list[crashes.Client] = []
    for turn in range(kills):
        while len(alive) < TOGETHER:
            alive.append(crashes.client(home, f"c{len(clients)}", ENDLESS, work))
            clients.append(alive[-1])
        alive[0].has_posted()
        time.sleep(chance.uniform(0, 0.3))
        if turn % TOGETHER == TOGETHER - 1:
            crashes.kill_server(home.books)
            _kill(alive)  # one that was only starting would start the server again by itself
            alive.clear()
        else:
            _kill([alive.pop(0)])
    _kill(alive)
    acknowledged = [key for each in clients for key in each.acknowledged]
    with open_books(home) as books:
        wrong = crashes.faults(books, acknowledged)
        counted = verify(books)
        for each in clients:
            crashes.post_batches(books, ada, each.note.stem, len(each.acknowledged), work / "again")
        again = verify(books)
        wrong += crashes.faults(books, acknowledged)
    wrong += [found.difference.sentence for found in (counted, again) if found.difference]
    wrong += [] if again.batches == counted.batches else [f"a rerun posted {again.batches - counted.batches} again"]
    server.let_go(home.books)
    servers = kills // TOGETHER
    detail = (
        f"{kills - servers} of clients, {servers} of the server; {len(acknowledged):,} acknowledged of {counted.batches:,} batches, "
        f"all there, none half or twice" if not wrong else "; ".join(wrong[:3])
    )  # fmt: skip
    yield Row(f"faults after {kills} kills", len(wrong), "", detail, at_most=0)
    yield Row("  kills", kills, "", at_least=kills)


def _kill(clients: Sequence[crashes.Client]) -> None:
    for each in clients:
        each.process.kill()
        each.ended()
