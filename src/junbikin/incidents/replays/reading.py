"""The facts of a known case: read from a file, each with its source, what others say of it, and what is not known.

A case of one's own works like a shipped one: its file is named.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from junbikin.errors import BadInput
from junbikin.facts.datasets import CAUSES
from junbikin.figures import RATIO, Figure, Name, Provenance, Rule, Stated, Unit, given, hole
from junbikin.incidents.replays.case import (
    JPY,
    OTHER,
    Average,
    Case,
    Held,
    Part,
    Published,
    Size,
    Taken,
    Volume,
)  # fmt: skip
from junbikin.rulebooks.interface import Grade

FUNDS = ("insurance", "own", "outside")
_FUNDS = {
    "insurance": Name("insurance that paid", "支払われた保険金"),
    "own": Name("own funds as published", "公表された自己資金"),
    "outside": Name("outside help as published", "公表された外部支援"),
}
_TOP = {
    "title", "story", "cause", "happened_on", "paid_on", "rules_on", "people", "assets", "published", "size", "funds",
}  # fmt: skip
_FACT = {"value", "rests_on", "source", "others", "unknown"}


def known_cases() -> dict[str, Path]:
    """Id → file of every case that ships, by date of the loss."""
    files = sorted((Path(__file__).parent / "cases").glob("*.toml"), key=lambda file: (_day_of(file), file.stem))
    return {file.stem: file for file in files}


def _day_of(file: Path) -> date:
    day: date = tomllib.loads(file.read_text(encoding="utf-8"))["happened_on"]
    return day


def load_case(name: str) -> Case:
    """The case of that id, or in that file. Raises `BadInput` on none, and on a file that is not well formed, by place."""
    known = known_cases()
    file = known.get(name, Path(name))
    if not file.is_file():
        near = difflib.get_close_matches(name, known, 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise BadInput(f"there is no case {name!r}", then=f"{guess}known are {', '.join(known)}, or name a file")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as problem:
        raise BadInput(f"not TOML: {problem}", where=str(file), then="mend that line") from None
    with _reading(file):
        return _Reader(file, table).case()


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise BadInput(
            f"the case is not well formed: {problem!r}", where=str(file), then="compare with a shipped one"
        ) from None


class _Reader:
    """Reads a case's table; every fact of it becomes a figure whose key is its place in the file."""

    def __init__(self, file: Path, table: dict[str, Any]) -> None:
        self._file, self._table, self._id = file, table, file.stem
        self._known(table, _TOP, "the file")
        self._happened = _day(table["happened_on"])

    def case(self) -> Case:
        table = self._table
        if table["cause"] not in CAUSES:
            raise self._wrong("cause", f"{table['cause']!r} is no cause", "use one of " + ", ".join(CAUSES))
        funds = table["funds"]
        self._known(funds, set(FUNDS), "funds")
        return Case(
            id=self._id,
            title=Name(**table["title"]),
            story=Name(**table["story"]),
            cause=table["cause"],
            happened_on=self._happened,
            paid_on=_day(table["paid_on"]),
            rules_on=_day(table["rules_on"]),
            people=self._fact(table["people"], "people", RATIO, Name("customers affected", "対象者数")),
            assets=tuple(self._taken(asset, part) for asset, part in table["assets"].items()),
            published=self._published(table["published"]),
            size=self._size(table["size"]),
            funds={kind: self._fact(funds[kind], f"funds.{kind}", JPY, _FUNDS[kind]) for kind in FUNDS},
        )

    def _taken(self, asset: str, table: dict[str, Any]) -> Taken:
        self._known(table, {"taken", "customers", "hot", "worth", "parts"}, f"assets.{asset}")
        at = f"assets.{asset}"
        price = Unit.parse(f"{JPY}/{asset}")
        taken = Taken(
            asset,
            self._fact(table["taken"], f"{at}.taken", asset, Name(f"{asset} taken", f"流出した{asset}")),
            self._fact(
                table["customers"],
                f"{at}.customers",
                asset,
                Name(f"customers' {asset} taken", f"流出した顧客の{asset}"),
            ),
            self._fact(
                table["hot"],
                f"{at}.hot",
                RATIO,
                Name(f"share of the {asset} in hot storage", f"{asset}のうちホット保管の割合"),
            ),
            self._fact(table["worth"], f"{at}.worth", price, Name(f"price of {asset}", f"{asset}の価格")),
            tuple(self._part(asset, part, f"{at}.parts.{part['pays']}") for part in table["parts"]),
        )
        shares = [part.share.known for part in taken.parts]
        if sum(shares) != 1:
            raise self._wrong(at, f"the shares of the parts sum to {sum(shares)}", "let them sum to 1")
        return taken

    def _part(self, asset: str, table: dict[str, Any], at: str) -> Part:
        self._known(table, {"pays", "share", "price"}, at)
        pays = table["pays"]
        if pays not in (asset, JPY) or (pays == JPY) != ("price" in table):
            raise self._wrong(
                at, "a part pays the asset, or JPY at a price", f'write pays = "{asset}", or "JPY" and a price'
            )
        ways = Name(f"share of {asset} paid in {pays}", f"{asset}のうち{pays}で支払う割合")
        price = None
        if "price" in table:
            named = Name(f"price at which {asset} is paid", f"{asset}の補償単価")
            price = self._fact(table["price"], f"{at}.price", Unit.parse(f"{JPY}/{asset}"), named)
        return Part(pays, self._fact(table["share"], f"{at}.share", RATIO, ways), price)

    def _published(self, table: dict[str, Any]) -> Published:
        self._known(table, _FACT | {"within", "explained"}, "published")
        fact = {key: part for key, part in table.items() if key in _FACT}
        explained = Name(**table["explained"])
        source = Rule(self._id, "within", explained.en, explained.ja, Provenance.ASSUMPTION, self._happened.isoformat())
        return Published(
            self._fact(fact, "published", JPY, Name("customers' loss as published", "公表された顧客の損失額")),
            given(table["within"], JPY, Name("difference that this explains", "これで説明できる差"), source, "within"),
            explained,
        )

    def _size(self, table: dict[str, Any]) -> Size:
        self._known(table, {"volumes", "held", "prices", "averages", "grades"}, "size")
        return Size(
            tuple(self._volume(part) for part in table.get("volumes", [])),
            tuple(self._held(part) for part in table.get("held", [])),
            {
                asset: self._fact(
                    part, f"size.prices.{asset}", f"{JPY}/{asset}", Name(f"price of {asset}", f"{asset}の価格")
                )
                for asset, part in table.get("prices", {}).items()
            },
            {asset: self._average(asset, part) for asset, part in table.get("averages", {}).items()},
            {control: self._grade(control, part) for control, part in table.get("grades", {}).items()},
        )

    def _volume(self, table: dict[str, Any]) -> Volume:
        self._known(table, _FACT | {"line", "from", "to"}, "size.volumes")
        line, start, end = table["line"], _day(table["from"]), _day(table["to"])
        fact = {key: part for key, part in table.items() if key in _FACT}
        name = Name(f"volume of {line}, {start} to {end}", f"{line}の取引高（{start}〜{end}）")
        return Volume(line, start, end, self._fact(fact, f"size.volumes.{line}.{start}", JPY, name))

    def _held(self, table: dict[str, Any]) -> Held:
        self._known(table, {"asset", "cold", "rest"}, "size.held")
        asset = table["asset"]
        unit, words = (JPY, ("other assets", "その他の銘柄")) if asset == OTHER else (asset, (asset, asset))
        cold = Name(f"{words[0]} in cold storage", f"{words[1]}（コールド）")
        rest = Name(f"{words[0]} not in cold storage", f"{words[1]}（コールド以外）")
        at = f"size.held.{asset}"
        return Held(
            asset,
            self._fact(table["cold"], f"{at}.cold", unit, cold),
            self._fact(table["rest"], f"{at}.rest", unit, rest),
        )

    def _average(self, asset: str, table: dict[str, Any]) -> Average:
        self._known(table, _FACT | {"over", "days"}, f"size.averages.{asset}")
        fact = {key: part for key, part in table.items() if key in _FACT}
        name = Name(f"average price of {asset}, {table['over']}", f"{asset}の平均価格（{table['over']}）")
        price = self._fact(fact, f"size.averages.{asset}", f"{JPY}/{asset}", name)
        counted = Name(f"days with a price of {asset}", f"{asset}の価格のある日数")
        source = self._source(f"size.averages.{asset}", table["source"], Provenance(table["rests_on"]))
        return Average(table["over"], price, given(table["days"], RATIO, counted, source, f"days_priced.{asset}"))

    def _grade(self, control: str, table: dict[str, Any]) -> Grade:
        self._known(table, {"grade", "source"}, f"size.grades.{control}")
        source = table["source"]
        return Grade(table["grade"], self._source(f"size.grades.{control}", source, Provenance.PRESS))

    def _fact(self, table: dict[str, Any], key: str, unit: Unit | str, name: Name) -> Figure:
        """A fact as a figure, its note saying what others state; a hole where nobody does."""
        self._known(table, _FACT, key)
        if "unknown" in table:
            return hole(unit, name, Name(**table["unknown"]), key)
        value = table["value"]
        if not isinstance(value, str):
            raise self._wrong(key, f"{value!r} is not in quotes", 'write amounts as strings: "88.549"')
        try:
            provenance = Provenance(table["rests_on"])
        except ValueError:
            raise self._wrong(
                key, f"{table['rests_on']!r} is no provenance", "use one of " + ", ".join(Provenance)
            ) from None
        figure = given(value, unit, name, self._source(key, table["source"], provenance), key)
        return _with_others(figure, table.get("others", []))

    def _source(self, key: str, source: dict[str, str], provenance: Provenance) -> Rule:
        return Rule(self._id, key, source["en"], source["ja"], provenance, self._happened.isoformat())

    def _known(self, table: dict[str, Any], names: set[str], at: str) -> None:
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                guess = f"did you mean {near[0]!r}?" if near else "the keys are " + ", ".join(sorted(names))
                raise self._wrong(at, f"unknown key {key!r}", guess)

    def _wrong(self, at: str, what: str, then: str) -> BadInput:
        return BadInput(what, where=f"{self._file}, {at}", then=then)


def _with_others(figure: Figure, others: list[dict[str, Any]]) -> Figure:
    """The figure with a note of what other sources state; each must be a number of the same kind."""
    if not others:
        return figure
    stated = [
        (given(each["value"], figure.unit, figure.name, Stated(each["source"]["en"])), each["source"])
        for each in others
    ]
    en = "; ".join(f"{one.known:,f} ({source['en']})" for one, source in stated)
    ja = "、".join(f"{one.known:,f}（{source['ja']}）" for one, source in stated)
    return replace(figure, note=Name(f"others state {en}", f"他の記載：{ja}"))


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"{value!r} is not a day")
    return value
