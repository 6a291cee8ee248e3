"""`incident dispute`: what customers dispute, and what two people decide of it."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli import amounts, times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.incident_acts import ID
from junbikin.cli.show import AS_JSON, NUMBER, as_json, home_of, lang_of, print_table

_WHY = click.option("--why", required=True, help="The reason, which goes on record.")


@click.group()
def dispute() -> None:
    """Disputes (不服申立て): filed with evidence, decided by two people; what is upheld is paid by a plan."""


@dispute.command("file")
@ID
@click.option("--account", required=True, help="The customer's account.")
@click.option("--asset", required=True, help="What they say they are owed.")
@click.option("--claims", required=True, help="What they claim, in their words.")
@click.option(
    "--evidence", "evidence", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that they gave: it is kept by its SHA-256; may be repeated.",
)  # fmt: skip
@click.option("--plan", "plan_name", help="The plan that they dispute, by name.")
@_WHY
@acts
@AS_JSON
@click.pass_context
def file_(
    ctx: click.Context, incident: str, account: str, asset: str, claims: str, evidence: tuple[Path, ...],
    plan_name: str | None, why: str, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Put on record that a customer disputes what they are owed for the incident INC."""
    from junbikin.books.database import open_books
    from junbikin.facts.lake import open_lake
    from junbikin.incidents.disputes import concerns, file
    from junbikin.incidents.documents import keep
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.known import must_be_customers
    from junbikin.incidents.plan.document import read_plan
    from junbikin.reports.words import visible

    home, ja = home_of(ctx), lang_of(ctx) == "ja"
    with open_books(home) as books:
        of = incident_of(books, incident)
        concerns(books, of, asset)
        must_be_customers(books, open_lake(home), account, of.occurred_at.astimezone(home.time_zone).date())
        plan = read_plan(home, incident, plan_name).digest if plan_name else ""
        kept = [keep(home, incident, each) for each in evidence]
        words = (
            f"{incident}、口座{account}、{asset}の不服申立てを記録します：{claims}"
            if ja
            else f"a dispute of {account} over {asset} will be filed for {incident}: {claims}"
        )
        click.echo(visible(words), err=True)
        number = file(books, who.proved(books), incident, account, asset, claims, kept, plan, why)
    if json_:
        as_json({"incident": incident, "dispute": number, "evidence": kept})
    else:
        click.echo(f"不服申立て{number}を記録しました" if ja else f"dispute {number} is on record")
        click.echo(f"next: junbikin incident dispute decide {incident} {number} upheld|rejected --why REASON --as NAME")


@dispute.command("list")
@ID
@click.option("--waiting", is_flag=True, help="Only those that nobody has decided yet.")
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, incident: str, waiting: bool, json_: bool) -> None:
    """List the disputes of the incident INC, the first filed first."""
    from junbikin.books.database import open_books
    from junbikin.figures import plain
    from junbikin.incidents.disputes import disputes
    from junbikin.incidents.incident import incident_of
    from junbikin.reports.words import grouped, say

    home, lang = home_of(ctx), lang_of(ctx)
    with open_books(home) as books:
        incident_of(books, incident)
        found = [each for each in disputes(books, incident) if not (waiting and each.decision)]
    if json_:
        as_json(
            {
                "incident": incident,
                "disputes": [
                    {
                        "dispute": each.record, "account": each.account, "asset": each.asset, "claims": each.claims,
                        "evidence": list(each.evidence), "plan": each.plan, "filed_by": each.by, "filed_at": each.at.isoformat(),
                        "why": each.why, "standing": str(each.standing),
                        "adjustment": plain(each.decision.adjustment) if each.decision else None,
                        "decided_at": each.decision.at.isoformat() if each.decision else None,
                        "decision": each.decision.record if each.decision else None,
                    }
                    for each in found
                ],
            }
        )  # fmt: skip
        return
    if not found:
        nothing = {True: ("no dispute waits", "未裁定の不服申立てなし"), False: ("no disputes", "不服申立てなし")}
        click.echo(nothing[waiting][lang == "ja"])
        return
    print_table(
        lang,
        [
            ("dispute", "番号"), ("filed", "受付"), ("account", "口座"), ("asset", "資産"), ("stands", "状況"), ("adjustment", "調整額"),
            ("claims", "申立内容"),
        ],
        (
            (
                str(each.record), times.shown(home, each.at), each.account, each.asset, say(each.standing.words, lang),
                grouped(each.decision.adjustment) if each.decision else "", each.claims,
            )
            for each in found
        ),
        right={0, 5},
    )  # fmt: skip


@dispute.command()
@ID
@click.argument("number", type=NUMBER)
@click.argument("verdict", type=click.Choice(["upheld", "rejected"]))
@click.option(
    "--adjustment",
    default="0",
    show_default=True,
    metavar="X",
    help="What the customer is owed besides, when it is upheld.",
)
@_WHY
@acts
@AS_JSON
@click.pass_context
def decide(
    ctx: click.Context, incident: str, number: int, verdict: str, adjustment: str, why: str, who: Acting, json_: bool
) -> None:
    """Ask for dispute NUMBER to be decided: another person approves it."""
    from junbikin.books.database import open_books
    from junbikin.cli.filed import ask
    from junbikin.incidents.disputes import Standing, beyond, decided, dispute_of
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.known import fits
    from junbikin.reports.happenings import happening_words
    from junbikin.reports.words import say

    lang, much = lang_of(ctx), amounts.stated(adjustment, "--adjustment")
    with open_books(home_of(ctx)) as books:
        of = dispute_of(books, incident, number)
        says = decided(of, Standing(verdict), much)
        fits(books, of.asset, much, "--adjustment")
        warning = beyond(incident_of(books, incident), of.asset, much)
        if warning:
            click.echo(("注意：" if lang == "ja" else "warning: ") + say(warning, lang), err=True)
        words = happening_words("decided", says | {"dispute": number, "account": of.account}, lang)
        asks = f"裁定を申請します：{words}" if lang == "ja" else f"will be asked for: {words}"
        ask(books, "dispute", f"{incident}:{of.account}", says, why, who, json_, asks)
