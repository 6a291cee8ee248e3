"""People at work with commands on books that all of them share: Ada asks, Ben approves, Cem commands incidents, Dai audits."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from books.servers import APP, OWNER, Server
from junbikin.books import server
from junbikin.errors import JunbikinError

from .runs import as_json, refused, said

ROLES = {"ada": "reserve_officer", "ben": "approver", "cem": "incident_commander", "dai": "auditor"}
ACCOUNTS = [
    "outside/JPY/world", "own/JPY/bank", "customer/JPY/pool/c1", "customer/JPY/pool/c2", "reserve/JPY/kaede", "reserve/JPY/minato",
]  # fmt: skip
PLACE = ["name=Trust", "kind=deposit", "dedicated=yes", "on_trust=yes", "jurisdiction=JP", "realisable_days=1"]


def secret(name: str) -> str:
    """The password of a person."""
    return f"four words by {name}"


@dataclass(frozen=True)
class Office:
    """A home whose books have everyone and every account above."""

    home: Path

    def says(self, name: str, *words: str | Path, code: int = 0) -> str:
        """What a command prints when a person acts; "" for nobody."""
        return said(*words, home=self.home, code=code, env=self._person(name))

    def json(self, name: str, *words: str | Path, code: int = 0) -> Any:
        """The same as JSON."""
        return as_json(self.says(name, *words, "--json", code=code))

    def refuses(self, name: str, *words: str | Path) -> JunbikinError:
        """The refusal of a command when a person acts."""
        return refused(*words, home=self.home, env=self._person(name))

    def approved(self, name: str, *words: str | Path) -> Any:
        """What came of a request that a person makes and Ben approves."""
        number = self.json(name, *words)["request"]
        return self.json("ben", "request", "approve", str(number), "--why", "looks right")["record"]

    def balance(self, account: str, *words: str) -> str:
        """What an account holds, as a string."""
        amount: str = self.json("", "books", "balance", account, *words)["balance"]
        return amount

    def deposit(self, amount: str, reference: str, *words: str) -> Any:
        """Customer c1 brings money in. Returns the record."""
        return self.json("ada", *pays("deposit", "outside/JPY/world", "customer/JPY/pool/c1", amount), "--reference", reference, *words)["record"]  # fmt: skip

    @staticmethod
    def _person(name: str) -> dict[str, str]:
        return {"JUNBIKIN_PERSON": name, "JUNBIKIN_PASSWORD": secret(name)} if name else {"JUNBIKIN_PERSON": ""}


def pays(purpose: str, payer: str, receiver: str, amount: str) -> list[str]:
    """The words of a command that posts one payment."""
    return ["books", "post", purpose, "--from", payer, "--to", receiver, "--amount", amount]


@dataclass(frozen=True)
class Databases:
    """A server on which every test has a database of its own; `address(role, database)` is where a role finds it."""

    address: Callable[[str, str], str]
    maker: str
    books_owner: str
    application: str

    def new(self, template: str = "template1") -> str:
        """The name of a new database, a copy of another."""
        name = "t" + uuid.uuid4().hex
        with psycopg.connect(self.address(self.maker, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {self.books_owner} TEMPLATE {template}".encode())
        return name

    def owner(self, database: str) -> str:
        """The address at which the books' owner finds a database."""
        return self.address(self.books_owner, database)

    def home(self, folder: Path, database: str) -> Path:
        """A new home that uses a database with least rights."""
        said("init", folder, "--operator", "Example")
        config = folder / "junbikin.toml"
        address = self.address(self.application, database)
        config.write_text(config.read_text().replace('database = "own"', f'database = "{address}"'))
        return folder


def on_socket(socket: Path) -> Databases:
    """Databases of a server as homes run it."""
    return Databases(
        lambda role, name: f"postgresql://{role}@/{name}?host={socket}", "postgres", "postgres", server.ROLE
    )


def over_tcp(tcp: Server) -> Databases:
    """Databases of a server over TCP, where every role has a password."""
    return Databases(tcp.address, "postgres", OWNER, APP)


def founded(folder: Path, databases: Databases, database: str) -> Office:
    """Makes the books in a database with everyone and every account, by commands alone."""
    office = Office(databases.home(folder, database))
    said("books", "migrate", "--owner", databases.owner(database), home=office.home)
    for name, role in ROLES.items():
        words = ["people", "add", name, "--role", role, "--json"]
        given = {"JUNBIKIN_NEW_PASSWORD": secret(name), "JUNBIKIN_PERSON": "ada", "JUNBIKIN_PASSWORD": secret("ada")}
        added = as_json(said(*words, home=office.home, env=given))
        if "request" in added:
            office.says("ben", "request", "approve", str(added["request"]), "--why", "known")
    for place in ("kaede", "minato"):
        office.approved("ada", "registry", "set", "place", place, *PLACE, "--why", "contract")
    office.says("ada", "books", "open", *ACCOUNTS, "--why", "needed")
    return office
