"""Checks: from raw text to typed columns, and what is wrong with a row where something is.

Whether a row is sound is decided for every row by one short condition; why it is not, by the list of faults, and
only for the rows refused. A row is meant to be sound exactly when it has no fault: the two are written side
by side, column by column.
"""

from __future__ import annotations

import re
from datetime import datetime

from junbikin.facts.datasets import COARSE_DECIMALS, FINE_TYPE, Column, Dataset, Kind, Sign
from junbikin.facts.engine import identifier, literal
from junbikin.facts.mappings import ColumnMapping, Mapping

_CLOCK = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6}0*)?)?"
_OFFSET = r"[+-](0\d|1[0-3]|14)(:?[0-5]\d)?"
_ZONED = rf"^{_CLOCK}\s?(Z|UTC|{_OFFSET})$"
_UNZONED = rf"^{_CLOCK}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_EPOCHS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0}
"""The decimals that a count of each may have: down to the microsecond."""
_USUAL_TIME = "____-__-__T__:__:__.%+0_:00"
_USUAL_TIME_MOST = len("2026-04-01T09:00:00.123456+09:00")
SYMBOL = "[A-Z0-9][A-Za-z0-9._-]{0,31}"
MAX_TEXT = 200


def typed_select(dataset: Dataset, mapping: Mapping, raw: str) -> str:
    """SQL giving the raw rows with each of our stored columns beside its `raw_` text."""
    parts: list[str] = []
    for column in dataset.columns:
        parts += _typed(column, mapping.columns.get(column.name) or ColumnMapping(), mapping.time_zone)
    return f"SELECT *, {', '.join(parts)} FROM ({raw})"


def _typed(column: Column, part: ColumnMapping, zone: str | None) -> list[str]:
    raw = _translated(f"raw_{column.name}", part)
    if column.kind is Kind.NUMBER:
        raw = _ungrouped(raw, part.grouped)
        if column.fine:
            return _fine_number(column, raw)
        return [f"{_number(raw, column.whole, column.decimals)} AS {identifier(column.name)}"]
    expression = {
        Kind.TEXT: raw,
        Kind.SYMBOL: raw,
        Kind.CHOICE: f"CASE WHEN {raw} IN ({_list(column.choices)}) THEN {raw} END",
        Kind.CHOICES: f"CASE WHEN list_has_all([{_list(column.choices)}], string_split({raw}, '|')) THEN {raw} END",
        Kind.DATE: _day(raw, part),
        Kind.BOOLEAN: f"CASE lower({raw}) WHEN 'true' THEN true WHEN 'false' THEN false END",
        Kind.INSTANT: _instant(raw, part, zone),
    }[column.kind]
    return [f"{expression} AS {identifier(column.name)}"]


def _day(raw: str, part: ColumnMapping) -> str:
    if part.date_format:
        return f"TRY(CAST(try_strptime({raw}, {literal(part.date_format)}) AS DATE))"
    return rf"CASE WHEN regexp_full_match({raw}, '\d{{4}}-\d\d-\d\d') THEN TRY_CAST({raw} AS DATE) END"


def _ungrouped(raw: str, mark: str | None) -> str:
    """The digits of a number whose thousands are grouped everywhere, or the text as it is: `1,00` stays no number."""
    if mark is None:
        return raw
    whole = f"regexp_full_match({raw}, {literal(rf'[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+([.][0-9]+)?')})"
    return f"(CASE WHEN {whole} THEN replace({raw}, {literal(mark)}, '') ELSE {raw} END)"


def _translated(raw: str, part: ColumnMapping) -> str:
    if not part.values:
        return raw
    whens = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in part.values.items())
    return f"CASE {raw} {whens} END"


def _list(choices: tuple[str, ...]) -> str:
    return ", ".join(literal(choice) for choice in choices)


def _number(raw: str, whole: int, decimals: int) -> str:
    """The exact number, or NULL: the usual spelling at once, any other after counting its decimals."""
    kind = f"DECIMAL({whole + decimals},{decimals})"
    usual = rf"^[0-9]{{1,{whole}}}(\.[0-9]{{1,{decimals}}})?$" if decimals else rf"^[0-9]{{1,{whole}}}$"
    text = f"trim({raw})"
    places = rf"length(rtrim(regexp_extract({text}, '\.([0-9]*)', 1), '0'))"
    exponent = f"coalesce(TRY_CAST(regexp_extract({text}, '[eE](.*)$', 1) AS INTEGER), 0)"
    fits = f"regexp_full_match({text}, '{_NUMBER}') AND {places} - {exponent} <= {decimals}"
    # The engine casts a text with an exponent without minding the width: the bound is checked apart.
    most = f"{'9' * whole}.{'9' * decimals}::DECIMAL(38,{decimals})"
    wide = f"TRY_CAST({text} AS DECIMAL(38,{decimals}))"
    return (
        f"CASE WHEN regexp_full_match({raw}, '{usual}') THEN TRY_CAST({raw} AS {kind}) "
        f"WHEN {fits} AND {wide} BETWEEN -{most} AND {most} THEN TRY_CAST({wide} AS {kind}) END"
    )


