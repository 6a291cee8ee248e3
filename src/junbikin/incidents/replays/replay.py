"""A known case worked again: the plan to the last yen, and who would have paid under the reserve that each rulebook asks for.

The guarantee pays in kind for what lay hot, valued at what the plan pays for it; then the reserve, insurance, own funds and
outside help, as far as they are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from junbikin.calendars import fiscal_year
from junbikin.errors import ParameterMissing
from junbikin.figures import Figure, Rounding, rounded, total
from junbikin.home import Home
from junbikin.incidents import waterfall
from junbikin.incidents.replays.case import JPY, Case, Part, Taken
from junbikin.incidents.replays.facts import CaseFacts
from junbikin.incidents.waterfall import Line, Source
from junbikin.rulebooks.load import Rulebook, known_rulebooks, load_rulebook

Regimes = tuple[tuple[str, ...], ...]

REGIMES: Regimes = (
    (), ("jp-psa",), ("jp-fiea-175",), ("jp-reserve-candidate",), ("jp-psa", "jp-fiea-175"),
    ("jp-psa", "jp-reserve-candidate"), ("kr-vaupa",), ("hk-sfc",),
)  # fmt: skip
"""The rulebooks that are held against each case: none, each alone, and Japan's guarantee beside a reserve."""

_GUARANTEE = "duties.guarantee.share"
_DEDICATED = ("guarantee", "reserve", "insurance")


@dataclass(frozen=True, slots=True)
class Paid:
    """What the plan pays for one asset: each part in what it pays, and its worth in yen."""

    taken: Taken
    parts: tuple[tuple[Part, Figure], ...]
    worth: Figure


@dataclass(frozen=True, slots=True)
class Row:
    """One regime: its waterfall, what dedicated means leave (`left`), and what nobody pays (`unpaid`).

    `requirement` is None where the regime asks for no reserve; `stopped` says why a regime cannot be judged.
    """

    rulebooks: tuple[Rulebook, ...]
    requirement: Figure | None
    lines: tuple[Line, ...]
    left: Figure | None
    unpaid: Figure | None
    stopped: str = ""

    @property
    def code(self) -> str:
        """The ids of its rulebooks, joined by `+`; `none` without any."""
        return "+".join(rulebook.id for rulebook in self.rulebooks) or "none"


@dataclass(frozen=True, slots=True)
class Replay:
    """A case worked again: `needed` is what the plan pays in yen, `loss` the customers' loss at the prices then."""

    case: Case
    paid: tuple[Paid, ...]
    loss: Figure
    needed: Figure
    difference: Figure
    rows: tuple[Row, ...]

    @property
    def days(self) -> int:
        """Days from the loss to its payment."""
        return (self.case.paid_on - self.case.happened_on).days

    @property
    def agrees(self) -> bool:
        """Whether the difference from the published amount is within what its rounding explains."""
        return abs(self.difference.known) <= self.case.published.within.known


def regimes_for(home: Home | None) -> Regimes:
    """`REGIMES`, and by itself each further rulebook, plugged in or named by the home, that says who pays for a loss.

    Raises `RulebookProblem` when one cannot be read.
    """
    named = [*known_rulebooks(), *(home.rulebooks + home.custody if home else ())]
    shown = {name for regime in REGIMES for name in regime}
    further = dict.fromkeys(_place(name, home) for name in named if name not in shown)
    return (*REGIMES, *((name,) for name in further if _says_who_pays(load_rulebook(name))))


def _place(name: str, home: Home | None) -> str:
    """A rulebook's id, or its folder, which a home names from where it is."""
    return name if home is None or name in known_rulebooks() else str(home.path / name)


def _says_who_pays(rulebook: Rulebook) -> bool:
    return rulebook.assess is not None or _GUARANTEE in rulebook.parameters


