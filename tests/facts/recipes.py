"""Inputs of broken/ that cannot be kept as readable text: each recipe makes them and gives the paths to name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from .support import Trade, write_csv, write_parquet

MANY = [Trade(f"T{number}") for number in range(20_000)]
"""Enough rows that the damage is not in the part of a file that is looked at first."""


def _missing(folder: Path) -> list[Path]:
    return [folder / "nowhere.csv"]


def _folder(folder: Path) -> list[Path]:
    write_csv(folder / "trades.csv", [Trade("T1")])
    return [folder]


def _twice(folder: Path) -> list[Path]:
    path = write_csv(folder / "trades.csv", [Trade("T1")])
    return [path, path]


def _brackets(folder: Path) -> list[Path]:
    write_csv(folder / "trades1.csv", [Trade("WRONG")])
    return [write_csv(folder / "trades[1].csv", [Trade("RIGHT")])]


def _partition(folder: Path) -> list[Path]:
    inside = folder / "asset=ETH"
    inside.mkdir()
    return [write_csv(inside / "trades.csv", [Trade("T1")])]


def _zipped(damage: Callable[[bytes], bytes], level: int = 6) -> Callable[[Path], list[Path]]:
    def made(folder: Path) -> list[Path]:
        plain = write_csv(folder / "plain", MANY).read_bytes()
        (folder / "plain").unlink()
        path = folder / "trades.csv.gz"
        path.write_bytes(damage(gzip.compress(plain, level, mtime=0)))
        return [path]

    return made


def _changed(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 64 + data[middle + 64 :]


def _no_such_block(data: bytes) -> bytes:
    """Of uncompressed blocks, gives the second a kind that there is not."""
    at = 10 + 5 + int.from_bytes(data[11:13], "little")
    return data[:at] + b"\x07" + data[at + 1 :]


def _other_price(data: bytes) -> bytes:
    at = data.index(b"T15000,")
    at = data.index(b",1000000,", at)
    return data[:at] + b",9000000," + data[at + 9 :]


def _two_members(folder: Path) -> list[Path]:
    first = write_csv(folder / "first", [Trade("T1")])
    second = write_csv(folder / "second", [Trade("T2")])
    path = folder / "trades.csv.gz"
    rest = second.read_bytes().split(b"\n", 1)[1]
    path.write_bytes(gzip.compress(first.read_bytes()) + gzip.compress(rest))
    return [path]


def _parquet(kind: str, *quantities: str) -> Callable[[Path], list[Path]]:
    def made(folder: Path) -> list[Path]:
        trades = [Trade(f"T{number}", quantity=text) for number, text in enumerate(quantities, 1)]
        return [write_parquet(folder / "trades.parquet", trades, quantity=kind)]

    return made


def _unzoned(folder: Path) -> list[Path]:
    return [write_parquet(folder / "t.parquet", [Trade("T1", "2018-01-26 00:00:00")], executed_at="TIMESTAMP")]


def _cut_parquet(folder: Path) -> list[Path]:
    path = write_parquet(folder / "trades.parquet", [Trade("T1")])
    path.write_bytes(path.read_bytes()[:-20])
    return [path]


RECIPES: dict[str, Callable[[Path], list[Path]]] = {
    "missing_file": _missing,
    "folder_instead_of_file": _folder,
    "same_file_named_twice": _twice,
    "file_name_with_brackets": _brackets,
    "folder_named_like_a_partition": _partition,
    "gzip_truncated": _zipped(lambda data: data[: len(data) // 2]),
    "gzip_truncated_in_the_checksum": _zipped(lambda data: data[:-5]),
    "gzip_with_changed_bytes": _zipped(_changed),
    "gzip_not_decodable": _zipped(_no_such_block, level=0),
    "gzip_with_changed_digits": _zipped(_other_price, level=0),
    "gzip_with_trailing_bytes": _zipped(lambda data: data + b"and more"),
    "gzip_of_two_members": _two_members,
    "parquet_floats": _parquet("DOUBLE", "0.1"),
    "parquet_floats_with_scale": _parquet("DOUBLE", "0.1", "0.12345678", "1234567.12345678"),
    "parquet_floats_beyond_15_digits": _parquet("DOUBLE", "0.5", "12345678.12345678", "0.123456789", "nan", "inf"),
    "parquet_single_floats_with_scale": _parquet("FLOAT", "12.5", "1234567.1234"),
    "parquet_without_rows": _parquet("DECIMAL(38,18)"),
    "parquet_truncated": _cut_parquet,
    "parquet_bytes": _parquet("BLOB", "0.5"),
    "parquet_time_without_zone": _unzoned,
}
"""Folder of broken/ → what makes its input in an empty folder and gives the paths to ingest."""
