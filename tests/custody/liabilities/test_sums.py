"""The tree: columns do what nodes do, every leaf has a way up, and sums never wrap round."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.custody.liabilities import columns
from junbikin.custody.liabilities.nonces import nonces
from junbikin.custody.liabilities.secret import nonce
from junbikin.custody.liabilities.sums import LIMIT, Node, climb, join, joined, leaf, root, way_up

from . import slow


def some_leaves(amounts: Sequence[int]) -> list[Node]:
    return [leaf(b"c" * 32, b"n" * 16, amount, f"account {i}") for i, amount in enumerate(amounts)]


def as_column(nodes: Sequence[Node]) -> columns.Bytes:
    stored = b"".join(node.digest + node.sum.to_bytes(16, "big") for node in nodes)
    return np.frombuffer(stored, np.uint8).reshape(-1, columns.NODE)


@pytest.mark.parametrize("count", [*range(1, 34), 63, 64, 65, 100])
def test_every_leaf_climbs_to_the_root_that_the_written_format_gives(count: int) -> None:
    leaves = some_leaves(range(1, count + 1))
    top = root(leaves)
    assert (top.digest, top.sum, top.count) == slow.root([(n.digest, n.sum, n.count) for n in leaves])
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(joined(levels[-1]))
    for index, start in enumerate(leaves):
        siblings = [levels[step.level][step.place] for step in way_up(index, count)]
        assert [node.count for node in siblings] == [step.count for step in way_up(index, count)]
        assert climb(start, way_up(index, count), siblings) == top


@given(st.lists(st.one_of(st.integers(1, 2**70), st.just(2**64 - 1), st.just(2**64)), min_size=1, max_size=300))
def test_a_level_in_columns_is_the_level_node_by_node(amounts: list[int]) -> None:
    level, column, height = some_leaves(amounts), as_column(some_leaves(amounts)), 0
    while len(level) > 1:
        column = columns.parents(column, columns.counts_of(height, 0, len(level), len(amounts)))
        level, height = joined(level), height + 1
        assert column.tobytes() == as_column(level).tobytes()


def test_a_part_of_a_level_is_counted_as_in_the_whole() -> None:
    whole = columns.counts_of(3, 0, 13, 100)
    assert whole.tolist() == [8] * 12 + [4]
    assert columns.counts_of(3, 10, 3, 100).tolist() == whole[10:].tolist()


@pytest.mark.parametrize("left", [1, LIMIT - 1, LIMIT // 2, 2**64 - 1])
def test_a_sum_that_reaches_the_limit_is_refused_and_one_below_is_not(left: int) -> None:
    [one, other], [_, larger] = some_leaves([left, LIMIT - 1 - left or 1]), some_leaves([left, LIMIT - left])
    for pair, fits in (([one, other], left + other.sum < LIMIT), ([one, larger], False)):
        if fits:
            assert join(*pair).sum < LIMIT
            assert (
                columns.parents(as_column(pair), np.ones(2, np.uint64)).tobytes() == as_column([join(*pair)]).tobytes()
            )
            continue
        with pytest.raises(OverflowError):
            join(*pair)
        with pytest.raises(OverflowError):
            columns.parents(as_column(pair), np.ones(2, np.uint64))


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 31, 32, 33, 48, 100])
def test_nonces_in_columns_are_cmac_as_the_library_has_it(length: int) -> None:
    secret = os.urandom(32)
    contexts = np.frombuffer(os.urandom(3 * 32), np.uint8).reshape(3, 32)
    accounts = np.frombuffer(os.urandom(50 * length), np.uint8).reshape(50, length) % 26 + 97
    places = np.arange(50, dtype=np.uint16) % 3
    found = nonces(secret, contexts, places, accounts)
    for place, account, salt in zip(places, accounts, found, strict=True):
        assert salt.tobytes() == nonce(secret, contexts[place].tobytes(), account.tobytes().decode())
