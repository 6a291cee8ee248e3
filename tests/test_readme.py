"""The READMEs: both name the same commands, and the commands do what the READMEs say."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = ["README.md", "README.ja.md"]
BIN = Path(sys.executable).parent

MAPPING = """
title = "ours"
dataset = "trades"
columns.trade_id = { column = "id" }
columns.executed_at = { column = "time" }
columns.asset = { constant = "BTC" }
columns.quote = { constant = "JPY" }
columns.price = { column = "price" }
columns.quantity = { column = "size" }
columns.line = { constant = "spot_venue" }
"""
TRADES = "id,time,price,size\n1,2026-04-01T09:00:00+09:00,15000000,0.5\n"


def commands(readme: str) -> list[str]:
    """The indented command lines, without what is said about them and without the language asked for."""
    lines = re.findall(r"^    (\S.*)$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE)
    shown = [line for line in lines if line.startswith(("scripts/", ".venv/", "$ "))]
    return [re.sub(r"\s{2,}#.*| --lang ja|--operator \"[^\"]*\"", "", line).strip() for line in shown]


def test_both_languages_name_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ja.md")
    assert commands("README.md")[:2] == ["scripts/demo", "scripts/test"]


def test_ci_runs_the_test_script_and_nothing_else() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ['exec "$(dirname "$0")/../scripts/test"']


def test_the_demo_builds_an_exchange_prints_its_position_and_writes_a_report(tmp_path: Path) -> None:
    words = [str(ROOT / "scripts" / "demo"), str(tmp_path / "exchange")]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "JUNBIKIN_LANG": "en"}, check=True)
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1].strip().splitlines()[1:]
    assert done.stdout.splitlines()[: len(shown)] == shown
    for readme in READMES:
        shows_the_custody_day_of((ROOT / readme).read_text(encoding="utf-8"), tmp_path)
    report = (tmp_path / "exchange" / "report.html").read_text(encoding="utf-8")
    assert "架空" in report
    assert not re.search(r"(src|href)=\"?https?:", report)


def shows_the_custody_day_of(readme: str, folder: Path) -> None:
    """The lines below the command begin as those that it prints of the exchange, blanks aside."""
    [(words, shown)] = re.findall(r"^    \$ junbikin (--home demo-exchange .*)\n((?:    .*\n)+)", readme, re.MULTILINE)
    command = [str(BIN / "junbikin"), *words.replace("demo-exchange", str(folder / "exchange")).split()]
    env = {**os.environ, "JUNBIKIN_LANG": "en"}
    printed = subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout.splitlines()
    begins = tuple(" ".join(line.split()) for line in printed)
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip() != "…"]
    assert [line for line in lines if not any(begin.startswith(line) for begin in begins)] == []
    assert len(lines) > 5


@pytest.mark.parametrize("readme", READMES)
def test_the_commands_for_ones_own_data_work(readme: str, tmp_path: Path) -> None:
    (tmp_path / "trades.csv.gz").write_bytes(gzip.compress(TRADES.encode()))
    (tmp_path / "our-mapping.toml").write_text(MAPPING, encoding="utf-8")
    text = (ROOT / readme).read_text(encoding="utf-8")
    block = re.findall(r"^    (\.venv/bin/junbikin .*)$", text, re.MULTILINE)
    script = "\n".join(["set -e", *block]).replace(".venv/bin/junbikin", str(BIN / "junbikin"))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "read 1 = accepted 1 + duplicates 0 + quarantined 0" in done.stdout
    assert (tmp_path / "report.html").exists()
