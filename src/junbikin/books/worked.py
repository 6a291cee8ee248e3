"""What the program worked out, put on record in the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import text

from junbikin.books.database import Books, telling

_PUT = text("SELECT books.put_on_record(:kind, :subject, :at, :content)")


def put_on_record(books: Books, kind: str, worked: Iterable[tuple[str, datetime, Mapping[str, Any]]]) -> list[int]:
    """Puts positions, custody days or reconciliations on record, together, and returns their records in order.

    Of each: its subject, the instant that it is of, and what it says, in which `digest` stands. What is on record already is not
    recorded twice. Raises `BooksRefused` when it is there with another content, or is none of the kind.
    """
    with telling(books.home), books.engine.begin() as connection:
        return [
            int(
                connection.execute(
                    _PUT, {"kind": kind, "subject": subject, "at": at, "content": rfc8785.dumps(dict(says)).decode()}
                ).scalar_one()
            )
            for subject, at, says in worked
        ]
