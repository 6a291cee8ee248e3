"""Measures speed and memory beside what is bare in the same run, and says which targets are missed."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from benchmarks import books, day, paying, proof, reconciling
from benchmarks.rows import WORK

BENCHES = {
    "day": day.bench,
    "books": books.bench,
    "custody": reconciling.bench,
    "proof": proof.bench,
    "paying": paying.bench,
}


def main() -> None:
    """Runs the benches and prints their table; exits 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=BENCHES, help="one of them; all when none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast")
    given = parser.parse_args()
    rows = []
    for name in [given.which] if given.which else BENCHES:
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir()
        try:
            for row in BENCHES[name](given.quick):
                print(row, flush=True)
                rows.append(row)
        finally:
            shutil.rmtree(WORK, ignore_errors=True)
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}, {sum(row.missed for row in rows)} missed")
    sys.exit(any(row.missed for row in rows))


if __name__ == "__main__":
    main()
