"""Figures and strategies that the tests of figures are made of."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from junbikin.figures import Data, Figure, Name, Provenance, Rule, Source, Stated, Unit, given, hole, total

SOURCE = Stated("a test")


def of(value: Decimal | int | str, unit: str = "JPY", name: str = "amount") -> Figure:
    """A figure as a test states it."""
    return given(value, unit, Name(name, f"{name}（和）"), SOURCE)


def unknown(unit: str = "JPY", name: str = "amount", why: str = "nobody said") -> Figure:
    """A hole."""
    return hole(unit, Name(name, f"{name}（和）"), Name(why, f"{why}（和）"))


def fraction(figure: Figure) -> Fraction:
    """The exact value, in the arithmetic that serves as oracle."""
    return Fraction(figure.known)


def decimals(least: int = -(10**24), most: int = 10**24, places: int = 18) -> st.SearchStrategy[Decimal]:
    """Decimals of up to `places` decimals between two whole numbers."""

    def made(number: int, scale: int) -> Decimal:
        return Decimal(f"{number}E-{scale}")

    return st.integers(0, places).flatmap(
        lambda scale: st.integers(least * 10**scale, most * 10**scale).map(lambda number: made(number, scale))
    )


words = st.text(max_size=12)
names = st.builds(Name, words, words)
sources: st.SearchStrategy[Source] = st.one_of(
    st.builds(Rule, words, words, words, words, st.sampled_from(Provenance), words),
    st.builds(Data, words, words, words),
    st.builds(Stated, words),
)
leaves: st.SearchStrategy[Figure] = st.one_of(
    st.builds(given, decimals(), st.just("JPY"), names, sources, words),
    st.builds(hole, st.just("JPY"), names, names, words),
)


def _grown(inner: st.SearchStrategy[Figure]) -> st.SearchStrategy[Figure]:
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda lines: total(lines, "JPY"), st.lists(inner, max_size=4)),
        st.builds(lambda a, name, source: a.taken_as(name, source), inner, names, sources),
        st.builds(lambda a, key, en, ja, note: a.named(key, en, ja, note), inner, words, words, words, names),
    )


trees = st.recursive(leaves, _grown, max_leaves=8)
"""Whole figures in yen, grown at random, with holes among their leaves."""

symbols = st.sampled_from(["JPY", "BTC", "ETH", "USD", "1INCH"])
units = st.builds(
    lambda over, under: Unit.parse(("*".join(over) or "1") + ("/" + "*".join(under) if under else "")),
    st.lists(symbols, max_size=3),
    st.lists(symbols, max_size=3),
)
