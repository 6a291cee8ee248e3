"""`rulebooks`: list, show, check."""

from __future__ import annotations

import click

from junbikin.cli.show import AS_JSON, as_json, console, lang_of


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def rulebooks(ctx: click.Context, json_: bool) -> None:
    """List the rulebooks (規則集) that are known."""
    if ctx.invoked_subcommand is not None:
        return
    from rich.table import Table

    from junbikin.reports.words import say
    from junbikin.rulebooks.load import known_rulebooks, load_rulebook

    books = [load_rulebook(name) for name in known_rulebooks()]
    if json_:
        as_json(
            [
                {
                    "id": book.id,
                    "title": book.title.words,
                    "jurisdiction": book.jurisdiction,
                    "status": book.status,
                    "digest": book.digest,
                }
                for book in books
            ]
        )
        return
    table = Table(box=None, padding=(0, 2))
    for title in ("id", "status", "title"):
        table.add_column(title)
    for book in books:
        table.add_row(book.id, book.status, say(book.title, lang_of(ctx)))
    console().print(table)


@rulebooks.command()
@click.argument("rulebook_id", metavar="ID")
@AS_JSON
@click.pass_context
def show(ctx: click.Context, rulebook_id: str, json_: bool) -> None:
    """Show a rulebook's parameters: value, since when, how far it is law, and where it is from."""
    from rich.markup import escape
    from rich.table import Table

    from junbikin.reports.words import say
    from junbikin.rulebooks.load import load_rulebook

    book, lang = load_rulebook(rulebook_id), lang_of(ctx)
    if json_:
        as_json(
            {
                "id": book.id,
                "status": book.status,
                "digest": book.digest,
                "parameters": {
                    key: {
                        "name": p.name.words,
                        "unit": p.unit or "word",
                        "provenance": str(p.provenance),
                        "citation": p.citation.words,
                        "values": [
                            {
                                "from": v.since.isoformat(),
                                "to": v.until.isoformat() if v.until else None,
                                "value": v.value,
                            }
                            for v in p.values
                        ],
                    }
                    for key, p in book.parameters.items()
                },
            }
        )
        return
    out = console()
    out.print(f"{book.id} ({book.status}, {book.jurisdiction}): {say(book.title, lang)}", markup=False)
    out.print(say(book.summary, lang), markup=False)
    table = Table(box=None, padding=(0, 2))
    for title in ("parameter", "value", "since", "rests on", "citation"):
        table.add_column(title, overflow="fold")
    for key, parameter in book.parameters.items():
        for dated in parameter.values:
            tag = parameter.provenance.ja if lang == "ja" else str(parameter.provenance)
            weak = parameter.provenance in ("press", "assumption")
            table.add_row(
                escape(key),
                escape(dated.value if dated.value is not None else f"unknown: {dated.unknown}"),
                str(dated.since),
                f"[{'yellow' if weak else 'green'}]{tag}[/]",
                escape(say(parameter.citation, lang)),
            )
    out.print(table)


@rulebooks.command()
@click.argument("rulebook_id", metavar="ID")
@click.pass_context
def check(ctx: click.Context, rulebook_id: str) -> None:
    """Check a rulebook, by id or folder: that it is well formed and that its worked examples come out."""
    from junbikin.rulebooks.load import load_rulebook
    from junbikin.rulebooks.stated import load_examples

    book = load_rulebook(rulebook_id)
    examples = load_examples(book)
    failed = 0
    for example in examples:
        differences = example.differences(book)
        failed += bool(differences)
        click.echo(f"{'ok  ' if not differences else 'FAIL'} {example.file.stem}: {example.title.en}")
        for line in differences:
            click.echo(f"     {line}")
    click.echo(f"{book.id}: {len(book.parameters)} parameters, {len(examples)} worked examples, {failed} failed")
    if failed:
        ctx.exit(1)
