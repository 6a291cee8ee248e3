"""The page of an incident's claims: how far it is paid, how that went since it was found, and what is kept and why."""

from __future__ import annotations

from datetime import datetime

from junbikin.home import Home
from junbikin.incidents.claims import STANDINGS, Claims
from junbikin.incidents.incident import Incident
from junbikin.reports import claims as shown
from junbikin.reports import words
from junbikin.reports.claims_charts import COLOURS, HEIGHT, WIDTH, chart
from junbikin.reports.happenings import when
from junbikin.reports.html import both, pages
from junbikin.reports.words import Lang


def claims_page(home: Home, claims: Claims, of: Incident, at: datetime, lang: Lang) -> str:
    """The page, in both languages; `lang` is the one that it opens in."""
    environment = pages()
    environment.globals.update(
        money=lambda value, asset: both(words.money(value, asset, "en"), words.money(value, asset, "ja")),
        both_of=lambda function, *given: both(function(*given, "en"), function(*given, "ja")),
        shown=shown,
        rows=lambda leg: list(zip(shown.leg_rows(leg, "en"), shown.leg_rows(leg, "ja"), strict=True)),
        when=lambda instant: when(home, instant),
    )
    charts = {
        (plan.approved.plan, leg.asset): chart(leg.history, leg.entitled.people, of.found_at, plan.approved.at, at)
        for plan in claims.plans
        for leg in plan.legs
    }
    return environment.get_template("claims.html.j2").render(
        lang=lang, home=home, claims=claims, of=of, at=at, charts=charts, colours=COLOURS, width=WIDTH, height=HEIGHT,
        since=shown.since(of, at), standings=list(STANDINGS.values()), disputed=shown.disputed(claims), names=shown.DISPUTED,
    )  # fmt: skip
