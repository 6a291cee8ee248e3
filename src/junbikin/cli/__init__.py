"""The command line: thin. It reads arguments, calls one function, prints what comes back."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import click

from junbikin import __version__
from junbikin.cli.lazy import Lazy
from junbikin.errors import BadInput, JunbikinError

_COMMANDS = {
    "init": ("junbikin.cli.homes", "Make a home for an operator."),
    "demo": ("junbikin.cli.homes", "Build an invented example exchange and assess it."),
    "demo-bank": ("junbikin.cli.demo_bank", "Answer transfer files as an invented bank would."),
    "ingest": ("junbikin.cli.facts", "Read files of facts into the home."),
    "facts": ("junbikin.cli.facts", "Show what facts there are, and what was refused."),
    "assess": ("junbikin.cli.positions", "Say what must be held, is held, and is missing."),
    "explain": ("junbikin.cli.positions", "Open a figure down to the law and the ingested file."),
    "compare": ("junbikin.cli.positions", "All rulebooks side by side on the same facts."),
    "verify": ("junbikin.cli.positions", "Recompute a position or custody day from the facts; compare."),
    "books": ("junbikin.cli.books", "Accounts, postings, statements, proofs, backups."),
    "request": ("junbikin.cli.requests", "What one person asks for and another approves."),
    "people": ("junbikin.cli.people", "Who may act, and in which roles."),
    "custody": ("junbikin.cli.custody", "Customers' assets: there, apart, cold, reconciled."),
    "prove": ("junbikin.cli.prove", "Prove what customers are owed; a proof for each of them."),
    "verify-proof": ("junbikin.cli.prove", "Verify a customer's proof."),
    "audit": ("junbikin.cli.audit", "The pack for the auditor of segregation; checking it."),
    "incident": ("junbikin.cli.incident", "A theft or failure: who is owed what, plan, payment, reports."),
    "claims": ("junbikin.cli.claims", "What approved plans still owe: paid, out, returned, kept."),
    "reserve": ("junbikin.cli.reserve", "Fund, accrue, release; booked and held; history."),
    "registry": ("junbikin.cli.registry", "Places, addresses, tokens, providers, insurers, policies."),
    "rulebooks": ("junbikin.cli.rulebooks", "List, show and check rulebooks."),
}


def _default_lang() -> str:
    stated = os.environ.get("JUNBIKIN_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "ja" if stated.startswith("ja") else "en"


@click.group(
    cls=Lazy, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="junbikin")
@click.option(
    "--home", type=click.Path(path_type=Path), help="The operator's home (else JUNBIKIN_HOME, else found upward)."
)
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default=_default_lang, help="Language (else JUNBIKIN_LANG, LANG)."
)
@click.pass_context
def root(ctx: click.Context, home: Path | None, lang: str) -> None:
    """What liability reserve (責任準備金) an exchange must hold, what it holds, what is missing and why.

    \b
    Exit codes: 0 done · 1 done, and --fail-on found something · 2 bad input · 3 our fault.
    """
    ctx.obj = {"home": home, "lang": lang}


def _typed(words: list[str]) -> list[str]:
    """What was typed. Raises `BadInput` for what is not UTF-8: no name, path or reason is kept as anything else."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise BadInput(
                "an argument is not UTF-8", where=ascii(word), then="type it in UTF-8, or give the file another name"
            ) from None
    return words


def main() -> None:
    """Runs the command line and turns errors into messages and exit codes."""
    try:
        code = root(_typed(sys.argv[1:]), standalone_mode=False) or 0
    except SystemExit:  # what click makes of a reader that went away: nobody is left to be told
        code = 0
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(BadInput.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; nothing was half done", err=True)
        sys.exit(130)
    except JunbikinError as problem:
        click.echo(f"error: {problem}", err=True)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception:  # noqa: BLE001 - the last line of defence: what is not foreseen is our fault, and says so
        traceback.print_exc()
        click.echo("error: this is our fault, not yours; please report the lines above", err=True)
        sys.exit(JunbikinError.exit_code)
    sys.exit(code)
