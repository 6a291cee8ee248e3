"""What banks and custodians answer (振込結果・移転結果), read into the engine: an outcome for each payment, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from junbikin.errors import BadInput
from junbikin.incidents.answers import custodian, pain002, zengin
from junbikin.incidents.pay.paying_bank import PayingBank

FORMS = ("zengin", "pain002", "custodian")


@dataclass(frozen=True, slots=True)
class AnswersRead:
    """How many answers were read: each says what became of a payment of ours, or is refused."""

    answers: int
    refused: int

    @property
    def read(self) -> int:
        """All of them."""
        return self.answers + self.refused


def read_answers(engine: duckdb.DuckDBPyConnection, file: Path, form: str, bank: PayingBank | None) -> AnswersRead:
    """Reads the answers in a file into the engine:

    `answers` (line, asset, order_code, number, amount, outcome, reason): the amount is NULL where the answer tells none, the outcome
    is `settled` or `returned`. `refused_answers` (line, text, why): what says nothing that can be used of a payment of ours.
    Raises `SourceRefused` when the file is not whole, or not what it is said to be.
    """
    if form not in FORMS:
        raise BadInput(f"there is no form {form!r} of answers", then="name one of " + ", ".join(FORMS))
    engine.execute("CREATE OR REPLACE TEMP TABLE refused_answers (line BIGINT, text VARCHAR, why VARCHAR)")
    if form == "zengin":
        if bank is None:
            raise BadInput(
                "a result list is read as its bank writes it", then="name the registered paying bank: --bank"
            )
        zengin.read(engine, file, bank)
    else:
        _READERS[form](engine, file)
    [(answers, refused)] = engine.execute(
        "SELECT (SELECT count(*) FROM answers), (SELECT count(*) FROM refused_answers)"
    ).fetchall()
    return AnswersRead(answers, refused)


_READERS: Mapping[str, Callable[[duckdb.DuckDBPyConnection, Path], None]] = {
    "pain002": pain002.read,
    "custodian": custodian.read,
}
