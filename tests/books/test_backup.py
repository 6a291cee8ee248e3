"""Backup and restore: the same books elsewhere, on the other kind of server, and nothing from a file that is not whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from junbikin.books.backup import backup, restore
from junbikin.books.database import Books, has_books, make_books, open_books
from junbikin.books.journal import account_numbers, balance
from junbikin.books.migrate import migrate, revisions
from junbikin.books.problems import given
from junbikin.books.proof.verify import verify
from junbikin.books.saved import TABLES, heads
from junbikin.books.schema import metadata
from junbikin.errors import BooksDamaged, BooksProblem, BooksRefused
from junbikin.home import Home, create_home

from .cast import Cast, assembled
from .conftest import with_database
from .servers import APP, OWNER, Server
from .test_migrations import engine_of


def busy(books: Books) -> Cast:
    """Books with people, places, an approval, the smallest amount, and what COPY must escape."""
    cast = assembled(books)
    cast.pay_in("own/JPY/bank", "500.000000000000000001")
    cast.pay_in("reserve/JPY/kaede", 300)
    cast.approved("move", "relocation", {"reserve/JPY/kaede": -200, "reserve/JPY/minato": 200}, reference="r")
    cast.pay_in("customer/JPY/pool/c1", 5, key="鍵 \\N \\x")
    return cast


def ends(books: Books) -> dict[str, tuple[int, str]]:
    with books.driver() as connection:
        return heads(connection)


def balances(books: Books) -> dict[str, Decimal]:
    with books.driver() as connection:
        return dict(connection.execute("SELECT code, books.balance(id) FROM books.accounts").fetchall())


@pytest.fixture
def file(books: Books, tmp_path: Path) -> Path:
    """A backup of busy books."""
    busy(books)
    backup(books, tmp_path / "books.backup")
    return tmp_path / "books.backup"


@pytest.fixture
def elsewhere(empty: Home, over_tcp: Server, tmp_path: Path) -> tuple[Home, str]:
    """A home without books on the other kind of server, and its owner's address."""
    fresh = create_home(tmp_path / "elsewhere", "Example")
    if APP in empty.database:
        return fresh, ""
    name = f"r{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    over_tcp.new_database(name)
    return with_database(fresh, over_tcp.address(APP, name)), over_tcp.address(OWNER, name)


def test_a_backup_restored_elsewhere_has_the_same_heads_and_balances_and_goes_on(
    books: Books, elsewhere: tuple[Home, str], tmp_path: Path
) -> None:
    cast = busy(books)
    home, owner = elsewhere
    told: list[float] = []
    manifest = backup(books, tmp_path / "b", lambda _, share: told.append(share))
    assert restore(home, tmp_path / "b", owner, lambda _, share: told.append(share)) == manifest
    assert told[-1] == 1.0
    assert (manifest.operator, manifest.revision) == ("Example", revisions()[-1])
    with open_books(home) as restored:
        assert ends(restored) == ends(books) == manifest.heads
        assert balances(restored) == balances(books)
        assert verify(restored).difference is None
        later = Cast(restored, cast.people)
        first = later.pay_in("customer/JPY/pool/c2", 8)
        assert later.pay_in("customer/JPY/pool/c2", 8) == first
        later.books.call(
            "open_accounts", later.ada.name, later.ada.secret, "more",
            json.dumps([{"owner": "customer", "asset": "JPY", "place": "pool", "holder": "c3"}]),
        )  # fmt: skip
        assert verify(restored).difference is None
        with pytest.raises(BooksRefused, match="holds 8 JPY, 9 is asked for"):
            later.post("w", "withdrawal", {"customer/JPY/pool/c2": -9, "outside/JPY/world": 9}, reference="r")


def test_a_backup_is_of_one_instant_while_others_post(
    books: Books, elsewhere: tuple[Home, str], tmp_path: Path
) -> None:
    cast = busy(books)
    before = ends(books)

    def deposit(what: str, _: float) -> None:
        cast.pay_in("customer/JPY/pool/c1", 1, key=what)

    backup(books, tmp_path / "b", deposit)
    assert ends(books) != before
    home, owner = elsewhere
    assert restore(home, tmp_path / "b", owner).heads == before
    with open_books(home) as restored:
        assert ends(restored) == before
        assert verify(restored).difference is None


def test_a_backup_holds_every_table_that_is_no_rule() -> None:
    assert {*TABLES, "flow_rules", "actions", "owners"} == {table.name for table in metadata.tables.values()}


def test_a_backup_replaces_no_file_and_leaves_none_when_it_fails(books: Books, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(BooksProblem, match="there is a file of this name already"):
        backup(books, there)
    assert there.read_text() == "mine"
    with pytest.raises(BooksProblem, match="cannot be written: No such file or directory"):
        backup(books, tmp_path / "nowhere" / "b")

    def interrupt(_: str, __: float) -> None:
        raise KeyboardInterrupt

    before = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        backup(books, tmp_path / "b", interrupt)
    assert set(tmp_path.iterdir()) == before


def test_a_backup_can_be_read_by_its_owner_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_restoring_over_books_is_refused_and_leaves_them(books: Books, owner_address: str, file: Path) -> None:
    before = ends(books)
    with pytest.raises(BooksProblem, match="there are books here already"):
        restore(books.home, file, owner_address)
    assert ends(books) == before


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """The zip with other contents, well formed."""
    with zipfile.ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)


