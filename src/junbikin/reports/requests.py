"""A request in words: everything that an approver must know before they decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from junbikin.books.database import Books
from junbikin.figures import exact
from junbikin.incidents.disputes import beyond
from junbikin.incidents.incident import incident_of
from junbikin.registry.approving import entries, may_approve, of_request
from junbikin.registry.log import latest
from junbikin.registry.requests import Request
from junbikin.reports.moves import moves
from junbikin.reports.words import Lang, say, visible

HIDDEN = ("argon2", "verifier")
"""What is said of a person and shown to nobody: what proves their password."""


def request_lines(books: Books, request: Request, lang: Lang, limit: int | None = 20) -> list[str]:
    """The action, by whom, when and why; what it would do, with `limit` entries; what it needs; how it stands."""
    ja = lang == "ja"
    asked = entries(request)
    lines = [
        f"申請{request.number}：{request.action} {about(request, lang)}" if ja else f"request {request.number}: {request.action} {about(request, lang)}",
        f"  {'申請者' if ja else 'asked by'}: {request.asked_by}, {_at(books, request.asked_at)}",
        f"  {'理由' if ja else 'why'}: {request.why}",
    ]  # fmt: skip
    if asked:
        at = datetime.fromisoformat(request.effective_at) if request.effective_at else None
        lines += moves(books, request.content, asked, at, lang, limit)
    elif request.action != "post":
        lines += _changes(books, request, lang)
    lines += [f"  {key}  sha256 {digest}" for key, digest in request.says.get("batches", {}).items()]
    return [visible(line) for line in [*lines, *_standing(books, request, lang)]]


def about(request: Request, lang: Lang) -> str:
    """What it is about as people call it: a compensation plan by its name, anything else by its subject."""
    says = request.content
    if request.action != "post" or says.get("purpose") != "compensation" or "name" not in says:
        return request.subject
    return (
        f"{says['incident']}の補償計画{says['name']}" if lang == "ja" else f"plan {says['name']} of {says['incident']}"
    )


def _at(books: Books, at: datetime) -> str:
    return at.astimezone(books.home.time_zone).isoformat(sep=" ", timespec="seconds")


def _changes(books: Books, request: Request, lang: Lang) -> Iterator[str]:
    """Each thing that would be said of the subject, beside what is on record of it now when that differs."""
    now = latest(books, request.action, request.subject) or {}
    for name, value in request.content.items():
        if name in HIDDEN:
            continue
        was = in_words(now[name]) if name in now and now[name] != value else ""
        note = was and (f"（現在：{was}）" if lang == "ja" else f" (now: {was})")
        yield f"  {name}: {in_words(value)}{note}"
    if request.action == "dispute":
        yield from _beyond(books, request, lang)
    mark = request.content.get("verifier", "")[:16]
    if mark:
        yield f"  {'パスワードカードの照合番号' if lang == 'ja' else 'a new password; the mark of its card'}: {mark}"
    if request.effective_at:
        yield f"  {'効力発生' if lang == 'ja' else 'effective'}: {_at(books, datetime.fromisoformat(request.effective_at))}"


def _beyond(books: Books, request: Request, lang: Lang) -> Iterator[str]:
    """The warning that a dispute's adjustment is out of all proportion."""
    of, says = incident_of(books, request.subject.partition(":")[0]), request.content
    warning = beyond(of, says["asset"], exact(says["adjustment"]))
    if warning:
        yield f"  {'注意' if lang == 'ja' else 'warning'}: {say(warning, lang)}"


def in_words(value: object) -> str:
    """What is said of a subject, as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _standing(books: Books, request: Request, lang: Lang) -> list[str]:
    ja = lang == "ja"
    if request.verdict:
        verdict = {"approve": ("approved", "承認"), "refuse": ("refused", "却下")}[request.verdict][ja]
        when = _at(books, request.decided_at) if request.decided_at else ""
        lines = [f"  {verdict}: {request.decided_by}, {when}: {request.decided_why}"]
        return lines + ([f"  {'記録' if ja else 'record'}: {request.effect}"] if request.effect else [])
    needed = of_request(books, request)
    roles = ("かつ" if ja else " and ").join(("または" if ja else " or ").join(group) for group in needed)
    able = ", ".join(may_approve(books, needed, request.asked_by)) or ("該当者なし" if ja else "nobody yet")
    return [f"  {'必要な承認' if ja else 'needs the approval of'}: {roles} ({able})"]
