"""Explain: every figure of a position can be found, by key, by path or by digest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from junbikin.errors import PositionProblem
from junbikin.figures import Rule
from junbikin.reserve.explain import find

from .homes import ASSETS, BALANCES, HOLDINGS, POLICIES, PRICES, make, position

TRADES = """
trade_id executed_at               asset quote side price    quantity line
t-1      2025-03-31T10:00:00+09:00 BTC   JPY   buy  10000000 2        spot_venue
"""
TABLES = {
    "trades": TRADES,
    "customer_balances": BALANCES,
    "holdings": HOLDINGS,
    "prices": PRICES,
    "reserve_assets": f"{ASSETS}\n2025-03-31 lent deposit JPY 7000 bank-b false true JP 1",
    "policies": f"{POLICIES}\n2025-03-31 p-2 insurer - 2024-04-01 2026-03-31 hack hot 8000000 0",
    # More is held than article 175's cap: the excess stands in a finding.
    "reserve_entries": "entry_id effective_on kind amount_jpy\ne-1 2023-06-30 accrual 5000",
    "declared_volumes": "line period_start period_end amount_jpy\nspot_venue 2025-03-31 2025-03-31 7",
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    home = make(tmp_path_factory.mktemp("explained"), **TABLES)
    return {book: position(home, book).document() for book in ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc")}


def test_a_figure_is_found_by_its_key(documents: dict[str, dict[str, Any]]) -> None:
    document, figure = find([documents["jp-fiea-175"]], "cap.イ", None)
    assert document.content is documents["jp-fiea-175"]
    assert isinstance(figure.source, Rule)
    assert "175(1)(ii)イ" in figure.source.citation


def test_a_path_goes_from_the_outside_in(documents: dict[str, dict[str, Any]]) -> None:
    candidate = [documents["jp-reserve-candidate"]]
    _, whole = find(candidate, "volume_leg", None)
    _, part = find(candidate, "volume_leg/highest.spot_venue/volume.spot_venue.FY2024", None)
    assert part.key == "volume.spot_venue.FY2024"
    assert part in set(whole.walk())
    with pytest.raises(PositionProblem, match="no figure"):
        find(candidate, "highest.spot_venue/volume_leg", None)


@pytest.mark.parametrize("rulebook", ["jp-fiea-175", "jp-reserve-candidate", "hk-sfc"])
def test_every_amount_that_a_position_shows_is_found_by_its_digest(
    documents: dict[str, dict[str, Any]], rulebook: str
) -> None:
    document, lost = documents[rulebook], []
    body = document["position"]
    items = [entry[part] for entry in (*body["assets"][:1], *body["policies"][:1]) for part in ("worth", "counted")]
    amounts = [finding["amount"] for finding in body["findings"] if finding["amount"]]
    assert items
    assert amounts
    for digest in dict.fromkeys([*items, *amounts]):
        try:
            assert find([document], digest[:16], None)[1].digest == digest
        except PositionProblem:
            lost.append(document["figures"][digest]["name"]["en"])
    assert lost == []


def test_the_excess_over_the_cap_is_found_by_its_key(documents: dict[str, dict[str, Any]]) -> None:
    assert find([documents["jp-fiea-175"]], "excess", None)[1].known == 5000 - Decimal("1600.00056")


def test_a_key_names_one_figure_of_a_position(documents: dict[str, dict[str, Any]]) -> None:
    for document in documents.values():
        by_key: dict[str, set[str]] = {}
        for digest, node in document["figures"].items():
            by_key.setdefault(node["key"], set()).add(digest)
        assert [key for key, digests in by_key.items() if key and len(digests) > 1] == []


def test_an_unknown_key_suggests_near_ones(documents: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(PositionProblem, match="no figure 'custody_lag'") as caught:
        find([documents["jp-reserve-candidate"]], "custody_lag", None)
    assert "custody_leg" in caught.value.then


@pytest.mark.parametrize("path", ["", "/", "requirement/", "/requirement", "requirement//cover_cold"])
def test_a_path_with_nothing_in_it_leads_nowhere(documents: dict[str, dict[str, Any]], path: str) -> None:
    with pytest.raises(PositionProblem, match="no figure") as caught:
        find([documents["hk-sfc"]], path, None)
    assert caught.value.then


def test_a_key_of_several_positions_asks_which(documents: dict[str, dict[str, Any]]) -> None:
    every = list(documents.values())
    with pytest.raises(PositionProblem, match="in several positions") as caught:
        find(every, "requirement", None)
    assert all(book in caught.value.what for book in documents)
    assert "--rulebook" in caught.value.then
    assert find(every, "requirement", "hk-sfc")[0].content is documents["hk-sfc"]
    assert find(every, "cover_cold", None)[0].content is documents["hk-sfc"]


def test_a_rulebook_that_was_not_assessed_is_told_with_those_that_were(documents: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(PositionProblem, match="'hk-sfc'") as caught:
        find([documents["jp-fiea-175"]], "requirement", "hk-sfc")
    assert "jp-fiea-175" in caught.value.then


@pytest.mark.parametrize("rubbish", [{}, [], None, {"position": 5}, {"position": {"rulebook": {"id": "x"}}}], ids=repr)
def test_what_is_no_position_is_refused(rubbish: Any) -> None:
    for rulebook in (None, "hk-sfc"):
        with pytest.raises(PositionProblem) as caught:
            find([rubbish], "requirement", rulebook)
        assert caught.value.then


def test_an_altered_position_is_not_explained(documents: dict[str, dict[str, Any]]) -> None:
    document = documents["hk-sfc"]
    altered = {**document, "position": {**document["position"], "operator": "Somebody Else"}}
    with pytest.raises(PositionProblem, match="altered"):
        find([altered], "requirement", None)
