"""Clients that post until something dies, and what must hold of the books afterwards. Tests and the bench use it.

As a program, `crashes.py HOME CLIENT BATCHES ACKNOWLEDGED` posts a client's batches as Ada, and adds each key to the
file ACKNOWLEDGED once the books have acknowledged it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books, open_books
from junbikin.books.journal import Actor, account_numbers, post
from junbikin.home import Home, open_home
from junbikin.registry import people

WHO, PASSWORD = "ada", "four words make passwords"
CUSTOMERS = [f"customer/JPY/pool/{number}" for number in range(40)]
ACCOUNTS = ["outside/JPY/world", *CUSTOMERS]


def batch(numbers: Sequence[int], client: str, turn: int) -> Batch:
    """A client's batch of a turn, always the same: deposits of two to some hundred customers' accounts."""
    chance = random.Random(f"{client} {turn}")  # noqa: S311 - only has to be repeatable
    world, *customers = numbers
    amounts = [chance.randint(1, 10**9) for _ in range(chance.choice((1, 1, 7, 300)))]
    chosen = [chance.choice(customers) for _ in amounts]
    says = {"purpose": "deposit", "reference": f"{client} {turn}"}
    entries = Entries.of([world, *chosen], [-sum(amounts), *amounts])
    return Batch(f"{client} {turn}", saying(says), entries, "crash test")


def post_batches(books: Books, who: Actor, client: str, batches: int, acknowledged: Path) -> None:
    """Posts a client's batches and notes each key once it is acknowledged."""
    numbers = account_numbers(books, ACCOUNTS)
    note = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for turn in range(batches):
        each = batch(numbers, client, turn)
        post(books, who, each)
        os.write(note, f"{each.key}\n".encode())
    os.close(note)


@dataclass(frozen=True)
class Client:
    """A process that posts; `acknowledged` are the keys that the books said yes to."""

    process: subprocess.Popen[bytes]
    note: Path

    @property
    def acknowledged(self) -> list[str]:
        return self.note.read_text().splitlines() if self.note.exists() else []

    def has_posted(self) -> None:
        """Waits until the books have said yes once. Raises `RuntimeError` when the process ended or hangs before."""
        until = time.monotonic() + 60
        while not self.acknowledged:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"a client posted nothing: {self.note.with_suffix('.errors').read_text()}")
            time.sleep(0.01)

    def ended(self, timeout_seconds: float = 60) -> int:
        """Waits until the process has ended, and returns how."""
        return self.process.wait(timeout_seconds)


def client(home: Home, name: str, batches: int, folder: Path) -> Client:
    """Starts a process that posts a client's batches into a home's books."""
    note = folder / f"{name}.acknowledged"
    words = [sys.executable, __file__, str(home.path), name, str(batches), str(note)]
    errors = (folder / f"{name}.errors").open("wb")
    with errors:
        return Client(subprocess.Popen(words, stderr=errors), note)


def kill_server(data: Path) -> None:
    """Kills a server that runs on a data folder, and all its children, as the kernel would when memory runs out."""
    postmaster = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=30)


def faults(books: Books, acknowledged: Sequence[str]) -> list[str]:
    """What is wrong with books after a crash: nothing, unless an acknowledged batch is missing or something was half done."""
    with books.driver() as connection:
        posted = {key for (key,) in connection.execute("SELECT key FROM books.records WHERE kind = 'batch'")}
        found = [f"the acknowledged batch {key} is missing" for key in acknowledged if key not in posted]
        for what, query in _MUST_BE_EMPTY.items():
            found += [f"{what}: {row}" for row in connection.execute(query.encode()).fetchmany(3)]
    return found


_MUST_BE_EMPTY = {
    "a batch is in the log and the balances otherwise": """
        SELECT * FROM (
          SELECT r.id, e.account, sum(e.amount) FROM books.records r, unnest(r.accounts, r.amounts) e(account, amount) GROUP BY 1, 2
          EXCEPT SELECT record, account, amount FROM books.balances) a
        UNION ALL SELECT * FROM (
          SELECT record, account, amount FROM books.balances
          EXCEPT SELECT r.id, e.account, sum(e.amount) FROM books.records r, unnest(r.accounts, r.amounts) e(account, amount) GROUP BY 1, 2) b""",
    "an asset does not add up to nothing": """
        SELECT a.asset, sum(books.balance(a.id)) FROM books.accounts a GROUP BY 1 HAVING sum(books.balance(a.id)) <> 0""",
    "a strand does not end where it says": """
        SELECT s.strand, s.length, count(r.id) FROM books.strands s LEFT JOIN books.records r USING (strand)
        GROUP BY s.strand, s.length, s.head HAVING s.length <> count(r.id)
          OR count(r.id) > 0 AND s.head IS DISTINCT FROM (array_agg(r.digest ORDER BY r.link DESC))[1]""",
    "a key was posted twice": "SELECT key, count(*) FROM books.records WHERE kind = 'batch' GROUP BY key HAVING count(*) > 1",
}


def main() -> None:
    """The program."""
    home, name, batches, note = sys.argv[1:]
    with open_books(open_home(Path(home))) as books:
        post_batches(books, people.actor(books, WHO, PASSWORD), name, int(batches), Path(note))


if __name__ == "__main__":
    main()
