"""Incidents lived through from the plan to the last payment, until something dies; and what must hold of them afterwards.

As a program, `lives.py HOME LAST` lives through the incidents up to a number, each from wherever it had got to. Tests and the bench kill it.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from books.cast import PASSWORD, ROLES, Cast
from junbikin.books.claims import acts, plans_of
from junbikin.books.database import Books, open_books
from junbikin.books.proof.verify import verify
from junbikin.home import Home, open_home
from junbikin.incidents import incident as events
from junbikin.incidents.answers.bundles import Source
from junbikin.incidents.answers.taking import take_in
from junbikin.incidents.disputes import Standing as Verdict
from junbikin.incidents.disputes import decided, disputes, file
from junbikin.incidents.folders import runs_folder
from junbikin.incidents.pay.order import DONE
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.plan.document import plan_with
from junbikin.incidents.standing import Standing, fold
from junbikin.incidents.timeline import tell
from junbikin.registry import people
from junbikin.registry.requests import ask_to_record, decide, requests

from .exchange import OCCURRED, RECORD, YEN, Exchange, answer, founded_on, instruction, planned, told

CUSTOMERS = [f"c{number:02d}" for number in range(20)]
CHUNK = 6
"""Payments that go into the books at once."""
DISPUTED = CUSTOMERS[:3]
ROUNDS = 12
"""More runs than anybody needs: only the first two come back."""
ADJUSTED = "12.5"


def begun(cast: Cast) -> None:
    """The exchange before the first of its incidents."""
    founded_on(cast, {account: f"{100 + 7 * place}.25" for place, account in enumerate(CUSTOMERS)})
    told(cast.books.home, [instruction(account) for account in CUSTOMERS])


def lived(cast: Cast, number: int) -> None:
    """One incident, from wherever it had got to, to its end: everyone is paid, and three disputes are decided, and paid too."""
    name = f"life-{number}"
    if name not in {incident.id for incident in events.incidents(cast.books)}:
        says = events.opened(cast.books, name, "hack", OCCURRED, OCCURRED, "taken")
        tell(cast.books, cast.cem, name, says, "seen", OCCURRED)
    at = f"2026-03-10T{12 + number // 60:02d}:{number % 60:02d}:00+09:00"
    held = f'who = "holders"\nasset = "XEM"\nat = {at}'
    paid(Exchange(cast, planned(cast, name, "whole", YEN, CHUNK, held)))
    _disputed(cast, name)
    affected = 'who = "disputes"\nasset = "XEM"'
    paid(Exchange(cast, planned(cast, name, "upheld", YEN, CHUNK, affected, "specific")))


def paid(of: Exchange) -> None:
    """Pays a plan, run by run, until the bank has settled everything; whoever comes back says anew where to be paid."""
    for _ in range(ROUNDS):
        of.pay()
        for listed in _answers(of):
            by = Payer(of.cast.books, of.cast.ada, "answers")
            take_in(
                by, [(of.approval, of.plan.entitlements)], [listed], Source("zengin", of.bank), lambda what, share: None
            )
        back = [account for account, how in _standing(of).items() if how is Standing.RETURNED]
        if not back and set(_standing(of).values()) == {Standing.SETTLED}:
            return
        if back:
            told(of.home, [instruction(account, datetime.now(UTC).isoformat()) for account in back])
    raise RuntimeError(f"{of.plan.incident} is not paid after {ROUNDS} runs")


def _standing(of: Exchange) -> dict[str, Standing]:
    chunks = fold(acts(of.cast.books, of.plan.digest))
    status = [Standing(one) for _, chunk in sorted(chunks.items()) for one in chunk.status.tolist()]
    return dict(zip(sorted(of.owed()), status, strict=True))


def _answers(of: Exchange) -> Iterator[Path]:
    """What the bank answers to each file of the runs that are whole: about a third of the first two runs comes back."""
    above = runs_folder(of.home, of.plan.incident, of.plan.digest)
    for folder in sorted(above.glob("run-*")):
        if (folder / DONE).exists():
            run = int(folder.name.removeprefix("run-"))
            codes = {number: "8" for number in range(1, len(CUSTOMERS) + 1) if _comes_back(of.plan.digest, run, number)}
            for sent in sorted(folder.glob("*.txt")):
                yield answer(sent, codes, above / "answers" / folder.name)


def _comes_back(plan: str, run: int, number: int) -> bool:
    return run <= 2 and random.Random(f"{plan} {run} {number}").random() < 1 / 3  # noqa: S311 - only has to be repeatable


def _disputed(cast: Cast, incident: str) -> None:
    """Three customers dispute; what nobody did before is done: filing, asking for a decision, deciding."""
    for account in DISPUTED:
        mine = [one for one in disputes(cast.books, incident) if one.account == account]
        if not mine:
            file(cast.books, cast.ada, incident, account, "XEM", "I held more", (), "", "letter")
            mine = [one for one in disputes(cast.books, incident) if one.account == account]
        if mine[0].standing is Verdict.FILED:
            subject = f"{incident}:{account}"
            waiting = [asked.number for asked in requests(cast.books) if asked.subject == subject and not asked.verdict]
            says = decided(mine[0], Verdict.UPHELD, Decimal(ADJUSTED))
            number = (
                waiting[0]
                if waiting
                else ask_to_record(cast.books, cast.cem, "dispute", subject, says, "as the ledger shows")
            )
            decide(cast.books, cast.ben, number, "approve", "seen")


def faults(books: Books, lives: int) -> list[str]:
    """What is wrong after incidents were lived through: nothing, unless somebody was paid twice or not, or two totals differ."""
    found: list[str] = []
    for number in range(1, lives + 1):
        approvals = plans_of(books, f"life-{number}")
        if len(approvals) != 2:
            found.append(f"life-{number} has {len(approvals)} plans")
        for approval in approvals:
            of = plan_with(books.home, approval.incident, approval.plan)
            whole = fold(acts(books, approval.plan))
            if {Standing(one) for chunk in whole.values() for one in chunk.status.tolist()} != {Standing.SETTLED}:
                found.append(f"{approval.incident}: somebody is not paid")
            found += _twice(books.home, of.digest, approval.incident, of.people)
            recorded = Counter(d for act in acts(books, of.digest) if act.kind == "payout" for d in act.says["files"])
            files = Counter(
                hashlib.sha256(sent.read_bytes()).hexdigest()
                for sent in _sent(books.home, approval.incident, of.digest)
            )
            if files != recorded:
                found.append(f"{approval.incident}: the files are not those on record")
        if len(disputes(books, f"life-{number}")) != len(DISPUTED):
            found.append(f"life-{number}: a dispute is missing, or twice")
    with books.driver() as connection:
        left = "SELECT code, books.balance(id) FROM books.accounts WHERE owner = 'claimant' AND books.balance(id) <> 0"
        found += [f"{code} still holds {amount}" for code, amount in connection.execute(left)]
    difference = verify(books).difference
    return found + ([difference.sentence] if difference else [])


def _sent(home: Home, incident: str, plan: str) -> list[Path]:
    return sorted(runs_folder(home, incident, plan).glob("run-*/*.txt"))


def _twice(home: Home, plan: str, incident: str, people: int) -> Iterator[str]:
    """Each payment stands in the files once for each time that it came back, and once more."""
    sent: Counter[int] = Counter()
    back: Counter[int] = Counter()
    for path in _sent(home, incident, plan):
        content, run = path.read_bytes(), int(path.parent.name.removeprefix("run-"))
        for at in range(RECORD, len(content) - 2 * RECORD, RECORD):
            number = int(content[at + 101 : at + 111])
            sent[number] += 1
            back[number] += _comes_back(plan, run, number)
    for number in range(1, people + 1):
        if sent[number] != back[number] + 1:
            yield f"{incident}: payment {number} was sent {sent[number]} times and came back {back[number]} times"


def acting(books: Books) -> Cast:
    """Everyone of the cast, on books that know them."""
    return Cast(books, {name: people.actor(books, name, PASSWORD) for name in ROLES})


def living(home: Home, last: int, errors: Path) -> subprocess.Popen[bytes]:
    """Starts a process that lives through the incidents up to a number."""
    with errors.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "incidents.pay.lives", str(home.path), str(last)],
            stderr=stream,
            cwd=Path(__file__).parents[2],
        )


def main() -> None:
    """The program."""
    home, last = sys.argv[1:]
    with open_books(open_home(Path(home))) as books:
        cast = acting(books)
        for number in range(1, int(last) + 1):
            lived(cast, number)


if __name__ == "__main__":
    main()
