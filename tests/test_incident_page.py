"""The page about an incident: from its opening to the last settled payment, its commands do what it says they do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from junbikin.calendars import business_days_after
from junbikin.cli import root
from junbikin.registry import people
from test_books_page import password, pattern, spaced

PAGE = Path(__file__).parent.parent / "docs" / "incident.md"
LETTERS = ("association-041.pdf", "association-058.pdf")
"""By which the page has the accident confirmed."""
FENCED = re.compile(r"^```(toml)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page() -> str:
    """The page, with days of payment that lie ahead."""
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    first = business_days_after(today, 3)
    ahead = {
        "2026-04-13": first,
        "2026-04-20": business_days_after(first, 5),
        "2026-05-29": business_days_after(first + timedelta(days=45), 1),
    }
    text = PAGE.read_text(encoding="utf-8")
    for written, day in ahead.items():
        assert written in text
        text = text.replace(written, day.isoformat())
    return text


@dataclass(frozen=True)
class Step:
    """A command with the lines that the page shows below it, or a file with its content."""

    does: str
    shown: list[str]


def steps() -> Iterator[Step]:
    for kind, block in FENCED.findall(page()):
        if kind:
            yield Step(block.splitlines()[0].removeprefix("# "), [block])
            continue
        lines: list[str] = []
        command = ""
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Step(command, lines)
                command, lines = line.removeprefix("$ "), []
            else:
                lines.append(line)
        yield Step(command, lines)


def words_of(command: str) -> list[str]:
    """The words of a command; patterns of files stand for those that there are, as in a shell."""
    words = []
    for word in shlex.split(command):
        found = sorted(str(path) for path in Path().glob(word)) if "*" in word else [word]
        assert found, word
        words += found
    return words


def printed(words: list[str], env: dict[str, str]) -> str:
    """What a command prints on a terminal, on which everyone types their own password."""
    who = words[words.index("--as") + 1] if "--as" in words else ""
    new = words[3] if words[1:3] == ["people", "add"] else who
    typed = {"JUNBIKIN_PASSWORD": password(who), "JUNBIKIN_NEW_PASSWORD": password(new)}
    ended = CliRunner().invoke(root, words[1:], env=env | typed)
    assert ended.exit_code == 0, (words, ended.exception, ended.output)
    return ended.output


def test_the_walk_through_goes_from_the_opening_to_the_last_settled_payment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(people, "_COST", {"time_cost": 1, "memory_cost": 8, "parallelism": 1})
    env = {"JUNBIKIN_LANG": "en"}
    for letter in LETTERS:
        Path(letter).write_text("the association confirms it", encoding="utf-8")
    walked = list(steps())
    assert sum(step.does.startswith("junbikin ") for step in walked) > 50
    for step in walked:
        if step.does.startswith("rules/"):
            Path(step.does).parent.mkdir(exist_ok=True)
            Path(step.does).write_text("".join(step.shown), encoding="utf-8")
            continue
        words = words_of(step.does)
        if words[0] == "export":
            env |= dict([words[1].split("=", 1)])
            continue
        output = printed(words, env)
        lines_printed = "".join(spaced(line) + "\n" for line in output.splitlines())
        assert re.fullmatch(pattern([spaced(line) for line in step.shown]), lines_printed), (step.does, output)
