"""The facts: the log's chain, and the statements against the files of evidence that they came in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.evidence import CHALLENGES, EVIDENCE, LOG, SENT, STATEMENTS
from junbikin.custody.audit.files import plain_json
from junbikin.custody.audit.reading import engine, rows
from junbikin.custody.evidence.challenge import FORMAT as CHALLENGE_FORMAT
from junbikin.custody.evidence.challenge import Challenge
from junbikin.custody.evidence.keep import FORMAT as EVIDENCE_FORMAT
from junbikin.errors import FactsDamaged
from junbikin.facts.datasets import DATASETS
from junbikin.facts.log import START, Entry, head_of, read_log
from junbikin.facts.run import Progress
from junbikin.figures import Name

CHAIN = Name("chain of the facts' log", "事実データ記録の連鎖")
STATED = Name("statements and their evidence", "残高証明と証跡")
INGESTED = Name("evidence that was ingested", "取り込まれた証跡")
CONTROL = Name("control of addresses", "アドレスの支配")
_NAMED = re.compile(rf"({EVIDENCE}/\S+) sha256:([0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Known:
    """What the log of the pack has: every head that it had once, and the files that were ingested, as (dataset, SHA-256)."""

    heads: frozenset[str]
    sources: frozenset[tuple[str, str]]


def known(pack: Pack) -> Known | None:
    """What the log says; None when its chain is broken."""
    try:
        entries = read_log((pack.folder / LOG).parent)
    except FactsDamaged:
        return None
    return _known(entries)


def _known(entries: tuple[Entry, ...]) -> Known:
    return Known(
        frozenset(entry.digest for entry in entries) | {START},
        frozenset((entry.dataset, source.sha256) for entry in entries for source in entry.sources),
    )


def chain(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether every line of the log follows from the one before, up to the head that the index names."""
    try:
        entries = read_log((pack.folder / LOG).parent)
    except FactsDamaged as problem:
        yield differs(CHAIN, LOG, problem.what, f"連鎖が切れている（{problem.what}）")
        return
    if head_of(entries) != pack.index["facts"]["head"]:
        yield differs(CHAIN, LOG, "it does not end where the index says", "目次の示す末尾と一致しない")
        return
    yield agrees(CHAIN, len(entries))


