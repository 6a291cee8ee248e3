"""`audit pack` and `audit check`: what an external auditor of segregation is given, and how it is verified elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.keeping import passphrase_file_option, passphrase_of_key
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from junbikin.custody.audit.check.result import Checked

FIRST = 200
"""Breaks that the page shows; all are in the pack."""


@click.group()
def audit() -> None:
    """The audit pack (監査資料): made for the auditor of segregation, checked without the database."""


@audit.command("pack")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--period", required=True, metavar="P", help="2025-04, FY2025 (of the home), or 2025-04-01..2025-06-30.")
@click.option("--seed", metavar="TEXT", help="The auditor's: customers, postings and breaks are drawn by it.")
@click.option("--sample", type=click.IntRange(1, 100_000), default=25, show_default=True, help="How many of each.")
@click.option("--whole-log", is_flag=True, help="Every record of the books, not only those of custody.")
@passphrase_file_option
@AS_JSON
@click.pass_context
def pack_of_period(
    ctx: click.Context,
    folder: Path,
    period: str,
    seed: str | None,
    sample: int,
    whole_log: bool,
    passphrase_file: Path | None,
    json_: bool,
) -> None:
    """Put everything that an auditor needs of a period into the new FOLDER, with an index and digests."""
    from junbikin.books.proof.checkpoint import KEY_FILE, read_key
    from junbikin.custody.audit.index import Sampling
    from junbikin.custody.audit.pack import Order, pack
    from junbikin.custody.audit.period import period_of
    from junbikin.reports.audit_page import page_of

    home = home_of(ctx)
    days = period_of(home, period)
    key = read_key(home, passphrase_of_key(home, passphrase_file)) if (home.keys / KEY_FILE).exists() else None
    order = Order(home, days, Sampling(seed, sample) if seed else None, key, whole_log)
    with progress_bar() as progress:
        index = pack(order, folder, lambda says, where: page_of(says, where, FIRST), progress)
    if json_:
        as_json({name: index[name] for name in ("format", "made_at", "operator", "period", "sampling", "books", "missing")}
                | {"folder": str(folder), "files": len(index["files"])})  # fmt: skip
        return
    _tell(index, folder, lang_of(ctx) == "ja")


def _tell(index: Mapping[str, Any], folder: Path, ja: bool) -> None:
    size = sum(file["bytes"] for file in index["files"])
    click.echo(f"packed {len(index['files']):,} files, {size / 1e6:,.1f} MB, of {index['period']['name']}: {folder}")
    if index["missing"]:
        click.echo("不足：" if ja else "missing:")
    for part in index["missing"]:
        click.echo(f"  {part['part']}: {part['ja' if ja else 'en']}")
    unsigned = any(part["part"] == "signature" for part in index["missing"])
    signer = "" if unsigned else " --signer FINGERPRINT"
    click.echo(f"next: look at it: junbikin audit check {folder}{signer}; then hand it over")


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--signer", default="", metavar="FINGERPRINT", help="The key that must have signed it, as you noted it.")
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(path_type=Path),
    multiple=True,
    help="One that you were given before; may be repeated.",
)
@AS_JSON
@click.pass_context
def check(ctx: click.Context, folder: Path, signer: str, kept: tuple[Path, ...], json_: bool) -> None:
    """Verify the pack in FOLDER, without a home and without the database.

    Exit code 1 when something differs, 2 when there is no pack, or a --checkpoint is none.
    """
    from junbikin.custody.audit.check.run import check as work
    from junbikin.custody.audit.check.run import differing

    with progress_bar() as progress:
        found = list(work(folder, signer, kept, progress))
    wrong = differing(found)
    if json_:
        as_json({"agrees": not wrong, "checks": [_plain(checked) for checked in found]})
    else:
        _show(found, wrong, lang_of(ctx) == "ja")
    if wrong:
        ctx.exit(1)


def _plain(checked: Checked) -> dict[str, Any]:
    return {
        "check": checked.what.en, "outcome": str(checked.outcome), "count": checked.count, "where": checked.where,
        "en": checked.told.en, "ja": checked.told.ja,
    }  # fmt: skip


def _show(found: list[Checked], wrong: list[Checked], ja: bool) -> None:
    titles = (("check", "検証"), ("outcome", "結果"), ("looked at", "件数"), ("told", "内容"))
    print_table(
        "ja" if ja else "en",
        titles,
        (
            (
                checked.what.ja if ja else checked.what.en,
                checked.outcome.words.ja if ja else checked.outcome.words.en,
                f"{checked.count:,}",
                ": ".join(part for part in (checked.where, checked.told.ja if ja else checked.told.en) if part),
            )
            for checked in found
        ),
        right={2},
    )
    if wrong:
        click.echo(f"DIFFERS: {wrong[0].where}: {wrong[0].told.ja if ja else wrong[0].told.en}")
    else:
        left = sum(checked.outcome == "not checked" for checked in found)
        click.echo(
            f"nothing differs; {left} of {len(found)} checks could not be made, or not wholly"
            if left
            else "nothing differs"
        )
