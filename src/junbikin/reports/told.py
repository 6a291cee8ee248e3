"""Documents that say the same in two languages: sections of lines and tables, each line with its source; as Markdown and for pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from junbikin.figures import Figure, Name, Provenance
from junbikin.reports.words import Lang, say, visible


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said: what it is, what is said of it, where that is from, and how far it is law where it rests on a rule.

    `figure` is what a reader may open, where there is one; `main` lines are what the document is about.
    """

    name: Name
    value: Name
    source: Name | None = None
    provenance: Provenance | None = None
    figure: Figure | None = None
    main: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its titles, its rows, and which columns are numbers."""

    titles: tuple[Name, ...]
    rows: tuple[tuple[Name, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: what is said in sentences, line by line and in tables, and what only those read who want every digit."""

    title: Name
    lines: tuple[Line, ...] = ()
    grids: tuple[Grid, ...] = ()
    sentences: tuple[Name, ...] = ()
    digits: tuple[Line, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.lines or self.grids or self.sentences or self.digits)


@dataclass(frozen=True, slots=True)
class Told:
    """A document: who says it, what it is, and its parts."""

    operator: str
    title: Name
    when: Name
    invented: bool
    sections: tuple[Section, ...]


def same(text: object) -> Name:
    """Words that are alike in both languages."""
    return Name(str(text), str(text))


DIGITS = Name("How it was reached, every digit", "算定の詳細（全桁）")
BLANK = Name("[to be filled in by the firm]", "［事業者記入欄］")
INVENTED = Name("An invented exchange: nothing here happened.", "架空の取引所であり、実際の出来事ではありません。")


def markdown(told: Told, lang: Lang) -> str:
    """The document as Markdown in one language."""
    return "\n".join(_lines(told, lang)).rstrip() + "\n"


def _lines(told: Told, lang: Lang) -> Iterator[str]:
    yield f"# {_safe(say(told.title, lang))}"
    yield ""
    yield f"{_safe(told.operator)} — {say(told.when, lang)}"
    yield ""
    if told.invented:
        yield f"> {say(INVENTED, lang)}"
        yield ""
    for section in told.sections:
        yield f"## {_safe(say(section.title, lang))}"
        yield ""
        for sentence in section.sentences:
            yield _safe(say(sentence, lang))
            yield ""
        yield from _listed(section.lines, lang)
        for grid in section.grids:
            yield from _grid(grid, lang)
        if section.digits:
            yield f"### {say(DIGITS, lang)}"
            yield ""
            yield from _listed(section.digits, lang)


def _listed(lines: Sequence[Line], lang: Lang) -> Iterator[str]:
    for line in lines:
        strong = "**" if line.main else ""
        name, value = _safe(say(line.name, lang)), _safe(say(line.value, lang))
        yield f"- {name}{'：' if lang == 'ja' else ': '}{strong}{value}{strong}{_source(line, lang)}"
    if lines:
        yield ""


def _source(line: Line, lang: Lang) -> str:
    if line.source is None:
        return ""
    tag = ""
    if line.provenance:
        tag = f"[{line.provenance.ja if lang == 'ja' else line.provenance}] "
    return f" *({tag}{_safe(say(line.source, lang))})*"


def _grid(grid: Grid, lang: Lang) -> Iterator[str]:
    yield "| " + " | ".join(_safe(say(title, lang)) for title in grid.titles) + " |"
    yield "|" + "|".join("---:" if place in grid.right else "---" for place in range(len(grid.titles))) + "|"
    for row in grid.rows:
        yield "| " + " | ".join(_safe(say(cell, lang)) for cell in row) + " |"
    yield ""


def _safe(text: str) -> str:
    """The text on one line, with what Markdown would act on written out."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", visible(text))


def joined(names: Sequence[Name]) -> Name:
    """Several words in a row."""
    return Name(", ".join(each.en for each in names), "、".join(each.ja for each in names))
