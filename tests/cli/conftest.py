"""Homes that the tests of commands share; those that change one copy it first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from books.servers import tcp_server
from junbikin.books import server
from junbikin.registry import people

from .office import Databases, Office, founded, on_socket, over_tcp
from .runs import csv, said

QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
"""Argon2 at its least cost: tests make many people."""
DAY = "2025-03-31"
CAUSES = "hack|unauthorised_outflow|fraud|system_failure"
BUSINESS = {
    "trades": [f"t-1,{DAY}T10:00:00+09:00,BTC,JPY,buy,10000000,2,spot_venue"],
    "customer_balances": [f"{DAY},ada,BTC,6", f"{DAY},ben,BTC,4"],
    "holdings": [f"{DAY},vault,BTC,9.6,customer,cold", f"{DAY},online,BTC,0.4,customer,hot"],
    "prices": [f"BTC,JPY,{DAY}T09:00:00+09:00,10000000,ours"],
    "reserve_assets": [
        f"{DAY},cash,deposit,JPY,50000000.5,bank-a,true,true,JP,1",
        f"{DAY},lent,deposit,JPY,7000,bank-b,false,true,JP,1",
    ],
    "policies": [f"{DAY},p-1,insurer,2024-03-01,2024-04-01,2026-03-31,{CAUSES},hot|cold,9000000,1000000"],
}


@pytest.fixture(scope="session")
def business(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small whole business. Its operator's name would be markup if it were not escaped."""
    folder = tmp_path_factory.mktemp("cli")
    home = folder / "home"
    said("init", home, "--operator", "Example [red] 取引所")
    for dataset, rows in BUSINESS.items():
        said("ingest", dataset, csv(folder, dataset, *rows), home=home)
    return home


@pytest.fixture(scope="session")
def _assessed(business: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("assessed") / "home"
    shutil.copytree(business, home)
    said("assess", "--as-of", DAY, home=home)
    return home


@pytest.fixture
def assessed(_assessed: Path, tmp_path: Path) -> Path:
    """A copy of the business, assessed under every shipped rulebook: what was assessed last is the test's own."""
    shutil.copytree(_assessed, tmp_path / "assessed")
    return tmp_path / "assessed"


@pytest.fixture
def copied(business: Path, tmp_path: Path) -> Path:
    """A copy of the business to change."""
    shutil.copytree(business, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture(scope="session", params=["own", "tcp"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """For all tests of commands on books: a server as homes run it, and another version over TCP with passwords."""
    folder = tmp_path_factory.mktemp("pg") / request.param
    if request.param == "tcp":
        with tcp_server(folder) as tcp:
            yield over_tcp(tcp)
        return
    found = on_socket(server.start(folder))
    with psycopg.connect(found.owner("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {server.ROLE} LOGIN".encode())
    yield found


@pytest.fixture(scope="session")
def _founded(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    database = databases.new()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_COST", QUICK)
        founded(tmp_path_factory.mktemp("founded") / "home", databases, database)
    return database


@pytest.fixture
def office(databases: Databases, _founded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A home with books of its own, on which everyone can act at once."""
    monkeypatch.setattr(people, "_COST", QUICK)
    return Office(databases.home(tmp_path / "home", databases.new(_founded)))
