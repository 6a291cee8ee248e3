"""A small figure and the digest that it must have everywhere and always."""

from __future__ import annotations

from junbikin.figures import Data, Figure, Name, Provenance, Rule, given, hole, total

PINNED = "d84044749880f8f58514b5d22ee5630ca6f0b3a80a7f3b7c55933370920d30c5"

RATE = Rule("jp-fiea-175", "accrual.イ", "FIB Ordinance 175(1)(i)イ", Provenance.TEXT, "2007-09-30")
VOLUME = Data("trades", "sum of price × quantity", "ab" * 32)


def small() -> Figure:
    """A figure of two leaves and a hole."""
    volume = given("123456789.50", "JPY", Name("volume", "取引高"), VOLUME, "volume")
    rate = given("0.00002", "1", Name("rate", "率"), RATE, "rate")
    gone = hole("JPY", Name("used", "使用額"), Name("no entry", "記録なし"), "used")
    return total([volume * rate, gone], "JPY").named("requirement", "requirement", "要積立額", Name("so far", "途中"))
