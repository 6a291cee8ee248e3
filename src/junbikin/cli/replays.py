"""`incident replay`: known cases worked again."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli.show import AS_JSON, as_json, console, lang_of


@click.command("replay")
@click.argument("case", required=False)
@AS_JSON
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file.")
@click.pass_context
def replay(ctx: click.Context, case: str | None, json_: bool, html: Path | None) -> None:
    """Work a known CASE again, by name or file: who would have paid under each rulebook, the home's own too. Without one: list them."""
    from junbikin.cli.positions import write_page
    from junbikin.home import home_if_any
    from junbikin.incidents.replays.document import document
    from junbikin.incidents.replays.reading import known_cases, load_case
    from junbikin.incidents.replays.replay import regimes_for
    from junbikin.incidents.replays.replay import replay as work
    from junbikin.reports.replay import replay_list, replay_parts
    from junbikin.reports.replay_page import replay_page

    lang = lang_of(ctx)
    regimes = regimes_for(home_if_any(ctx.find_root().obj["home"]))
    replays = [work(load_case(name), regimes) for name in ([case] if case else known_cases())]
    if json_:
        as_json({"replays": [document(one) for one in replays]})
    elif case:
        for part in replay_parts(replays[0], lang):
            console().print(part)
    else:
        console().print(replay_list(replays, lang))
    if html:
        write_page(replay_page(replays, lang), html)
