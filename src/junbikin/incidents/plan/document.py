"""The plan as a document: read back, nothing in it is believed unchecked; and how anybody's amount in it is reached.

How the document is written stands in `written.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import rfc8785

from junbikin.errors import BadInput, PositionProblem
from junbikin.facts.engine import connect, identifier, literal
from junbikin.facts.engine import file as one_file
from junbikin.facts.run import Progress
from junbikin.figures import Figure, Name, Stated, all_from_table, given, plain
from junbikin.home import Home
from junbikin.incidents.folders import plan_folder
from junbikin.incidents.plan.entitlements import FILE, chunks
from junbikin.incidents.plan.legs import Told, derived
from junbikin.incidents.waterfall import PROMISED

FORMAT = "junbikin-plan-1"
DOCUMENT = "plan.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""How a plan is named: the name is also a folder's."""


@dataclass(frozen=True, slots=True)
class PlanLeg:
    """What a plan pays in one asset; `chunks` are the digests that are approved."""

    asset: str
    decimals: int
    total: Figure
    exact: Figure
    people: int
    size: int
    chunks: tuple[str, ...]
    told: Told


@dataclass(frozen=True)
class Plan:
    """A plan as its document has it. `body` is what its digest covers, `figures` every figure in it by digest."""

    folder: Path
    digest: str
    body: Mapping[str, Any]
    figures: Mapping[str, Figure]

    @property
    def entitlements(self) -> Path:
        """The file of everyone's amounts."""
        return self.folder / FILE

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.body["name"])

    @property
    def incident(self) -> str:
        """The incident that it is for."""
        return str(self.body["incident"])

    @property
    def legs(self) -> tuple[PlanLeg, ...]:
        """What it pays, asset by asset."""
        return tuple(self._leg(leg) for leg in self.body["legs"])

    def figure(self, digest: str) -> Figure:
        """A figure that the body names."""
        return self.figures[digest]

    def _leg(self, leg: Mapping[str, Any]) -> PlanLeg:
        told = Told(
            leg["asset"], leg["decimals"], self.figures[leg["share"]], self.figures[leg["price"]] if leg["price"] else None,
            int(leg["denominator"]), int(leg["remainder"]), int(leg["number"]),
        )  # fmt: skip
        total, exact = self.figures[leg["total"]], self.figures[leg["exact"]]
        size, digests = int(self.body["size"]), tuple(leg["chunks"])
        return PlanLeg(leg["asset"], leg["decimals"], total, exact, self.people, size, digests, told)

    @property
    def people(self) -> int:
        """How many are affected."""
        return int(self.body["affected"]["people"])

    @property
    def held(self) -> Figure:
        """What the affected held, in all."""
        return self.figures[self.body["affected"]["held"]]

    @property
    def owed(self) -> Figure:
        """What the plan makes good of it, in the affected asset."""
        return self.figures[self.body["affected"]["owed"]]

    @property
    def taken(self) -> Figure:
        """What is stated to be taken of the affected asset."""
        return self.figures[self.body["affected"]["taken"]]

    @property
    def cost(self) -> Figure:
        """What it costs in the home's currency."""
        return self.figures[self.body["cost"]]

    @property
    def promised(self) -> tuple[tuple[str, Figure], ...]:
        """What of it rests on a promise: policy or account, and what it pays though nothing has come of it yet."""
        lines = [line for line in self.body["funding"]["lines"] if line["source"] in PROMISED]
        return tuple((line["id"], self.figures[line["used"]]) for line in lines if self.figures[line["used"]].value)

    @property
    def funded(self) -> bool:
        """Whether everything is paid for."""
        return all(self.figures[digest].value == 0 for digest in self.body["funding"]["unpaid"].values())


