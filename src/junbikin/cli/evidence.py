"""`custody observe` and `custody challenge`: what nodes say of our addresses, and proof that we control them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.positions import DAY, day_of
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.custody.evidence.challenge import Challenge, Proof
    from junbikin.custody.evidence.keep import Kept
    from junbikin.custody.evidence.sources import Source
    from junbikin.custody.evidence.values import Difference
    from junbikin.home import Home


@click.command()
@click.option("--as-of", type=DAY, help="The day at whose end it is asked [default: today, so far].")
@click.option("--source", "names", multiple=True, metavar="NAME", help="One or more of sources.toml [default: all].")
@click.option("--fail-on", type=click.Choice(["difference"]), help="Exit with 1 when sources differ.")
@AS_JSON
@click.pass_context
def observe(
    ctx: click.Context, as_of: datetime | None, names: tuple[str, ...], fail_on: str | None, json_: bool
) -> None:
    """Ask nodes what the registered addresses hold, and keep their answers as statements (残高証明)."""
    from datetime import UTC

    from junbikin.books.database import open_books
    from junbikin.custody.evidence.keep import keep
    from junbikin.custody.evidence.observe import differences, look
    from junbikin.custody.evidence.sources import sources
    from junbikin.custody.evidence.watched import watched

    home, now = home_of(ctx), datetime.now(UTC)
    day = day_of(home, as_of)
    end = times.until(home, day.isoformat(), "--as-of")
    until = min(now, end or now)
    asked = _chosen(sources(home), names)
    with open_books(home) as books:
        wanted = watched(books, day, until)
    if not wanted:
        raise BadInput(
            f"no address is registered on {day}",
            then="register one: junbikin registry set address NETWORK:ADDRESS …; what waits: junbikin request list --waiting",
        )
    networks = {source.network for source in asked}
    left_out = sorted({(each.place, each.network) for each in wanted if each.network not in networks})
    if all(each.network not in networks for each in wanted):
        raise BadInput(
            "no source is of a network of the registered addresses: " + ", ".join(sorted({w.network for w in wanted})),
            then="add one to sources.toml",
        )
    with progress_bar() as progress:
        seen = look(asked, wanted, until, progress)
        kept = keep(home, day, seen, now, progress)
    found = differences(seen, day)
    if json_:
        as_json(_document(kept, found, left_out))
    else:
        _show(ctx, kept, found, left_out)
    if fail_on and found:
        ctx.exit(1)


def _chosen(known: list[Source], names: tuple[str, ...]) -> list[Source]:
    unknown = next((name for name in names if name not in {source.name for source in known}), None)
    if unknown is not None:
        raise BadInput(
            f"there is no source {unknown!r}", then="the sources are " + ", ".join(source.name for source in known)
        )
    return [source for source in known if not names or source.name in names]


def _document(kept: Kept, found: list[Difference], left_out: list[tuple[str, str]]) -> dict[str, Any]:
    from junbikin.figures import plain

    return {
        "observations": [
            {
                "as_of": one.as_of.isoformat(), "place": one.place, "asset": one.asset, "quantity": plain(one.quantity),
                "source": one.source, "reference": one.reference, "stated_at": one.stated_at.isoformat(), "evidence": evidence,
            }
            for one, evidence in kept.observations
        ],
        "differences": [
            {
                "place": each.place, "asset": each.asset, "reference": each.reference, "gap": plain(each.gap),
                "stated": {source: plain(quantity) for source, quantity in each.stated.items()},
            }
            for each in found
        ],
        "not_asked": [{"place": place, "network": network} for place, network in left_out],
        "accepted": kept.receipt.accepted,
        "duplicate": kept.receipt.duplicate,
    }  # fmt: skip


def _show(ctx: click.Context, kept: Kept, found: list[Difference], left_out: list[tuple[str, str]]) -> None:
    from junbikin.figures import plain
    from junbikin.reports.words import grouped

    titles = (("place", "保管先"), ("asset", "資産"), ("quantity", "数量"), ("source", "照会先"), ("block", "ブロック"))
    rows = (
        (one.place, one.asset, grouped(one.quantity), one.source, one.reference.removeprefix("block "))
        for one, _ in kept.observations
    )
    print_table(lang_of(ctx), titles, rows, right={2})
    for each in found:
        stated = ", ".join(f"{source} {plain(quantity)}" for source, quantity in each.stated.items())
        click.echo(f"sources differ by {plain(each.gap)} {each.asset} on {each.place} at {each.reference}: {stated}")
    for place, network in left_out:
        click.echo(f"not asked: {place} on {network}, since no source of that network was asked")
    click.echo(f"statements: {kept.receipt.accepted} new or changed, {kept.receipt.duplicate} known already")
    for evidence in dict.fromkeys(evidence for _, evidence in kept.observations):
        click.echo(f"evidence: {evidence}")


@click.group()
def challenge() -> None:
    """Prove control of addresses (アドレスの支配の証明): make a text, sign it with the key, check it here, once."""


@challenge.command("new")
@click.argument("address", metavar="NETWORK:ADDRESS")
@click.option(
    "--hours", default=24, show_default=True, type=click.IntRange(1, 720), help="How long it may be answered."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the challenge to this file.")
@AS_JSON
@click.pass_context
def new_(ctx: click.Context, address: str, hours: int, out: Path | None, json_: bool) -> None:
    """Make a challenge for an address, such as bitcoin:bc1q…; its text is to be signed exactly as it stands."""
    import json
    from datetime import UTC

    from junbikin.custody.evidence.challenge import new

    home = home_of(ctx)
    if out is not None and out.exists():
        raise BadInput("the file is there already", where=str(out), then="name another file")
    made = new(home, address, datetime.now(UTC), hours)
    if out is not None:
        out.write_text(json.dumps(made.document(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if json_:
        as_json(made.document())
        return
    click.echo(made.text)
    file = out or home.path / "challenges" / "open" / f"{made.nonce}.json"
    click.echo(f"\nvalid until {made.until.isoformat()}; the challenge is in {file}")
    click.echo("next: sign the first line as it stands, put the signature into a copy of that file, and")
    click.echo("      junbikin custody challenge check FILE")


@challenge.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@AS_JSON
@click.pass_context
def check(ctx: click.Context, file: Path, json_: bool) -> None:
    """Check the signed challenge in FILE, and keep it as proof. Each challenge is taken once."""
    from datetime import UTC

    from junbikin.custody.evidence.challenge import read, take

    home = home_of(ctx)
    taken = take(home, read(file), datetime.now(UTC), str(file))
    if json_:
        as_json(_proof(taken))
        return
    _say(taken)
    if home.has_books:
        click.echo(f"next: junbikin custody challenge record {taken.challenge.nonce} --why REASON")


@challenge.command()
@click.argument("nonce")
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def record(ctx: click.Context, nonce: str, why: str, who: Acting, json_: bool) -> None:
    """Ask for the proof NONCE to be put on record of its address. It takes effect when someone else approves it."""
    from junbikin.books.database import open_books
    from junbikin.cli.filed import ask
    from junbikin.custody.evidence.challenge import proof
    from junbikin.registry.log import latest

    home = home_of(ctx)
    kept = proof(home, nonce)
    subject = kept.challenge.subject
    if not kept.holds:
        raise BadInput("the proof does not hold: it was altered", where=str(kept.file), then="make a new challenge")
    with open_books(home) as books:
        says = latest(books, "address", subject)
        if says is None:
            raise BadInput(
                f"the address {subject} is not registered",
                then=f"register it: junbikin registry set address {subject} …",
            )
        proved = {**says, "control_proven_on": kept.challenge.on.isoformat(), "proof": kept.reference}
        ask(books, "address", subject, proved, why, who, json_)


@challenge.command("list")
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> None:
    """List the challenges that nobody answered, and the proofs, each signature verified anew."""
    from junbikin.custody.evidence.challenge import outstanding, proofs

    home = home_of(ctx)
    waiting, kept = outstanding(home), proofs(home)
    if json_:
        as_json({"open": [each.document() for each in waiting], "proved": [_proof(each) for each in kept]})
        return
    for each in waiting:
        click.echo(f"open: {_line(home, each)}")
    for one in kept:
        _say(one)
    if not waiting and not kept:
        click.echo("no challenge was made\nnext: junbikin custody challenge new NETWORK:ADDRESS")


def _line(home: Home, made: Challenge) -> str:
    return f"{made.subject}, made on {made.on}, until {times.shown(home, made.until)}, nonce {made.nonce}"


def _say(kept: Proof) -> None:
    made = kept.challenge
    verdict = "proved" if kept.holds else "DOES NOT HOLD"
    click.echo(f"{verdict}: {made.operator} controls {made.subject} on {made.on}; {kept.reference}")


def _proof(kept: Proof) -> dict[str, Any]:
    return {
        "address": kept.challenge.subject, "operator": kept.challenge.operator, "on": kept.challenge.on.isoformat(),
        "nonce": kept.challenge.nonce, "holds": kept.holds, "proof": kept.reference,
    }  # fmt: skip
