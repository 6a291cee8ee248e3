"""Who pays for a plan (充当順位): the waterfall over the books' accounts, policies and promises, in each asset that is paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from junbikin.books.accounts import Account, accounts
from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, Rounding, Stated, given, rounded, smallest, total
from junbikin.findings import Finding, Severity
from junbikin.incidents import waterfall
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.insurance import ADVANCE, CURRENCY, RECEIVABLE, Cover, covers
from junbikin.incidents.plan.rule import ALL, Funding
from junbikin.incidents.waterfall import PROMISED, Line, Source
from junbikin.reserve.agreement import booked
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.moves import BOOKED
from junbikin.reserve.sources import data_source


@dataclass(frozen=True, slots=True)
class Funded:
    """Who pays: the lines of each asset's waterfall, what no one pays, what insurers pay later, and what the booked reserve falls by."""

    lines: tuple[tuple[str, Line], ...]
    unpaid: Mapping[str, Figure]
    receivable: tuple[Cover, ...]
    booked: Figure
    falls: Figure
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether everything is paid for."""
        return all(figure.value == 0 for figure in self.unpaid.values())

    def used(self, kind: str, asset: str) -> Figure:
        """What sources of a kind pay in an asset."""
        parts = [line.used for of, line in self.lines if of == asset and line.source.kind == kind]
        return total(parts, asset).named(
            f"used.{kind}.{asset}", f"{asset} paid by {waterfall.KINDS[kind].en}", f"{waterfall.KINDS[kind].ja}からの{asset}充当額"
        )  # fmt: skip

    def payers(self) -> Iterator[tuple[str, Decimal]]:
        """Account and what it pays, of every account that pays something."""
        for _, line in self.lines:
            if line.used.value:
                code = line.source.id
                yield (f"insurer/{CURRENCY}/{code}" if line.source.kind == "insurance" else code), line.used.value


def fund(
    books: Books, ledger: Ledger, incident: Incident, asset: str, rule: Funding, legs: Mapping[str, Figure],
    worth: Mapping[str, Figure],
) -> Funded:  # fmt: skip
    """Who pays the totals of `legs` (asset → total) for a loss of `asset`, from what there is now; `worth` is coins' prices.

    Raises `BadInput` on an account or policy that the rule names and that is not there, or that it fails to name.
    """
    loss = incident.loss if incident.loss.value is not None else legs.get(CURRENCY, incident.loss)
    insured = covers(books, incident, asset, rule.insurance, loss) if "insurance" in rule.order else ()
    lines: list[tuple[str, Line]] = []
    unpaid: dict[str, Figure] = {}
    for pays, needed in legs.items():
        worked = waterfall.run(needed, list(_sources(books, rule, pays, insured)))
        lines += [(pays, line) for line in worked]
        unpaid[pays] = (worked[-1].unpaid_after if worked else needed).named(
            f"unpaid.{pays}", f"{pays} that nobody pays", f"財源のない{pays}"
        )
    set_aside = booked(ledger)
    reserve = [
        line.used * worth[pays] if pays in worth else line.used
        for pays, line in lines
        if line.source.kind == "reserve" and line.used.value
    ]
    used = rounded(total(reserve, books.home.currency), 0, Rounding.DOWN)
    falls = smallest(used, set_aside).named("booked.falls", "the booked reserve falls by", "責任準備金計上額の減少")
    found = (
        *_uncovered(insured), *_frozen(books, rule, legs), *_outside(lines), *_promised(lines), *_unfunded(unpaid)
    )  # fmt: skip
    later = tuple(cover for cover in insured if cover.pays == RECEIVABLE and not cover.refused)
    return Funded(tuple(lines), unpaid, later, set_aside, falls, found)


def _sources(books: Books, rule: Funding, asset: str, insured: Sequence[Cover]) -> Iterator[Source]:
    for kind in rule.order:
        if kind == "insurance":
            now = [cover for cover in insured if cover.pays == ADVANCE and asset == CURRENCY]
            yield from (Source(kind, cover.policy, cover.amount) for cover in now)
        elif kind == "outside":
            for promise in rule.outside:
                if promise.account.split("/")[1] == asset:
                    name = Name(f"promised by {promise.by}", f"{promise.by}の約束")
                    yield Source(kind, promise.account, given(promise.amount, asset, name, Stated(promise.by)))
        else:
            yield from (Source(kind, one.code, _available(one)) for one in _accounts(books, rule, kind, asset))


def _accounts(books: Books, rule: Funding, kind: str, asset: str) -> list[Account]:
    """The accounts of a source in an asset that the rule names, in its order; of ALL those that hold something, by code."""
    there = {one.code: one for one in accounts(books, kind, asset) if one.place != BOOKED}
    if rule.accounts[kind] == (ALL,):
        return [one for one in there.values() if one.balance > 0]
    named = [code for code in rule.accounts[kind] if code.split("/")[1] == asset]
    for code in named:
        if code not in there:
            raise BadInput(
                f"there is no account {code}", where=f"[funding.accounts], {kind}", then="the accounts are " + (", ".join(there) or "none")
            )  # fmt: skip
    return [there[code] for code in named]


def _available(account: Account) -> Figure:
    free = account.balance if account.status == "open" and account.balance > 0 else Decimal(0)
    source = data_source("books", f"balance of {account.code}, {account.status}", [[account.code, account.balance]])
    return given(free, account.asset, Name(f"held in {account.code}", f"{account.code}の残高"), source)


# What somebody must look at


def _uncovered(insured: Sequence[Cover]) -> Iterator[Finding]:
    for cover in insured:
        if cover.refused:
            yield Finding(
                "policy-refused",
                Severity.NOTICE,
                Name(
                    f"{cover.policy} pays nothing: {'; '.join(why.en for why in cover.refused)}",
                    f"{cover.policy}は支払なし：{'、'.join(why.ja for why in cover.refused)}",
                ),
                Name("look at the policy's terms", "保険契約の条件を確認する"),
            )


def _frozen(books: Books, rule: Funding, legs: Mapping[str, Figure]) -> Iterator[Finding]:
    for kind in rule.accounts:
        for asset in legs:
            for one in _accounts(books, rule, kind, asset):
                if one.status != "open" and one.balance > 0:
                    yield Finding(
                        "account-frozen",
                        Severity.WARNING,
                        Name(f"{one.code} is {one.status} and pays nothing", f"{one.code}は{one.status}のため充当できない"),
                        Name("have it opened again, or leave it out of the rule", "再開するか、規則から除く"),
                    )  # fmt: skip


def _outside(lines: Sequence[tuple[str, Line]]) -> Iterator[Finding]:
    for asset, line in lines:
        if line.source.kind == "outside" and line.used.value != 0:
            yield Finding(
                "outside-help",
                Severity.WARNING,
                Name(
                    f"outside help pays in {asset}: what the reserve exists to prevent",
                    f"{asset}に外部支援を充てている：責任準備金制度が防ごうとする事態",
                ),
                Name("raise the reserve, the insurance or own funds to this amount", "準備金・保険・自己資金をこの額だけ増やす"),
                amount=line.used,
            )  # fmt: skip


def _promised(lines: Sequence[tuple[str, Line]]) -> Iterator[Finding]:
    for asset, line in lines:
        if line.source.kind in PROMISED and line.used.value:
            by = line.source.id
            yield Finding(
                "rests-on-a-promise",
                Severity.WARNING,
                Name(
                    f"what {by} pays in {asset} rests on a promise: none of it has come in, and customers are paid all the same",
                    f"{by}からの{asset}は約束に基づくもので未入金であるが、利用者への支払はこれを前提とする",
                ),
                Name(
                    "wait until it has come in and book it to the reserve or own funds, or be sure that the bank account holds as much",
                    "入金を待って準備金または自己資金に計上するか、支払口座に同額があることを確かめる",
                ),
                amount=line.used,
            )


def _unfunded(unpaid: Mapping[str, Figure]) -> Iterator[Finding]:
    for asset, figure in unpaid.items():
        if figure.value != 0:
            yield Finding(
                "unfunded",
                Severity.BREACH,
                Name(
                    f"nobody pays a part in {asset}: nothing is paid until its funding is decided",
                    f"{asset}の一部に財源がない：財源が決まるまで支払わない",
                ),
                Name("add sources to [funding], or share the loss", "[funding] に財源を加えるか、損失の分担を見直す"),
                amount=figure,
            )
