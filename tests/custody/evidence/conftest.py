"""Nodes that all tests share: each test pays to addresses of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from .nodes import Bitcoin, Ethereum, running

_NUMBERS = count(1000)


@pytest.fixture(scope="session")
def bitcoin() -> Iterator[Bitcoin]:
    """Two Bitcoin nodes with the same chain, on which key 1 has coins to pay from."""
    with running("bitcoin.js") as url:
        nodes = Bitcoin(url)
        nodes.does("feed", height=nodes.mine(110))
        yield nodes


@pytest.fixture(scope="session")
def ethereum() -> Iterator[Ethereum]:
    """An Ethereum node."""
    with running("ethereum.js") as url:
        yield Ethereum(url)


@pytest.fixture
def number() -> int:
    """A private key that no other test uses."""
    return next(_NUMBERS)
