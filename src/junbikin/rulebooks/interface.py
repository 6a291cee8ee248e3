"""What formulas are given and what they return: the contract between rulebooks and the facts.

`assess(facts, rules)` says what reserve must be held, `custody(facts, rules)` which duties of custody are kept,
`permission(case, rules)` whether a loss may be made good without asking first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from junbikin.calendars import Period
from junbikin.figures import Figure, Name, Rule, Source
from junbikin.findings import Finding


@dataclass(frozen=True, slots=True)
class CustomerAsset:
    """What customers are owed of one crypto-asset, in the home's currency: `cold` + `rest` = `owed`.

    `cold` is the part that customers' coins in cold storage cover; `rest` is everything else, whether it lies
    hot or is not found at all.
    """

    asset: str
    owed: Figure
    cold: Figure
    rest: Figure


@dataclass(frozen=True, slots=True)
class Kept:
    """One crypto-asset that customers are owed or that is kept for them, in its own unit.

    `cold` and `warm` are customers' property in cold storage and anywhere else; `guarantee` and `guarantee_warm` are
    the operator's own coins set apart as guarantee crypto-assets (履行保証暗号資産), likewise.
    """

    asset: str
    owed: Figure
    cold: Figure
    warm: Figure
    guarantee: Figure
    guarantee_warm: Figure


@dataclass(frozen=True, slots=True)
class Money:
    """Customers' money in the home's currency: what they are owed, and what lies in each kind of storage for them."""

    owed: Figure
    stored: Mapping[str, Figure]
    counted_on: date | None
    """The day of the balances and holdings that these are sums of, the earlier of the two; None when either is not known."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A third party as it is registered; None in `checked_until` when it is not."""

    id: str
    checked_until: date | None
    contract_until: date | None = None
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place where property is kept: for which owners, by whom, and the worth there of customers' crypto-assets.

    `storages` and `providers_named` are those that the holdings name, `registered_storage` that which the registry names
    ("": none); `provider` is the registry's word, else that of the holdings.
    `registered` is None where there is no registry to ask.
    """

    id: str
    owners: frozenset[str]
    worth: Figure
    registered: bool | None = None
    storages: frozenset[str] = frozenset()
    registered_storage: str = ""
    provider: Provider | None = None
    providers_named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grade:
    """How a control was graded, and by which facts."""

    grade: str
    source: Source


class Facts(Protocol):
    """Facts as formulas see them: figures with their sources, known on `as_of`."""

    @property
    def as_of(self) -> date:
        """The day of the position."""

    @property
    def currency(self) -> str:
        """What every yen-like figure is in."""

    def fiscal_year(self, back: int = 0) -> Period:
        """The fiscal year of `as_of`, or one before it."""

    def volume(self, line: str, period: Period) -> Figure:
        """What was traded on a line within a period, up to `as_of`."""

    def reserve_booked(self, kind: str, until: date, since: date = date.min) -> Figure:
        """The sum of the reserve's entries of a kind between two days, both included."""

    def customer_assets(self) -> tuple[CustomerAsset, ...]:
        """What customers are owed, asset by asset; holes where it is not known."""

    def price(self, asset: str) -> Figure:
        """An asset's price in the home's currency on the day; a hole where there is none."""

    def average_price(self, asset: str, period: Period) -> Figure:
        """The mean of an asset's daily prices over a period; a hole where there is none.

        The step `days_priced.ASSET` counts the days that have one.
        """

    def kept(self) -> tuple[Kept, ...]:
        """Every crypto-asset that customers are owed or that is kept for them, by name; holes where it is not known."""

    def unknown(self) -> tuple[Figure, ...]:
        """A hole for each dataset of customers' property of which nothing is known, in the home's currency."""

    def net_losses(self, period: Period) -> Figure:
        """Losses from incidents less what was recovered."""

    def grade(self, control: str) -> Grade | None:
        """The newest grade of a control, or None when it was never graded."""


class CustodyFacts(Facts, Protocol):
    """What the duties of custody ask for besides."""

    def money(self) -> Money:
        """Customers' money."""

    def places(self) -> tuple[Place, ...]:
        """Every place where property is kept, by name."""

    def net_assets(self) -> Figure:
        """The operator's net assets, as last stated; a hole when they never were."""

    def last_audit(self, kind: str) -> date | None:
        """The day of the newest audit of a kind, or None."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """A finding of one duty: `subject` is what it is about, and tells with `finding.code` whether it was there before.

    `cure` is within how many business days, from the day after it arose, it must be cured.
    """

    finding: Finding
    subject: str = ""
    cure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One duty on one day: the figures in the order in which a reader meets them, and what lapsed.

    `told` are the figures that tell how it stands, one for each thing that is judged, the worst first; `against` is what
    they are held against, where a share has a limit or a gap a whole. `looked_at` says in words what was judged without figures.
    """

    key: str
    name: Name
    steps: tuple[Figure, ...]
    lapses: tuple[Lapse, ...] = ()
    told: tuple[Figure, ...] = ()
    against: Figure | None = None
    looked_at: Name | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a formula says: the requirement, and the figures in the order in which a reader meets them."""

    requirement: Figure
    steps: tuple[Figure, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A loss that is to be made good (損失の補塡), as it is stated: whether it may be without asking first is the rulebook's to say.

    `act` is which act of the firm's people caused it, in the rulebook's word ("": as the rulebook reads `cause`); `grounds` are what
    there is to show for it, likewise. Amounts are in yen, holes where nobody stated them: `largest` is the most that one customer gets,
    `per_day` the most for one customer's trades of one day, `evident` the part of it that the books show by themselves. `people` are
    all whose loss is made good, `shown` for how many of them documents of the grounds are there.
    """

    on: date
    cause: str
    largest: Figure
    per_day: Figure
    evident: Figure
    act: str = ""
    grounds: frozenset[str] = frozenset()
    people: int = 1
    shown: int = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a rule: whether it applies (None: nobody can say), why, and by which words of the law."""

    key: str
    name: Name
    applies: bool | None
    why: Name
    rule: Rule


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a loss may be made good without confirmation (事故確認) before.

    `act` is the act as it was read or stated, `accident` whether it is an accident at all, `scope` how far the rule is law for this. `needed` is None when nobody can
    say yet. `report_by` is the day by which payments made without confirmation are reported, where they are.
    """

    scope: Item
    act: str
    accident: Item
    items: tuple[Item, ...]
    needed: bool | None
    report_by: date | None
    steps: tuple[Figure, ...]
