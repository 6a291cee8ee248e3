"""A small figure and the digest that it must have everywhere and always."""

from __future__ import annotations

from junbikin.figures import Data, Figure, Name, Provenance, Rule, given, hole, total

PINNED = "c81fcf41fd19080263f3730c434e071fba4437b319f98b8a5026f08be0465109"

RATE = Rule(
    rulebook="jp-fiea-175",
    parameter="accrual.イ",
    citation="FIB Ordinance 175(1)(i)イ",
    citation_ja="金商業等府令175条1項1号イ",
    provenance=Provenance.TEXT,
    since="2007-09-30",
)
VOLUME = Data("trades", "sum of price × quantity", "ab" * 32)


def small() -> Figure:
    """A figure of two leaves and a hole."""
    volume = given("123456789.50", "JPY", Name("volume", "取引高"), VOLUME, "volume")
    rate = given("0.00002", "1", Name("rate", "率"), RATE, "rate")
    gone = hole("JPY", Name("used", "使用額"), Name("no entry", "記録なし"), "used")
    return total([volume * rate, gone], "JPY").named("requirement", "requirement", "要積立額", Name("so far", "途中"))
