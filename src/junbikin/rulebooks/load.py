"""Reading rulebooks: from the package, from an installed plug-in, or from a folder. A broken one says how."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

from junbikin.errors import BadInput, RulebookProblem
from junbikin.figures import Figure, Name, Provenance, Unit, exact
from junbikin.rulebooks.interface import Case, Check, CustodyFacts, Facts, Outcome, Permission
from junbikin.rulebooks.parameters import DatedValue, Parameter, Rules

STATUSES = ("enacted", "precedent", "candidate")
_TOP = {"id", "title", "jurisdiction", "status", "summary", "parameters"}
_PARAMETER = {"name", "unit", "provenance", "citation", "values", "note"}
_VALUE = {"from", "to", "value", "unknown"}
_WORD = "word"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One regime: its parameters, and what it says of the reserve (`assess`), of custody (`custody`), of making good a loss
    (`permission`), or of several.

    `digest` covers both files.
    """

    id: str
    title: Name
    jurisdiction: str
    status: str
    summary: Name
    parameters: dict[str, Parameter]
    assess: Callable[[Facts, Rules], Outcome] | None
    custody: Callable[[CustodyFacts, Rules], tuple[Check, ...]] | None
    permission: Callable[[Case, Rules], Permission] | None
    folder: Path
    digest: str

    def on(self, day: date) -> Rules:
        """The parameters as they stand on a day."""
        return Rules(self.id, day, self.parameters)

    def outcome(self, facts: Facts) -> Outcome:
        """What it says of the reserve. Raises `RulebookProblem` when it says nothing, or its formula fails."""
        if self.assess is None:
            raise RulebookProblem(
                f"{self.id} says nothing of a reserve",
                where=str(self.folder),
                then="it judges custody: `junbikin custody`",
            )
        with _running(self.id):
            return self.assess(facts, self.on(facts.as_of))

    def required(self, facts: Facts, rules_on: date) -> Figure:
        """What it asks to be kept, by its rules as they stand on a day that need not be that of the facts. Raises as `outcome` does."""
        if self.assess is None:
            raise RulebookProblem(f"{self.id} says nothing of a reserve", then="hold the case against another")
        with _running(self.id):
            return self.assess(facts, self.on(rules_on)).requirement

    def checks(self, facts: CustodyFacts) -> tuple[Check, ...]:
        """What it says of each duty of custody. Raises `RulebookProblem` when it says nothing, or its formula fails."""
        if self.custody is None:
            raise RulebookProblem(
                f"{self.id} says nothing of custody",
                where=str(self.folder),
                then="it judges the reserve: `junbikin assess`",
            )
        with _running(self.id):
            return self.custody(facts, self.on(facts.as_of))

    def permitted(self, case: Case) -> Permission:
        """What it says of making good a loss. Raises `RulebookProblem` when it says nothing, or its formula fails."""
        if self.permission is None:
            raise RulebookProblem(
                f"{self.id} says nothing of making good a loss",
                where=str(self.folder),
                then="name one that does, such as jp-fiea-39",
            )
        with _running(self.id):
            return self.permission(case, self.on(case.on))


