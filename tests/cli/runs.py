"""Running commands: in this process for what they say, as a program for how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from junbikin.cli import root
from junbikin.errors import JunbikinError
from junbikin.facts.datasets import DATASETS

ENGLISH = {"JUNBIKIN_LANG": "en", "JUNBIKIN_HOME": ""}


def run(*words: str | Path, home: Path | None = None, env: Mapping[str, str] = {}) -> Result:
    """The outcome of a command in this process; an error stays in `exception`."""
    given = ["--home", str(home)] if home else []
    return CliRunner().invoke(root, [*given, *map(str, words)], env={**ENGLISH, **env})


def said(*words: str | Path, home: Path | None = None, code: int = 0, env: Mapping[str, str] = {}) -> str:
    """What a command that must end with `code` prints on standard output."""
    result = run(*words, home=home, env=env)
    assert result.exit_code == code, (result.exception, result.output)
    return str(result.stdout)


def refused(*words: str | Path, home: Path | None = None, env: Mapping[str, str] = {}) -> JunbikinError:
    """The refusal of a command that must refuse, with all three of its parts looked at."""
    result = run(*words, home=home, env=env)
    assert isinstance(result.exception, JunbikinError), (result.exception, result.output)
    assert result.exception.what
    assert result.exception.then
    return result.exception


def program(*words: str | Path, home: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    given = ["--home", str(home)] if home else []
    return subprocess.run(
        [sys.executable, "-m", "junbikin", *given, *map(str, words)],
        env={**os.environ, **ENGLISH}, cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def as_json(text: str) -> Any:
    """The JSON, provided that it holds no float, and nothing that is not JSON."""

    def never(number: str) -> None:
        raise AssertionError(f"a bare number in JSON: {number}")

    return json.loads(text, parse_float=never, parse_constant=never)


def csv(folder: Path, dataset: str, *rows: str, name: str = "") -> Path:
    """A file of a dataset in our own names; the columns in their order, optional ones at the end left out."""
    width = len(rows[0].split(","))
    header = ",".join(column.name for column in DATASETS[dataset].columns[:width])
    file = folder / (name or f"{dataset}.csv")
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file
