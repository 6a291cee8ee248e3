"""`prove` and `verify-proof`: what customers are owed, proved to each of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junbikin.cli.keeping import passphrase_file_option, passphrase_of_key
from junbikin.cli.positions import DAY, day_of
from junbikin.cli.show import AS_JSON, as_json, books_of, home_of, lang_of, print_table, progress_bar
from junbikin.errors import BadInput
from junbikin.figures import Name

if TYPE_CHECKING:
    from junbikin.custody.liabilities.proof import Proof
    from junbikin.custody.liabilities.statement import Statement

_HOLDS = Name("verified", "検証成功")
_FAILS = Name("FAILS", "検証失敗")
_COMPARE = Name(
    "next: compare the two digests with those that the operator publishes, and the amounts with your own records; "
    "what this does not prove: docs/proof-of-liabilities.md",
    "次に：二つのダイジェストを公表されたものと、金額をご自身の記録と照合してください。"
    "この検証で分からないことは docs/proof-of-liabilities.md にあります",
)
_FILE = click.Path(path_type=Path, dir_okay=False)
_OF_DAY = click.option("--as-of", type=DAY, required=True, help="The day that the proof is of.")
_NAMED = click.option(
    "--proof", "name", default="", help="Which proof of that day, by its name [default: the last made]."
)


@click.group(invoke_without_command=True)
@click.option("--as-of", type=DAY, help="The day; it must have customer balances.")
@click.option("--untied", is_flag=True, help="Do not reconcile: the statement says that it is tied to no position.")
@click.option(
    "--despite-refused",
    "despite",
    metavar="WHY",
    default="",
    help="Sign although balances of the day were refused; their number and WHY stand in the statement.",
)
@passphrase_file_option
@AS_JSON
@click.pass_context
def prove(
    ctx: click.Context, as_of: datetime | None, untied: bool, despite: str, passphrase_file: Path | None, json_: bool
) -> None:
    """Prove what customers are owed (債務証明): a sum tree per asset, its root and total signed.

    Reconciles the day first and ties the proof to it, with a checkpoint of the books if the home has any.
    """
    if ctx.invoked_subcommand is not None:
        return
    from junbikin.books.proof.checkpoint import read_key
    from junbikin.custody.liabilities.prove import prove as work
    from junbikin.facts.lake import open_lake

    if as_of is None:
        raise BadInput("no day is named", then="say which day to prove: junbikin prove --as-of DAY")
    home = home_of(ctx)
    day = day_of(home, as_of)
    key = read_key(home, passphrase_of_key(home, passphrase_file))
    lake = open_lake(home)
    with books_of(home) as books, progress_bar() as tell:
        tie = None
        if not untied:
            from junbikin.custody.liabilities.tie import tie_to
            from junbikin.custody.reconcile.run import reconcile

            tie = tie_to(reconcile(lake, day, books, progress=tell))
        folder = work(lake, day, key, books, tie, tell, despite)
    _show(ctx, folder, json_)
    if not json_:
        click.echo(
            f"next: publish the statement; for a customer: junbikin prove customer ACCOUNT --as-of {day} --out FILE"
        )


def _show(ctx: click.Context, folder: Path, json_: bool) -> None:
    from junbikin.custody.liabilities.kept import STATEMENT, breaks_of
    from junbikin.custody.liabilities.statement import read_statement

    statement = read_statement(folder / STATEMENT)
    breaks = breaks_of(folder, statement)
    if json_:
        as_json(
            {
                "name": folder.name, "folder": str(folder), "digest": statement.digest, "breaks": breaks, "statement": statement.content,
            }
        )  # fmt: skip
        return
    _tell_statement(ctx, statement)
    if breaks is not None:
        en = f"tied to a reconciled position with {breaks:,} {'break' if breaks == 1 else 'breaks'} (position.json)"
        ja = f"照合済みの残高と結び付け（差異{breaks:,}件、position.json）"
        click.echo(ja if lang_of(ctx) == "ja" else en)
    click.echo(f"{folder / STATEMENT}")


def _tell_statement(ctx: click.Context, statement: Statement) -> None:
    from junbikin.custody.liabilities.sums import quantity
    from junbikin.reports.words import grouped, say, visible

    click.echo(visible(f"{statement.operator} · {statement.as_of} · {statement.made_at}"))
    for line in statement.face:
        click.echo(f"  {visible(say(line, lang_of(ctx)))}")
    rows = [
        (t.asset, f"{t.root.count:,}", grouped(quantity(t.root.sum)), t.root.digest.hex()) for t in statement.totals
    ]
    titles = (("asset", "資産"), ("customers", "利用者数"), ("total owed", "預り債務合計"), ("root", "根"))
    print_table(lang_of(ctx), titles, rows, right={1, 2})
    _tell_mark(ctx, statement)


def _tell_mark(ctx: click.Context, statement: Statement) -> None:
    ja = lang_of(ctx) == "ja"
    click.echo(f"{'証明書' if ja else 'statement'} sha256 {statement.digest}")
    click.echo(f"{'署名鍵' if ja else 'signed by'} {statement.signer}")


@prove.command("list")
@click.option("--as-of", type=DAY, help="Of this day [default: of every day].")
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, as_of: datetime | None, json_: bool) -> None:
    """List the proofs that the home keeps."""
    from junbikin.custody.liabilities.kept import STATEMENT, proofs
    from junbikin.custody.liabilities.statement import read_statement

    day = as_of.date() if as_of else None
    found = [(folder, read_statement(folder / STATEMENT)) for folder in proofs(home_of(ctx), day)]
    if json_:
        as_json(
            {
                "proofs": [
                    {"name": f.name, "folder": str(f), "digest": s.digest, "statement": s.content} for f, s in found
                ]
            }
        )
        return
    if not found:
        click.echo("no proofs yet\nnext: junbikin prove --as-of DAY")
        return
    titles = (
        ("day", "基準日"),
        ("name", "名称"),
        ("made at", "作成"),
        ("assets", "資産数"),
        ("statement sha256", "証明書 sha256"),
    )
    rows = [(str(s.as_of), f.name, s.made_at, str(len(s.totals)), s.digest) for f, s in found]
    print_table(lang_of(ctx), titles, rows, right={3})


@prove.command()
@_OF_DAY
@_NAMED
@AS_JSON
@click.pass_context
def show(ctx: click.Context, as_of: datetime, name: str, json_: bool) -> None:
    """Show a day's statement: what customers are owed of each asset, and the roots."""
    from junbikin.custody.liabilities.kept import proof_named

    _show(ctx, proof_named(home_of(ctx), as_of.date(), name), json_)