def digest_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical body."""
    return hashlib.sha256(rfc8785.dumps(dict(body))).hexdigest()


def plans(home: Home, incident: str) -> tuple[Plan, ...]:
    """Every plan of an incident, by name. Raises `PositionProblem` when one is not whole."""
    return tuple(read_folder(folder) for folder in _folders(home, incident))


def _folders(home: Home, incident: str) -> list[Path]:
    folder = plan_folder(home, incident, "x").parent
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name)) if folder.is_dir() else []


def plan_with(home: Home, incident: str, digest: str) -> Plan:
    """The plan with this digest, whatever became of others. Raises `PositionProblem` when its files are not here."""
    damaged = []
    for folder in _folders(home, incident):
        try:
            plan = read_folder(folder)
        except PositionProblem:
            damaged.append(folder.name)
            continue
        if plan.digest == digest:
            return plan
    raise PositionProblem(
        f"the files of plan {digest[:12]} are not here" + (f"; not whole are {', '.join(damaged)}" if damaged else ""),
        where=str(plan_folder(home, incident, "x").parent),
        then="use the home in which the plan was made, or make it again from the same facts",
    )


def read_plan(home: Home, incident: str, name: str) -> Plan:
    """The plan of this name. Raises `BadInput` when there is none, `PositionProblem` when its document is not whole."""
    folder = plan_folder(home, incident, name)
    if not NAME.fullmatch(name) or not (folder / DOCUMENT).is_file():
        raise BadInput(
            f"there is no plan {name}", where=str(folder), then="make it with `junbikin incident plan`, or name one that is there"
        )  # fmt: skip
    return read_folder(folder)


def read_folder(folder: Path) -> Plan:
    """The plan in a folder. Raises `PositionProblem` when its document is not whole."""
    path = folder / DOCUMENT
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        body, digest = content["plan"], content["digest"]
        figures = all_from_table(content["figures"])
        if content["format"] != FORMAT or digest_of(body) != digest:
            raise _altered(path, "its digest is another")
        plan = Plan(folder, digest, body, figures)
        _ = plan.legs, plan.held, plan.owed, plan.taken, plan.cost, plan.funded
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise _altered(path, f"it is not whole: {_lacks(problem)}") from None
    return plan


def _lacks(problem: Exception) -> str:
    """What of a document cannot be read, in words."""
    if isinstance(problem, json.JSONDecodeError):
        return f"line {problem.lineno} is where it stops being JSON"
    return f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)


def check_files(home: Home, plan: Plan, progress: Progress) -> None:
    """Raises `PositionProblem` unless the entitlements are just those that the plan's digest covers."""
    engine = connect(home.memory_limit)
    if not plan.entitlements.is_file():
        raise _altered(plan.entitlements, "it is missing")
    size = int(plan.body["size"])
    for leg, found in zip(
        plan.legs, chunks(engine, plan.entitlements, [leg.asset for leg in plan.legs], size, progress), strict=True
    ):
        if (found.digests, found.people, found.total) != (leg.chunks, leg.people, leg.total.value):
            raise _altered(plan.entitlements, f"its amounts of {leg.asset} are others")


def _altered(path: Path, what: str) -> PositionProblem:
    return PositionProblem(
        f"this is not the plan that was made: {what}",
        where=str(path),
        then="restore it from a backup; while nobody was asked to approve it, make it again with `junbikin incident plan`",
    )


def derivation(home: Home, plan: Plan, account_id: str) -> tuple[Figure, ...]:
    """How one customer's amount is reached, a figure for each asset that is paid.

    Raises `BadInput` when the plan does not concern the account, `PositionProblem` when the file says something else.
    """
    legs = plan.legs
    columns = ", ".join(f"{identifier(leg.asset)}::VARCHAR" for leg in legs)
    rows = (
        connect(home.memory_limit)
        .execute(
            f"SELECT number, holding::VARCHAR, {columns} FROM read_parquet({one_file(str(plan.entitlements))}) "
            f"WHERE account_id = {literal(account_id)}"
        )
        .fetchall()
    )
    for number, holding, *amounts in rows:
        figures = tuple(_derived(plan, leg, account_id, int(number), holding) for leg in legs)
        _as_stored(plan, figures, amounts)
        return figures
    raise BadInput(
        f"the plan {plan.name} does not concern {account_id}", where=str(plan.folder), then="look at another plan"
    )


def _derived(plan: Plan, leg: PlanLeg, account_id: str, number: int, holding: str) -> Figure:
    name = Name(f"{plan.held.unit} held by {account_id}", f"{account_id}の{plan.held.unit}残高")
    held = given(plain(Decimal(holding)), plan.held.unit, name, plan.held.source or Stated(plan.name))
    return derived(held, number, leg.told, plan.owed, plan.held)


def _as_stored(plan: Plan, figures: Sequence[Figure], amounts: Sequence[str]) -> None:
    for figure, amount in zip(figures, amounts, strict=True):
        if figure.value != Decimal(amount):
            raise _altered(plan.entitlements, f"{figure.name.en} is {amount}, and would be {plain(figure.known)}")
