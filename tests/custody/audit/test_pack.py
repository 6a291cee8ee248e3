"""A pack as it is handed over: everything that is there is in it and agrees, and what is not there is named."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from junbikin.calendars import Period
from junbikin.custody.audit.check import books as check_books
from junbikin.custody.audit.check.result import Checked, Outcome
from junbikin.custody.audit.check.run import CHECKS, check, differing
from junbikin.custody.audit.index import Sampling
from junbikin.custody.audit.pack import Order, pack
from junbikin.custody.audit.period import period_of
from junbikin.custody.audit.records import OF_DAYS, Standing, on_record, standing
from junbikin.errors import BadInput, FactsDamaged, PositionProblem
from junbikin.home import Home, create_home, open_home
from junbikin.reports.audit_page import page_of

from .exchange import ENDED, OPERATOR, PERIOD, SAMPLING, STANDING, Exchange
from .forging import digest_of, index_of


def outcomes(found: Iterable[Checked]) -> dict[str, Outcome]:
    """Check → how it ended."""
    return {checked.what.en: checked.outcome for checked in found}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_everything_agrees_but_what_only_more_could_show(pack: Path, whole: Path, exchange: Exchange) -> None:
    made = outcomes(check(pack, exchange.signer))
    cannot = {name for name, outcome in made.items() if outcome is Outcome.UNCHECKED}
    assert Outcome.DIFFERS not in made.values()
    always = {"checkpoints that you kept", "sample of customers"}
    assert cannot == always | {"records: how they follow each other", "sample of postings"}
    of_whole = outcomes(check(whole, exchange.signer))
    assert {name for name, outcome in of_whole.items() if outcome is not Outcome.AGREES} == always


def test_every_part_that_is_missing_is_told_and_nothing_else(pack: Path, whole: Path) -> None:
    assert [part["part"] for part in index_of(pack)["missing"]] == ["books: every other record"]
    assert [part["part"] for part in index_of(whole)["missing"]] == []


def test_the_days_of_the_period_are_told_with_their_documents(pack: Path) -> None:
    days = index_of(pack)["days"]
    assert [day["day"] for day in days] == ["2026-04-01", "2026-04-02", "2026-04-03"]
    for day in days:
        assert [(one["kind"], one["rulebook"]) for one in day["documents"]] == [
            ("custody", "jp-psa"),
            ("position", "jp-reserve-candidate"),
        ]
        assert all(one["record"] is not None for one in day["documents"])


def slow_breaks(pack: Path) -> Iterator[tuple[str, str, str, str, str, str]]:
    """(id, since, state, last seen, gone on, explained by), worked line by line from lists and records."""
    records = rows(pack / "books/records.csv")
    lists = []
    for record in (record for record in records if record["kind"] == "reconciliation"):
        says = json.loads(record["content"])
        lists.append((says["as_of"], rows(pack / "reconciliations" / f"{says['as_of']}-{says['list'][:16]}.csv")))
    lists.sort(key=lambda each: each[0])
    seen: dict[tuple[str, str], int] = {}
    for number, (_, found) in enumerate(lists):
        seen |= {(row["id"], row["since"]): number for row in found}
    for (one, since), last in sorted(seen.items()):
        acts = [
            (json.loads(record["content"]), record["recorded_by"])
            for record in sorted(records, key=lambda record: record["recorded_at"])
            if record["kind"] == "break" and record["subject"] == one
        ]
        acts = [(says, by) for says, by in acts if says["since"] == since]
        done = [says["act"] for says, _ in acts]
        if last == len(lists) - 1:
            state = {"assign": "assigned", "explain": "explained"}.get(done[-1] if done else "", "open")
        else:
            state = "closed" if "close" in done else "gone"
        gone = lists[last + 1][0] if last + 1 < len(lists) else ""
        yield one, since, state, lists[last][0], gone, next((by for says, by in reversed(acts) if says["act"] == "explain"), "")  # fmt: skip


def test_breaks_end_as_lists_and_records_say_line_by_line(pack: Path) -> None:
    told = rows(pack / "breaks.csv")
    names = ("id", "since", "state", "last_seen", "gone_on", "explained_by")
    assert [tuple(row[name] for name in names) for row in told] == list(slow_breaks(pack))
    [ended] = [row for row in told if row["id"] == ENDED]
    shown = {name: ended[name] for name in ("amount", "state", "assigned_to", "assigned_by", "explanation", "closed_by", "gone_on")}  # fmt: skip
    assert shown == {
        "amount": "-1", "state": "closed", "assigned_to": "cem", "assigned_by": "ada", "explanation": "a fee was booked twice, on one line",
        "closed_by": "ben", "gone_on": "2026-04-02",
    }  # fmt: skip
    [stands] = [row for row in told if row["id"] == STANDING]
    assert (stands["amount"], stands["state"], stands["age_days"]) == ("1.5", "open", "0")


def test_every_record_gives_its_digest_by_the_written_format(whole: Path) -> None:
    every = rows(whole / "books/records.csv")
    assert [row["digest"] for row in every] == [digest_of(row) for row in every]
    assert len(every) == index_of(whole)["books"]["records"]


def test_what_proves_passwords_is_only_in_the_whole_log(pack: Path, whole: Path) -> None:
    of_pack = b"".join(path.read_bytes() for path in pack.rglob("*") if path.is_file())
    assert b"verifier" not in of_pack
    assert b"argon2" not in of_pack
    assert b"verifier" in (whole / "books/records.csv").read_bytes()
    assert {row["name"] for row in rows(pack / "books/people.csv")} == {"ada", "ben", "cem", "dai", "eva"}


def test_what_is_drawn_follows_from_the_seed(exchange: Exchange, tmp_path: Path) -> None:
    exchange.packed(tmp_path / "one", Sampling("another seed", 1))
    drawn = min(("c1", "c2"), key=lambda account: hashlib.sha256(f"another seed\n{account}".encode()).hexdigest())
    assert [row["id"] for row in rows(tmp_path / "one/samples/customers.csv")] == [drawn]
    assert {row["account"] for row in rows(tmp_path / "one/samples/booked.csv")} == {drawn}
    batches = {row["id"] for row in rows(tmp_path / "one/samples/postings.csv") if row["kind"] == "batch"}
    assert len(batches) == 1
    assert json.loads((tmp_path / "one/samples/proofs/1.json").read_text())["account"] == drawn


def test_customers_balances_on_the_platform_and_in_the_books_stand_side_by_side(pack: Path) -> None:
    told = {row["account"]: row["quantity"] for row in rows(pack / "samples/platform.csv")}
    booked = {row["account"]: row["on_day"] for row in rows(pack / "samples/booked.csv") if row["asset"] == "BTC"}
    assert (told, booked) == ({"c1": "5", "c2": "3"}, {"c1": "5", "c2": "1.5"})
    moves = [row["amount"] for row in rows(pack / "samples/statements.csv") if row["account"] == "c2"]
    assert moves == ["2", "-0.5"]


def test_made_twice_it_differs_only_in_when_it_was_made(exchange: Exchange, tmp_path: Path, pack: Path) -> None:
    again = exchange.packed(tmp_path / "again")
    digests = {file["path"]: file["sha256"] for file in again["files"]}
    for file in index_of(pack)["files"]:
        if file["path"] not in ("index.html", "books/checkpoint.json"):
            assert digests[file["path"]] == file["sha256"]


def test_without_a_seed_nothing_is_drawn_and_that_is_told(exchange: Exchange, tmp_path: Path) -> None:
    index = exchange.packed(tmp_path / "none", None)
    assert "samples" in [part["part"] for part in index["missing"]]
    assert not (tmp_path / "none/samples").exists()
    assert not differing(check(tmp_path / "none", exchange.signer))


def test_kept_checkpoints_are_found_in_the_whole_log(
    whole: Path, pack: Path, exchange: Exchange, tmp_path: Path
) -> None:
    kept = [whole / "books/checkpoint.json", min(pack.glob("proofs/*/*/checkpoint.json"))]
    [made] = [each for each in check(whole, exchange.signer, kept) if each.what == check_books.KEPT]
    assert (made.outcome, made.count) == (Outcome.AGREES, 2)
    content = json.loads(kept[0].read_text(encoding="utf-8"))
    other = exchange.signed(
        content | {"strands": [s | {"head": "0" * 64} if s["length"] else s for s in content["strands"]]}
    )
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    [made] = [
        each for each in check(whole, exchange.signer, [tmp_path / "other.json"]) if each.what == check_books.KEPT
    ]
    assert made.outcome is Outcome.DIFFERS
    assert "no longer have the record" in made.told.en


def test_a_home_with_nothing_gives_a_pack_that_says_so(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", "Nothing yet")
    index = pack(
        Order(home, PERIOD, SAMPLING, None, False), tmp_path / "empty", lambda index, where: page_of(index, where, 10)
    )
    assert {part["part"] for part in index["missing"]} == {
        "custody: 3 of 3 business days", "positions: 3 of 3 business days", "facts/statements.csv", "evidence", "challenges", "proofs",
        "books/records.csv", "reconciliations", "breaks.csv", "samples/customers.csv", "samples/booked.csv", "samples/postings.csv", "signature",
    }  # fmt: skip
    found = list(check(tmp_path / "empty"))
    assert not differing(found)
    assert len(found) == len(CHECKS)


def test_a_folder_that_is_taken_is_left_alone(exchange: Exchange, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="something of this name"):
        exchange.packed(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def _copied(exchange: Exchange, tmp_path: Path) -> Home:
    shutil.copytree(exchange.home.path, tmp_path / "home")
    return open_home(tmp_path / "home")


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("custody/*.json", PositionProblem),
        ("facts/statements/**/*.parquet", FactsDamaged),
        ("facts/customer_balances/**/*04-03*/*.parquet", FactsDamaged),
    ],
)
def test_a_home_that_was_altered_is_not_packed(
    exchange: Exchange, tmp_path: Path, pattern: str, error: type[Exception]
) -> None:
    home = _copied(exchange, tmp_path)
    path = min(path for path in home.path.glob(pattern) if path.is_file())
    content = path.read_bytes()
    assert b"e" in content
    path.write_bytes(
        content.replace(b"e", b"E", 1) if path.suffix == ".parquet" else content.replace(b'"Example"', b'"Another"')
    )
    with pytest.raises(error):
        pack(Order(home, PERIOD, SAMPLING, OPERATOR, False), tmp_path / "pack", lambda index, where: "")
    assert not (tmp_path / "pack").exists()
    assert not list(tmp_path.glob(".pack*"))


def test_a_document_on_record_that_is_no_longer_kept_is_told(exchange: Exchange, tmp_path: Path) -> None:
    home = _copied(exchange, tmp_path)
    min(home.positions.glob("2026-04-02-*.json")).unlink()
    index = pack(Order(home, PERIOD, None, OPERATOR, False), tmp_path / "pack", lambda index, where: "")
    told = {part["part"]: part["en"] for part in index["missing"]}
    [name] = [part for part in told if part.startswith("positions/2026-04-02-jp-reserve-candidate-")]
    assert re.match(r"on record as \d+, and no longer kept", told[name])
    assert "positions: 1 of 3 business days" in told
    assert not differing(check(tmp_path / "pack", exchange.signer))


def test_what_is_recorded_while_a_pack_is_made_is_not_half_in_it(exchange: Exchange, tmp_path: Path) -> None:
    stands = standing(exchange.books, None, tmp_path)
    earlier = Standing(tuple((strand, min(length, 30), head) for strand, length, head in stands.strands), stands.first)
    every = [one.record for one in on_record(exchange.books, stands, OF_DAYS, PERIOD)]
    assert [one.record for one in on_record(exchange.books, earlier, OF_DAYS, PERIOD)] == [n for n in every if n <= 30]
    assert 0 < sum(number <= 30 for number in every) < len(every)


def test_a_disk_that_is_full_leaves_nothing_and_says_so(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(BadInput, match="No space left"):
        exchange.packed(tmp_path / "pack")
    assert not list(tmp_path.iterdir())


def test_the_page_is_whole_in_both_languages_and_escapes_what_people_wrote(pack: Path) -> None:
    page = (pack / "index.html").read_text(encoding="utf-8")
    for words in (
        "Audit pack",
        "監査資料",
        "2026-04-03",
        ENDED,
        "a fee was booked twice, on one line",
        "junbikin audit check",
    ):
        assert words in page
    for link in set(re.findall(r'href="([^"#]+)"', page)):
        assert (pack / link).is_file(), link


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2025-02", (date(2025, 2, 1), date(2025, 2, 28))),
        ("FY2024", (date(2024, 4, 1), date(2025, 3, 31))),
        ("2025-04-01..2025-06-30", (date(2025, 4, 1), date(2025, 6, 30))),
        ("2025-04-01..2025-04-01", (date(2025, 4, 1), date(2025, 4, 1))),
    ],
)
def test_a_period_is_a_month_a_fiscal_year_or_days(tmp_path: Path, text: str, days: tuple[date, date]) -> None:
    assert period_of(create_home(tmp_path / "home"), text) == Period(text, *days)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "2025-13",
        "2025-00",
        "FY25",
        "FY0000",
        "FY9999",
        "2025-06-30..2025-04-01",
        "2025-02-30..2025-03-01",
        "2025-04..2025-05",
        "9999-12",
    ],
)
def test_what_is_no_period_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        period_of(create_home(tmp_path / "home"), text)


def test_a_period_that_is_not_over_is_refused_with_the_days_until_today(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home")
    tomorrow = home.today() + timedelta(days=1)
    with pytest.raises(BadInput, match="has not come yet") as refusal:
        period_of(home, f"2025-04-01..{tomorrow}")
    assert refusal.value.then.endswith(f"2025-04-01..{home.today()}")
