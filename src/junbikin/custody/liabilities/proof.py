"""A customer's proof (利用者別証明): the leaves of one account and their ways up, checked against the statement. Needs no home."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junbikin.custody.liabilities.statement import (
    Statement,
    binary,
    fields,
    read_json,
    statement_of,
    text,
    units,
    whole,
)
from junbikin.custody.liabilities.sums import DIGEST, LIMIT, NONCE, Node, amount, climb, context, leaf, way_up
from junbikin.errors import BadInput
from junbikin.figures import Name

PROOF = "junbikin-liability-proof-1"


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's leaf in the tree of an asset: what it is owed in units, and the siblings on the way up to the root."""

    asset: str
    units: int
    nonce: bytes
    index: int
    path: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that shows one customer that they are counted."""

    statement: Statement
    account: str
    balances: tuple[Balance, ...]

    @property
    def content(self) -> dict[str, Any]:
        """All of it as JSON; amounts are strings."""
        return {
            "format": PROOF,
            "account": self.account,
            "balances": [
                {
                    "asset": balance.asset,
                    "amount": amount(balance.units),
                    "nonce": balance.nonce.hex(),
                    "index": balance.index,
                    "path": [
                        {"digest": node.digest.hex(), "amount": amount(node.sum), "count": node.count}
                        for node in balance.path
                    ],
                }
                for balance in self.balances
            ],
            "statement": self.statement.content,
        }

    @property
    def text(self) -> str:
        """The file that the customer is given."""
        return json.dumps(self.content, ensure_ascii=False, indent=1) + "\n"


def read_proof(path: Path) -> Proof:
    """The proof in a file. Raises `BadInput` when it is none; whether it holds is another matter."""
    content = read_json(path, "proof", PROOF)
    try:
        return proof_of(content)
    except (KeyError, TypeError, ValueError) as problem:
        raise BadInput(
            f"this proof is not whole: {problem!r}", where=str(path), then="use the file as it was handed out"
        ) from None


def proof_of(content: Any) -> Proof:
    """A proof from its JSON, of just this form. Raises `ValueError`, `TypeError` or `KeyError` when it is not."""
    fields(content, "format", "account", "balances", "statement")
    balances = tuple(map(_balance, content["balances"]))
    if content["format"] != PROOF or not isinstance(content["balances"], list) or not balances:
        raise ValueError("there is no balance in it")
    return Proof(statement_of(content["statement"]), text(content["account"]), balances)


def _balance(item: Any) -> Balance:
    fields(item, "asset", "amount", "nonce", "index", "path")
    if not isinstance(item["path"], list):
        raise ValueError("not a way up")
    index = 0 if type(item["index"]) is int and item["index"] == 0 else whole(item["index"])
    path = tuple(map(_node, item["path"]))
    return Balance(text(item["asset"]), units(item["amount"]), binary(item["nonce"], NONCE), index, path)


def _node(item: Any) -> Node:
    fields(item, "digest", "amount", "count")
    return Node(binary(item["digest"], DIGEST), units(item["amount"]), whole(item["count"]))


def fault(proof: Proof, signer: str = "", published: Statement | None = None) -> Name | None:
    """Why the proof does not hold under its statement, or None when it does.

    The statement must be signed by the key of the fingerprint `signer`, and be just the `published` one, when they are given.
    """
    wrong = proof.statement.fault(signer)
    if wrong:
        return wrong
    if published and published != proof.statement:
        return Name(
            f"the proof is under another statement ({proof.statement.digest}) than the published one ({published.digest})",
            f"証明の証明書（{proof.statement.digest}）は公表された証明書（{published.digest}）と異なります",
        )
    totals = {total.asset: total.root for total in proof.statement.totals}
    if len({balance.asset for balance in proof.balances}) != len(proof.balances):
        return Name("an asset is shown twice", "同じ資産が二度示されています")
    for balance in proof.balances:
        root = totals.get(balance.asset)
        wrong = _astray(proof, balance, root) if root else Name("the statement has no such asset", "証明書にありません")
        if wrong:
            return Name(f"{balance.asset}: {wrong.en}", f"{balance.asset}：{wrong.ja}")
    return None


def _astray(proof: Proof, balance: Balance, root: Node) -> Name | None:
    """Why a balance does not lead to a root. The shape of its way up follows from index and count alone."""
    if balance.index >= root.count:
        return Name("the leaf's place is beyond the last", "葉の位置が総数を超えています")
    steps = tuple(way_up(balance.index, root.count))
    if [step.count for step in steps] != [node.count for node in balance.path]:
        return Name(
            "the way up is not that of a tree with as many customers as stated: a part was cut off or added",
            "証明経路が記載された利用者数の木と一致しません。一部が切り取られたか、加えられています",
        )
    if balance.units == 0 or any(node.sum < node.count for node in balance.path):
        return Name(
            "a customer is counted who is owed nothing: every leaf holds at least one unit",
            "残高のない利用者が数えられています。すべての葉は1単位以上でなければなりません",
        )
    beyond = Name("a sum is beyond the limit", "合計が上限を超えています")
    if balance.units >= LIMIT or any(node.sum >= LIMIT for node in balance.path):
        return beyond
    within = context(proof.statement.operator, proof.statement.as_of, balance.asset)
    try:
        found = climb(leaf(within, balance.nonce, balance.units, proof.account), steps, balance.path)
    except OverflowError:
        return beyond
    if found != root:
        return Name(
            "the way up does not lead to the root and the total of the statement",
            "証明経路が証明書の根と合計に一致しません",
        )
    return None
