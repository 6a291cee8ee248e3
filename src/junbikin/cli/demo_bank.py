"""`demo-bank`: an invented bank or custodian answers files, for trying out."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli.show import home_of

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("demo-bank")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Folder for the answers.")
@click.option("--bank", help="The registered paying bank that answers [a custodian's list needs none].")
@click.option("--seed", default=20260331, show_default=True, help="Another seed sends others back.")
@click.pass_context
def demo_bank(ctx: click.Context, files: tuple[Path, ...], folder: Path, bank: str | None, seed: int) -> None:
    """Answer FILES of transfers as an invented bank or custodian would: most settled, a few sent back.

    Nothing is sent to anybody: it is for trying out what comes after paying.
    """
    from junbikin.demo.bank import answer

    known = None
    if bank:
        from junbikin.books.database import open_books
        from junbikin.incidents.pay.paying_bank import paying_bank

        with open_books(home_of(ctx)) as books:
            known = paying_bank(books, bank)
    for file in files:
        said = answer(file, known, folder, seed)
        click.echo(f"{said.path}: {said.settled:,} settled, {said.returned:,} returned (invented)")
