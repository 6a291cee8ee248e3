"""What holds whatever several people do at the same time: random plans, run by several connections at once on real books.

`JUNBIKIN_PLANS` is the number of plans for each server (8 unless set).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers
from junbikin.books.proof.verify import verify

from .cast import ACCOUNTS, Cast, assembled
from .straight import Entries, Straight, saying, straight

PLANS = int(os.environ.get("JUNBIKIN_PLANS", "8"))
FLOWS = [
    ("deposit", "outside/JPY/world", "customer/JPY/pool/c1"),
    ("deposit", "outside/BTC/world", "customer/BTC/pool/c1"),
    ("withdrawal", "customer/JPY/pool/c1", "outside/JPY/world"),
    ("withdrawal", "customer/BTC/pool/c1", "outside/BTC/world"),
    ("trade", "customer/JPY/pool/c1", "customer/JPY/pool/c2"),
    ("trade", "customer/JPY/pool/c2", "own/JPY/bank"),
    ("fund", "own/JPY/bank", "reserve/JPY/kaede"),
    ("guarantee", "own/BTC/vault", "guarantee/BTC/vault"),
    ("relocation", "reserve/JPY/kaede", "reserve/JPY/minato"),
    ("relocation", "reserve/JPY/minato", "reserve/JPY/kaede"),
    ("accrual", "own/JPY/booked", "reserve/JPY/booked"),
    ("guarantee_release", "guarantee/BTC/vault", "own/BTC/vault"),
]
STEPS = (
    "post",
    "post",
    "post",
    "late",
    "late",
    "large",
    "mixed",
    "again",
    "ask",
    "ask",
    "decide",
    "decide",
    "part",
    "part",
    "undo",
    "freeze",
    "thaw",
)
POSITION = "d" * 64
ENTRIES = (
    "SELECT effective_at, recorded_at, account, amount FROM books.records, unnest(accounts, amounts) e(account, amount) "
    "WHERE kind = 'batch'"
)


@dataclass
class World:
    """The books, what was asked for in them so far, and what the database said."""

    cast: Cast
    numbers: dict[str, int]
    began: datetime
    asked: list[tuple[int, list[Entries]]] = field(default_factory=list)
    posted: list[tuple[Entries, int]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


@dataclass
class Hand:
    """One of several who act at the same time."""

    world: World
    sql: Straight
    dice: random.Random

    def act(self, step: str) -> None:
        """One step of a plan; the books may refuse it, nothing else may go wrong."""
        try:
            getattr(self, step)()
        except psycopg.Error as problem:
            if problem.sqlstate != "JB001":
                raise
            self.world.told["refused"] += 1
        else:
            self.world.told[step] += 1

    def batch(self, *, at: str | None = None, pairs: int = 1) -> Entries:
        purpose, payer, receiver = self.dice.choice(FLOWS)
        accounts, amounts = [], []
        for _ in range(pairs):
            amount = (
                Decimal(self.dice.randint(1, 10 ** self.dice.randint(1, 4))).scaleb(-self.dice.randint(0, 2))
                / pairs.bit_length()
            )
            amount = amount.quantize(Decimal("1e-18"))
            accounts += [self.world.numbers[payer], self.world.numbers[receiver]]
            amounts += [f"-{amount:f}", f"{amount:f}"]
        content = saying(purpose=purpose, reference="r", position=POSITION)
        key = f"k{self.dice.getrandbits(64)}"
        return Entries(key, content, f"{{{','.join(map(str, accounts))}}}", f"{{{','.join(amounts)}}}", at)

    def post(self, *, at: str | None = None, pairs: int = 1) -> None:
        batch = self.batch(at=at, pairs=pairs)
        self.world.posted.append((batch, self.sql.post("ada", batch)))

    def late(self) -> None:
        now = self.sql.value("SELECT clock_timestamp()")
        self.post(at=str(self.world.began + (now - self.world.began) * self.dice.random()))

    def large(self) -> None:
        self.post(pairs=self.dice.choice((2, 40, 520)))

    def mixed(self) -> None:
        """A sale: yen one way, coins the other."""
        numbers = self.world.numbers
        codes = ["customer/JPY/pool/c1", "own/JPY/bank", "own/BTC/vault", "customer/BTC/pool/c1"]
        self.dice.shuffle(pairs := [codes[:2], codes[2:]])
        accounts = ",".join(str(numbers[code]) for pair in pairs for code in pair)
        self.sql.post(
            "ada",
            Entries(
                f"k{self.dice.getrandbits(64)}",
                saying(purpose="trade", reference="r"),
                f"{{{accounts}}}",
                "{-3,3,-3,3}",
            ),
        )

    def again(self) -> None:
        if self.world.posted:
            batch, record = self.dice.choice(self.world.posted)
            assert self.sql.post("ada", batch) == record

    def ask(self) -> None:
        batches = [self.batch(pairs=self.dice.randint(1, 3)) for _ in range(self.dice.randint(1, 3))]
        self.world.asked.append((self.sql.request_to_post("ada", f"q{self.dice.getrandbits(64)}", batches), batches))

    def decide(self) -> None:
        if self.world.asked:
            number, _ = self.dice.choice(self.world.asked)
            self.sql.decide(
                self.dice.choice(("ben", "ada")), number, self.dice.choice(("approve", "approve", "refuse"))
            )

    def part(self) -> None:
        if self.world.asked:
            number, batches = self.dice.choice(self.world.asked)
            self.sql.post(self.dice.choice(("ada", "cem", "dai")), self.dice.choice(batches), number)

    def undo(self) -> None:
        """Asks for a batch to be undone, has it approved, and posts that."""
        if self.world.posted:
            batch, record = self.dice.choice(self.world.posted)
            amounts = ",".join(a[1:] if a.startswith("-") else f"-{a}" for a in batch.amounts[1:-1].split(","))
            undoing = Entries(
                f"reversal:{record}",
                saying(purpose="reversal", reverses=str(record), authority="letter"),
                batch.accounts,
                f"{{{amounts}}}",
            )
            number = self.sql.request_to_post("ada", f"q{self.dice.getrandbits(64)}", [undoing])
            self.sql.decide("ben", number)
            self.sql.post("ada", undoing, number)

    def freeze(self) -> None:
        cem = self.world.cast.people["cem"]
        code = self.dice.choice(ACCOUNTS[-6:])
        self.sql.value("SELECT books.freeze(%s, %s, %s, 'why')", cem.name, cem.secret, code)

    def thaw(self) -> None:
        code = self.dice.choice(ACCOUNTS)
        content = saying(action="account_status", subject=code, says={"status": "open"}, effective_at=None)
        self.sql.decide("ben", self.sql.request("cem", f"q{self.dice.getrandbits(64)}", content))


@pytest.fixture
def world(books: Books) -> Iterator[World]:
    """Everyone, and something in most accounts."""
    cast = assembled(books)
    numbers = dict(zip(ACCOUNTS, account_numbers(books, ACCOUNTS), strict=True))
    with straight(cast) as sql:
        says = saying(digest=POSITION, year_end=True, excess=None, currency="JPY")
        sql.value("SELECT books.put_on_record('position', 'rulebook', '2026-03-31T14:59:59.999999Z', %s)", says)
        yield World(cast, numbers, sql.value("SELECT clock_timestamp()"))


def check(world: World, dice: random.Random) -> None:
    """Everything that must hold of the books as they stand."""
    verdict = verify(world.cast.books)
    assert verdict.difference is None, verdict.difference
    with straight(world.cast) as sql:
        every = sql.connection.execute(
            "SELECT asset, place = 'booked', sum(books.balance(id)) FROM books.accounts GROUP BY 1, 2"
        ).fetchall()
        assert {total for *_, total in every} == {0}
        log = sql.connection.execute(ENTRIES.encode()).fetchall()
        guarded = {
            number for code, number in world.numbers.items() if code.split("/")[0] not in ("own", "outside", "insurer")
        }
        for account in guarded:
            by_time: dict[datetime, Decimal] = {}
            for effective, _, number, amount in log:
                if number == account:
                    by_time[effective] = by_time.get(effective, Decimal(0)) + amount
            assert all(held >= 0 for held in accumulate(by_time[at] for at in sorted(by_time))), account
        instants = [world.began, *(at for row in log for at in row[:2])]
        for _ in range(40):
            account = dice.choice(list(world.numbers.values()))
            at, known = (dice.choice(instants) + timedelta(microseconds=dice.randint(-1, 1)) for _ in range(2))
            slow = sum(
                (amount for e, r, number, amount in log if number == account and e <= at and r <= known), Decimal(0)
            )
            assert sql.value("SELECT books.balance(%s, %s, %s)", account, at, known) == slow
        decided = sql.connection.execute(
            "SELECT b.key, b.request, array_agg(d.content::jsonb->>'verdict') FROM books.records b "
            "LEFT JOIN books.records d ON d.kind = 'decision' AND d.request = b.request "
            "WHERE b.kind = 'batch' AND b.request IS NOT NULL GROUP BY b.id, b.key, b.request"
        ).fetchall()
        assert all(verdicts == ["approve"] for *_, verdicts in decided)
        alone = sql.value(
            "SELECT count(*) FROM books.records r JOIN books.flow_rules f ON f.purpose = r.content::jsonb->>'purpose' "
            "WHERE kind = 'batch' AND request IS NULL GROUP BY r.id HAVING bool_and(f.approved_by <> '{}') UNION ALL SELECT 0"
        )
        assert alone == 0


plans = st.lists(st.lists(st.sampled_from(STEPS), min_size=10, max_size=40), min_size=4, max_size=4)


def test_money_approvals_and_the_chain_hold_whatever_several_people_do_at_once(world: World) -> None:
    @settings(
        max_examples=PLANS, deadline=None, derandomize="JUNBIKIN_PLANS" not in os.environ, phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(plans=plans, seed=st.integers(0, 2**32))
    def followed(plans: list[list[str]], seed: int) -> None:
        def follow(turn: int) -> None:
            with straight(world.cast) as sql:
                hand = Hand(world, sql, random.Random(f"{seed} {turn}"))  # noqa: S311 - plans, not secrets
                for step in plans[turn]:
                    hand.act(step)

        with ThreadPoolExecutor(len(plans)) as pool:
            list(pool.map(follow, range(len(plans))))
        check(world, random.Random(seed))  # noqa: S311 - plans, not secrets

    with straight(world.cast) as sql:
        alone = Hand(world, sql, random.Random("alone"))  # noqa: S311 - plans, not secrets
        for _ in range(50):  # every kind of step succeeds at least once: none is a dead letter
            for step in ("thaw", *(step for step in STEPS if step not in world.told)):
                alone.act(step)
    followed()
    assert set(world.told) == {*STEPS, "refused"}