def statements(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether each statement says what the file of evidence that it names says, and that file is in the pack."""
    if not pack.has(STATEMENTS):
        yield unchecked(STATED, "the pack has no statements", "残高証明が含まれていない")
        return
    names = [name for name, _ in DATASETS["statements"].stored]
    with engine() as working:
        found = working.execute(
            "SELECT evidence, location_id, asset, quantity, source FROM " + rows(pack.folder / STATEMENTS, names) + " ORDER BY ALL"
        ).fetchall()  # fmt: skip
    said: dict[str, dict[tuple[str, str], Decimal]] = {}
    unnamed = 0
    digests = pack.digests
    for evidence, place, asset, quantity, source in found:
        named = _NAMED.fullmatch(evidence)
        if named is None:
            unnamed += 1
        elif digests.get(named[1]) != named[2]:
            yield differs(
                STATED, named[1], f"the statement of {place} {asset} by {source} rests on a file of the digest {named[2]}, which this is not",
                f"{place} {asset}（{source}）の残高証明が示す要約値{named[2]}と一致しない",
            )  # fmt: skip
            return
        else:
            said.setdefault(named[1], {})[place, asset] = Decimal(quantity)
    for path, stated in said.items():
        wrong = _readings(pack.folder / path, stated)
        if wrong:
            yield differs(
                STATED, path, f"it does not say what the statement says: {wrong}", f"残高証明と一致しない：{wrong}"
            )
            return
    if unnamed:
        yield unchecked(
            STATED, f"{unnamed} of {len(found)} statements name no file of evidence; the others agree",
            f"{len(found)}件中{unnamed}件は証跡ファイルを示していない（他は一致）", len(found),
        )  # fmt: skip
    else:
        yield agrees(STATED, len(found))


def _readings(path: Path, stated: dict[tuple[str, str], Decimal]) -> str:
    """The first statement that a file of evidence of our own form does not bear out, or ""."""
    try:
        content = plain_json(path)
    except ValueError:
        return ""  # of another form: its digest is all that can be held against it
    if not isinstance(content, dict) or content.get("format") != EVIDENCE_FORMAT:
        return ""
    read: dict[tuple[str, str], Decimal] = {}
    for reading in content["readings"]:
        key = reading["place"], reading["asset"]
        read[key] = read.get(key, Decimal(0)) + Decimal(reading["quantity"])
    return next((f"{place} {asset}" for (place, asset), quantity in stated.items() if read.get((place, asset)) != quantity), "")  # fmt: skip


def ingested(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether what statements were ingested from, as sent or tables of what nodes said, are files of the log; and whether the tables
    hold the statements that name evidence."""
    tables = [path for path in pack.below(EVIDENCE) if re.fullmatch(r"statements-[0-9a-f]{16}\.csv", Path(path).name)]
    sent = pack.below(SENT)
    if not tables and not sent:
        yield unchecked(INGESTED, "the pack has no table of statements", "残高証明の表が含まれていない")
        return
    log = known(pack)
    for path in [*tables, *sent]:
        if log is not None and ("statements", pack.digests[path]) not in log.sources:
            yield differs(INGESTED, path, "the log of the facts has no such file", "事実データの記録にないファイル")
            return
    names = [column.name for column in DATASETS["statements"].columns]
    compared = "as_of, location_id, asset, quantity::DECIMAL(38,18) AS quantity, source, evidence"
    named = f"SELECT {compared} FROM {rows(pack.folder / STATEMENTS, names)} WHERE starts_with(evidence, '{EVIDENCE}/')"
    with engine() as working:
        if not tables:
            [(count,)] = working.execute(f"SELECT count(*) FROM ({named})").fetchall()
            yield (
                unchecked(
                    INGESTED,
                    f"the pack has no table of the {count:,} statements that name evidence",
                    f"証跡を示す残高証明{count:,}件の表が含まれていない",
                    len(sent),
                )
                if count
                else agrees(INGESTED, len(sent))
            )
            return
        lost = working.execute(
            f"SELECT as_of, location_id, asset, source FROM ({named} "
            f"EXCEPT SELECT * FROM ({' UNION ALL '.join(f'SELECT {compared} FROM {rows(pack.folder / path, names)}' for path in tables)})) ORDER BY ALL LIMIT 1"
        ).fetchall()  # fmt: skip
    if lost:
        yield differs(
            INGESTED,
            STATEMENTS,
            f"no table has the statement {' '.join(lost[0])}",
            f"残高証明の表にない：{' '.join(lost[0])}",
        )
        return
    yield agrees(INGESTED, len(tables) + len(sent))


def control(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether each proof of control names this operator and is signed with the key of its address."""
    from junbikin.custody.evidence.signatures import signed

    paths = pack.below(CHALLENGES)
    if not paths:
        yield unchecked(CONTROL, "the pack has no proof of control", "アドレス支配の証明が含まれていない")
        return
    for path in paths:
        says = json.loads((pack.folder / path).read_bytes())
        challenge = Challenge(
            says["operator"], says["network"], says["address"], date.fromisoformat(says["date"]),
            datetime.fromisoformat(says["until"]), says["nonce"],
        )  # fmt: skip
        ours = says["format"] == CHALLENGE_FORMAT and challenge.operator == pack.index["operator"]
        if not ours or challenge.text != says["text"]:
            yield differs(CONTROL, path, "it is no challenge of this operator", "この事業者の証明ではない")
            return
        if not signed(challenge.network, challenge.address, says["text"], says["signature"]):
            yield differs(CONTROL, path, "its signature does not fit", "署名が一致しない")
            return
    yield agrees(CONTROL, len(paths))
