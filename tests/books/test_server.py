"""The home's own server: starts on demand, stops with its last user, and survives what happens to processes and folders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from junbikin.books import server
from junbikin.errors import BooksProblem

GUEST = """
import sys
from pathlib import Path
import psycopg
from junbikin.books import server
socket = server.start(Path(sys.argv[1]))
with psycopg.connect(host=str(socket), port=server.PORT, user="postgres", dbname="postgres") as connection:
    connection.execute("INSERT INTO guests VALUES (pg_backend_pid())" if len(sys.argv) > 2 else "SELECT 1")
print("in", flush=True)
sys.stdin.readline()
"""
"""Uses the server of a folder until it is told to go; with a second word, leaves a row behind."""


def guest(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A process that uses the server."""
    return subprocess.Popen(
        [sys.executable, "-c", GUEST, str(folder), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def inside(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """The guest, once it uses the server."""
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def leaves(process: subprocess.Popen[str]) -> None:
    """Lets a guest go, and waits until it has."""
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def postmaster(folder: Path) -> int:
    """The server's process."""
    return int((folder / "postmaster.pid").read_text().split()[0])


def runs(folder: Path) -> bool:
    """Whether a server is there; one that stopped cleanly leaves no note of its process."""
    return (folder / "postmaster.pid").exists()


def connected(socket: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(socket), port=server.PORT, user="postgres", dbname="postgres", autocommit=True)


@contextmanager
def visiting(folder: Path) -> Iterator[psycopg.Connection]:
    """A connection of this process, which lets go afterwards."""
    try:
        with connected(server.start(folder)) as connection:
            yield connection
    finally:
        server.let_go(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a table, stopped: tests copy it."""
    folder = tmp_path_factory.mktemp("made") / "books"
    with visiting(folder) as connection:
        connection.execute("CREATE TABLE guests (pid int)")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A stopped server's data folder of one's own."""
    return copied(made, tmp_path / "books")


def copied(source: Path, target: Path) -> Path:
    """A folder copied as people do it, without sockets."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".s.PGSQL.5432"))
    return target


def test_it_runs_while_somebody_uses_it_and_stops_with_the_last(folder: Path) -> None:
    first = inside(guest(folder))
    second = inside(guest(folder))
    leaves(first)
    assert runs(folder)
    leaves(second)
    assert not runs(folder)
    assert "database system is shut down" in (folder / "log").read_text()


def test_a_user_that_was_killed_does_not_keep_it_running(folder: Path) -> None:
    dead, living = inside(guest(folder)), inside(guest(folder))
    killed(dead)
    leaves(living)
    assert not runs(folder)


def test_it_goes_on_when_its_only_user_was_killed_and_stops_with_the_next(folder: Path) -> None:
    killed(inside(guest(folder)))
    assert runs(folder)
    leaves(inside(guest(folder)))
    assert not runs(folder)


def test_several_processes_make_start_use_and_stop_it_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "books"
    folder.parent.mkdir()
    for process in [inside(process) for process in [guest(folder) for _ in range(4)]]:
        leaves(process)
    assert not runs(folder)
    with visiting(folder) as connection:
        connection.execute("CREATE TABLE guests (pid int)")
    for _ in range(3):
        guests = [guest(folder, "leave a row") for _ in range(4)]
        for process in guests:
            leaves(process)  # told to go at once: some start it while others stop it
    with visiting(folder) as connection:
        assert connection.execute("SELECT count(*) FROM guests").fetchall() == [(12,)]
    assert not runs(folder)


def test_it_starts_again_after_it_was_killed(folder: Path) -> None:
    with visiting(folder) as connection:
        connection.execute("INSERT INTO guests VALUES (7)")
        process = psutil.Process(postmaster(folder))
        process.kill()
        psutil.wait_procs([process], timeout=10)
        with connected(server.start(folder)) as again:
            assert again.execute("SELECT pid FROM guests").fetchall() == [(7,)]
    assert not runs(folder)


@pytest.mark.parametrize("of_another_user", [False, True])
def test_a_process_that_got_a_dead_servers_number_is_not_taken_for_it(
    folder: Path, of_another_user: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with visiting(folder):
        note = (folder / "postmaster.pid").read_text().splitlines()
    other = os.getppid()
    (folder / "postmaster.pid").write_text("\n".join([str(other), *note[1:]]) + "\n")
    if of_another_user:
        cwd = psutil.Process.cwd

        def hidden(process: psutil.Process) -> str:
            if process.pid == other:
                raise psutil.AccessDenied(other)
            return str(cwd(process))

        monkeypatch.setattr(psutil.Process, "cwd", hidden)
    with visiting(folder) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "name",
    ["two  words", "準備金 帳簿", "$HOME `x` \"y\" 'z' \\ ; & %41", "a,b", "long" * 40],
    ids=lambda name: name[:6],
)
def test_a_home_may_have_any_name(name: str, made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path / name / "books")
    leaves(inside(guest(folder)))
    with visiting(folder) as connection:
        [(where,)] = connection.execute("SELECT current_setting('data_directory')").fetchall()
        assert where == str(folder)


def test_a_home_that_was_moved_while_its_server_ran_is_joined_in_its_new_place(folder: Path) -> None:
    living = inside(guest(folder))
    process = postmaster(folder)
    moved = folder.parent / "elsewhere"
    for name in ("books", "books.lock", "books.users"):
        (folder.parent / name).rename(folder.parent / name.replace("books", "elsewhere"))
    with visiting(moved) as connection:
        connection.execute("SELECT 1")
        assert postmaster(moved) == process
    assert runs(moved)
    killed(living)
    leaves(inside(guest(moved)))
    assert not runs(moved)


def test_a_copy_made_while_the_server_ran_gets_a_server_of_its_own(folder: Path) -> None:
    with visiting(folder) as original:
        original.execute("CHECKPOINT")
        twin = copied(folder, folder.parent / "twin" / "books")
        with visiting(twin) as copy:
            copy.execute("INSERT INTO guests VALUES (1)")
            assert postmaster(twin) != postmaster(folder)
        assert original.execute("SELECT count(*) FROM guests").fetchall() == [(0,)]
    assert not runs(twin)


def test_making_that_was_interrupted_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "books.new").mkdir()
    (tmp_path / "books.new" / "PG_VERSION").write_text("18")
    with visiting(tmp_path / "books") as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert not (tmp_path / "books.new").exists()


def test_a_log_that_grew_large_makes_room_for_a_new_one(folder: Path) -> None:
    with (folder / "log").open("ab") as log:
        log.truncate(10_000_001)
    with visiting(folder):
        assert (folder / "log").stat().st_size < 10_000
        assert (folder / "log.1").stat().st_size == 10_000_001


def test_a_home_of_another_user_is_named_and_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(server, "claim", denied)
    with pytest.raises(BooksProblem, match=r"does not start: .*Permission denied"):
        server.start(folder)
    assert not runs(folder)


def test_it_says_why_it_does_not_start_and_starts_when_that_is_mended(folder: Path) -> None:
    config = folder / "postgresql.conf"
    before = config.read_text()
    config.write_text(before + "\nshared_buffers = 'plenty'\n")
    with pytest.raises(BooksProblem, match=r"does not start.*postgresql\.conf.*\n.*books\n.*log"):
        server.start(folder)
    config.write_text(before)
    with visiting(folder) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_books_of_another_postgresql_are_refused(folder: Path) -> None:
    (folder / "PG_VERSION").write_text("16\n")
    with pytest.raises(BooksProblem, match="these books are of PostgreSQL 16, this is 18"):
        server.start(folder)


def test_nobody_else_on_the_machine_gets_in(folder: Path) -> None:
    with visiting(folder) as connection:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert connection.execute("SHOW listen_addresses").fetchall() == [("",)]
        assert connection.execute("SHOW unix_socket_directories").fetchall() == [(".",)]
        assert psutil.Process(postmaster(folder)).uids().effective != 0


def test_a_fork_neither_keeps_it_running_nor_stops_it(folder: Path) -> None:
    with visiting(folder) as connection:
        child = os.fork()
        if child == 0:
            server._let_all_go()
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert not runs(folder)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
