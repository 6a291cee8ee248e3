"""The page about reconciliation: its run goes as it shows it, and it names every class and comparison."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from junbikin.custody.reconcile.breaks import Compared, Kind, break_id
from junbikin.registry import people
from test_books_page import pattern, printed, spaced

PAGE = Path(__file__).parents[3] / "docs" / "reconciliation.md"


def steps() -> list[tuple[str, list[str]]]:
    """The commands of the run, each with the lines that are shown below it."""
    [block] = re.findall(r"^```\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    shown: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            shown.append((line.removeprefix("$ "), []))
        else:
            shown[-1][1].append(line)
    return shown


def test_the_run_goes_as_the_page_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(people, "_COST", {"time_cost": 1, "memory_cost": 8, "parallelism": 1})
    env = {"JUNBIKIN_LANG": "en"}
    for command, shown in steps():
        if command.startswith("printf "):
            _, text, _, name = shlex.split(command)
            (tmp_path / name).write_text(text.replace("\\n", "\n"), encoding="utf-8")
            continue
        output = printed(command, env)
        lines_printed = "".join(spaced(line) + "\n" for line in output.splitlines() if line.strip())
        assert re.fullmatch(pattern([spaced(line) for line in shown]), lines_printed), (command, output)


def test_the_page_names_every_class_and_comparison() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [word for word in (*Kind, *Compared) if f"`{word}`" not in text] == []
    assert break_id(Compared.ACCOUNT, "c-17", "BTC", "") in text
