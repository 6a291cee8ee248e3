"""An incident for the terminal and for programs: what was taken, states, deadlines, timeline. No arithmetic here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from junbikin.figures import plain
from junbikin.home import Home
from junbikin.incidents.deadlines import Deadline, Standing
from junbikin.incidents.happenings import Happening
from junbikin.incidents.incident import CAUSE_WORDS, STATES, STORAGE_WORDS, Incident
from junbikin.reports.happenings import happening, when
from junbikin.reports.words import Lang, amount, grouped, money, say, visible

_STYLES = {Standing.KEPT: "green", Standing.LATE: "yellow", Standing.OVERDUE: "bold red", Standing.DUE: "", Standing.DROPPED: "dim"}  # fmt: skip


def incident_document(of: Incident, due: Sequence[Deadline], told: Sequence[Happening], at: datetime) -> dict[str, Any]:
    """Everything of an incident as JSON; amounts are strings."""
    return {
        "incident": of.id, "title": of.title, "cause": of.cause, "state": of.state, "currency": of.currency,
        "occurred_at": of.occurred_at.isoformat(), "found_at": of.found_at.isoformat(),
        "loss": of.loss.node["value"], "recovered": of.recovery.node["value"], "frozen": list(of.frozen),
        "taken": [
            {
                "asset": each.asset, "quantity": plain(each.quantity), "place": each.place, "storage": each.storage,
                "provider": each.provider, "transactions": list(each.transactions),
                "value": None if each.value is None else plain(each.value), "priced": each.priced, "record": each.event.record,
            }
            for each in of.taken
        ],
        "states": [
            {"state": state, "at": event.at.isoformat(), "by": event.by, "record": event.record} for state, event in of.states
        ],
        "deadlines": [
            {
                "what": each.name.words, "due_at": each.due_at.isoformat(), "standing": each.standing(at).name.lower(),
                "kept_at": each.kept_by.at.isoformat() if each.kept_by else None, "parameter": each.rule.parameter,
                "rulebook": each.rule.rulebook, "provenance": str(each.rule.provenance),
                "citation": {"en": each.rule.citation, "ja": each.rule.citation_ja},
            }
            for each in due
        ],
        "timeline": [
            {
                "record": each.record, "at": each.at.isoformat(), "recorded_at": each.recorded_at.isoformat(), "by": each.by,
                "why": each.why, **each.says, "event": each.kind,
            }
            for each in told
        ],
    }  # fmt: skip


def incident_parts(
    home: Home, of: Incident, due: Sequence[Deadline], told: Sequence[Happening], at: datetime, lang: Lang
) -> Iterator[Text | Table]:
    """The parts of an incident as the terminal shows it."""
    ja = lang == "ja"
    cause, state = say(CAUSE_WORDS[of.cause], lang), say(STATES[of.state], lang)
    yield Text(visible(f"{of.id}: {of.title}"), style="bold")
    yield Text(
        f"{cause}・{state}　発生 {when(home, of.occurred_at)}　発見 {when(home, of.found_at)}"
        if ja
        else f"{cause}, {state}; happened {when(home, of.occurred_at)}, found {when(home, of.found_at)}"
    )
    yield Text(
        f"損失 {amount(of.loss, lang)}、うち回収 {amount(of.recovery, lang)}"
        if ja
        else f"loss {amount(of.loss, lang)}, of which recovered {amount(of.recovery, lang)}"
    )
    if of.frozen:
        yield Text(f"{'凍結中：' if ja else 'frozen: '}{', '.join(of.frozen)}")
    if of.taken:
        yield _heading("流出した資産" if ja else "What was taken")
        yield _table(
            lang,
            [
                ("asset", "資産"), ("quantity", "数量"), ("place", "保管先"), ("storage", "形態"), ("provider", "委託先"),
                ("worth", "評価額"), ("priced", "価格"),
            ],
            (
                (
                    each.asset, grouped(each.quantity), each.place, say(STORAGE_WORDS[each.storage], lang), each.provider,
                    money(each.value, of.currency, lang), each.priced,
                )
                for each in of.taken
            ),
            right={1, 5},
        )  # fmt: skip
    yield _heading("期限" if ja else "Deadlines")
    yield _deadlines(home, due, at, lang)
    yield _heading("経過" if ja else "Timeline")
    yield _table(
        lang,
        [("at", "日時"), ("what", "出来事"), ("by", "記録者"), ("record", "記録")],
        ((when(home, each.at), happening(each, lang), each.by, str(each.record)) for each in told),
        right={3},
    )


def _heading(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _deadlines(home: Home, due: Sequence[Deadline], at: datetime, lang: Lang) -> Text | Table:
    if not due:
        return Text(
            "有効な規則集に期限の定めがない"
            if lang == "ja"
            else "no rulebook of custody in force here says by when an incident asks for what"
        )
    titles = [("due", "期限"), ("what", "内容"), ("stands", "状況"), ("kept", "実施"), ("rests on", "根拠")]
    table = _table(lang, titles, ())
    for each in due:
        standing = each.standing(at)
        tag = each.rule.provenance.ja if lang == "ja" else str(each.rule.provenance)
        table.add_row(
            when(home, each.due_at),
            say(each.name, lang),
            Text(say(standing.words, lang), style=_STYLES[standing]),
            when(home, each.kept_by.at) if each.kept_by else "",
            tag,
        )
    return table


def _table(
    lang: Lang,
    titles: Iterable[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    right: frozenset[int] | set[int] = frozenset(),
) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, title in enumerate(titles):
        table.add_column(title[lang == "ja"], justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table
