"""Breaks on record by class and age: all of them once, those of the last reconciliation up to the day."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from junbikin.books.journal import known_now
from junbikin.custody.aged import AGES, Aged, aged
from junbikin.custody.reconcile.recorded import list_path, record
from junbikin.errors import FactsDamaged

from .scene import DAY, Scene, at


def some_breaks(scene: Scene) -> None:
    """An account that is told too much, one that is told too little, and coins that nobody vouches for."""
    scene.pay("c1", 5, at(DAY - timedelta(days=40)))
    scene.pay("c2", 3, at(DAY - timedelta(days=40)))
    scene.facts("prices", f"BTC,JPY,{DAY}T10:00:00+09:00,10000000,ours")


def on_record(scene: Scene, day: date, *balances: str) -> int:
    scene.facts("customer_balances", *(f"{day},{row}" for row in balances))
    return record(scene.books, scene.found(day))


def found(scene: Scene, day: date) -> Aged:
    answer = aged(scene.books, day, known_now(scene.books))
    assert answer is not None
    return answer


def test_nothing_is_on_record_of_new_books(scene: Scene) -> None:
    assert aged(scene.books, DAY, known_now(scene.books)) is None


def test_every_break_is_counted_once_in_its_class_and_age(scene: Scene) -> None:
    some_breaks(scene)
    for back in (35, 5, 2):
        on_record(scene, DAY - timedelta(days=back), "c1,BTC,6", "c2,BTC,3")
    on_record(
        scene, DAY, "c1,BTC,7", "c2,BTC,1"
    )  # c1 has been told too much all the time, c2 too little from this day on
    answer = found(scene, DAY)
    assert answer.classes is not None
    with list_path(scene.home, DAY, answer.recorded.list_digest).open(newline="", encoding="utf-8") as stream:
        listed = list(csv.DictReader(stream))
    assert Counter(row["class"] for row in listed) == {str(each.kind): each.count for each in answer.classes}
    assert sum(each.count for each in answer.classes) == answer.recorded.breaks
    by_class = {str(each.kind): each for each in answer.classes}
    assert by_class["excess"].counts == (0, 0, 0, 0, 1)
    assert by_class["excess"].oldest == DAY - timedelta(days=35)
    assert by_class["missing"].counts == (1, 0, 0, 0, 0)
    assert by_class["excess"].amounts == (("BTC", Decimal(2)),)
    assert by_class["missing"].amounts == (("BTC", Decimal(-2)),)


@pytest.mark.parametrize(("days", "place"), [(0, 0), (1, 1), (2, 1), (3, 2), (7, 2), (8, 3), (30, 3), (31, 4)])
def test_an_age_ends_on_its_last_day(scene: Scene, days: int, place: int) -> None:
    some_breaks(scene)
    if days:
        on_record(scene, DAY - timedelta(days=days), "c1,BTC,6", "c2,BTC,3")
    on_record(scene, DAY, "c1,BTC,6", "c2,BTC,3")
    [excess] = [each for each in found(scene, DAY).classes or () if each.kind == "excess"]
    assert excess.counts == tuple(int(index == place) for index in range(len(AGES)))


def test_an_earlier_day_sees_what_was_on_record_of_it(scene: Scene) -> None:
    some_breaks(scene)
    first = on_record(scene, DAY - timedelta(days=2), "c1,BTC,6", "c2,BTC,3")
    known = known_now(scene.books)
    last = on_record(scene, DAY, "c1,BTC,5", "c2,BTC,3")
    assert found(scene, DAY).recorded.record == last
    assert found(scene, DAY - timedelta(days=1)).recorded.record == first
    earlier = aged(scene.books, DAY, known)
    assert earlier is not None
    assert earlier.recorded.record == first


def test_a_list_that_is_not_in_this_home_leaves_the_number_of_breaks(scene: Scene) -> None:
    some_breaks(scene)
    on_record(scene, DAY, "c1,BTC,6", "c2,BTC,3")
    list_path(scene.home, DAY, found(scene, DAY).recorded.list_digest).unlink()
    answer = found(scene, DAY)
    assert answer.classes is None
    assert answer.recorded.breaks > 0


def test_a_list_that_was_changed_is_refused(scene: Scene) -> None:
    some_breaks(scene)
    on_record(scene, DAY, "c1,BTC,6", "c2,BTC,3")
    path = list_path(scene.home, DAY, found(scene, DAY).recorded.list_digest)
    path.write_text(path.read_text(encoding="utf-8").replace("excess", "timing"), encoding="utf-8")
    with pytest.raises(FactsDamaged, match="was changed"):
        found(scene, DAY)
