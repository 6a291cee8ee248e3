"""The page of known cases: for each who would have paid under which rulebook, the plan, and every figure down to its source."""

from __future__ import annotations

from collections.abc import Sequence

from junbikin.figures import Figure
from junbikin.incidents.replays.replay import Replay, Row
from junbikin.reports import replay_charts as charts
from junbikin.reports import words
from junbikin.reports.html import both, pages
from junbikin.reports.replay import NEEDED, PARTLY, beside_the_loss, provenances, regime, told


def replay_page(replays: Sequence[Replay], lang: words.Lang = "en") -> str:
    """The page for some cases; `lang` is what it shows first. It needs no network."""
    environment = pages()
    environment.globals.update(
        pieces=charts.pieces,
        colours=charts.COLOURS,
        names=charts.NAMES,
        kinds_in=_kinds,
        regime=regime,
        beside_the_loss=beside_the_loss,
        needed=NEEDED,
        partly=PARTLY,
        uses=_uses,
        roots=_roots,
        told=lambda figure: both(told(figure, "en"), told(figure, "ja")),
        face=lambda one: both(*(words.face(provenances(one), each) for each in ("en", "ja"))),
    )
    return environment.get_template("replay.html.j2").render(replays=replays, lang=lang)


def _kinds(replay: Replay) -> list[str]:
    """The kinds of pieces that the bars of a case have, in the order of the colours."""
    present = {piece.kind for row in replay.rows for piece in charts.pieces(row, replay.needed)}
    return [kind for kind in charts.COLOURS if kind in present]


def _uses(row: Row, kind: str) -> Figure | None:
    """What a kind of source pays under a regime; None where the regime has none."""
    return next((line.used for line in row.lines if line.source.kind == kind), None)


def _roots(replay: Replay) -> list[Figure]:
    """The figures of the case itself that are not part of another of them; those of a regime open under its name."""
    case = replay.case
    taken = [figure for paid in replay.paid for figure in (paid.taken.taken, paid.worth)]
    found = [replay.difference, replay.needed, *taken, case.published.within, case.people]
    inside = {part.digest for root in found for part in root.walk() if part is not root}
    return [root for root in found if root.digest not in inside]
