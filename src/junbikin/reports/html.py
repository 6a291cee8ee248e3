"""The report: one self-contained HTML file in English and Japanese, for a screen, a phone and paper."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from junbikin import __version__
from junbikin.figures import RATIO, Data, Figure, Name, Rule
from junbikin.reports import charts, words
from junbikin.reserve.position import Position

_LINES = {
    "spot_venue": Name("venue", "取引所"),
    "spot_principal": Name("principal", "販売所"),
    "spot_brokered": Name("brokered", "取次ぎ"),
    "margin": Name("margin", "信用"),
    "derivative": Name("derivative", "デリバティブ"),
}
_STATUS = {
    "enacted": Name("enacted", "施行中"),
    "precedent": Name("precedent", "先例"),
    "candidate": Name("candidate", "試案"),
}


def both(en: object, ja: object) -> Markup:
    """Words in both languages, of which the page shows one."""
    return Markup('<span lang="en">{}</span><span lang="ja">{}</span>').format(en, ja)


def _name(name: Name) -> Markup:
    return both(_with_code(name.en), _with_code(name.ja))


def _with_code(text: str) -> Markup:
    """The words, with what stands between backquotes set as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))


def _amount(figure: Figure) -> Markup:
    return both(words.amount(figure, "en"), words.amount(figure, "ja"))


def _exact(figure: Figure) -> Markup:
    return both(words.exact_amount(figure, "en"), words.exact_amount(figure, "ja"))


class _Tree:
    """Opens figures as nested details; a figure met before is a link to where it was opened."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, figure: Figure) -> Markup:
        head = Markup('<span class="fn">{}</span> <span class="fv">{}</span>').format(
            _name(figure.name), _exact(figure)
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
            lines.append(Markup('<div class="note">{}</div>').format(_name(figure.note)))
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
                    both(source.dataset, source.dataset), source.query, source.digest
                )
            )
        elif source is not None:
            lines.append(Markup('<div class="src">{}</div>').format(source.by))
        return Markup("").join(lines)


def _bars(position: Position) -> list[charts.Bar]:
    money = [step for step in (*position.steps, position.requirement) if step.unit == position.requirement.unit]
    return charts.bars(money)


def _multipliers(position: Position) -> list[Figure]:
    return [step for step in position.steps if step.unit == RATIO]


def _cover(position: Position) -> dict[str, int]:
    """How far assets and insurance reach into the requirement, in thousandths of the larger of both sums."""
    need, have = position.requirement.value, position.resources.total.value
    whole = max(need or Decimal(0), have or Decimal(0))
    return {
        "assets": charts.thousandths(position.resources.reserve_assets.value, whole),
        "insurance": charts.thousandths(position.resources.insurance.value, whole),
        "need": charts.thousandths(need, whole),
    }


def report(positions: Sequence[Position], lang: words.Lang = "en") -> str:
    """The page for some positions of one operator and day; `lang` is what it shows first."""
    environment = pages()
    environment.globals.update(
        amount=_amount,
        exact=_exact,
        bars=_bars,
        multipliers=_multipliers,
        cover=_cover,
        columns=charts.volume_columns,
        line_name=lambda line: _name(_LINES[line]),
        status_name=lambda status: _name(_STATUS[status]),
        face=lambda p: both(*(words.face([str(tag) for tag in p.provenances], each) for each in ("en", "ja"))),
    )
    page = environment.get_template("report.html.j2")
    return page.render(
        positions=positions, first=positions[0] if positions else None, lang=lang, tree=_Tree, version=__version__
    )


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
        name=_name,
        short=lambda value: both(words.short(value, "en"), words.short(value, "ja")),
        grouped=words.grouped,
        escape=escape,
    )
    return environment