def in_manifest(parts: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> None:
    says = json.loads(parts["manifest.json"])
    change(says)
    parts["manifest.json"] = json.dumps(says).encode()


def with_digests(parts: dict[str, bytes]) -> None:
    """The manifest says of the parts what they are now."""

    def correct(says: dict[str, Any]) -> None:
        for part in says["parts"]:
            content = parts[part["table"] + ".copy"]
            part |= {
                "sha256": hashlib.sha256(content).hexdigest(),
                "rows": content.count(b"\n"),
                "size_bytes": len(content),
            }

    in_manifest(parts, correct)


def without_last_row(parts: dict[str, bytes]) -> None:
    parts["records.copy"] = parts["records.copy"][: parts["records.copy"][:-1].rindex(b"\n") + 1]
    with_digests(parts)


def with_a_broken_row(parts: dict[str, bytes]) -> None:
    parts["balances.copy"] += b"no number\n"
    with_digests(parts)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda f: f.write_bytes(f.read_bytes()[:-1000]),
    "a byte changed": lambda f: f.write_bytes(f.read_bytes()[:300] + bytes([f.read_bytes()[300] ^ 1]) + f.read_bytes()[301:]),
    "an amount changed": lambda f: rewritten(f, lambda p: p.update({"balances.copy": p["balances.copy"].replace(b"300", b"301")})),
    "a record taken out": lambda f: rewritten(f, without_last_row),
    "a row that is none": lambda f: rewritten(f, with_a_broken_row),
    "a part missing": lambda f: rewritten(f, lambda p: p.pop("accounts.copy")),
    "no manifest": lambda f: rewritten(f, lambda p: p.pop("manifest.json")),
    "another format": lambda f: rewritten(f, lambda p: in_manifest(p, lambda m: m.update(format="other-1"))),
    "another head": lambda f: rewritten(f, lambda p: in_manifest(p, lambda m: m["heads"].update({"0": [1, "00"]}))),
    "another table": lambda f: rewritten(f, lambda p: in_manifest(p, lambda m: m["parts"][0].update(table="owners"))),
    "a manifest that is a list": lambda f: rewritten(f, lambda p: p.update({"manifest.json": b"[]"})),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("empty", ["own"], indirect=True)
def test_a_file_that_is_not_what_was_written_restores_nothing(
    case: str, file: Path, over_tcp: Server, tmp_path: Path
) -> None:
    DAMAGE[case](file)
    name = f"d{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    over_tcp.new_database(name)
    home = with_database(create_home(tmp_path / "other"), over_tcp.address(APP, name))
    with pytest.raises(
        BooksDamaged, match=r"cut short, altered or no backup.*\n.*books.backup\n.*nothing was restored"
    ):
        restore(home, file, over_tcp.address(OWNER, name))
    with psycopg.connect(over_tcp.address(OWNER, name)) as connection:
        assert connection.execute("SELECT to_regnamespace('books')").fetchall() == [(None,)]


@pytest.mark.parametrize("empty", ["tcp"], indirect=True)
def test_a_home_is_without_books_again_when_restoring_into_it_failed(file: Path, tmp_path: Path) -> None:
    whole = shutil.copy(file, tmp_path / "whole")
    rewritten(file, without_last_row)
    home = create_home(tmp_path / "other")
    with pytest.raises(BooksDamaged):
        restore(home, file)
    assert not has_books(home)
    restore(home, Path(whole))
    with open_books(home) as books:
        assert verify(books).difference is None


def test_a_foreign_or_missing_file_is_said_to_be_no_backup(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home")
    (tmp_path / "text").write_text("PK is how a zip begins, and this is none")
    with pytest.raises(BooksProblem, match="this file is no backup of books"):
        restore(home, tmp_path / "text")
    with pytest.raises(BooksProblem, match="cannot be read: No such file or directory"):
        restore(home, tmp_path / "nothing")
    assert not has_books(home)


@pytest.mark.parametrize("empty", ["own"], indirect=True)
def test_a_backup_of_a_newer_version_says_what_can_read_it(file: Path, tmp_path: Path) -> None:
    rewritten(file, lambda parts: in_manifest(parts, lambda says: says.update(revision="9999")))
    with pytest.raises(BooksProblem, match=r"of a newer version \(9999\).*\n.*\n.*the junbikin that made it"):
        restore(create_home(tmp_path / "other"), file)


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_a_backup_of_an_older_version_is_brought_to_this_one(
    revision: str, empty: Home, owner_address: str, elsewhere: tuple[Home, str], tmp_path: Path
) -> None:
    migrate(engine_of(owner_address), given(empty.database, "test").username or "", revision)
    older = Books(empty, engine_of(empty.database))
    cast = busy(older)
    manifest = backup(older, tmp_path / "b")
    assert manifest.revision == revision
    home, owner = elsewhere
    restore(home, tmp_path / "b", owner)
    with open_books(home) as books:
        assert ends(books) == manifest.heads
        Cast(books, cast.people).pay_in("own/JPY/bank", 1)
        [bank] = account_numbers(books, ["own/JPY/bank"])
        assert balance(books, bank) == Decimal("201.000000000000000001")
        assert verify(books).difference is None
    assert make_books(home, owner) == revisions()[-1]
