"""How amounts, units and days are written for people, in English and Japanese."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from unicodedata import category

from junbikin.figures import Figure, Name, Rounding, plain
from junbikin.figures.amounts import EXACT, round_to

Lang = Literal["en", "ja"]

_UNSEEN = {"Cc", "Cf", "Zl", "Zp"}
"""Control, format and direction characters, line and paragraph ends."""

WHOLE = {"JPY", "KRW"}
SIGNS = {"JPY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$", "KRW": "₩"}


def say(name: Name, lang: Lang) -> str:
    """The words in a language."""
    return name.ja if lang == "ja" else name.en


def visible(text: str) -> str:
    """The text on one line, with what a terminal would act on or not show written out: nobody's words can pose as ours."""
    return "".join(c if category(c) not in _UNSEEN else c.encode("unicode_escape").decode() for c in text)


def grouped(value: Decimal, places: int | None = None) -> str:
    """The number with thousands separated; rounded half-up for show when `places` is given."""
    shown = plain(value if places is None else round_to(value, places, Rounding.HALF_UP))
    whole, _, rest = shown.lstrip("-").partition(".")
    sign = "−" if shown.startswith("-") else ""
    return f"{sign}{int(whole):,}" + (f".{rest}" if rest else "")


def amount(figure: Figure, lang: Lang = "en") -> str:
    """A figure for reading: money to the smallest unit people use, other numbers as they are."""
    text = money(figure.value, str(figure.unit), lang)
    if figure.value is not None and figure.holes:
        return f"{text}（判明分）" if lang == "ja" else f"{text} (known part)"
    return text


def exact_amount(figure: Figure, lang: Lang = "en") -> str:
    """A figure with every digit that it has."""
    if figure.value is None:
        return "不明" if lang == "ja" else "unknown"
    return _with_unit(figure.value, str(figure.unit), shown=False)


def percent(figure: Figure, lang: Lang = "en") -> str:
    """A share in per cent: 0.0287 is 2.87%."""
    if figure.value is None:
        return "不明" if lang == "ja" else "unknown"
    return f"{grouped(EXACT.multiply(figure.value, 100))}%"


def money(value: Decimal | None, unit: str, lang: Lang) -> str:
    """An amount for reading, to the smallest unit people use; "unknown" for None."""
    if value is None:
        return "不明" if lang == "ja" else "unknown"
    return _with_unit(value, unit, shown=True)


def _with_unit(value: Decimal, unit: str, *, shown: bool) -> str:
    places = (0 if unit in WHOLE else 2) if shown and unit in SIGNS else None
    number = grouped(value, places)
    if unit in SIGNS:
        sign = "−" if number.startswith("−") else ""
        return f"{sign}{SIGNS[unit]}{number.lstrip('−')}"
    return number if unit == "1" else f"{number} {unit}"


def short(value: Decimal, lang: Lang) -> str:
    """Money in the words of headlines: ¥12.3bn, 123億円. For charts; the exact figure stands beside it."""
    size = abs(value)
    steps: list[tuple[int, str]] = (
        [(10**12, "兆"), (10**8, "億"), (10**4, "万")]
        if lang == "ja"
        else [(10**12, "tn"), (10**9, "bn"), (10**6, "m")]
    )
    for step, word in steps:
        if size >= step:
            scaled = round_to(value / step, 1 if size < 100 * step else 0, Rounding.HALF_UP)
            return f"{grouped(scaled)}{word}円" if lang == "ja" else f"¥{grouped(scaled)}{word}"
    return f"{grouped(value, 0)}円" if lang == "ja" else f"¥{grouped(value, 0)}"


def face(position_provenances: list[str], lang: Lang) -> str:
    """What a position says on its face when it does not rest on law alone; empty when it does."""
    weak = [tag for tag in position_provenances if tag in ("press", "assumption")]
    if not weak:
        return ""
    if lang == "ja":
        words = {"press": "報道値", "assumption": "仮定"}
        return f"法令の数値だけではない：{'・'.join(words[tag] for tag in weak)}を含む"
    words = {"press": "press figures", "assumption": "assumptions"}
    return f"Not law alone: rests on {' and '.join(words[tag] for tag in weak)}"


OPS: dict[str, Name] = {
    "given": Name("given", "所与"),
    "hole": Name("unknown", "不明"),
    "total": Name("sum of", "合計"),
    "largest": Name("largest of", "最大"),
    "smallest": Name("smallest of", "最小"),
    "clamp": Name("kept between", "上下限"),
    "taken as": Name("counted as", "算入"),
    "brackets": Name("brackets", "段階"),
    "-": Name("less", "差引"),
}


def operation(figure: Figure, lang: Lang) -> str:
    """How the figure was reached, in a word or a sign."""
    name = OPS.get(figure.op)
    return say(name, lang) if name else figure.op
