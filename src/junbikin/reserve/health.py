"""What is wrong or thin in the facts themselves, as findings beside the position that was worked from them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from junbikin.calendars import Period, fiscal_year
from junbikin.figures import Figure, Name, given, plain
from junbikin.findings import Finding, Severity
from junbikin.reserve.sources import data_source
from junbikin.reserve.view import FactsView

_SNAPSHOTS = ("customer_balances", "holdings", "reserve_assets", "policies")


def findings_on(view: FactsView, datasets: Iterable[str], years: Iterable[Period]) -> list[Finding]:
    """Findings on the datasets that a position used: coverage, age, refused rows, overlaps."""
    used = set(datasets)
    found: list[Finding] = []
    if used & {"trades", "declared_volumes"}:
        found += _coverage(view, list(years)) + _overlaps(view)
    found += [finding for name in _SNAPSHOTS if name in used for finding in _age(view, name)]
    ingested = used - set(view.ledger.datasets if view.ledger else ())
    found += [finding for name in sorted(ingested) for finding in _refused(view, name)]
    return found


def _coverage(view: FactsView, years: list[Period]) -> list[Finding]:
    """Which days of the years that count have no trades; years without any are told together."""
    days = {date.fromisoformat(volume.day) for volume in view.day_volumes}
    found, empty = [], []
    for year in years:
        wanted = Period(year.name, year.start, min(year.end, view.as_of))
        have = sum(1 for day in days if day in wanted)
        if have == wanted.days or any(row["period_end"] in year for row in view.declared):
            continue
        if have == 0:
            empty.append(year.name)
        else:
            en = f"{year.name}: trades are known for {have} of {wanted.days} days"
            found.append(_incomplete(Severity.WARNING, en, f"{year.name}：約定データは{wanted.days}日中{have}日分"))
    if empty:
        severity = Severity.WARNING if years[0].name in empty else Severity.NOTICE
        en = f"{', '.join(empty)}: no trades are known"
        found.append(_incomplete(severity, en, f"{'、'.join(empty)}：約定データがない"))
    return found


def _incomplete(severity: Severity, en: str, ja: str) -> Finding:
    then = Name(
        "ingest the missing days, or declare the year's volume into `declared_volumes`",
        "不足する日の約定、または `declared_volumes` に年度の取引高を取り込む",
    )
    return Finding("trades-incomplete", severity, Name(en, ja), then)


def _overlaps(view: FactsView) -> list[Finding]:
    found = []
    for row in view.declared:
        period = Period("", row["period_start"], row["period_end"])
        if any(v.line == row["line"] and date.fromisoformat(v.day) in period for v in view.day_volumes):
            what = Name(
                f"{row['line']}: {row['period_start']} to {row['period_end']} is declared and has trades too: both count",
                f"{row['line']}：{row['period_start']}〜{row['period_end']}は申告と約定の両方があり、二重に算入している",
            )
            then = Name("correct the declared amount", "申告額を訂正する")
            amount = _declared_amount(row)
            found.append(Finding("volume-twice", Severity.WARNING, what, then, amount=amount))
        ends = row["period_end"]
        if ends not in fiscal_year(row["period_start"], view.lake.home.fiscal_year_starts):
            what = Name(
                f"{row['line']}: the declared period to {ends} reaches over two fiscal years: it is not counted",
                f"{row['line']}：{ends}までの申告期間は事業年度をまたぐため算入していない",
            )
            then = Name("declare each fiscal year apart", "事業年度ごとに分けて申告する")
            found.append(Finding("period-crosses-years", Severity.HOLE, what, then, amount=_declared_amount(row)))
    return found


def _declared_amount(row: dict[str, object]) -> Figure:
    source = data_source("declared_volumes", f"line = {row['line']}, {row['period_start']}…{row['period_end']}", [row])
    return given(plain(row["amount_jpy"]), "JPY", Name("declared volume", "申告取引高"), source)  # type: ignore[arg-type]


def _age(view: FactsView, dataset: str) -> list[Finding]:
    day = view.snapshot_day(dataset)
    if day is None or (view.as_of - day).days <= view.lake.home.snapshot_max_age_days:
        return []
    age = (view.as_of - day).days
    return [
        Finding(
            "facts-old",
            Severity.WARNING,
            Name(f"{dataset} are of {day}, {age} days before the position", f"{dataset}は{day}時点（{age}日前）"),
            Name("ingest newer ones", "新しいデータを取り込む"),
        )
    ]


def _refused(view: FactsView, dataset: str) -> list[Finding]:
    count = sum(
        source.quarantined for entry in view.lake.entries if entry.dataset == dataset for source in entry.sources
    )
    if not count:
        return []
    return [
        Finding(
            "rows-refused",
            Severity.NOTICE,
            Name(f"{count:,} rows of {dataset} were refused and are not counted", f"{dataset}の{count:,}行を隔離し、算入していない"),
            Name("look at `junbikin facts quarantine` and ingest a corrected file", "`junbikin facts quarantine` を確認し、訂正ファイルを取り込む"),
        )
    ]  # fmt: skip
