"""Payment status reports of ISO 20022 (`pain.002.001.10`): streamed, each transaction's status taken by the engine many at a time.

Expat goes over every byte: the file is well formed, of this message, and has no document type, comment, instruction or CDATA section.
So a transaction is what stands between its tags, and patterns find its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import duckdb

from junbikin.errors import SourceRefused
from junbikin.facts.engine import literal
from junbikin.incidents.answers.custodian import matched

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
SETTLED, REJECTED = ("ACSC", "ACCC"), "RJCT"
AT_ONCE = 1 << 23
"""Bytes read at once."""
_MOST_BETWEEN = 1 << 26
"""Bytes in which a transaction must end."""


def read(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Fills `answers` and `refused_answers` from a status report; a line is a transaction's place in the file.

    A status that is not final is refused, since nothing is settled yet, and so is what is said of a batch that names no payment.
    Raises `SourceRefused` when the report is not whole, or names no payment at all.
    """
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE told (line BIGINT, id VARCHAR, status VARCHAR, reason VARCHAR, amount VARCHAR, before VARCHAR)"
    )
    prefix = _prefix(path)
    tags, taken, rest = _Tags(prefix), 0, ""
    for text in _texts(path, tags.end):
        starts, ends = text.count(tags.start), text.count(tags.end)
        if starts != ends or text.count(_TRANSACTION) != starts + ends:
            raise _refused(path, "a transaction's tags are written in a way that is not read here")
        if text.endswith(tags.end):
            engine.execute(tags.take, [text, taken])
            taken += ends
        else:
            rest = text
    if not taken:
        raise _refused(path, "the report names no payment")
    between = engine.execute("SELECT line, before FROM told WHERE before <> '' ORDER BY line").fetchall()
    for line, text in [*between, (taken + 1, rest)]:
        for batch in re.findall(rf"<{prefix}OrgnlPmtInfAndSts\b.*?</{prefix}OrgnlPmtInfAndSts", text, re.DOTALL):
            engine.execute(
                "INSERT INTO refused_answers VALUES (?, ?, 'it speaks of a batch and names no payment')", [line, batch]
            )
    matched(engine, _REPORTED, "id", _WHY)


_TRANSACTION = "TxInfAndSts"
_REPORTED = (
    f"(SELECT line, id, status, amount, CASE WHEN status IN ({', '.join(map(literal, SETTLED))}) THEN 'settled' "
    f"WHEN status = {literal(REJECTED)} THEN 'returned' END AS outcome, coalesce(nullif(reason, ''), 'no reason given') AS reason FROM told)"
)
_WHY = (
    f"CASE WHEN outcome IS NULL THEN concat('its status ', status, ' is not final: neither settled ({', '.join(SETTLED)}) nor rejected ({REJECTED})') "
    "WHEN amount IS NOT NULL AND TRY_CAST(amount AS DECIMAL(38,18)) IS NULL THEN 'its amount is no number' END"
)


@dataclass(frozen=True, slots=True)
class _Tags:
    """How a file writes its elements: with a prefix, or with none ("")."""

    prefix: str

    @property
    def start(self) -> str:
        return f"<{self.prefix}{_TRANSACTION}>"

    @property
    def end(self) -> str:
        return f"</{self.prefix}{_TRANSACTION}>"

    @property
    def take(self) -> str:
        """SQL that takes the transactions of a text that ends with one, counted from a number on."""
        start = literal(self.start)
        reason = rf"<{self.prefix}Rsn>\s*<{self.prefix}(?:Cd|Prtry)>\s*([^<]*[^<\s])"
        return (
            f"INSERT INTO told WITH pieces AS (SELECT unnest(split) AS piece, generate_subscripts(split, 1) AS place "
            f"FROM (SELECT string_split($1, {literal(self.end)}) AS split)), "
            f"parts AS (SELECT place, piece[instr(piece, {start}):] AS tx, trim(piece[:instr(piece, {start}) - 1], e' \\t\\r\\n') AS before FROM pieces WHERE piece <> '') "
            f"SELECT $2 + place, {_found(self._inside('OrgnlEndToEndId'))}, {_found(self._inside('TxSts'))}, "
            f"{_found(reason)}, nullif({_found(self._inside('InstdAmt'))}, ''), before FROM parts"
        )

    def _inside(self, name: str) -> str:
        return rf"<{self.prefix}{name}(?:\s[^>]*)?>\s*([^<\s]*)"


def _found(pattern: str) -> str:
    return f"regexp_extract(tx, {literal(pattern)}, 1)"


def _prefix(path: Path) -> str:
    """The prefix of a report's elements, with its colon; "" when it has none. Raises `SourceRefused` when it is no such report."""
    with path.open("rb") as stream:
        root = re.search(rb"<((?:[A-Za-z_][\w.-]*:)?)Document[\s>]", stream.read(4096))
    if root is None:
        raise _refused(path, "this is no document of ISO 20022")
    return root[1].decode()


def _texts(path: Path, end: str) -> Iterator[str]:
    """The text of a report, in parts that end with `end`, but for the last. Raises `SourceRefused` when it is not well formed."""
    watch = _watching(path)
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(AT_ONCE):
            _parse(watch, block, path)
            rest += block
            cut = rest.rfind(end.encode()) + len(end)
            if cut >= len(end):
                yield rest[:cut].decode()
                rest = rest[cut:]
            elif len(rest) > _MOST_BETWEEN:
                raise _refused(path, f"no transaction ends within {_MOST_BETWEEN:,} bytes")
    _parse(watch, b"", path)
    yield rest.decode()


def _parse(watch: expat.XMLParserType, block: bytes, path: Path) -> None:
    try:
        watch.Parse(block, not block)
    except expat.ExpatError as problem:
        raise _refused(path, f"the file is not well formed: {problem}") from None


def _watching(path: Path) -> expat.XMLParserType:
    """A parser that refuses whatever could make text look like what it is not, and asks nobody for anything."""
    watch = expat.ParserCreate("UTF-8", " ")
    watch.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def never(what: str) -> SourceRefused:
        return _refused(path, f"the file has {what}, which no status report needs")

    def document_type(*_: object) -> None:
        raise never("a document type")

    def comment(*_: object) -> None:
        raise never("a comment")

    def instruction(*_: object) -> None:
        raise never("a processing instruction")

    def section() -> None:
        raise never("a CDATA section")

    def root(name: str, _: object) -> None:
        if name != f"{NAMESPACE} Document":
            raise _refused(
                path,
                f"its first element is {name.replace(' ', ' of ') if ' ' in name else name}, and not of {NAMESPACE}",
            )
        watch.StartElementHandler = None

    def declaration(_: str, encoding: str | None, __: int) -> None:
        if (encoding or "utf-8").lower() not in ("utf-8", "us-ascii"):
            raise _refused(path, f"the file is written in {encoding}, and not in UTF-8")

    watch.StartDoctypeDeclHandler, watch.CommentHandler = document_type, comment
    watch.ProcessingInstructionHandler, watch.StartCdataSectionHandler = instruction, section
    watch.StartElementHandler, watch.XmlDeclHandler = root, declaration
    return watch


def _refused(path: Path, what: str) -> SourceRefused:
    return SourceRefused(
        what, where=str(path), then="ask the bank for a status report (pain.002.001.10) that tells of each payment"
    )