def _fine_number(column: Column, raw: str) -> list[str]:
    usual = rf"^[0-9]{{1,{column.whole}}}(\.[0-9]{{1,{COARSE_DECIMALS}}})?$"
    whole = f"({_number(raw, column.whole, column.decimals)})"
    coarse = f"CAST(trunc({whole}, {COARSE_DECIMALS}) AS {column.sql_type})"
    simple = f"regexp_full_match({raw}, '{usual}')"
    return [
        f"CASE WHEN {simple} THEN TRY_CAST({raw} AS {column.sql_type}) ELSE {coarse} END AS {column.name}",
        f"CASE WHEN {simple} THEN 0 ELSE CAST({whole} - {coarse} AS {FINE_TYPE}) END::{FINE_TYPE} "
        f"AS {column.name}_fine",
    ]


def _instant(raw: str, part: ColumnMapping, zone: str | None) -> str:
    if part.time_format in _EPOCHS:
        decimals = _EPOCHS[part.time_format]
        count = _number(raw, 18 - decimals, decimals)
        return f"TRY(make_timestamptz(CAST(CAST({count} AS DECIMAL(38,{decimals})) * {10**decimals} AS BIGINT)))"
    if part.time_format:
        moment = f"try_strptime({raw}, {literal(part.time_format)})"
        if _carries_zone(part.time_format):
            possible = f"regexp_matches({raw}, '(Z|{_OFFSET})$')" if part.time_format.endswith("%z") else "true"
            return f"CASE WHEN {possible} THEN TRY(CAST({moment} AS TIMESTAMPTZ)) END"
        unzoned = f"TRY(CAST({moment} AS TIMESTAMP))"
        return f"timezone({literal(zone)}, {unzoned})" if zone else "NULL::TIMESTAMPTZ"
    # A pattern is three times quicker than a regular expression, and the cast checks the digits either way.
    usual = f"{raw} LIKE '{_USUAL_TIME}' AND strlen({raw}) <= {_USUAL_TIME_MOST}"
    zoned = f"regexp_full_match({raw}, '{_ZONED}')"
    cases = " ".join(f"WHEN {form} THEN TRY_CAST({raw} AS TIMESTAMPTZ)" for form in (usual, zoned))
    if zone:
        cases += (
            f" WHEN regexp_full_match({raw}, '{_UNZONED}') THEN timezone({literal(zone)}, TRY_CAST({raw} AS TIMESTAMP))"
        )
    return f"CASE {cases} END"


def _carries_zone(pattern: str) -> bool:
    return bool(re.search(r"(?<!%)(%%)*%[zZ]", pattern))


def sound(dataset: Dataset, now: datetime) -> str:
    """SQL of the condition that every typed column of a row is there where it must be, and possible."""
    parts = ["malformed IS NULL"]
    for column in dataset.columns:
        fits = _fits(column, column.name in dataset.key, now)
        parts.append(f"(raw_{column.name} IS NULL OR coalesce({fits}, false))" if column.optional else fits)
    if dataset.max_notional:
        parts.append(_plausible(dataset))
    return f"coalesce({' AND '.join(parts)}, false)"


def _fits(column: Column, in_key: bool, now: datetime) -> str:
    name = identifier(column.name)
    if column.kind is Kind.NUMBER:
        return f"NOT ({_too_small(column)})"
    if column.kind is Kind.TEXT:
        return f"{_short(name)} AND {_printable(name)}" if in_key else _short(name)
    if column.kind is Kind.SYMBOL:
        return f"regexp_full_match({name}, '{SYMBOL}')"
    if column.kind is Kind.INSTANT:
        return f"{name} <= {_moment(now)}"
    if column.kind is Kind.DATE and not column.future:
        return f"{name} <= {_today(now)}"
    return f"{name} IS NOT NULL"


def _too_small(column: Column) -> str:
    if column.sign is Sign.ANY:
        return f"{column.name} IS NULL"
    if column.sign is Sign.NOT_NEGATIVE:
        return f"{column.name} < 0"
    return f"{column.name} <= 0" + (f" AND {column.name}_fine <= 0" if column.fine else "")