def replay(case: Case, regimes: Regimes = REGIMES) -> Replay:
    """The case worked again under each regime, with the rules as they stand on the case's `rules_on`.

    Raises `RulebookProblem` when a rulebook is not there, or its formula fails. One that has no value on that day stops its row by name.
    """
    paid = tuple(_paid(taken) for taken in case.assets)
    needed = total([one.worth for one in paid], JPY).named("needed", "needed to pay the plan", "補償計画の必要額")
    loss = total([taken.customers * taken.worth for taken in case.assets], JPY).named(
        "loss", "customers' loss at the price of each asset", "顧客の損失額（各銘柄の価格による）"
    )
    published = case.published.total
    difference = (loss - published).named(
        "difference", "our arithmetic less what was published", "計算値−公表値", case.published.explained
    )
    rows = tuple(_row(case, paid, needed, names) for names in regimes)
    return Replay(case, paid, loss, needed, difference, rows)


def _paid(taken: Taken) -> Paid:
    parts = tuple((part, _pays(taken, part)) for part in taken.parts)
    worth = [amount if part.pays == JPY else amount * taken.worth for part, amount in parts]
    name = f"worth of what is paid for {taken.asset}", f"{taken.asset}の補償額（円換算）"
    return Paid(taken, parts, total(worth, JPY).named(f"paid.{taken.asset}", *name))


def _pays(taken: Taken, part: Part) -> Figure:
    """What one part pays: a quantity, exact; or yen, rounded half up to the yen over all customers together."""
    share = taken.customers * part.share
    amount = rounded(share * part.price, 0, Rounding.HALF_UP) if part.price is not None else share
    return amount.named(
        f"pays.{taken.asset}.{part.pays}",
        f"{part.pays} paid for {taken.asset}",
        f"{taken.asset}に対し{part.pays}で支払う額",
    )


def _row(case: Case, paid: tuple[Paid, ...], needed: Figure, names: tuple[str, ...]) -> Row:
    rulebooks = tuple(load_rulebook(name) for name in names)
    try:
        sources = list(_sources(case, paid, rulebooks))
    except ParameterMissing as missing:
        return Row(rulebooks, None, (), None, None, str(missing))
    lines = waterfall.run(needed, sources)
    requirement = next((line.available for line in lines if line.source.kind == "reserve"), None)
    dedicated = [line for line in lines if line.source.kind in _DEDICATED]
    left = dedicated[-1].unpaid_after.named(
        "left", "left by guarantee, reserve and insurance", "履行保証・準備金・保険の充当後の不足"
    )
    unpaid = lines[-1].unpaid_after.named("unpaid", "left unpaid", "未払額")
    return Row(rulebooks, requirement, lines, left, unpaid)


def _sources(case: Case, paid: tuple[Paid, ...], rulebooks: tuple[Rulebook, ...]) -> Iterator[Source]:
    """Dedicated means as the rulebooks ask for them, then own funds and outside help as published."""
    for rulebook in rulebooks:
        rules = rulebook.on(case.rules_on)
        if rules.has(_GUARANTEE):
            share = rules.number(_GUARANTEE)
            coins = [one.worth * one.taken.hot * share for one in paid]
            worth = total(coins, JPY).named(
                "guarantee", "guarantee crypto-assets for what lay hot", "ホット分に対する履行保証暗号資産"
            )
            yield Source("guarantee", "", worth)
    for rulebook in rulebooks:
        if rulebook.assess is not None:
            yield Source("reserve", "", _reserve(case, rulebook))
    for kind in ("insurance", "own", "outside"):
        yield Source(kind, "", case.funds[kind])


def _reserve(case: Case, rulebook: Rulebook) -> Figure:
    """What the rulebook asks for on the day of the loss, of a firm that kept it in every year of which a volume is told."""
    today = CaseFacts(case, case.happened_on)
    set_aside: tuple[tuple[date, Figure], ...] = ()
    years = {fiscal_year(volume.end, today.year_starts) for volume in case.size.volumes}
    for end in sorted(year.end for year in years if year.end < case.happened_on):
        asked = _asked(rulebook, CaseFacts(case, end, set_aside), case)
        put_in = asked - total([amount for _, amount in set_aside], JPY)
        named = put_in.named("", f"set aside for the year to {end}", f"{end}までの年度の積立額")
        set_aside = (*set_aside, (end, named))
    return _asked(rulebook, replace(today, set_aside=set_aside), case)


def _asked(rulebook: Rulebook, facts: CaseFacts, case: Case) -> Figure:
    return rulebook.required(facts, case.rules_on)