@contextmanager
def _running(rulebook: str) -> Iterator[None]:
    """A formula runs inside; what goes wrong in it is told with its line, as the rulebook's problem."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        raise RulebookProblem(
            f"{rulebook}: the formula failed: {type(problem).__name__}: {problem}",
            where=f"{last.filename}, line {last.lineno}",
            then="correct the formula",
        ) from problem


def known_rulebooks() -> dict[str, Path]:
    """Id → folder of every rulebook in the package and in installed plug-ins (group `junbikin.rulebooks`)."""
    folders = _shipped()
    for plugin in entry_points(group="junbikin.rulebooks"):
        module = plugin.load()
        folders[plugin.name] = Path(str(module.__file__)).parent
    return folders


def _shipped() -> dict[str, Path]:
    here = Path(__file__).parent
    return {_id_of(file): file.parent for file in sorted(here.glob("*/rulebook.toml"))}


def _id_of(file: Path) -> str:
    return file.parent.name.replace("_", "-")


def load_rulebook(name: str, base: Path | None = None) -> Rulebook:
    """The rulebook of that id, or in that folder (relative to `base`). Raises `RulebookProblem`."""
    folder = _shipped().get(name) or (base / name if base else Path(name))
    if not (folder / "rulebook.toml").is_file():
        known = known_rulebooks()
        folder = known.get(name, folder)
    file = folder / "rulebook.toml"
    if not file.is_file():
        near = difflib.get_close_matches(name, known, 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise RulebookProblem(f"there is no rulebook {name!r}", then=f"{guess}known are {', '.join(sorted(known))}")
    content = file.read_bytes()
    try:
        table = tomllib.loads(content.decode("utf-8"), parse_float=_no_float)
    except (ValueError, UnicodeDecodeError) as problem:
        raise RulebookProblem(f"not TOML: {problem}", where=str(file), then="mend that line") from None
    except _FloatFound as found:
        raise RulebookProblem(f"{found} is a bare number", where=str(file), then=f'write it as "{found}"') from None
    formula_file = folder / "formula.py"
    if not formula_file.is_file():
        raise RulebookProblem("the rulebook has no formula.py", where=str(folder), then=f"add one; {_FORMULAS}")
    try:
        return _checked(table, file, content, formula_file)
    except (TypeError, AttributeError, ValueError) as problem:
        raise RulebookProblem(
            f"a part is not of the kind it should be: {problem}", where=str(file), then="compare with a shipped one"
        ) from None


class _FloatFound(Exception):
    pass


def _no_float(text: str) -> Any:
    raise _FloatFound(text)


def _checked(table: dict[str, Any], file: Path, content: bytes, formula_file: Path) -> Rulebook:
    _known(table, _TOP, str(file))
    for key in ("id", "title", "jurisdiction", "status", "parameters"):
        if key not in table:
            raise RulebookProblem(f"{key!r} is missing", where=str(file), then="add it")
    if table["status"] not in STATUSES:
        raise RulebookProblem(
            f"the status {table['status']!r} is not one", where=str(file), then="use one of " + ", ".join(STATUSES)
        )
    if not isinstance(table["id"], str) or not table["id"]:
        raise RulebookProblem("the id is not a word", where=str(file), then='write id = "xx-name"')
    digest = hashlib.sha256(content + b"\0" + formula_file.read_bytes()).hexdigest()
    formulas = _formulas(table["id"], formula_file)
    return Rulebook(
        id=table["id"],
        title=_name(table["title"], f"{file}, title"),
        jurisdiction=table["jurisdiction"],
        status=table["status"],
        summary=_name(table.get("summary", table["title"]), f"{file}, summary"),
        parameters={key: _parameter(key, part, f"{file}, {key}") for key, part in _flat(table["parameters"])},
        assess=formulas["assess"],
        custody=formulas["custody"],
        permission=formulas["permission"],
        folder=file.parent,
        digest=digest,
    )


def _flat(table: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, dict[str, Any]]]:
    """Nested tables as dotted keys; a table that has `values` or `citation` is a parameter."""
    for key, part in table.items():
        if isinstance(part, dict) and not (_PARAMETER & set(part)):
            yield from _flat(part, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", part


def _parameter(key: str, part: Any, where: str) -> Parameter:
    if not isinstance(part, dict):
        raise RulebookProblem(f"{key!r} is not a parameter", where=where, then="give it name, unit, citation, values")
    _known(part, _PARAMETER, where)
    for needed in ("name", "unit", "provenance", "values"):
        if needed not in part:
            raise RulebookProblem(f"{needed!r} is missing", where=where, then="add it: no default stands in for it")
    citation = part.get("citation") or {}
    if not isinstance(citation, dict):
        raise RulebookProblem("the citation needs both languages", where=where, then='write { en = "…", ja = "…" }')
    if not citation or not all(str(text).strip() for text in citation.values()):
        raise RulebookProblem("the citation is missing", where=where, then="say which article, page or memo it is from")
    try:
        provenance = Provenance(part["provenance"])
    except ValueError:
        raise RulebookProblem(
            f"the provenance {part['provenance']!r} is not one", where=where, then="use one of " + ", ".join(Provenance)
        ) from None
    unit = str(part["unit"])
    if unit != _WORD:
        try:
            Unit.parse(unit)
        except BadInput as problem:
            raise RulebookProblem(problem.what, where=where, then=f"{problem.then}, or {_WORD}") from None
    values = tuple(_dated(value, unit, where) for value in part["values"])
    if not values:
        raise RulebookProblem("there is no value", where=where, then='add one, or { from = …, unknown = "why" }')
    values = tuple(sorted(values, key=lambda value: value.since))
    for earlier, later in pairwise(values):
        if earlier.since == later.since or (earlier.until and earlier.until >= later.since):
            raise RulebookProblem(
                f"two values hold on {later.since}", where=where, then="end the earlier one before the later one begins"
            )
    ends = [later.since for later in values[1:]]
    dated = tuple(
        DatedValue(v.since, v.until or (_day_before(end) if end else None), v.value, v.unknown)
        for v, end in zip(values, [*ends, None], strict=True)
    )
    return Parameter(
        key, _name(part["name"], where), "" if unit == _WORD else unit, provenance, _name(citation, f"{where}, citation"), dated,
        str(part.get("note", "")),
    )  # fmt: skip


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _dated(value: Any, unit: str, where: str) -> DatedValue:
    if not isinstance(value, dict):
        raise RulebookProblem("a value must be a table", where=where, then='write { from = 2026-04-01, value = "…" }')
    _known(value, _VALUE, where)
    since: Any = value.get("from")
    until: Any = value.get("to")
    for key, day in (("from", since), ("to", until)):
        if (day is not None or key == "from") and (not isinstance(day, date) or isinstance(day, datetime)):
            what = "a value needs the day from which it holds" if day is None else f"{key!r} is not a day"
            raise RulebookProblem(what, where=where, then=f"write {key} = 2026-04-01, a day without quotes or hour")
    if until is not None and until < since:
        raise RulebookProblem(f"a value ends ({until}) before it begins ({since})", where=where, then="swap them")
    if ("value" in value) == ("unknown" in value):
        raise RulebookProblem("give either value or unknown", where=where, then="keep the one that is true")
    if "unknown" in value:
        return DatedValue(since, until, None, str(value["unknown"]))
    text = value["value"]
    if not isinstance(text, str):
        raise RulebookProblem(f"{text!r} is not in quotes", where=where, then='write amounts as strings: "0.00008"')
    if unit != _WORD:
        try:
            exact(text)
        except BadInput as problem:
            raise RulebookProblem(problem.what, where=where, then=problem.then) from None
    return DatedValue(since, until, text)


def _name(part: Any, where: str) -> Name:
    if not isinstance(part, dict) or set(part) != {"en", "ja"}:
        raise RulebookProblem("a name needs both languages", where=where, then='write { en = "…", ja = "…" }')
    return Name(part["en"], part["ja"])


def _known(table: dict[str, Any], names: set[str], where: str) -> None:
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            guess = f"did you mean {near[0]!r}?" if near else "the keys are " + ", ".join(sorted(names))
            raise RulebookProblem(f"unknown key {key!r}", where=where, then=guess)


_FORMULAS = "define assess(facts, rules), custody(facts, rules), permission(case, rules), or several of them"
_FUNCTIONS = ("assess", "custody", "permission")


def _formulas(name: str, file: Path) -> dict[str, Any]:
    """The functions of a formula file by name; None for one that it does not define."""
    spec = importlib.util.spec_from_file_location(f"junbikin_rulebook_{name.replace('-', '_')}", file)
    if spec is None or spec.loader is None:
        raise RulebookProblem("the formula cannot be read", where=str(file), then="it must be a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a foreign file may raise anything
        raise RulebookProblem(
            f"the formula cannot be used: {type(problem).__name__}: {problem}", where=str(file), then=_FORMULAS
        ) from None
    found = {function: getattr(module, function, None) for function in _FUNCTIONS}
    if not any(found.values()):
        raise RulebookProblem("the formula says nothing", where=str(file), then=_FORMULAS)
    odd = next((function for function, value in found.items() if value is not None and not callable(value)), None)
    if odd is not None:
        raise RulebookProblem(f"{odd} is not a function", where=str(file), then=_FORMULAS)
    return found
