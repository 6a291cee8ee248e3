"""Names in the characters of transfers: the columns say what a slow walk through each name says."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junbikin.incidents.pay import kana

PLAIN = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
LARGE = dict(zip("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ", strict=True))
VOICED, HALF_VOICED = set("ウカキクケコサシスセソタチツテトハヒフヘホ"), set("ハヒフヘホ")
HALF = dict(zip(PLAIN, "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ", strict=True))


def slowly(name: str) -> str | None:
    """A name as a file has it, letter by letter from the rules; None when it cannot be written."""
    out = ""
    last = ""
    for sign in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name) if name else name):
        if "ぁ" <= sign <= "ゖ":
            sign = chr(ord(sign) + 0x60)
        sign = LARGE.get(sign, sign)
        if sign in HALF:
            out, last = out + HALF[sign], sign
        elif sign in "\u3099\u309a":
            if last not in (VOICED if sign == "\u3099" else HALF_VOICED):
                return None
            out, last = out + ("ﾞ" if sign == "\u3099" else "ﾟ"), ""
        elif sign in "ー‐‑‒–—―−-":
            out, last = out + "-", ""
        elif re.fullmatch(r"[A-Za-z0-9 ().]", sign):
            out, last = out + sign.upper(), ""
        else:
            return None
    return out.strip(" ") or None


def in_columns(names: list[str]) -> list[str | None]:
    """The same by way of the columns, and of the pattern that the engine applies."""
    texts = [name.encode() for name in names]
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    half = kana.written(kana.Names(np.frombuffer(b"".join(texts), np.uint8), starts))
    found = [half.text[half.starts[i] : half.starts[i + 1]].tobytes().decode().strip(" ") for i in range(len(names))]
    return [name if re.fullmatch(kana.NAME, name) else None for name in found]


LETTERS = (
    "".join(kana.KANA)
    + kana.OTHERS
    + PLAIN
    + "ガプヴッャーがぷゔっゃあんーａＺ９（）．－　゛゜ｯｬｰヲを・山/,\n\u3099\u309a\U0001f600é"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(LETTERS, max_size=12), max_size=6))
def test_names_are_written_as_letter_by_letter(names: list[str]) -> None:
    # NFKC parts ゛ standing alone into a space and a mark: what stands alone is not for the slow walk.
    told = [name for name in names if not re.search("[゛゜]", name)]
    assert in_columns(told) == [slowly(name) for name in told] == [kana.one(name) for name in told]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_text_is_written_by_the_rules_or_refused(names: list[str]) -> None:
    for name, found in zip(names, in_columns(names), strict=True):
        assert found == kana.one(name)
        assert found is None or found.encode("cp932") == kana.encoded(found)


@pytest.mark.parametrize(
    ("name", "as_written"),
    [
        ("ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("がっきゅう ー", "ｶﾞﾂｷﾕｳ -"),
        ("ヴァイオリン", "ｳﾞｱｲｵﾘﾝ"),
        ("ぱぴぷぺぽ", "ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ"),
        ("カ\u3099", "ｶﾞ"),
        ("ハ゜", "ﾊﾟ"),
        ("（カ）ａｂｃ－１２．", "(ｶ)ABC-12."),
        (" ﾔﾏﾀﾞ ", "ﾔﾏﾀﾞ"),
    ],
)
def test_a_name_is_converted_as_banks_do(name: str, as_written: str) -> None:
    assert in_columns([name]) == [as_written] == [kana.one(name)]


@pytest.mark.parametrize(
    "name",
    ["山田太郎", "ヲノ", "を", "ｦ", "ヰ", "スズキ・カズ", "A/B", "A,B", "ﾞｱ", "ｱﾞ", "ﾅﾟ", "ｶﾟ", "ﾊﾞﾞ", "", "　", "é", "カ\n"],
)
def test_a_name_that_cannot_be_written_is_refused_and_never_mended(name: str) -> None:
    assert in_columns([name]) == [None]
    assert kana.one(name) is None


@given(st.lists(st.text(kana.KANA + kana.OTHERS, max_size=30), min_size=1, max_size=10))
def test_bytes_of_names_are_read_back(names: list[str]) -> None:
    texts = [name.encode() for name in names]
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    rows = kana.in_bytes(kana.Names(np.frombuffer(b"".join(texts), np.uint8), starts), 30)
    assert [row.tobytes().decode("cp932") for row in rows] == [f"{name:<30}" for name in names]
    again = kana.read(rows)
    assert again.text.tobytes().decode() == "".join(f"{name:<30}" for name in names)
