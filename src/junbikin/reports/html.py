"""What every page is made of: words in both languages, amounts, figures that open to their sources, and the templates."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from junbikin import __version__
from junbikin.facts.datasets import DATASETS
from junbikin.figures import Data, Figure, Name, Rule
from junbikin.reports import words

_STATUS = {
    "enacted": Name("enacted", "施行中"),
    "precedent": Name("precedent", "先例"),
    "candidate": Name("candidate", "試案"),
}


def both(en: object, ja: object) -> Markup:
    """Words in both languages, of which the page shows one."""
    return Markup('<span lang="en">{}</span><span lang="ja">{}</span>').format(en, ja)


def named(name: Name) -> Markup:
    return both(_with_code(name.en), _with_code(name.ja))


def _with_code(text: str) -> Markup:
    """The words, with what stands between backquotes set as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))


def _amount(figure: Figure) -> Markup:
    return both(words.amount(figure, "en"), words.amount(figure, "ja"))


def _exact(figure: Figure) -> Markup:
    return both(words.exact_amount(figure, "en"), words.exact_amount(figure, "ja"))


class Tree:
    """Opens figures as nested details; a figure met before is a link to where it was opened."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, figure: Figure) -> Markup:
        head = Markup('<span class="fn">{}</span> <span class="fv">{}</span>').format(
            named(figure.name), _exact(figure)
        )
        if figure.inputs:
            how = both(words.operation(figure, "en"), words.operation(figure, "ja"))
            head += Markup(' <span class="fo">= {}</span>').format(how)
        if figure.holes:
            head += Markup(' <span class="tag hole">{}</span>').format(both("incomplete", "一部不明"))
        detail = self._detail(figure)
        mark = figure.digest[:16]
        if not figure.inputs:
            return Markup('<div class="leaf" id="f{}">{}{}</div>').format(mark, head, detail)
        if mark in self.seen:
            more = both("opened above", "内訳は上記")
            return Markup('<div class="leaf">{} <a href="#f{}">{}</a></div>').format(head, mark, more)
        self.seen.add(mark)
        inside = Markup("").join(self(part) for part in self._unfolded(figure))
        folded = self._folded(figure)
        return Markup('<details id="f{}"><summary>{}</summary>{}<div class="in">{}{}</div></details>').format(
            mark, head, detail, inside, folded
        )

    @staticmethod
    def _zeros(figure: Figure) -> list[Figure]:
        zeros = [part for part in figure.inputs if figure.op == "total" and part.value == 0]
        return zeros if len(zeros) > 2 else []

    def _unfolded(self, figure: Figure) -> list[Figure]:
        zeros = {part.digest for part in self._zeros(figure)}
        return [part for part in figure.inputs if part.digest not in zeros]

    def _folded(self, figure: Figure) -> Markup:
        zeros = self._zeros(figure)
        if not zeros:
            return Markup("")
        inside = Markup("").join(self(part) for part in zeros)
        return Markup('<details class="zeros"><summary>{}</summary><div class="in">{}</div></details>').format(
            both(f"{len(zeros)} lines at 0", f"0の項目 {len(zeros)}件"), inside
        )

    @staticmethod
    def _detail(figure: Figure) -> Markup:
        lines = []
        if figure.note:
            lines.append(Markup('<div class="note">{}</div>').format(named(figure.note)))
        source = figure.source
        if isinstance(source, Rule):
            tag = Markup('<span class="tag {}">{}</span>').format(
                source.provenance, both(source.provenance, source.provenance.ja)
            )
            lines.append(
                Markup('<div class="src">{} {} <code>{}: {}</code> {}</div>').format(
                    tag,
                    both(source.citation, source.citation_ja),
                    source.rulebook,
                    source.parameter,
                    both("since ", "") + source.since + both("", "から"),
                )
            )
        elif isinstance(source, Data):
            lines.append(
                Markup('<div class="src"><span class="tag data">{}</span> {} <code>sha256 {}</code></div>').format(
                    both(source.dataset, _dataset_ja(source.dataset)), source.query, source.digest
                )
            )
        elif source is not None:
            lines.append(Markup('<div class="src">{}</div>').format(source.by))
        return Markup("").join(lines)


def _dataset_ja(name: str) -> str:
    return DATASETS[name].ja if name in DATASETS else name


def pages() -> Environment:
    """The templates, with the words that every page uses."""
    environment = Environment(
        loader=PackageLoader("junbikin.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        both=both,
        name=named,
        amount=_amount,
        exact=_exact,
        tree=Tree,
        status_name=lambda status: named(_STATUS[status]),
        version=__version__,
        short=lambda value: both(words.short(value, "en"), words.short(value, "ja")),
        grouped=words.grouped,
        escape=escape,
    )
    return environment
