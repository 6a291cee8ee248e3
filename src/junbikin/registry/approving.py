"""What a request would do, and who may approve it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from junbikin.books.batch import Entries
from junbikin.books.columns import sides
from junbikin.books.database import Books, telling
from junbikin.books.flows import Flow, flows, used
from junbikin.books.schema import actions
from junbikin.registry.people import people
from junbikin.registry.requests import Request

Roles = tuple[str, ...]
"""Roles of which an approver has at least one."""


def entries(request: Request) -> Entries | None:
    """The entries of a request to post; None when it is for something else, or names its batches by digest alone."""
    inline = request.says.get("inline")
    return inline and Entries("{" + ",".join(inline["accounts"]) + "}", "{" + ",".join(inline["amounts"]) + "}")


def of_flows(made_of: Sequence[Flow]) -> list[Roles]:
    """The approvals that flows need; none when one person may make them all."""
    return list(dict.fromkeys(flow.approved_by for flow in made_of if flow.approved_by))


def of_request(books: Books, request: Request) -> list[Roles]:
    """The approvals that a request needs; a batch's are those of its flows."""
    if request.action == "post":
        asked = entries(request)
        needed = of_flows(used(flows(books), request.content["purpose"], sides(books, asked))) if asked else []
        return needed or [("approver",)]
    with telling(books.home), books.engine.connect() as connection:
        return [
            tuple(connection.scalars(select(actions.c.approved_by).where(actions.c.action == request.action)).one())
        ]


def may_approve(books: Books, needed: Sequence[Roles], asked_by: str) -> list[str]:
    """The active people who may approve what `asked_by` asks for."""
    return [
        person.name
        for person in people(books)
        if person.active and person.name != asked_by and all(set(roles) & set(person.roles) for roles in needed)
    ]
