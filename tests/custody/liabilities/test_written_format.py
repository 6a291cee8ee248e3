"""The page on the format: its example is what the format gives, and it names every key that files have."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from junbikin.custody.liabilities.sums import climb, join, root, way_up
from junbikin.custody.liabilities.sums import context as context_of
from junbikin.custody.liabilities.sums import leaf as leaf_of

from . import slow
from .scene import home_with, proof_for

PAGE = (Path(__file__).parents[3] / "docs" / "proof-of-liabilities.md").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| `(\S+)` \| ([0-9.]+) \| `([0-9a-f]{32})` \| `([0-9a-f]{64})` \|$", PAGE)
CONTEXT, PAIR, ROOT = re.findall(r"(?m)^ {4}.*?\s([0-9a-f]{64})$", PAGE)
OPERATOR, DAY, ASSET = "Example 取引所", "2026-03-31", "BTC"


def test_the_example_is_what_both_implementations_give() -> None:
    assert len(ROWS) == 3
    within = slow.context(OPERATOR, DAY, ASSET)
    assert within.hex() == CONTEXT
    leaves = [slow.leaf(within, bytes.fromhex(n), int(Decimal(amount) * 10**18), who) for who, amount, n, _ in ROWS]
    assert [leaf[0].hex() for leaf in leaves] == [stated for *_, stated in ROWS]
    assert slow.parent(*leaves[:2])[0].hex() == PAIR
    assert slow.root(leaves)[0].hex() == ROOT
    ours = context_of(OPERATOR, date.fromisoformat(DAY), ASSET)
    nodes = [leaf_of(ours, bytes.fromhex(n), int(Decimal(amount) * 10**18), who) for who, amount, n, _ in ROWS]
    assert root(nodes).digest.hex() == ROOT
    assert (
        climb(nodes[1], way_up(1, 3), [nodes[0], nodes[2]])
        == climb(nodes[2], way_up(2, 3), [join(*nodes[:2])])
        == root(nodes)
    )


def test_what_is_said_of_chances_is_so() -> None:
    assert round(0.99**500 * 100, 1) == 0.7
    assert "leaving out 500 at random goes unnoticed with a chance of 0.7%" in " ".join(PAGE.split())


@pytest.mark.parametrize("place", ["proof", "balance", "node", "statement", "total"])
def test_every_key_of_the_files_is_named(tmp_path: Path, place: str) -> None:
    content = proof_for(home_with(tmp_path / "home"), "ben").content
    parts = {
        "proof": content, "balance": content["balances"][0], "node": content["balances"][0]["path"][0],
        "statement": content["statement"], "total": content["statement"]["assets"][0],
    }  # fmt: skip
    for key in parts[place]:
        assert f"`{key}`" in PAGE, key
