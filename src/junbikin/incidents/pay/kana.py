"""Names in the characters of Zengin files: half-width katakana, capitals, digits, space and `()-.`, a byte each in JIS X 0201.

Columns of names at a time: the engine's `translate` works its table out anew for every row. Nothing is cut and nothing is guessed:
a name that cannot be written is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import nanoarrow
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

MARKS = "ﾞﾟ"

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
    return katakana | hiragana | full | small | dict.fromkeys(_DASHES, "-") | {"　": " "} | dict(zip(_COMBINING, MARKS, strict=True))  # fmt: skip


_SIGNS = _signs()
_MARKED = _WITH_MARK + _hiragana(_WITH_MARK)
_HALF_MARKED = _WITH_HALF_MARK + _hiragana(_WITH_HALF_MARK)


def one(name: str) -> str | None:
    """A single name as it is written in a file, or None when it cannot be."""
    apart = "".join(sign + ("ﾞ" if sign in _MARKED else "ﾟ" if sign in _HALF_MARKED else "") for sign in name)
    half = "".join(_SIGNS.get(sign, sign) for sign in apart).strip(" ")
    return half if re.fullmatch(NAME, half) else None


def encoded(name: str) -> bytes:
    """A name that can be written, as the bytes of a file."""
    return bytes(ord(sign) if sign in OTHERS else ord(sign) - _SHIFT for sign in name)


_SHIFT = 0xFEC0
"""Between a half-width kana in Unicode and its byte in JIS X 0201, which has them in the same order."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names one after the other in UTF-8, where each starts, and where the last ends."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int32]

    def copied(self) -> Names:
        """The same names in memory of their own."""
        return Names(self.text.copy(), self.starts.copy())

    def given(self, engine: duckdb.DuckDBPyConnection, name: str, numbers: NDArray[np.int64]) -> None:
        """Lets an engine know the names once, as `name`, with a number each: columns `number` and `text`."""
        count = len(numbers)
        columns = [
            nanoarrow.c_array_from_buffers(nanoarrow.int64(), count, [None, numbers]),
            nanoarrow.c_array_from_buffers(nanoarrow.string(), count, [None, self.starts, self.text]),
        ]
        kind = nanoarrow.struct({"number": nanoarrow.int64(), "text": nanoarrow.string()})
        rows = nanoarrow.c_array_from_buffers(kind, count, [None], children=columns)
        engine.register(name, nanoarrow.ArrayStream(rows))


def can_be_written(name: str) -> str:
    """SQL of whether a name as `written` has the characters of a file only, its marks where they belong."""
    return f"regexp_full_match({name}, {literal(NAME)})"


def written(names: Names) -> Names:
    """Names half-width and in capitals, marks apart. What has no such character becomes one that `NAME` does not match.

    Spaces around a name are still there.
    """
    points, starts = _points(names)
    points = np.minimum(points, len(_FIRST) - 1)
    marks = _MARK[points]
    ends = np.cumsum(1 + (marks > 0), dtype=np.int32)
    half = np.empty(ends[-1] if len(ends) else 0, np.uint16)
    half[ends - 1] = marks
    half[ends - 1 - (marks > 0)] = _FIRST[points]
    return _names(half, np.concatenate([_ZERO, ends])[starts])


def in_bytes(names: Names, width: int) -> NDArray[np.uint8]:
    """Names that can be written and fit, as the bytes of a file, filled with spaces."""
    points, starts = _points(names)
    lengths = np.diff(starts)
    rows = np.full((len(lengths), width), ord(" "), np.uint8)
    row = np.repeat(np.arange(len(lengths)), lengths)
    rows[row, np.arange(len(points)) - starts[:-1][row]] = np.where(points > _SHIFT, points - _SHIFT, points)
    return rows


def read(rows: NDArray[np.uint8]) -> Names:
    """Rows of a file's bytes as text; a byte that is no character of JIS X 0201 becomes one that says so."""
    points = rows.ravel().astype(np.uint16)
    kana = (points >= 0xA1) & (points <= 0xDF)
    points = np.where(kana, points + _SHIFT, np.where(points < 0x80, points, _UNKNOWN)).astype(np.uint16)
    return _names(points, np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1])


_ZERO = np.zeros(1, np.int32)


def _points(names: Names) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """The code points of names, and where each name starts among them."""
    points = np.frombuffer(names.text.tobytes().decode().encode("utf-32-le"), np.uint32)
    firsts = np.cumsum((names.text & 0xC0) != 0x80, dtype=np.int32)
    return points, np.concatenate([_ZERO, firsts])[names.starts]


def _names(points: NDArray[np.uint16], starts: NDArray[np.int32]) -> Names:
    text = np.frombuffer(points.astype(np.uint32).tobytes().decode("utf-32-le").encode(), np.uint8)
    sizes = np.cumsum(1 + (points > 0x7F) + (points > 0x7FF), dtype=np.int32)
    return Names(text, np.concatenate([_ZERO, sizes])[starts])


_UNKNOWN = 0xFFFD


def _tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    first, mark = np.full(0x10000, _UNKNOWN, np.uint16), np.zeros(0x10000, np.uint16)
    for sign in KANA + OTHERS:
        first[ord(sign)] = ord(sign)
    for sign, half in _SIGNS.items():
        first[ord(sign)] = ord(half)
    mark[list(map(ord, _MARKED))], mark[list(map(ord, _HALF_MARKED))] = map(ord, MARKS)
    return first, mark


_FIRST, _MARK = _tables()
"""What each character is written as, and the mark that stands behind it; 0: none."""
PERMITTED = np.isin(np.arange(256), np.frombuffer(encoded(KANA + OTHERS), np.uint8))
"""Of each byte whether names in a file may have it."""
