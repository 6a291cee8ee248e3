"""Help: at once, whole, and a hand to whoever mistypes."""

from __future__ import annotations

import time

import click
import pytest

from junbikin import __version__
from junbikin.cli import root

from .runs import program, run, said

COMMANDS = root.list_commands(click.Context(root))


def test_help_comes_at_once_and_names_every_command() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        shown = program("--help")
        seconds.append(time.perf_counter() - start)
        assert shown.returncode == 0
    assert min(seconds) < 0.5
    words = {line.split()[0] for line in shown.stdout.partition("Commands:")[2].strip().splitlines()}
    assert words == set(COMMANDS)
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_each_of_its_options(command: str) -> None:
    text = said(command, "--help")
    found = root.get_command(click.Context(root), command)
    assert found is not None
    assert found.help
    assert found.help.splitlines()[0].split("(")[0].split("[")[0][:20] in " ".join(text.split())
    for option in found.params:
        if isinstance(option, click.Option):
            assert option.help
            assert option.opts[0] in text


def test_short_help_and_version() -> None:
    assert said("-h") == said("--help")
    assert __version__ in said("--version")


@pytest.mark.parametrize(("typed", "meant"), [("asess", "assess"), ("explian", "explain"), ("rulebook", "rulebooks")])
def test_a_misspelt_command_suggests_the_near_one(typed: str, meant: str) -> None:
    ended = program(typed)
    assert ended.returncode == 2
    assert f"No such command '{typed}'" in ended.stderr
    assert meant in ended.stderr.replace(typed, "", 1)


@pytest.mark.parametrize(
    ("typed", "meant"), [(("facts", "quarentine"), "quarantine"), (("rulebooks", "chek"), "check")]
)
def test_a_misspelt_subcommand_suggests_the_near_one(typed: tuple[str, ...], meant: str) -> None:
    result = run(*typed)
    assert result.exit_code == 2
    assert meant in result.stderr


def test_a_misspelt_option_suggests_the_near_one() -> None:
    result = run("assess", "--rulebok", "hk-sfc")
    assert result.exit_code == 2
    assert "--rulebook" in result.stderr


def test_a_failure_of_ours_ends_with_3_and_says_so() -> None:
    broken = (
        "import sys, junbikin.cli, junbikin.home\n"
        "junbikin.home.find_home = lambda given: 1 / 0\n"
        "sys.argv = ['junbikin', 'facts']\n"
        "junbikin.cli.main()\n"
    )
    import subprocess
    import sys

    ended = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, check=False)
    assert ended.returncode == 3


def test_a_reader_that_goes_away_is_no_failure() -> None:
    import subprocess
    import sys

    script = f"{sys.executable} -m junbikin rulebooks --json | true; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("0\n", "")
