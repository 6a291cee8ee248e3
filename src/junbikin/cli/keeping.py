"""`books verify`, `checkpoint`, `key`, `backup`, `restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.passwords import password, stated
from junbikin.cli.show import AS_JSON, as_json, home_of, progress_bar

if TYPE_CHECKING:
    from junbikin.books.proof.verdict import Verdict
    from junbikin.books.saved import Manifest
    from junbikin.home import Home

_FILE = click.Path(path_type=Path)


def passphrase_file_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option of commands that sign."""
    """The option of commands that sign."""
    return click.option(
        "--passphrase-file", type=_FILE,
        help="Read the key's passphrase from the first line of a file (else JUNBIKIN_KEY_PASSPHRASE, else it is asked for).",
    )(command)  # fmt: skip


def _passphrase(file: Path | None, *, twice: bool = False) -> str:
    return password("passphrase of the signing key", "JUNBIKIN_KEY_PASSPHRASE", file, "--passphrase-file", twice=twice)


@click.command()
@click.option("--checkpoint", type=_FILE, help="A checkpoint that was kept: the books must still contain it.")
@click.option("--signer", default="", metavar="FINGERPRINT", help="The key that must have signed the checkpoint.")
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, checkpoint: Path | None, signer: str, json_: bool) -> None:
    """Recompute everything that the books say, believing nothing, and name the first difference.

    Exit code 1 when there is one, 2 when the checkpoint was altered or is of other books.
    """
    from junbikin.books.database import open_books
    from junbikin.books.proof.checkpoint import read_checkpoint
    from junbikin.books.proof.verify import verify as work
    from junbikin.errors import BadInput

    if signer and checkpoint is None:
        raise BadInput("a signer without a checkpoint", then="name the checkpoint with --checkpoint")
    kept = read_checkpoint(checkpoint, signer) if checkpoint else None
    with open_books(home_of(ctx)) as books, progress_bar() as progress:
        verdict = work(books, kept, progress)
    if json_:
        as_json(
            _verdict(verdict)
            | {"checkpoint_made_at": kept.made_at if kept else None, "signer": kept.signer if kept else None}
        )
    elif verdict.difference:
        click.echo(f"DIFFERS: {verdict.difference.sentence}")
    else:
        click.echo(
            f"verified: {verdict.records:,} records, {verdict.entries:,} entries; everything was recomputed and agrees"
        )
        click.echo(f"heads {verdict.heads}")
        if kept:
            click.echo(f"they contain the checkpoint of {kept.made_at}, signed by {kept.signer}")
    if verdict.difference:
        ctx.exit(1)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    found = verdict.difference
    names = ("kind", "what", "where", "expected", "found")
    return {
        "records": verdict.records, "batches": verdict.batches, "entries": verdict.entries, "heads": verdict.heads,
        "first_difference": found and {name: getattr(found, name) for name in names},
    }  # fmt: skip


@click.command()
@click.option("--no-passphrase", is_flag=True, help="Leave the key unencrypted: whoever reads the file can sign.")
@passphrase_file_option
@AS_JSON
@click.pass_context
def key(ctx: click.Context, no_passphrase: bool, passphrase_file: Path | None, json_: bool) -> None:
    """Make the operator's signing key (Ed25519), once. Outsiders note down its fingerprint."""
    from junbikin.books.proof.checkpoint import KEY_FILE, make_key

    home = home_of(ctx)
    fingerprint = make_key(home, None if no_passphrase else _passphrase(passphrase_file, twice=True))
    file = str(home.keys / KEY_FILE)
    if json_:
        as_json({"fingerprint": fingerprint, "file": file})
        return
    click.echo(f"made the signing key {file}\nfingerprint {fingerprint}")
    click.echo("next: give the fingerprint to your auditors and the supervisor, then: junbikin books checkpoint")


@click.command()
@click.option("--out", type=_FILE, help="The new file [default: checkpoint-TIME.json where you stand].")
@passphrase_file_option
@AS_JSON
@click.pass_context
def checkpoint(ctx: click.Context, out: Path | None, passphrase_file: Path | None, json_: bool) -> None:
    """Sign where the books stand now, in a small file for auditors and the supervisor to keep."""
    from datetime import UTC, datetime

    from junbikin.books.database import open_books
    from junbikin.books.proof.checkpoint import make_checkpoint, read_key

    home = home_of(ctx)
    file = out or Path(f"checkpoint-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    with open_books(home) as books:
        made = make_checkpoint(books, read_key(home, passphrase_of_key(home, passphrase_file)), file)
    if json_:
        as_json(
            {
                "file": str(file),
                "made_at": made.made_at,
                "records": made.records,
                "batches": made.batches,
                "signer": made.signer,
            }
        )
        return
    click.echo(f"signed {made.records:,} records, {made.batches:,} batches: {file}")
    click.echo(f"next: hand it out; whoever has it checks the books with: junbikin books verify --checkpoint {file}")


def passphrase_of_key(home: Home, file: Path | None) -> str | None:
    """The passphrase of the home's signing key; None for one that has none."""
    from junbikin.books.proof.checkpoint import KEY_FILE

    path = home.keys / KEY_FILE
    if not path.is_file() or b"ENCRYPTED" not in path.read_bytes():
        return stated("JUNBIKIN_KEY_PASSPHRASE", file, "--passphrase-file") or None
    return _passphrase(file)


@click.command()
@click.argument("file", type=_FILE)
@AS_JSON
@click.pass_context
def backup(ctx: click.Context, file: Path, json_: bool) -> None:
    """Write everything that the books hold to the new FILE, while they are in use. The signing key is not in it."""
    from junbikin.books.backup import backup as work
    from junbikin.books.database import open_books

    with open_books(home_of(ctx)) as books, progress_bar() as progress:
        _tell(work(books, file, progress), "saved", json_)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--owner", default="", metavar="URL", help="As for `books migrate`, for books in another database.")
@AS_JSON
@click.pass_context
def restore(ctx: click.Context, file: Path, owner: str, json_: bool) -> None:
    """Make the books of a home that has none from the backup FILE, whole or not at all; then verify them."""
    from junbikin.books.backup import restore as work

    with progress_bar() as progress:
        manifest = work(home_of(ctx), file, owner, progress)
    _tell(manifest, "restored", json_)
    if not json_:
        click.echo("next: junbikin books verify")


def _tell(manifest: Manifest, done: str, json_: bool) -> None:
    from junbikin.books.proof.digests import heads_digest

    strands = [(int(strand), length, bytes.fromhex(head)) for strand, (length, head) in manifest.heads.items()]
    records, heads = sum(length for _, length, _ in strands), heads_digest(strands)
    if json_:
        as_json({"operator": manifest.operator, "made_at": manifest.made_at, "records": records, "heads": heads})
    else:
        click.echo(
            f"{done} {records:,} records of {manifest.operator}, as they stood at {manifest.made_at}\nheads {heads}"
        )
