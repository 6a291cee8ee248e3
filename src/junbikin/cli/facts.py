"""`ingest` and `facts`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, progress_bar


@click.command()
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", help="A shipped mapping's name or a TOML file; without it the columns have our names.")
@click.option(
    "--corrects", default="", metavar="REASON", help="Rows of these files replace known rows of the same key."
)
@click.option("--json", "json_", is_flag=True, help="Print the receipt as JSON.")
@click.pass_context
def ingest(
    ctx: click.Context, dataset: str, files: tuple[Path, ...], mapping: str | None, corrects: str, json_: bool
) -> None:
    """Read FILES (CSV, JSON Lines, Parquet; gzip or not) into DATASET, as one act.

    Every row is accepted, a duplicate of a known row, or quarantined with its file, line and reason.
    Datasets and shipped mappings: junbikin facts schema.
    """
    from junbikin.facts.datasets import dataset_named
    from junbikin.facts.ingest import ingest as run
    from junbikin.facts.mappings import load_mapping, own_names

    home = home_of(ctx)
    into = dataset_named(dataset)
    by = load_mapping(mapping, into) if mapping else own_names(into)
    with progress_bar() as progress:
        receipt = run(home, into, files, by, corrects=corrects, progress=progress)
    if into.name == "statements":  # what others vouch for is kept as they sent it
        from junbikin.custody.evidence.ingested import keep_ingested

        keep_ingested(home, receipt.entry, files)
    if json_:
        as_json(_receipt(receipt))
        return
    click.echo(
        f"{dataset}: read {receipt.read:,} = accepted {receipt.accepted:,} + duplicates {receipt.duplicate:,} "
        f"+ quarantined {receipt.quarantined:,}"
    )
    if receipt.entry.withdrawn:
        click.echo(f"withdrawn from earlier ingests: {receipt.entry.withdrawn:,}")
    if receipt.quarantined or receipt.entry.withdrawn:
        click.echo(f"next: junbikin facts quarantine {dataset}")


def _receipt(receipt: Any) -> dict[str, Any]:
    entry = receipt.entry
    return {
        "dataset": entry.dataset,
        "recorded_at": entry.recorded_at,
        "read": receipt.read,
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicate,
        "quarantined": receipt.quarantined,
        "withdrawn": entry.withdrawn,
        "sources": [{name: getattr(source, name) for name in source.__slots__} for source in entry.sources],
        "head": entry.digest,
    }


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def facts(ctx: click.Context, json_: bool) -> None:
    """Show what facts there are: datasets, days, rows, and the files they came from."""
    if ctx.invoked_subcommand is not None:
        return
    from rich.table import Table

    from junbikin.facts.summary import summary

    lines = summary(home_of(ctx))
    if json_:
        as_json({"datasets": lines})
        return
    if not lines:
        click.echo("no facts yet\nnext: junbikin ingest DATASET FILES… (datasets: junbikin facts schema)")
        return
    ja = lang_of(ctx) == "ja"
    table = Table(box=None, padding=(0, 2))
    titles = ("データ", "日数", "最初の日", "最後の日", "行数", "重複", "隔離", "ファイル") if ja else (
        "dataset", "days", "first day", "last day", "rows", "duplicates", "quarantined", "files"
    )  # fmt: skip
    for title in titles:
        table.add_column(title, justify="left" if title == titles[0] else "right")
    for line in lines:
        counts = (line["rows"], line["duplicate"], line["quarantined"], line["files"])
        table.add_row(
            f"{line['dataset']} {line['ja']}" if ja else line["dataset"],
            f"{line['days']:,}", line["first"] or "", line["last"] or "", *(f"{count:,}" for count in counts),
        )  # fmt: skip
    console().print(table)


@facts.command()
@click.argument("dataset", required=False)
@click.option("--limit", default=20, show_default=True, help="Rows to print; 0 prints all.")
@click.option("--json", "json_", is_flag=True, help="Print as JSON, every row.")
@click.pass_context
def quarantine(ctx: click.Context, dataset: str | None, limit: int, json_: bool) -> None:
    """Show the rows that were refused: file, line, reason, and the row as it stood.

    Mend the file and ingest it again; rows of a key accepted meanwhile are shown as settled.
    """
    from collections import Counter

    from junbikin.facts.datasets import DATASETS, dataset_named
    from junbikin.facts.log import read_log
    from junbikin.facts.quarantine import refused_rows

    home = home_of(ctx)
    entries = read_log(home.facts)
    rows = [
        {"dataset": each.name} | row
        for each in ([dataset_named(dataset)] if dataset else DATASETS.values())
        for row in refused_rows(home.facts, entries, each, home.memory_limit)
    ]
    if json_:
        as_json({"rows": rows})
        return
    if not rows:
        click.echo("nothing is in quarantine")
        return
    settled = sum(1 for row in rows if row["settled"])
    click.echo(f"{len(rows):,} rows refused; {settled:,} of them settled by an accepted row of the same key")
    for (name, reason), count in Counter((row["dataset"], _kind(row["reason"])) for row in rows).most_common():
        click.echo(f"  {count:>9,}  {name}  {reason}")
    for row in rows[: limit or None]:
        place = f"{row['place']} {row['position']}" if row["position"] is not None else row["place"]
        click.echo(f"\n{row['file']}, {place}: {row['reason']}{'  (settled)' if row['settled'] else ''}")
        click.echo(f"  {row['raw'] or ''}")
    if limit and len(rows) > limit:
        click.echo(f"… {len(rows) - limit:,} more; --limit 0 prints all")


def _kind(reason: str) -> str:
    """The reason without the value that it was about."""
    return ": ".join(reason.split(": ")[:2])


@facts.command()
@AS_JSON
def schema(json_: bool) -> None:
    """Show the datasets, their columns and keys, and the mappings that ship with the package."""
    from junbikin.facts.datasets import DATASETS
    from junbikin.facts.mappings import mappings_by_dataset

    mappings = mappings_by_dataset()
    if json_:
        as_json(
            {
                dataset.name: {
                    "ja": dataset.ja,
                    "key": list(dataset.key),
                    "columns": {c.name: {"kind": c.kind.value, "optional": c.optional} for c in dataset.columns},
                    "mappings": mappings[dataset.name],
                }
                for dataset in DATASETS.values()
            }
        )
        return
    for dataset in DATASETS.values():
        click.echo(f"{dataset.name}  {dataset.ja}  (key: {', '.join(dataset.key)})")
        for column in dataset.columns:
            choices = f": {' | '.join(column.choices)}" if column.choices else ""
            click.echo(f"  {column.name:16} {column.kind.value}{choices}{'  (optional)' if column.optional else ''}")
        if mappings[dataset.name]:
            click.echo(f"  mappings: {', '.join(mappings[dataset.name])}")
