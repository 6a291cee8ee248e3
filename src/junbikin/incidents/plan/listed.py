"""Who is affected by a file of accounts, each row judged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from junbikin.errors import BadInput, SourceRefused
from junbikin.facts.engine import file as one_file
from junbikin.facts.engine import literal
from junbikin.figures import Data, Name
from junbikin.findings import Finding, Severity
from junbikin.incidents.plan.balances import balances
from junbikin.incidents.plan.customers import known_at_all, strangers
from junbikin.incidents.plan.found import QUANTITY, Found, Scene
from junbikin.incidents.plan.rule import ListedIn

_GIVEN = "CREATE OR REPLACE TABLE work.given AS SELECT row_number() OVER () + 1 AS line, {columns} FROM read_csv({file}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', null_padding = false) given"


def listed(scene: Scene, affected: ListedIn, how: str) -> Found:
    """The accounts in the file. Raises `SourceRefused`, naming the first row that is none, `BadInput` when file and rule disagree."""
    file = affected.file
    states = _read(scene.engine, file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if states != (how == "specific"):
        raise BadInput(
            f"the accounts have {'a' if states else 'no'} column quantity, but how = {how!r}",
            where=str(file),
            then='write how = "specific" when the file says who gets how much' if states else "add the column quantity, or share whole or pro rata",
        )  # fmt: skip
    if states:
        name = Name(f"{affected.asset} that the file of accounts states", f"口座一覧に記載の{affected.asset}")
        rows = f"SELECT account_id, quantity::{QUANTITY} AS holding FROM work.given"
        return Found(rows, Data(file.name, "quantity by account", digest), name, _customers(scene, file))
    if affected.at is None:
        raise BadInput(
            "the accounts are named, but not the time at which their balances count", where=str(file),
            then="write at = … under [affected], or add the column quantity to the file",
        )  # fmt: skip
    held = balances(scene.lake, affected.asset, affected.at)
    _all_held(scene.engine, held, affected)
    return Found(
        f"SELECT * FROM ({held.rows}) SEMI JOIN work.given USING (account_id)",
        Data(
            held.source.dataset,
            f"{held.source.query}, of the accounts in {file.name} (sha256 {digest})",
            held.source.digest,
        ),
        Name(f"{held.name.en}, of the accounts named", f"{held.name.ja}（指定口座）"),
        held.findings,
    )


def _customers(scene: Scene, file: Path) -> tuple[Finding, ...]:
    """Raises `SourceRefused` when some of the accounts are no customer's; a warning when no customer is known at all."""
    if not known_at_all(scene):
        return (
            Finding(
                "accounts-unknown",
                Severity.WARNING,
                Name("no balance of any customer is known: nobody can say whether these accounts are customers'", "利用者残高がなく、口座の実在を確認できない"),
                Name("ingest customer_balances", "customer_balances を取り込む"),
            ),
        )  # fmt: skip
    found = strangers(scene, "work.given", "line")
    if found:
        raise SourceRefused(
            f"{found.count:,} of the accounts are no customer's, who never had a balance of anything; the first is {found.first}", where=str(file),
            then="correct the accounts, or ingest the balances that have them",
        )  # fmt: skip
    return ()


def _all_held(engine: duckdb.DuckDBPyConnection, held: Found, affected: ListedIn) -> None:
    without = engine.execute(
        f"SELECT line, account_id FROM work.given ANTI JOIN ({held.rows}) USING (account_id) ORDER BY line LIMIT 1"
    ).fetchall()
    for line, account in without:
        raise SourceRefused(
            f"{account} held no {affected.asset} then", where=f"{affected.file}, row {line}",
            then="correct the account, or leave it out",
        )  # fmt: skip


def _read(engine: duckdb.DuckDBPyConnection, file: Path) -> bool:
    """Reads the file, row by row judged; gives whether it states quantities."""
    then = "write a CSV file with the column account_id, and quantity when it says who gets how much"
    if not file.is_file():
        raise SourceRefused("there is no such file", where=str(file), then=then)
    try:
        engine.execute(_GIVEN.format(columns="COLUMNS(*)", file=one_file(str(file))))
    except duckdb.Error as problem:
        raise SourceRefused(
            f"this cannot be read: {str(problem).splitlines()[0]}", where=str(file), then=then
        ) from None
    columns = [row[0] for row in engine.execute("DESCRIBE work.given").fetchall()][1:]
    if columns not in (["account_id"], ["account_id", "quantity"]):
        raise SourceRefused(f"its columns are {', '.join(columns)}", where=str(file), then=then)
    states = len(columns) == 2
    number = r"regexp_full_match(quantity, '[0-9]{1,20}([.][0-9]{1,18})?') IS NOT TRUE OR regexp_full_match(quantity, '[0.]+')"
    faults = {
        "there is no account": ("coalesce(account_id, '') = ''", "write the account, or take the row out"),
        "spaces stand around the account": ("account_id <> trim(account_id)", "take the spaces out"),
        "the account stands here more than once": ("count(*) OVER (PARTITION BY account_id) > 1", "let each account stand in one row"),
    }  # fmt: skip
    if states:
        faults["the quantity is no plain number above 0"] = (number, "write digits, such as 0.25")
    cases = " ".join(f"WHEN {fault} THEN {literal(why)}" for why, (fault, _) in faults.items())
    wrong = engine.execute(
        f"SELECT line, account_id, why FROM (SELECT *, CASE {cases} END AS why FROM work.given) WHERE why IS NOT NULL ORDER BY line LIMIT 1"
    ).fetchall()
    for line, account, why in wrong:
        raise SourceRefused(f"{why}: {account or '(none)'}", where=f"{file}, row {line}", then=faults[why][1])
    return states
