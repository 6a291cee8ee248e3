"""Migrations: tables as queries name them, books of every revision brought to this version, all or nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine

from junbikin.books import migrate as migrating
from junbikin.books import server
from junbikin.books.database import Books, make_books, open_books
from junbikin.books.journal import account_numbers, balance
from junbikin.books.migrate import migrate, revisions
from junbikin.books.problems import given
from junbikin.books.proof.verify import verify
from junbikin.books.saved import heads
from junbikin.books.schema import SCHEMA, metadata
from junbikin.errors import BooksProblem
from junbikin.home import Home, create_home

from .cast import Cast, assembled
from .tampering import rechain, unguarded


def engine_of(address: str) -> Engine:
    """An engine without a pool, that closes what it opened."""
    from sqlalchemy import NullPool

    return create_engine(given(address, "test"), poolclass=NullPool)


def test_the_tables_that_queries_name_are_those_that_migrations_make(home: Home, owner_address: str) -> None:
    with engine_of(owner_address).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True, "compare_type": True, "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                "include_object": lambda _, name, kind, *__: (kind, name) != ("table", "alembic_version"),
            },
        )  # fmt: skip
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("revision", revisions())
def test_books_of_every_revision_come_to_this_version_with_all_that_they_hold(
    revision: str, empty: Home, owner_address: str
) -> None:
    app = given(empty.database, "test").username or ""
    migrate(engine_of(owner_address), app, revision)
    cast = assembled(Books(empty, engine_of(empty.database)))
    cast.pay_in("own/JPY/bank", 500)
    cast.pay_in("reserve/JPY/kaede", 300)
    cast.approved("move", "relocation", {"reserve/JPY/kaede": -200, "reserve/JPY/minato": 200}, reference="r")
    with psycopg.connect(empty.database) as connection:
        before = heads(connection)

    assert make_books(empty, owner_address) == revisions()[-1]

    with open_books(empty) as books, books.driver() as connection:
        assert heads(connection) == before
        later = Cast(books, cast.people)
        later.approved("back", "relocation", {"reserve/JPY/kaede": 50, "reserve/JPY/minato": -50}, reference="r")
        numbers = account_numbers(books, ["own/JPY/bank", "reserve/JPY/kaede", "reserve/JPY/minato"])
        assert [balance(books, number) for number in numbers] == [Decimal(200), Decimal(150), Decimal(150)]
        assert verify(books).difference is None


def test_compensation_paid_before_there_were_plans_stands_as_it_was_and_is_no_plan(
    books: Books, owner: psycopg.Connection
) -> None:
    cast = assembled(books)
    cast.pay_in("reserve/JPY/kaede", 300)
    rule = "'compensation', 'reserve', 'customer', 'held', '{incident_commander}', '{approver}', '{plan}', '', ''"
    with unguarded(owner, "flow_rules", "records", "strands"):
        owner.execute(f"INSERT INTO books.flow_rules VALUES ({rule})".encode())
        owner.execute("SELECT books.note_rules()")
        pays = {"reserve/JPY/kaede": -200, "customer/JPY/pool/c1": 200}
        cast.approved("paid", "compensation", pays, by="cem", plan="of 2018")
        filed = owner.execute("UPDATE books.records SET subject = NULL WHERE kind = 'batch' AND key = 'paid'")
        assert filed.rowcount == 1
        rechain(owner)
        owner.execute("DELETE FROM books.flow_rules WHERE purpose = 'compensation' AND receiver = 'customer'")
        owner.execute("SELECT books.note_rules()")
    assert verify(books).difference is None
    with unguarded(owner, "records", "strands"):
        owner.execute("UPDATE books.records SET subject = 'of 2018' WHERE kind = 'batch' AND key = 'paid'")
        rechain(owner)
    difference = verify(books).difference
    assert difference is not None
    assert difference.kind == "flow"


def test_functions_of_an_earlier_version_are_gone_after_a_migration(
    home: Home, owner: psycopg.Connection, owner_address: str
) -> None:
    owner.execute("CREATE FUNCTION books.post(text) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    owner.execute("DROP FUNCTION books.instant CASCADE")
    owner.execute("CREATE FUNCTION books.instant(timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
    make_books(home, owner_address)
    assert owner.execute("SELECT to_regprocedure('books.post(text)')").fetchone() == (None,)
    with open_books(home) as books:
        assembled(books).pay_in("own/JPY/bank", 1)
        assert verify(books).difference is None


def test_several_processes_make_the_books_of_a_home_at_once(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home")
    program = "import sys; from pathlib import Path; from junbikin.books.database import make_books; from junbikin.home import open_home; print(make_books(open_home(Path(sys.argv[1]))))"
    words = [sys.executable, "-c", program, str(home.path)]
    makers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [maker.communicate(timeout=60)[0].strip() for maker in makers] == [revisions()[-1]] * 3
    with open_books(home) as books, books.driver() as connection:
        assert sum(length for length, _ in heads(connection).values()) == 1  # the rules, recorded once
    server.let_go(home.books)


def test_a_migration_that_is_interrupted_leaves_nothing_and_can_be_run_again(
    empty: Home, owner_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migrating, "_rules", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_books(empty, owner_address)
    with pytest.raises(BooksProblem, match="there are no books in this database"), open_books(empty):
        pass
    with psycopg.connect(owner_address) as connection:
        assert connection.execute("SELECT to_regnamespace('books')").fetchall() == [(None,)]
    assert make_books(empty, owner_address) == revisions()[-1]


def test_an_upgrade_that_fails_leaves_the_older_books_as_they_were(
    empty: Home, owner_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = given(empty.database, "test").username or ""
    migrate(engine_of(owner_address), app, "0001")
    copied = tmp_path / "books"
    shutil.copytree(migrating.HERE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "migrations" / "versions" / "9999_broken.py").write_text(
        f"from alembic import op\nrevision = '9999'\ndown_revision = '{revisions()[-1]}'\n"
        "def upgrade():\n    op.execute('CREATE TABLE books.half (id int)')\n    op.execute('SELECT 1 / 0')\n"
    )
    monkeypatch.setattr(migrating, "HERE", copied)
    with pytest.raises(Exception, match="division by zero"):
        migrate(engine_of(owner_address), app)
    with psycopg.connect(empty.database) as connection:
        assert connection.execute("SELECT version_num FROM books.alembic_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT to_regclass('books.half')").fetchall() == [(None,)]
    monkeypatch.undo()
    assert make_books(empty, owner_address) == revisions()[-1]
