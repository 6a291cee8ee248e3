"""Names in the characters of Zengin files: half-width katakana, capitals, digits, space and `()-.`, a byte each in JIS X 0201.

Set-based: SQL that writes names, and columns of bytes. Nothing is cut and nothing is guessed: a name that cannot be written is refused.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from junbikin.facts.engine import literal

_PLAIN = "ｱｲｴｵﾅﾆﾇﾈﾉﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
_VOICED = "ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄ"
_HALF_VOICED = "ﾊﾋﾌﾍﾎ"
KANA = _PLAIN + _VOICED + _HALF_VOICED + "ﾞﾟ"
"""The kana of Zengin files, with the two marks: ヲ and small kana are none."""
OTHERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ()-."
NAME = f"(?:[{_PLAIN}A-Z0-9 ().-]|[{_VOICED}]ﾞ?|[{_HALF_VOICED}][ﾞﾟ]?)+"
"""A pattern of what can be written: a mark follows a kana that can take it."""

_WIDE = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜"
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ"
_SMALL = "ァィゥェォッャュョヮヵヶｧｨｩｪｫｬｭｮｯ"
_LARGE = "ｱｲｳｴｵﾂﾔﾕﾖﾜｶｹｱｲｳｴｵﾔﾕﾖﾂ"
_WITH_MARK = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ"
_WITH_HALF_MARK = "パピプペポ"
_BASE = "カキクケコサシスセソタチツテトハヒフヘホウ"
_DASHES = "ーｰ‐‑‒–—―−－"
_COMBINING = "\u3099\u309a"


def _hiragana(katakana: str) -> str:
    return "".join(chr(ord(kana) - 0x60) if "ァ" <= kana <= "ヶ" else "" for kana in katakana)


def _signs() -> dict[str, str]:
    """What each character is written as, one for one; those with a mark lose it here and have it put behind them before."""
    katakana = dict(zip(_WIDE + _SMALL, _HALF + _LARGE, strict=True))
    base = dict(zip(_WITH_MARK + _WITH_HALF_MARK, _BASE + "ハヒフヘホ", strict=True))
    katakana |= {kana: katakana[base[kana]] for kana in base}
    hiragana = {_hiragana(kana): half for kana, half in katakana.items() if _hiragana(kana)}
    full = {chr(ord(sign) + 0xFEE0): sign for sign in OTHERS if sign != " "}
    small = {chr(ord(sign) + 0x20): sign for sign in OTHERS if sign.isalpha()}
    full |= {chr(ord(sign) + 0xFEE0): capital for sign, capital in small.items()}
    return katakana | hiragana | full | small | dict.fromkeys(_DASHES, "-") | {"　": " "} | dict(zip(_COMBINING, "ﾞﾟ", strict=True))  # fmt: skip


_SIGNS = _signs()
_MARKED = _WITH_MARK + _hiragana(_WITH_MARK)
_HALF_MARKED = _WITH_HALF_MARK + _hiragana(_WITH_HALF_MARK)
_BYTES = "!\"#$%&'*+,/:;<=>?@[]_`abcdefghijklmnopqrstuvwxyz{|}~"[: len(KANA)]


def written(name: str) -> str:
    """SQL of a name as it is written in a file: half-width, in capitals, marks apart, no space around it.

    What has no such character stays as it is, and the outcome does not match `NAME`.
    """
    apart = f"regexp_replace({name}, {literal(f'([{_MARKED}])')}, '\\1ﾞ', 'g')"
    apart = f"regexp_replace({apart}, {literal(f'([{_HALF_MARKED}])')}, '\\1ﾟ', 'g')"
    return f"trim(translate({apart}, {literal(''.join(_SIGNS))}, {literal(''.join(_SIGNS.values()))}))"


def can_be_written(name: str) -> str:
    """SQL of whether a name as `written` has the characters of a file only, its marks where they belong."""
    return f"regexp_full_match({name}, {literal(NAME)})"


def as_bytes(name: str, width: int) -> str:
    """SQL of a name that can be written, filled with spaces to `width` bytes that `from_bytes` turns into those of a file."""
    return f"rpad(translate({name}, {literal(KANA)}, {literal(_BYTES)}), {width}, ' ')"


def from_bytes(names: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes of a file (JIS X 0201) of names that `as_bytes` gave."""
    found: NDArray[np.uint8] = _TABLE[names]
    return found


def _table() -> NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    for stand_in, kana in zip(_BYTES, KANA, strict=True):
        table[ord(stand_in)] = _byte(kana)
    return table


def _byte(sign: str) -> int:
    """A half-width kana in JIS X 0201, which has them in Unicode's order."""
    return ord(sign) - 0xFEC0 if sign in KANA else ord(sign)


_TABLE = _table()
PERMITTED = np.array([byte in {_byte(sign) for sign in KANA + OTHERS} for byte in range(256)])
"""Of each byte whether names in a file may have it."""


def one(name: str) -> str | None:
    """A single name as it is written in a file, or None when it cannot be."""
    apart = "".join(sign + ("ﾞ" if sign in _MARKED else "ﾟ" if sign in _HALF_MARKED else "") for sign in name)
    half = "".join(_SIGNS.get(sign, sign) for sign in apart).strip(" ")
    return half if re.fullmatch(NAME, half) else None


def encoded(name: str) -> bytes:
    """A name that can be written, as the bytes of a file."""
    return bytes(map(_byte, name))
