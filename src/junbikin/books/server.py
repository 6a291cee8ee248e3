"""The PostgreSQL server that a home runs for itself: started when books are opened, stopped when the last process lets go.

Who uses it is told by locks, which the kernel gives back when a process dies, however it dies. Nobody keeps a list.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from junbikin.books.programs import VERSION, claim, run
from junbikin.errors import BooksProblem

SETTINGS = """
# Written by junbikin for the home's own books.
shared_buffers = '256MB'
max_wal_size = '4GB'
wal_buffers = '64MB'
jit = off
timezone = 'UTC'
"""
ROLE = "junbikin_app"
"""The role that the application connects with; the server's own superuser only makes and migrates the books."""

PORT = 5432
"""Part of the socket's name. The server listens on no network."""

_SOCKET_BYTES = 100  # what every system allows in the path of a socket, with some to spare
_WAIT_SECONDS = 600  # a server that failed reads its log again before it answers
_ORPHANS_SECONDS = 20  # what a killed server's children take to notice
_LOG_BYTES = 10_000_000

_held: dict[Path, IO[bytes]] = {}
_shortcuts: dict[Path, Path] = {}


def start(folder: Path) -> Path:
    """Starts the server of a data folder, or joins the one that runs, and returns its socket's folder.

    A folder that is not there yet is made. This process uses the server until it ends or calls `let_go`. Raises
    `BooksProblem` when the server cannot start.
    """
    folder = folder.resolve()
    try:
        with _alone(folder):
            _hold(folder)
            try:
                _make(folder)
                if not _running(folder):
                    _start(folder)
            except BaseException:
                _release(folder)
                raise
        return _short(folder)
    except (OSError, RuntimeError, subprocess.SubprocessError, psutil.Error) as problem:
        raise BooksProblem(
            f"the home's own database server does not start: {problem}", where=str(folder),
            then=f"mend what it names (more is in {folder / 'log'}), then run the same command again",
        ) from problem  # fmt: skip


def let_go(folder: Path) -> None:
    """Uses the server no longer. The last process that lets go stops it, and waits until it has."""
    folder = folder.resolve()
    if folder in _held:
        with _alone(folder):
            _release(folder)


def discard(folder: Path) -> None:
    """Lets go of the server and removes its data folder, which this process made, unless another process uses it now."""
    folder = folder.resolve()
    if folder in _held:
        with _alone(folder):
            if _release(folder):
                shutil.rmtree(folder)


@atexit.register
def _let_all_go() -> None:
    for folder in list(_held):
        with suppress(OSError, subprocess.SubprocessError):  # such as a home that was deleted
            let_go(folder)
    for shortcut in _shortcuts.values():
        shutil.rmtree(shortcut, ignore_errors=True)


def _forget() -> None:
    """In a fork: the locks are its parent's."""
    for users in _held.values():
        users.close()
    _held.clear()
    _shortcuts.clear()


os.register_at_fork(after_in_child=_forget)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else makes, starts or stops the server meanwhile."""
    with _beside(folder, ".lock").open("ab") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _hold(folder: Path) -> None:
    if folder not in _held:
        users = _beside(folder, ".users").open("ab")
        fcntl.flock(users, fcntl.LOCK_SH)
        _held[folder] = users


def _release(folder: Path) -> bool:
    """Gives the lock back; whether nobody else has one, so that the server was stopped."""
    with _held.pop(folder) as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if _running(folder):
            run(folder, "pg_ctl", "stop", "-D", ".", "-m", "fast", "-w", "-t", str(_WAIT_SECONDS))
    return True


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)


def _make(folder: Path) -> None:
    """Makes the data folder, whole or not at all; refuses one of another version."""
    version = folder / "PG_VERSION"
    if version.exists():
        if version.read_text().strip() != str(VERSION):
            raise RuntimeError(f"these books are of PostgreSQL {version.read_text().strip()}, this is {VERSION}")
        return
    fresh = _beside(folder, ".new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    claim(fresh)
    # Sorting and upper case are the same on every machine, whatever language it speaks.
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
    run(fresh, "initdb", "-D", ".", "-U", "postgres", "--auth=trust", *locale)
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as config:
        config.write(SETTINGS)
    fresh.rename(folder)


def _running(folder: Path) -> bool:
    """Whether a server runs on a data folder; waits for one that is just starting or stopping."""
    until = time.monotonic() + _WAIT_SECONDS
    while (status := _status(folder)) not in ("", "ready"):
        if time.monotonic() > until:
            raise RuntimeError(f"it is still {status or 'at work'} after {_WAIT_SECONDS} seconds")
        time.sleep(0.05)
    return status == "ready"


def _status(folder: Path) -> str:
    """What the server says of itself; "" when there is none.

    A server's working directory is its data folder. So a process that merely got a dead server's number is told
    apart, and so is the server of the home that this one was copied from.
    """
    try:
        lines = (folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    if not lines:
        return "starting"
    try:
        process = psutil.Process(int(lines[0]))
        if process.status() != psutil.STATUS_ZOMBIE and folder.samefile(process.cwd()):
            return lines[7].strip() if len(lines) > 7 else "starting"
    except psutil.NoSuchProcess:
        return ""
    except (psutil.AccessDenied, OSError):
        pass  # another user's process: a server runs as whoever owns its folder
    (folder / "postmaster.pid").unlink(missing_ok=True)  # PostgreSQL would take the other process for a server
    return ""


def _start(folder: Path) -> None:
    claim(folder)
    (folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)  # a dead server's, or copied
    log = folder / "log"
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(folder / "log.1")
    options = f"-k . -p {PORT} -c listen_addresses="
    until = time.monotonic() + _ORPHANS_SECONDS
    while True:
        said = log.stat().st_size if log.exists() else 0
        try:
            run(folder, "pg_ctl", "start", "-D", ".", "-l", "log", "-o", options, "-w", "-t", str(_WAIT_SECONDS))
            return
        except subprocess.CalledProcessError as problem:
            words = _last_words(log, said)
            if "shared memory block" not in words or time.monotonic() > until:
                raise RuntimeError(words or str(problem.stderr).strip()) from problem
        time.sleep(0.2)  # children of a killed server are still leaving


def _last_words(log: Path, since: int) -> str:
    """Why a server gave up, as it says in its log after `since` bytes."""
    with suppress(OSError), log.open("rb") as stream:
        stream.seek(since)
        lines = stream.read().decode(errors="replace").splitlines()
        grave = [line.split("FATAL:")[-1].split("PANIC:")[-1] for line in lines if "FATAL:" in line or "PANIC:" in line]
        return grave[-1].strip() if grave else ""
    return ""


def _short(folder: Path) -> Path:
    """The folder, or another way to it that fits into the address of a socket."""
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _SOCKET_BYTES and "," not in str(folder):
        return folder
    if folder not in _shortcuts:
        _shortcuts[folder] = Path(tempfile.mkdtemp(prefix="junbikin-"))
        (_shortcuts[folder] / "books").symlink_to(folder)
    return _shortcuts[folder] / "books"
