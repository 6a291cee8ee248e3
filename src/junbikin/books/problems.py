"""What keeps the books from working, in words for people: what is wrong, where, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from junbikin.errors import BooksDamaged, BooksProblem, BooksRefused, JunbikinError
from junbikin.home import Home

OWN = "own"
"""The value of the setting `database` for which the home runs its own server."""

_AGAIN = "run the same command again: the same key posts nothing twice"
_SETUP = "see “The books' database” in docs/home.md"

_UNREACHED = (
    (r"password authentication failed", "the database refuses this role or its password", "correct the address, PGPASSWORD or ~/.pgpass"),
    (r"no password supplied", "the database asks for a password", "set PGPASSWORD, add a line to ~/.pgpass, or write it into the address"),
    (r"database .* does not exist", "the server has no database of this name", f"correct the name, or let the server's administrator make it; {_SETUP}"),
    (r"role .* does not exist", "the server has no role of this name", f"correct the name, or let the server's administrator make it; {_SETUP}"),
    (r"permission denied for database", "this role may not connect to this database", f"let its owner GRANT CONNECT; {_SETUP}"),
    (r"no pg_hba\.conf entry", "the server does not let this role in from here", "let its administrator add a line to pg_hba.conf"),
    (r"starting up|shutting down|recovery mode|not yet accepting", "the database is starting or stopping", "wait a moment, then run the same command again"),
    (r"too many (clients|connections)|connection slots", "the server has no connection left", "wait, or let its administrator raise max_connections"),
    (r"resolve host|translate host", "there is no such host", "correct the host in the address"),
    (r"refused|No such file|timeout|timed out|unreachable|No route", "no database server answers", "see that it runs, and that host and port are right"),
)  # fmt: skip
"""What a server, or the way to it, says before there is a connection: then there are words, and no code."""

_PROBLEMS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (errors.DiskFull, "the disk of the database is full; nothing was half done", f"free space, then {_AGAIN}"),
    (errors.InsufficientPrivilege, "this role may not do that", f"the application uses the functions of the books; for what the owner must do once, {_SETUP}"),
    (errors.AdminShutdown, "the database was shut down meanwhile; nothing was half done", f"start it, then {_AGAIN}"),
    (errors.CrashShutdown, "the database failed meanwhile; nothing was half done", _AGAIN),
    (errors.IdleInTransactionSessionTimeout, "the database ended the connection; nothing was half done", _AGAIN),
    (errors.CannotConnectNow, "the database is starting or stopping", "wait a moment, then run the same command again"),
    (errors.UniqueViolation, "someone recorded the same key at the same time", "run the same command again: it says what became of it"),
    (errors.ReadOnlySqlTransaction, "this database is a copy that is only read", "name the first server in the address"),
    (errors.DataCorrupted, "files of the database are damaged", "keep them as they are, and restore a backup elsewhere"),
    (errors.IndexCorrupted, "files of the database are damaged", "keep them as they are, and restore a backup elsewhere"),
)  # fmt: skip

_PASSING = ("40", "53", "55", "57")
"""Classes of SQLSTATE for what passes: conflicts, resources, locks, an operator's hand."""


_FAILING = ("58", "F0", "XX")
"""Classes of SQLSTATE for what breaks beneath it: files, settings, itself."""


def given(address: str, where: str) -> URL:
    """The address of a database that a person gave. Raises `BooksProblem` on one that is none, or names no role."""
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as problem:
        raise BooksProblem(
            "this is no address of a database", where=where, then='write "postgresql://role@host:port/name"'
        ) from problem
    if not url.username or not url.database:
        raise BooksProblem(
            "the address names no role or no database", where=where, then='write "postgresql://role@host:port/name"'
        )
    return url


def shown(url: URL) -> str:
    """An address without its password."""
    return url.set(drivername="postgresql").difference_update_query(["password"]).render_as_string(hide_password=True)


def place(home: Home) -> str:
    """Where a home's books are."""
    return str(home.books) if home.database == OWN else shown(given(home.database, "the setting database"))


@contextmanager
def telling(home: Home, where: str = "") -> Iterator[None]:
    """Turns what the database says into words for people: its refusals, and what keeps it from working."""
    try:
        yield
    except DBAPIError as problem:
        if isinstance(problem.orig, psycopg.Error):
            raise told(problem.orig, where or place(home)) from problem
        raise
    except psycopg.Error as problem:
        raise told(problem, where or place(home)) from problem


def told(problem: psycopg.Error, where: str) -> JunbikinError:
    """The error in our words."""
    diag = problem.diag
    said = diag.message_primary or ""
    if isinstance(problem, psycopg.OperationalError) and diag.sqlstate is None:
        return _unreached(" ".join(str(problem).split()), where)
    if diag.sqlstate is None:  # the driver's own
        return JunbikinError(
            f"the database's driver does not understand us: {problem}", where=where, then="please report this"
        )
    if diag.sqlstate == "JB001":
        return BooksRefused(said, where=diag.message_detail or "", then=diag.message_hint or "see the documentation")
    for kind, what, then in _PROBLEMS:
        if isinstance(problem, kind):
            error = BooksDamaged if diag.sqlstate in ("XX001", "XX002") else BooksProblem
            return error(f"{what} ({said})", where=where, then=then)
    if diag.sqlstate.startswith(_PASSING):
        return BooksProblem(f"the database gave up, and nothing was half done: {said}", where=where, then=_AGAIN)
    if diag.sqlstate.startswith(_FAILING):
        return BooksProblem(
            f"the database failed by itself: {said}; nothing was half done",
            where=where,
            then=f"mend what it names, then {_AGAIN}",
        )
    if diag.sqlstate.startswith("42"):  # a statement of ours that it does not understand
        return JunbikinError(f"the database does not understand us: {said}", where=where, then="please report this")
    return BooksRefused(f"the database refuses: {said}", where=where, then="correct what it names")


def _unreached(said: str, where: str) -> BooksProblem:
    """There is no connection (any more), so that only words tell why; they may be in any language."""
    before = re.match(
        r"connection failed|connection timeout|failed to resolve|multiple connection", said, re.IGNORECASE
    )
    if not before:
        return BooksProblem(
            f"the connection to the database was lost; whether the last of it was done is not known ({said})",
            where=where, then=f"see that the database runs, then {_AGAIN}",
        )  # fmt: skip
    reason = said.removeprefix("connection failed: ")
    for pattern, what, then in _UNREACHED:
        if re.search(pattern, said):
            return BooksProblem(f"{what} ({reason})", where=where, then=then)
    return BooksProblem(f"the database cannot be reached ({reason})", where=where, then="correct what it names")