@prove.command()
@click.argument("account")
@_OF_DAY
@_NAMED
@click.option("--out", type=_FILE, help="Write the proof to this new file.")
@click.option(
    "--page", type=_FILE, help="Write a page that verifies the proof, with the proof in it, to this new file."
)
@click.pass_context
def customer(ctx: click.Context, account: str, as_of: datetime, name: str, out: Path | None, page: Path | None) -> None:
    """Make the proof of one customer's ACCOUNT, for that customer alone: it shows what they are owed."""
    from junbikin.custody.liabilities.kept import customers_proof, open_kept, proof_named
    from junbikin.custody.liabilities.page import page_with

    if out is None and page is None:
        raise BadInput("nothing to write", then="name a file with --out FILE, or a page with --page FILE")
    home = home_of(ctx)
    proof = customers_proof(home, open_kept(proof_named(home, as_of.date(), name)), account)
    if out is not None:
        _write(out, proof.text)
        click.echo(
            f"{out}: verify it with junbikin verify-proof {out}, or in a browser with the page of junbikin prove page"
        )
    if page is not None:
        _write(page, page_with(proof, lang_of(ctx)))
        click.echo(f"{page}: open it in a browser; it asks nobody and sends nothing")


@prove.command()
@click.argument("file", type=_FILE)
@click.pass_context
def page(ctx: click.Context, file: Path) -> None:
    """Write the page that verifies proofs in a browser, offline, with nothing installed, to the new FILE."""
    from junbikin.custody.liabilities.page import page_with

    _write(file, page_with(None, lang_of(ctx)))
    click.echo(f"{file}: publish it beside the statements")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as problem:
        raise BadInput(f"it cannot be written: {problem.strerror}", where=str(path), then="name a new file") from None


@click.command("verify-proof")
@click.argument("file", type=_FILE)
@click.option(
    "--statement", type=_FILE, help="The statement as it was published: the proof must be under just this one."
)
@click.option("--signer", default="", metavar="FINGERPRINT", help="The key that must have signed it.")
@AS_JSON
@click.pass_context
def verify_proof(ctx: click.Context, file: Path, statement: Path | None, signer: str, json_: bool) -> None:
    """Verify a customer's proof in FILE. Needs no home.

    Exit code 1 when it does not hold, 2 when the file is no proof.
    """
    from junbikin.custody.liabilities.proof import fault, read_proof
    from junbikin.custody.liabilities.statement import read_statement

    proof = read_proof(file)
    wrong = fault(proof, signer, read_statement(statement) if statement else None)
    if json_:
        as_json(
            {
                "verified": wrong is None,
                "fault": wrong and wrong.words,
                "account": proof.account,
                "balances": {b["asset"]: b["amount"] for b in proof.content["balances"]},
                "operator": proof.statement.operator,
                "as_of": proof.statement.as_of.isoformat(),
                "statement": proof.statement.digest,
                "signer": proof.statement.signer,
            }
        )
    else:
        _tell(ctx, proof, wrong)
    if wrong:
        ctx.exit(1)


def _tell(ctx: click.Context, proof: Proof, wrong: Name | None) -> None:
    from junbikin.custody.liabilities.sums import quantity
    from junbikin.reports.words import grouped, say, visible

    lang, statement = lang_of(ctx), proof.statement
    if wrong:
        click.echo(f"{say(_FAILS, lang)}: {visible(say(wrong, lang))}")
        return
    click.echo(visible(f"{say(_HOLDS, lang)}: {proof.account} · {statement.operator} · {statement.as_of}"))
    for balance in proof.balances:
        click.echo(f"  {grouped(quantity(balance.units))} {balance.asset}")
    for line in statement.face:
        click.echo(f"  {visible(say(line, lang))}")
    _tell_mark(ctx, statement)
    click.echo(say(_COMPARE, lang))
