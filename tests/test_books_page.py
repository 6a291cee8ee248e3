"""The page about the books: its commands do what it says they do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from junbikin.cli import root
from junbikin.errors import JunbikinError
from junbikin.registry import people

PAGE = Path(__file__).parent.parent / "docs" / "books.md"


def steps() -> list[tuple[str, list[str]]]:
    """The commands that the page shows, each with the lines that it shows below."""
    shown: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append((line.removeprefix("$ "), []))
            else:
                shown[-1][1].append(line)
    return shown


def password(name: str) -> str:
    """What someone types when asked."""
    return f"four words by {name}"


def printed(command: str, env: dict[str, str]) -> str:
    """What a command prints on a terminal, on which everyone types their own password."""
    words = shlex.split(command)
    if words[0] == "export":
        variable, value = words[1].split("=", 1)
        env[variable] = value
        return ""
    who = words[words.index("--as") + 1] if "--as" in words else ""
    new = words[3] if words[1:3] == ["people", "add"] else who
    typed = {
        "JUNBIKIN_PASSWORD": password(who),
        "JUNBIKIN_NEW_PASSWORD": password(new),
        "JUNBIKIN_KEY_PASSPHRASE": "of the key",
    }
    ended = CliRunner().invoke(root, words[1:], env=env | typed)
    if isinstance(ended.exception, JunbikinError):
        return f"{ended.output}error: {ended.exception}"
    assert ended.exit_code == 0, (command, ended.exception, ended.output)
    return ended.output


def pattern(lines: list[str]) -> str:
    """Lines as a pattern: `…` alone is any lines, within a line any text."""
    every = [r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in lines]
    return "".join(every)


def spaced(line: str) -> str:
    """A line with its words a blank apart, however wide its table is."""
    return " ".join(line.split())


def test_the_walk_through_goes_as_the_page_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(people, "_COST", {"time_cost": 1, "memory_cost": 8, "parallelism": 1})
    env = {"JUNBIKIN_LANG": "en"}
    walked = steps()
    assert len(walked) > 30
    for command, shown in walked:
        output = printed(command, env)
        lines_printed = "".join(spaced(line) + "\n" for line in output.splitlines())
        assert re.fullmatch(pattern([spaced(line) for line in shown]), lines_printed), (command, output)


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_what_the_readmes_show_of_the_books_is_from_this_page(readme: str) -> None:
    text = (PAGE.parent.parent / readme).read_text(encoding="utf-8")
    [block] = re.findall(r"(?:^    (?!\.venv|scripts).*\n)+(?=\n\[docs/books)", text, re.MULTILINE)
    shown = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(block.splitlines()) > 4
    assert [line for line in block.splitlines() if line.strip() not in shown] == []
