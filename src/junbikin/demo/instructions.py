"""Where customers want to be paid: most say it well, some wrongly or not at all, and some of those correct it later.

Banks and branches are real codes, so that files can be made; names and account numbers are invented.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from junbikin.demo.noise import Noise
from junbikin.demo.tables import make_table, write_file
from junbikin.demo.trades import ACCOUNTS, FIRST_ACCOUNT

BRANCHES = (
    ("0001", "001"), ("0001", "004"), ("0001", "013"), ("0005", "001"), ("0005", "003"), ("0005", "006"), ("0009", "001"),
    ("0009", "008"), ("0009", "012"), ("0010", "005"), ("0010", "045"), ("0017", "256"), ("0033", "001"), ("0033", "002"),
    ("0034", "100"), ("0036", "201"), ("0036", "204"), ("0038", "101"), ("0040", "003"), ("0116", "102"), ("0124", "103"),
    ("0130", "006"), ("0138", "305"), ("0149", "112"), ("0158", "111"), ("0169", "004"), ("0177", "008"), ("0188", "102"),
    ("0310", "101"), ("9900", "018"),
)  # fmt: skip
NO_BRANCH = "999"
"""No bank of the list has a branch of this code."""
NO_BANK = "8999"

SURNAMES = (
    "アオゾラ", "カエデ", "ミナト", "ホシカワ", "ツバメ", "ナミキ", "タチバナ", "カモメ", "スズカゼ", "シラユキ", "アサヒナ", "フジサワ", "コマツ",
    "ハギワラ", "ユキムラ", "ワカバヤシ", "ぎんじょう", "ｻｸﾗﾊﾞ", "もりやま", "ﾐﾔｼﾞﾏ",
)  # fmt: skip
GIVEN_NAMES = (
    "ハルカ", "ミツキ", "ケンタ", "リョウ", "ユウコ", "ジュン", "サチ", "トオル", "ナギ", "アキラ", "カズハ", "ヒロシ", "マドカ", "ポーラ", "シュウヘイ",
    "ほのか", "ﾀｹｼ", "まなぶ", "ﾕｶﾘ", "ソウスケ",
)  # fmt: skip
KANJI = ("青空　遥", "楓　光希", "港　健太", "星川　涼", "燕　優子")
"""No transfer can have these."""

# Of 1,000 accounts, how many say nothing at all, and what is wrong with what others say.
SILENT = 14
FAULTS = {"branch": 5, "bank": 1, "number": 4, "name": 6}
ELSEWHERE = 40
"""Of 1,000 accounts, how many want yen on their account here."""
CORRECTED = 650
"""Of 1,000 that cannot be paid, how many say it anew later."""

# Of 1,000 holders of bitcoin, how many want coins at an address of their own, and how many say nothing.
TO_ADDRESS, SILENT_ON_COINS = 150, 20


def write_instructions(engine: duckdb.DuckDBPyConnection, noise: Noise, folder: Path, later: Path) -> Path:
    """Writes what customers asked for until the day, and `later` what some of them correct after it; returns the first file.

    Needs the table `balances`.
    """
    _names(engine)
    engine.execute(f"""
    CREATE OR REPLACE TABLE asked AS
    WITH drawn AS (
        SELECT account, {noise.draw("instruction", "account", 1000)} AS fate,
            {noise.draw("way", "account", 1000)} < {ELSEWHERE} AS here, {noise.draw("corrected", "account", 1000)} < {CORRECTED} AS corrects,
            {noise.draw("branch", "account", len(BRANCHES))} AS branch, {noise.draw("payee", "account", len(SURNAMES) * len(GIVEN_NAMES))} AS name,
            {noise.draw("kanji", "account", len(KANJI))} AS kanji, 1000000 + {noise.draw("number", "account", 8_999_999)} AS number,
            {noise.draw("given", "account", 10 * 86_400)} AS second
        FROM range({FIRST_ACCOUNT}, {FIRST_ACCOUNT + ACCOUNTS}) AS accounts(account)
    )
    SELECT *, CASE {_fates()} ELSE 'sound' END AS fault FROM drawn
    """)
    first = write_file(engine, f"{_bank(wrong=True)} UNION ALL {_coins(noise)} ORDER BY account_id, asset", folder / "payout-instructions.csv")  # fmt: skip
    write_file(engine, f"{_bank(wrong=False)} ORDER BY account_id", later)
    return first


def _names(engine: duckdb.DuckDBPyConnection) -> None:
    make_table(engine, "branches", {"branch": "BIGINT", "bank_code": "VARCHAR", "branch_code": "VARCHAR"}, [
        (place, *codes) for place, codes in enumerate(BRANCHES)
    ])  # fmt: skip
    names = [f"{surname}　{given}" for surname in SURNAMES for given in GIVEN_NAMES]
    make_table(engine, "names", {"name": "BIGINT", "payee": "VARCHAR"}, list(enumerate(names)))
    make_table(engine, "in_kanji", {"kanji": "BIGINT", "unwritable": "VARCHAR"}, list(enumerate(KANJI)))


def _fates() -> str:
    cases, until = [f"WHEN fate < {SILENT} THEN 'silent'"], SILENT
    for fault, thousandths in FAULTS.items():
        until += thousandths
        cases.append(f"WHEN fate < {until} THEN '{fault}'")
    return " ".join(cases)


def _bank(*, wrong: bool) -> str:
    """Instructions for yen: with their faults, or those of the customers who correct them two days after the day."""
    first = "epoch(TIMESTAMP '2026-03-16 00:00:00')" if wrong else "epoch(TIMESTAMP '2026-04-02 09:00:00')"
    when = "fault <> 'silent'" if wrong else "fault <> 'sound' AND corrects"
    fault = "fault" if wrong else "'sound'"
    here = f"here AND {fault} = 'sound'"
    return f"""
    SELECT account AS account_id,
        strftime(make_timestamp(CAST(({first} + second {"" if wrong else "% 28800"}) * 1000000 AS BIGINT)), '%Y-%m-%dT%H:%M:%S+09:00') AS given_at,
        if({here}, 'account', 'bank') AS channel,
        if({here}, NULL, if({fault} = 'bank', '{NO_BANK}', bank_code)) AS bank_code,
        if({here}, NULL, if({fault} = 'branch', '{NO_BRANCH}', branch_code)) AS branch_code,
        if({here}, NULL, '1') AS account_type,
        if({here}, NULL, CAST(if({fault} = 'number', number * 10 + 7, number) AS VARCHAR)) AS account_number,
        if({here}, NULL, if({fault} = 'name', unwritable, payee)) AS payee,
        CAST(NULL AS VARCHAR) AS asset, CAST(NULL AS VARCHAR) AS network, CAST(NULL AS VARCHAR) AS address
    FROM asked JOIN branches USING (branch) JOIN names USING (name) JOIN in_kanji USING (kanji) WHERE {when}
    """


def _coins(noise: Noise) -> str:
    """Instructions for bitcoin: most want it on their account here, some at an address, which is invented and nobody's."""
    return f"""
    SELECT account, strftime(make_timestamp(CAST((epoch(TIMESTAMP '2026-03-16 00:01:00') + second) * 1000000 AS BIGINT)), '%Y-%m-%dT%H:%M:%S+09:00'),
        if(choice < {TO_ADDRESS}, 'address', 'account'), NULL, NULL, NULL, NULL, NULL, 'BTC',
        if(choice < {TO_ADDRESS}, 'bitcoin', NULL), if(choice < {TO_ADDRESS}, 'bc1qinvented' || lpad(CAST(account AS VARCHAR), 30, '0'), NULL)
    FROM (SELECT account, second, {noise.draw("coins", "account", 1000)} AS choice FROM asked)
    WHERE account IN (SELECT account FROM balances WHERE asset = 'BTC') AND choice < {1000 - SILENT_ON_COINS}
    """
