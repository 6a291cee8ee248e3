"""The small registers that the firm keeps by hand: prices, incidents, reserve, insurance, controls, net assets and audits."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from junbikin.demo.market import AS_OF, ASSETS, DAYS, Market
from junbikin.facts.datasets import dataset_named

Row = tuple[str | int | date, ...]
"""The columns of a dataset in their order."""

REGISTERS: dict[str, tuple[Row, ...]] = {
    "incidents": (
        ("I-2019-01", "2019-07-12", "unauthorised_outflow", "hot", 7_150_000_000, 1_020_000_000,
         "report to the authority of 2019-08-13 (invented)"),
        ("I-2023-01", "2023-11-21", "system_failure", "", 46_300_000, 5_800_000,
         "incident report 2023-11 (invented)"),
        ("I-2025-01", "2025-06-04", "clerical_error", "", 1_840_000, 0, "accident confirmation 2025-06 (invented)"),
    ),
    "reserve_assets": (
        (AS_OF, "deposit-1", "deposit", "JPY", 640_000_000, "Kaede Trust Bank (invented)", "true", "true", "JP", 1,
         "balance certificate (invented)"),
        (AS_OF, "deposit-2", "deposit", "JPY", 360_000_000, "Tachibana Trust Bank (invented)", "true", "true", "JP", 1,
         "balance certificate (invented)"),
        (AS_OF, "jgb-1", "government_bond", "JPY", 300_000_000, "Kaede Trust Bank (invented)", "true", "true", "JP", 3,
         "custody statement (invented)"),
        (AS_OF, "btc-1", "crypto", "BTC", 12, "Minato Custody (invented)", "true", "true", "JP", 2,
         "custody statement (invented)"),
        (AS_OF, "deposit-3", "deposit", "JPY", 260_000_000, "Namiki Bank (invented)", "true", "false", "JP", 1,
         "balance certificate (invented)"),
    ),
    "policies": (
        (AS_OF, "policy-1", "Kamome Insurance (invented)", "2025-09-18", "2025-10-01", "2026-09-30",
         "hack|unauthorised_outflow|fraud|unlawful_act|clerical_error|system_failure", "hot|cold",
         650_000_000, 50_000_000, "policy and approval (invented)"),
        (AS_OF, "crime-1", "Tsubame Specialty (invented)", "2025-09-18", "2025-10-01", "2026-09-30",
         "hack|unauthorised_outflow|fraud|unlawful_act", "hot", 400_000_000, 20_000_000,
         "policy and approval (invented)"),
    ),
    "controls": (
        (AS_OF, "key_ceremony", "several_persons", "internal audit 2026-02 (invented)"),
        (AS_OF, "wallet_provider", "checked", "provider review 2026-01 (invented)"),
        (AS_OF, "audit_findings", "minor", "external audit 2026-03 (invented)"),
        (AS_OF, "detection", "tested", "exercise 2025-12 (invented)"),
        (AS_OF, "recovery_tests", "older", "exercise 2024-10 (invented)"),
    ),
    "reserve_entries": (
        ("E-2023", "2023-03-31", "accrual", 19_400_000, "minutes of the board (invented)"),
        ("E-2024", "2024-03-31", "accrual", 22_700_000, "minutes of the board (invented)"),
        ("E-2025", "2025-03-31", "accrual", 28_900_000, "minutes of the board (invented)"),
        ("E-2025-use", "2025-06-30", "use", 1_840_000, "made good I-2025-01 (invented)"),
    ),
    "financials": (
        ("2025-03-31", "net_assets", 7_310_000_000, "annual report (invented)"),
        ("2025-03-31", "fixed_overheads", 4_680_000_000, "annual report (invented)"),
        ("2025-12-31", "net_assets", 8_240_000_000, "quarterly report (invented)"),
    ),
    "audits": (
        ("2025-05-15", "segregation", "Suzukaze Audit (invented)", "2025-03-31", "audit report (invented)"),
        ("2025-07-24", "guarantee", "Suzukaze Audit (invented)", "2025-03-31", "audit report (invented)"),
    ),
}  # fmt: skip


def write_registers(folder: Path) -> dict[str, list[Path]]:
    """Writes a file for each register; returns them by dataset."""
    return {dataset: [_write(dataset, rows, folder)] for dataset, rows in REGISTERS.items()}


def write_prices(market: Market, folder: Path) -> Path:
    """Writes each asset's price in yen at the end of each day; returns the file."""
    rows = (
        (asset.name, "JPY", f"{day}T23:59:59+09:00", _decimal(ticks, asset.price_places), "invented-index")
        for asset in ASSETS
        for day, ticks in zip(DAYS, market.paths[asset.name, "JPY"][1:], strict=True)
    )
    return _write("prices", rows, folder)


def _decimal(ticks: int, places: int) -> str:
    whole, rest = divmod(ticks, 10**places)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


def _write(dataset: str, rows: Iterable[Row], folder: Path) -> Path:
    file = folder / f"{dataset.replace('_', '-')}.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(column.name for column in dataset_named(dataset).columns)
        writer.writerows(rows)
    return file
