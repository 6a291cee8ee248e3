"""Faults: clients and servers that die, disks that fill. What was acknowledged is there, nothing is half done or done twice."""

from __future__ import annotations

import json
import random
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest

from junbikin.books import programs
from junbikin.books import server as own
from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books, make_books, open_books
from junbikin.books.journal import account_numbers, post
from junbikin.books.proof.verify import verify
from junbikin.errors import BooksProblem
from junbikin.home import Home, create_home

from . import crashes
from .cast import Cast, assembled
from .conftest import with_database
from .servers import APP, OWNER, Server, tcp_server


@dataclass(frozen=True)
class Setup:
    """A home on a server of its own, which a test may kill; `start` starts it again, where it does not by itself."""

    home: Home
    data: Path
    start: Callable[[], None]
    stop: Callable[[], None]


@pytest.fixture(scope="module")
def tcp_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over TCP that these tests may kill."""
    with tcp_server(tmp_path_factory.mktemp("pg") / "tcp") as server:
        yield server


@pytest.fixture(params=["own", "tcp"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    """Empty books on either kind of server."""
    fresh = create_home(tmp_path / "home", "Example")
    if request.param == "own":
        make_books(fresh)
        stop = partial(programs.run, fresh.books, "pg_ctl", "stop", "-D", ".", "-m", "fast", "-w")
        yield Setup(fresh, fresh.books, lambda: None, stop)
        own.let_go(fresh.books)
        return
    server: Server = request.getfixturevalue("tcp_of_its_own")
    name = f"t{time.monotonic_ns()}"
    server.new_database(name)
    made = with_database(fresh, server.address(APP, name))
    make_books(made, server.address(OWNER, name))
    yield Setup(made, server.folder / "data", server.start, server.stop)
    try:
        psycopg.connect(server.address("postgres")).close()
    except psycopg.OperationalError:  # a test that failed left it dead
        (server.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        server.start()


def posting(books: Books) -> Cast:
    """The cast, with the accounts that clients post to."""
    cast = assembled(books)
    cast.books.call("open_accounts", cast.ada.name, cast.ada.secret, "needed", accounts_as_json(crashes.ACCOUNTS))
    return cast


def accounts_as_json(codes: list[str]) -> str:
    return json.dumps(
        [dict(zip(("owner", "asset", "place", "holder"), code.split("/"), strict=False)) for code in codes]
    )


def sound(home: Home, acknowledged: list[str]) -> None:
    """Nothing acknowledged is missing, nothing is half done, and everything verifies."""
    with open_books(home) as books:
        assert crashes.faults(books, acknowledged) == []
        assert verify(books).difference is None


def test_clients_killed_at_any_point_leave_whole_books_and_a_rerun_posts_nothing_twice(
    setup: Setup, tmp_path: Path
) -> None:
    with open_books(setup.home) as books:
        cast = posting(books)
    chance = random.Random(7)  # noqa: S311
    clients = [crashes.client(setup.home, f"c{number}", 10**6, tmp_path) for number in range(3)]
    for each in clients:
        each.has_posted()
        time.sleep(chance.uniform(0, 0.3))
        each.process.kill()
        each.ended()
    acknowledged = [key for each in clients for key in each.acknowledged]
    sound(setup.home, acknowledged)
    with open_books(setup.home) as books:
        for each in clients:
            turns = len(each.acknowledged) + 1  # the one that was being posted too
            crashes.post_batches(books, cast.ada, each.note.stem.split(".")[0], turns, tmp_path / "again")
    sound(setup.home, acknowledged)


def test_a_server_killed_with_all_its_children_has_kept_what_it_acknowledged(setup: Setup, tmp_path: Path) -> None:
    with open_books(setup.home) as books:
        cast = posting(books)
    clients = [crashes.client(setup.home, f"c{number}", 10**6, tmp_path) for number in range(2)]
    for each in clients:
        each.has_posted()
    time.sleep(0.2)
    crashes.kill_server(setup.data)
    assert [each.ended() for each in clients] == [1, 1]
    for number in range(2):
        said = (tmp_path / f"c{number}.errors").read_text()
        assert re.search("connection to the database was lost|no database server answers|was shut down meanwhile", said)
        assert "the same key posts nothing twice" in said
    setup.start()
    acknowledged = [key for each in clients for key in each.acknowledged]
    sound(setup.home, acknowledged)
    with open_books(setup.home) as books:
        for number, each in enumerate(clients):
            crashes.post_batches(books, cast.ada, f"c{number}", len(each.acknowledged) + 1, tmp_path / "again")
    sound(setup.home, acknowledged)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_connection_lost_within_a_call_is_said_and_the_same_call_again_does_it_once(how: str, setup: Setup) -> None:
    with open_books(setup.home) as books:
        cast = posting(books)
        numbers = account_numbers(books, crashes.ACCOUNTS)
        batch = crashes.batch(numbers, "lost", 0)
        with holding_up(books):
            failure: list[Exception] = []
            caller = threading.Thread(target=lambda: failure.append(_failure(books, cast, batch)))
            caller.start()
            wait_until_somebody_waits(books)
            crashes.kill_server(setup.data) if how == "killed" else setup.stop()
            caller.join(30)
        [problem] = failure
        assert isinstance(problem, BooksProblem)
        assert re.search("was lost|was shut down meanwhile", problem.what)
        assert "the same key posts nothing twice" in problem.then
        setup.start()
        record = post(books, cast.ada, batch)
        assert post(books, cast.ada, batch) == record
    sound(setup.home, [batch.key])


@contextmanager
def holding_up(books: Books) -> Iterator[None]:
    """Whoever posts waits meanwhile, within the call."""
    with suppress(psycopg.OperationalError), books.driver() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7101, strand) FROM books.strands")
        yield


def wait_until_somebody_waits(books: Books) -> None:
    with books.driver() as connection:
        for _ in range(500):
            if connection.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall():
                return
            time.sleep(0.01)
    pytest.fail("nobody waits")


def _failure(books: Books, cast: Cast, batch: Batch) -> Exception:
    try:
        post(books, cast.ada, batch)
    except BooksProblem as problem:
        return problem
    return AssertionError("it was posted")


def test_a_full_disk_is_said_and_leaves_whole_books(setup: Setup) -> None:
    with open_books(setup.home) as books:
        cast = posting(books)
    setup.stop()
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Files of the server end within a block, as on a disk that is full; its log of 16 MB segments goes on.
    resource.setrlimit(resource.RLIMIT_FSIZE, ((16 << 20) + 4096, whole[1]))
    try:
        setup.start()
        with open_books(setup.home) as books:
            acknowledged, problem = filled(books, cast)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    assert acknowledged
    # PostgreSQL 18 passes on the system's word for a file's limit; a disk that is full has a code of its own.
    assert re.search("disk of the database is full|failed by itself: could not extend file", problem.what)
    assert "run the same command again" in problem.then
    sound(setup.home, acknowledged)
    setup.stop()
    setup.start()
    with open_books(setup.home) as books:
        numbers = account_numbers(books, crashes.ACCOUNTS)
        post(books, cast.ada, large(numbers, len(acknowledged)))
    sound(setup.home, [*acknowledged, f"large {len(acknowledged)}"])


def filled(books: Books, cast: Cast) -> tuple[list[str], BooksProblem]:
    """Posts large batches until the disk is full: the keys acknowledged, and what was said then."""
    numbers = account_numbers(books, crashes.ACCOUNTS)
    acknowledged: list[str] = []
    while True:
        try:
            post(books, cast.ada, large(numbers, len(acknowledged)))
        except BooksProblem as problem:
            return acknowledged, problem
        acknowledged.append(f"large {len(acknowledged)}")


def large(numbers: list[int], turn: int) -> Batch:
    """A batch of some megabytes."""
    count = 40_000
    accounts = [numbers[0], *(numbers[1 + turn % 40] for _ in range(count))]
    entries = Entries.of(accounts, [-count * 10**9, *[10**9] * count])
    return Batch(f"large {turn}", saying({"purpose": "deposit", "reference": "r"}), entries, "crash test")