def _short(name: str) -> str:
    return f"strlen({name}) <= {MAX_TEXT}"


def _printable(name: str) -> str:
    return rf"NOT regexp_matches({name}, '[\x00-\x1f\x7f]')"


def _moment(now: datetime) -> str:
    return f"TIMESTAMPTZ '{now.isoformat()}'"


def _today(now: datetime) -> str:
    return f"DATE '{now.date().isoformat()}'"


def _plausible(dataset: Dataset) -> str:
    return f"CAST(price AS DOUBLE) * CAST(quantity AS DOUBLE) <= {dataset.max_notional}"


def faults(dataset: Dataset, mapping: Mapping, now: datetime) -> list[tuple[str, str]]:
    """Every fault a row can have: (SQL that holds when it has it, SQL of the reason). The first is told."""
    found = [("malformed IS NOT NULL", "malformed")]
    for column in dataset.columns:
        part = mapping.columns.get(column.name) or ColumnMapping()
        found += _column_faults(column, column.name in dataset.key, part, mapping.time_zone, now)
    if dataset.max_notional:
        found.append(
            (
                f"NOT ({_plausible(dataset)})",
                f"'price: price × quantity is above {dataset.max_notional:,}, which no trade is'",
            )
        )
    return found


def _column_faults(
    column: Column, in_key: bool, part: ColumnMapping, zone: str | None, now: datetime
) -> list[tuple[str, str]]:
    raw, name = f"raw_{column.name}", identifier(column.name)
    shown = f"substr({raw}, 1, {MAX_TEXT})"

    def because(text: str) -> str:
        return f"{literal(f'{column.name}: {text}: ')} || {shown}"

    found: list[tuple[str, str]] = []
    if not column.optional:
        found.append((f"{raw} IS NULL", literal(f"{column.name}: empty")))
    wrong = f"{raw} IS NOT NULL AND {name} IS NULL"
    if column.kind is Kind.NUMBER:
        found += [
            (f"{wrong} AND NOT regexp_full_match(trim({raw}), '{_NUMBER}')", because("not a number")),
            (
                wrong,
                because(f"more digits than fit ({column.whole} before the point, {column.decimals} after)"),
            ),
            (_too_small(column), because(f"must be {column.sign.value}")),
        ]
    elif column.kind is Kind.INSTANT:
        if zone is None and part.time_format not in _EPOCHS and not _carries_zone(part.time_format or ""):
            unzoned = f"regexp_full_match({raw}, '{_UNZONED}')" if not part.time_format else "true"
            found.append((f"{wrong} AND {unzoned}", because("no time zone, and the mapping gives none")))
        found.append((wrong, because("not a time")))
        found.append((f"{name} > {_moment(now)}", because("lies in the future")))
    elif column.kind is Kind.TEXT:
        found.append((f"NOT ({_short(name)})", because(f"longer than {MAX_TEXT} bytes")))
        if in_key:
            found.append((f"NOT ({_printable(name)})", because("control characters in a key")))
        if part.values:
            found.append((wrong, because("not among the mapping's values")))
    elif column.kind is Kind.SYMBOL:
        found.append((wrong, because("not among the mapping's values")))
        found.append((f"NOT regexp_full_match({name}, '{SYMBOL}')", because("not an asset's code, such as BTC")))
    elif column.kind in (Kind.CHOICE, Kind.CHOICES):
        known = tuple(part.values) or column.choices
        joined = " joined by |" if column.kind is Kind.CHOICES else ""
        found.append((wrong, because(f"must be one of {', '.join(known)}{joined}")))
    else:
        day = "not a date as the mapping writes it" if part.date_format else "not a date as 2026-04-01"
        found.append((wrong, because(day if column.kind is Kind.DATE else "not true or false")))
        if column.kind is Kind.DATE and not column.future:
            found.append((f"{name} > {_today(now)}", because("lies in the future")))
    return found


def day_of(dataset: Dataset, zone: str) -> str:
    """SQL of the day under which a row is stored, in the operator's time zone."""
    if dataset.column(dataset.day).kind is Kind.INSTANT:
        return f"CAST(timezone({literal(zone)}, {identifier(dataset.day)}) AS DATE)"
    return identifier(dataset.day)


def key_of(dataset: Dataset) -> str:
    """SQL of a row's key as one text."""
    if len(dataset.key) == 1:
        return identifier(dataset.key[0])
    return "concat_ws(chr(31), " + ", ".join(f"CAST({identifier(part)} AS VARCHAR)" for part in dataset.key) + ")"
