"""Proofs of liabilities: the statements' signatures, and the proofs of the customers drawn under them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath

import rfc8785

from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.files import plain_json
from junbikin.custody.audit.index import FILE, signer_of
from junbikin.custody.audit.proofs import FOLDER, SAMPLED
from junbikin.custody.audit.reading import engine, rows
from junbikin.custody.audit.samples import CUSTOMERS, DRAWN, PLATFORM, PLATFORM_COLUMNS
from junbikin.custody.liabilities.proof import fault, read_proof
from junbikin.custody.liabilities.statement import read_statement
from junbikin.custody.liabilities.sums import amount
from junbikin.facts.run import Progress
from junbikin.figures import Name

STATEMENTS = Name("statements of liabilities", "債務証明書")
CUSTOMER = Name("proofs of customers drawn", "抽出した利用者の証明")


def statements(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether each statement is signed by who signed the index, names its operator, its day, and what is beside it."""
    paths = [path for path in pack.below(FOLDER) if path.endswith("/statement.json")]
    if not paths:
        yield unchecked(STATEMENTS, "the pack has none", "含まれていない")
        return
    signer = signer_of(pack.index, FILE) or pack.demanded
    for path in paths:
        statement = read_statement(pack.folder / path)
        wrong = statement.fault(signer)
        point, tie = (str(PurePosixPath(path).with_name(name)) for name in ("checkpoint.json", "position.json"))
        found = hashlib.sha256(rfc8785.dumps(plain_json(pack.folder / point))).hexdigest() if pack.has(point) else ""
        tied = pack.digests[tie] if pack.has(tie) else ""
        if wrong is None and statement.operator != pack.index["operator"]:
            wrong = Name("it is of another operator", "別の事業者のものである")
        if wrong is None and PurePosixPath(path).parts[1] != statement.as_of.isoformat():
            wrong = Name("it is of another day", "別の日のものである")
        if wrong is None and statement.checkpoint != found:
            wrong = Name("the checkpoint beside it is not the one that it names", "併置の検証点と一致しない")
        if wrong is None and statement.position != tied:
            wrong = Name("the position beside it is not the one that it is tied to", "併置の照合済み残高と一致しない")
        if wrong is not None:
            yield differs(STATEMENTS, path, wrong.en, wrong.ja)
            return
    yield agrees(STATEMENTS, len(paths))


def of_customers(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether each customer drawn is counted, with what the platform says that they have, under a statement of the pack."""
    paths = sorted(pack.below(SAMPLED), key=lambda path: int(PurePosixPath(path).stem))
    if not paths:
        yield unchecked(CUSTOMER, "the pack has none", "含まれていない")
        return
    with engine() as working:
        drawn = working.execute(
            f"SELECT id FROM {rows(pack.folder / CUSTOMERS, DRAWN)} ORDER BY number::BIGINT"
        ).fetchall()
        held = working.execute(
            f"SELECT account, list([asset, quantity] ORDER BY asset) FROM {rows(pack.folder / PLATFORM, PLATFORM_COLUMNS)} "
            "WHERE quantity <> '0' GROUP BY account"
        ).fetchall()
    if len(drawn) != len(paths):
        yield differs(
            CUSTOMER,
            CUSTOMERS,
            f"{len(drawn)} were drawn, and {len(paths)} have a proof",
            f"抽出{len(drawn)}名に対し証明{len(paths)}件",
        )
        return
    known = {read_statement(pack.folder / p).digest for p in pack.below(FOLDER) if p.endswith("/statement.json")}
    balances = dict(held)
    for (account,), path in zip(drawn, paths, strict=True):
        proof = read_proof(pack.folder / path)
        wrong = fault(proof)
        if wrong is None and proof.account != account:
            wrong = Name(
                f"it is of {proof.account}, and {account} was drawn",
                f"抽出された{account}ではなく{proof.account}のもの",
            )
        if wrong is None and proof.statement.digest not in known:
            wrong = Name("its statement is not in the pack", "証明書が含まれていない")
        shown = sorted([balance.asset, amount(balance.units)] for balance in proof.balances)
        if wrong is None and shown != balances.get(account):
            wrong = Name(
                f"the platform says otherwise of what {account} has", f"{account}のプラットフォーム残高と一致しない"
            )
        if wrong is not None:
            yield differs(CUSTOMER, path, wrong.en, wrong.ja)
            return
    yield agrees(CUSTOMER, len(paths))
