"""Files of a pack are read as they were written: every field, whatever is in it, however long it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junbikin.custody.audit.reading import engine, rows

FIELDS = st.one_of(st.sampled_from(["", " ", '"', '""', "\\", "\\N", "NULL", "a,b", "'", "#", ' "x" ', "0010", "日本", "{}"]), st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1, max_size=8), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))  # fmt: skip
def test_every_field_comes_back(tmp_path: Path, table: list[tuple[str, str, str]], quoting: int) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
        writer.writerows([("one", "of", "three"), *table])
    with engine() as working:
        assert working.execute(f"SELECT * FROM {rows(path, ('one', 'of', 'three'))}").fetchall() == table


@pytest.mark.parametrize("length", [1, 1_999_999, 2_000_001, 5_000_000])
def test_a_line_may_be_longer_than_the_engine_expects(tmp_path: Path, length: int) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f'a,content\n1,"{"x" * length}"\n2,y\n', encoding="utf-8")
    with engine() as working:
        found = working.execute(f"SELECT a, length(content) FROM {rows(path, ('a', 'content'))}").fetchall()
    assert found == [("1", length), ("2", 1)]


def test_a_table_without_rows_is_one(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("a,b\n", encoding="utf-8")
    with engine() as working:
        assert working.execute(f"SELECT * FROM {rows(path, ('a', 'b'))}").fetchall() == []
