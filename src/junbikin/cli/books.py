"""`books`: the group; here are the commands on the books as a whole and on their rules."""

from __future__ import annotations

import click

from junbikin.cli import accounts, keeping, posting, statements
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table


class _InOrder(click.Group):
    """Lists its commands in the order in which people come to need them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder)
def books() -> None:
    """The books (帳簿): accounts, postings, statements, proofs, backups."""


@books.command()
@click.option(
    "--owner", default="", metavar="URL", help="The address of the role that shall own books in another database."
)
@AS_JSON
@click.pass_context
def migrate(ctx: click.Context, owner: str, json_: bool) -> None:
    """Make the books, or bring them to this version.

    A home's own database needs nothing. In another database they belong to the role of --owner, which is needed here
    only; the role of the setting `database` may use them and no more.
    """
    from junbikin.books.database import make_books, open_books
    from junbikin.registry.people import people

    home = home_of(ctx)
    revision = make_books(home, owner)
    with open_books(home) as opened:
        founded = len(people(opened)) >= 2
    if json_:
        as_json({"version": revision, "founded": founded})
        return
    click.echo(f"the books are at version {revision}")
    if not founded:
        click.echo("next: junbikin people add NAME --role ROLE; the first two people need nobody's approval")


@books.command()
@AS_JSON
@click.pass_context
def flows(ctx: click.Context, json_: bool) -> None:
    """Show the flow rules: who may pay whom, for which purpose, made and approved by whom, on what grounds."""
    from junbikin.books.database import open_books
    from junbikin.books.flows import flows as rules
    from junbikin.books.flows import owner_names
    from junbikin.registry.people import ROLES
    from junbikin.reports.words import say

    lang = lang_of(ctx)
    with open_books(home_of(ctx)) as opened:
        known, owners = rules(opened), owner_names(opened)
    if json_:
        as_json(
            {
                "flows": [
                    {
                        "purpose": flow.purpose, "payer": flow.payer, "receiver": flow.receiver, "scope": flow.scope,
                        "made_by": list(flow.made_by), "approved_by": list(flow.approved_by), "needs": list(flow.needs),
                        "name": flow.name.words,
                    }
                    for flow in known
                ]
            }
        )  # fmt: skip
        return

    def roles(names: tuple[str, ...]) -> str:
        return ", ".join(ROLES[name] if lang == "ja" else name for name in names) or "—"

    titles = (
        ("purpose", "目的"), ("payer → receiver", "支払側 → 受取側"), ("scope", "区分"), ("made by", "起票"),
        ("approved by", "承認"), ("needs", "要件"), ("in words", "内容"),
    )  # fmt: skip
    print_table(
        lang,
        titles,
        (
            (
                flow.purpose, f"{say(owners[flow.payer], lang)} → {say(owners[flow.receiver], lang)}", flow.scope,
                roles(flow.made_by), roles(flow.approved_by), ", ".join(flow.needs) or "—", say(flow.name, lang),
            )
            for flow in known
        ),
    )  # fmt: skip


for command in (
    accounts.accounts, accounts.open_, accounts.freeze, accounts.reopen, accounts.close, posting.post, posting.reverse,
    statements.balance, statements.statement,
    keeping.verify, keeping.checkpoint, keeping.key, keeping.backup, keeping.restore,
):  # fmt: skip
    books.add_command(command)
