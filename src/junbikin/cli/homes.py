"""`init` and `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli.show import console, lang_of, progress_bar


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--operator", default="", help="The operator's name (else the folder's).")
def init(folder: Path, operator: str) -> None:
    """Make a home for an operator (暗号資産交換業者) in FOLDER, with every setting written out."""
    from junbikin.home import create_home

    home = create_home(folder, operator)
    click.echo(f"made a home for {home.operator} in {folder}")
    click.echo(f"next: export JUNBIKIN_HOME={folder}; junbikin ingest trades FILES… --mapping NAME")
    click.echo("      for its books: junbikin books migrate")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=20260331, show_default=True, help="Another seed makes another exchange.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Where to write the report [default: FOLDER/report.html]."
)
@click.pass_context
def demo(ctx: click.Context, folder: Path, seed: int, html: Path | None) -> None:
    """Build an invented example exchange in FOLDER, print its reserve position, write its report."""
    from junbikin.cli.positions import assessed, custody_beside, show, write_report
    from junbikin.demo import AS_OF, build
    from junbikin.facts.lake import open_lake
    from junbikin.reserve.archive import keep
    from junbikin.rulebooks.load import load_rulebook

    with progress_bar() as progress:
        home = build(folder, seed, progress)
    lake = open_lake(home)
    positions, _ = assessed(lake, AS_OF, [load_rulebook("jp-reserve-candidate")])
    keep(home, positions)
    show(positions, lang_of(ctx))
    custody, _ = custody_beside(lake, AS_OF, None)
    write_report(positions, html or folder / "report.html", lang_of(ctx), custody)
    out = console()
    out.print(f"\nThis exchange is invented. Its home is {folder}; try:", soft_wrap=True)
    for words in (f"custody --as-of {AS_OF}", f"compare --as-of {AS_OF}", "explain custody_leg", "facts"):
        out.print(f"  junbikin --home {folder} {words}", soft_wrap=True)
