"""The page of a document that says the same in two languages."""

from __future__ import annotations

from junbikin.reports.html import pages
from junbikin.reports.told import DIGITS, INVENTED, Told
from junbikin.reports.words import Lang


def told_page(told: Told, lang: Lang) -> str:
    """The page; `lang` is the language that it opens in."""
    return pages().get_template("told.html.j2").render(told=told, lang=lang, invented=INVENTED, digits=DIGITS)
