"""Figures as JSON: there and back without loss, the digest on any machine, and every alteration refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.errors import PositionProblem
from junbikin.figures import Figure, Name, from_table, plain, to_table
from junbikin.figures import given as stated

from .golden import PINNED, RATE, VOLUME, small
from .parts import of, trees


def canonical(node: Any) -> bytes:
    """RFC 8785 of a node that holds only objects, lists, text and null, by another hand."""
    return json.dumps(node, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def through_json(table: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(table, ensure_ascii=True))
    return read


@given(trees)
def test_there_and_back_through_json_loses_nothing(figure: Figure) -> None:
    table = through_json(to_table([figure]))
    again = from_table(table, figure.digest)
    assert again == figure
    assert [part.node for part in again.walk()] == [part.node for part in figure.walk()]
    assert [part.value for part in again.walk()] == [part.value for part in figure.walk()]
    assert [part.source for part in again.walk()] == [part.source for part in figure.walk()]
    assert to_table([again]) == to_table([figure])


@given(trees)
def test_the_digest_is_of_the_canonical_json_of_the_node(figure: Figure) -> None:
    for part in figure.walk():
        assert part.digest == hashlib.sha256(canonical(part.node)).hexdigest()


@given(trees)
def test_a_table_has_each_part_once_and_amounts_as_text(figure: Figure) -> None:
    table = to_table([figure, figure])
    assert list(table) == list(dict.fromkeys(part.digest for part in figure.walk()))
    assert all(node["value"] is None or isinstance(node["value"], str) for node in table.values())


def test_a_small_figure_has_the_digest_that_it_always_had() -> None:
    """Golden: it changes only when the format of figures does, and then every kept position is void."""
    assert small().digest == PINNED


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_digest_does_not_depend_on_the_seed_of_hashing(seed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"from {small.__module__} import small; print(small().digest)"],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == PINNED


def test_equal_amounts_written_differently_are_one_figure() -> None:
    assert of("1.50") == of("1.5")
    assert of("-0") == of("0")
    assert of("1E+3") == of("1000")


def test_everything_that_a_reader_sees_is_under_the_digest() -> None:
    name, source = Name("fee", "手数料"), RATE
    others = [
        stated(1, "JPY", name, source, "fee"),
        stated(2, "JPY", name, source, "fee"),
        stated(1, "USD", name, source, "fee"),
        stated(1, "JPY", Name("Fee", "手数料"), source, "fee"),
        stated(1, "JPY", Name("fee", "料金"), source, "fee"),
        stated(1, "JPY", name, VOLUME, "fee"),
        stated(1, "JPY", name, source, "fees"),
        stated(1, "JPY", name, source, "fee").named("fee", "fee", "手数料", Name("a note", "注")),
        stated(1, "JPY", name, source, "fee") + stated(0, "JPY", name, source, "fee"),
    ]
    assert len({figure.digest for figure in others}) == len(others)


def test_a_sum_of_a_thousand_steps_has_a_digest_and_comes_back() -> None:
    chain = of(0)
    for _ in range(1200):
        chain = chain + of(1)
    assert chain.known == 1200
    assert from_table(to_table([chain]), chain.digest) == chain


# Alterations


def key_of(table: dict[str, Any], key: str) -> str:
    return next(digest for digest, node in table.items() if node["key"] == key)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("volume", {"value": "123456788.5"}),
        ("volume", {"value": None}),
        ("volume", {"value": "123456789.50"}),
        ("volume", {"unit": "USD"}),
        ("volume", {"name": {"en": "Volume", "ja": "取引高"}}),
        ("volume", {"name": {"en": "volume", "ja": "売買高"}}),
        ("volume", {"source": {"kind": "data", "dataset": "trades", "query": "all of them", "digest": "ab" * 32}}),
        ("volume", {"source": {"kind": "stated", "by": "the operator"}}),
        ("volume", {"source": None}),
        ("rate", {"value": "0.00001"}),
        ("volume", {"key": "rate"}),
        ("volume", {"op": "hole"}),
        ("used", {"value": "0"}),
        ("used", {"note": None}),
        ("requirement", {"note": {"en": "final", "ja": "確定"}}),
        ("requirement", {"inputs": []}),
        ("requirement", {"more": "than there was"}),
    ],
)
def test_an_altered_part_is_refused_and_named(key: str, change: dict[str, Any]) -> None:
    table = through_json(to_table([small()]))
    digest = key_of(table, key)
    table[digest] |= change
    with pytest.raises(PositionProblem, match=digest[:12]) as caught:
        from_table(table, small().digest)
    assert caught.value.then


def test_inputs_put_in_another_order_are_refused() -> None:
    table = through_json(to_table([small()]))
    table[small().digest]["inputs"].reverse()
    with pytest.raises(PositionProblem, match="altered"):
        from_table(table, small().digest)


def test_another_sound_figure_in_place_of_an_input_is_refused() -> None:
    table = through_json(to_table([small(), of(5)]))
    table[small().digest]["inputs"][0] = of(5).digest
    with pytest.raises(PositionProblem, match="altered"):
        from_table(table, small().digest)


def test_a_missing_part_is_named() -> None:
    for digest in to_table([small()]):
        table = to_table([small()])
        del table[digest]
        with pytest.raises(PositionProblem, match=f"{digest[:12]} is missing"):
            from_table(table, small().digest)


def test_a_figure_under_itself_is_refused() -> None:
    table = through_json(to_table([small()]))
    root = small().digest
    table[key_of(table, "volume")]["inputs"] = [root]
    with pytest.raises(PositionProblem, match="under itself"):
        from_table(table, root)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
def test_no_rubbish_in_any_place_is_taken_or_breaks_the_reader(data: st.DataObject) -> None:
    table = through_json(to_table([small()]))
    digest = data.draw(st.sampled_from(sorted(table)), "part")
    place = data.draw(st.sampled_from([None, *sorted(table[digest])]), "place")
    rubbish = data.draw(junk, "rubbish")
    before = table[digest] if place is None else table[digest][place]
    if rubbish == before:
        return
    if place is None:
        table[digest] = rubbish
    else:
        table[digest][place] = rubbish
    with pytest.raises(PositionProblem):
        from_table(table, small().digest)


@pytest.mark.parametrize(
    ("place", "rubbish"),
    [
        ("value", "many"), ("value", 5), ("value", ["1"]), ("unit", "yen"), ("unit", 1), ("unit", None), ("name", "volume"),
        ("name", {"en": "volume"}), ("name", {"en": float("nan"), "ja": ""}), ("op", 2**60), ("op", float("nan")),
        ("key", None), ("source", "a friend"), ("source", {"kind": "hearsay"}), ("source", {"kind": "rule"}),
        ("inputs", None), ("inputs", [1]), ("note", "hm"), ("note", 3), ("name", {"en": "\ud800", "ja": ""}),
    ],
)  # fmt: skip
def test_rubbish_of_these_kinds_is_refused_as_an_alteration(place: str, rubbish: object) -> None:
    table = through_json(to_table([small()]))
    table[key_of(table, "volume")][place] = rubbish
    with pytest.raises(PositionProblem):
        from_table(table, small().digest)


def test_amounts_in_a_table_are_plain_text() -> None:
    assert [node["value"] for node in to_table([small()]).values()] == [
        plain(part.known) if part.value is not None else None for part in small().walk()
    ]
