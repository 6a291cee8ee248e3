"""Files that were changed, cut or damaged: no altered proof holds, and no damaged tree gives one away."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junbikin.custody.liabilities.kept import customers_proof, open_kept
from junbikin.custody.liabilities.proof import Proof, fault, proof_of, read_proof
from junbikin.custody.liabilities.statement import read_statement
from junbikin.errors import BadInput
from junbikin.home import Home

from .scene import home_with, proof_for, proved

BALANCES = {(f"a{n}", asset): str(n + 1) for n in range(300) for asset in ("BTC", "JPY")}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home_with(tmp_path_factory.mktemp("files") / "home", BALANCES)


@pytest.fixture(scope="module")
def folder(home: Home) -> Path:
    return proved(home)


@pytest.fixture(scope="module")
def proof(home: Home, folder: Path) -> Proof:
    return proof_for(home, "a123", folder)


def places(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Where every single value of a document stands."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, *above, key)
    if not isinstance(value, dict | list):
        yield above


def otherwise(value: Any) -> list[Any]:
    """Other values in the place of one."""
    if isinstance(value, str):
        turned = "".join(chr(ord(c) ^ 1) for c in value[:1]) + value[1:]
        return [
            turned,
            value + "0",
            value + ".0",
            value[:-1],
            value.upper() + " ",
            "-" + value,
            None,
            1,
            value + "\ud800",
        ]
    if isinstance(value, bool) or value is None:
        return [not value, 0, "ab" * 32, [], 1]
    return [value + 1, value - 1, -value - 1, str(value), float(value), True, None, 2**53 + 1]


def test_a_proof_reads_back_as_it_was_written(proof: Proof, tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_text(proof.text, encoding="utf-8")
    assert read_proof(tmp_path / "proof.json") == proof
    assert fault(proof) is None


def test_no_single_value_of_a_proof_can_be_changed(proof: Proof) -> None:
    tried = 0
    for place in places(proof.content):
        content = copy.deepcopy(proof.content)
        holder = content
        for key in place[:-1]:
            holder = holder[key]
        before = holder[place[-1]]
        for value in otherwise(before):
            if value == before and type(value) is type(before):
                continue
            holder[place[-1]] = value
            tried += 1
            try:
                changed = proof_of(content)
            except (KeyError, TypeError, ValueError):
                continue
            assert fault(changed) is not None, (place, value)
    assert tried > 300


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c | {"more": 1}, lambda c: c | {"balances": []}, lambda c: c | {"balances": {}}, lambda c: c | {"statement": []},
        lambda c: {key: value for key, value in c.items() if key != "account"},
        lambda c: c | {"statement": c["statement"] | {"note": "x"}},
        lambda c: c | {"balances": [c["balances"][0] | {"path": c["balances"][0]["path"] + [5]}]},
        lambda c: c | {"balances": [c["balances"][0] | {"path": None}]}, lambda c: c | {"format": "another"}, lambda c: [c], lambda c: 5,
    ],
)  # fmt: skip
def test_a_file_that_is_no_proof_is_refused_with_what_to_do(proof: Proof, tmp_path: Path, change: Any) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(change(proof.content)))
    with pytest.raises(BadInput, match="proof") as refusal:
        read_proof(file)
    assert refusal.value.where == str(file)
    assert refusal.value.then


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1.5}', b'{"a": NaN}'])
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "proof.json").write_bytes(content)
    with pytest.raises(BadInput, match="no proof"):
        read_proof(tmp_path / "proof.json")
    with pytest.raises(BadInput, match="no statement"):
        read_statement(tmp_path / "proof.json")
    with pytest.raises(BadInput, match="cannot be read"):
        read_proof(tmp_path / "none.json")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(["keys.bin", "leaves.bin", "nodes.bin"]),
    share=st.floats(0, 1, exclude_max=True),
    account=st.integers(0, 299),
)
def test_a_damaged_tree_never_gives_a_false_proof_nor_denies_a_customer(
    home: Home, folder: Path, file: str, share: float, account: int
) -> None:
    path = folder / "private" / file
    whole = path.read_bytes()
    at = int(share * len(whole))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
    try:
        found = said(home, folder, account)
    finally:
        path.write_bytes(whole)
    assert found in (said(home, folder, account), "damaged")


def said(home: Home, folder: Path, account: int) -> str:
    """A customer's proof, or that the trees are damaged."""
    try:
        proof = customers_proof(home, open_kept(folder), f"a{account}")
    except BadInput as refusal:
        return "damaged" if "damaged" in refusal.what and "backup" in refusal.then else refusal.what
    assert fault(proof) is None
    assert [balance.units for balance in proof.balances] == [(account + 1) * 10**18] * 2
    return proof.text


@pytest.mark.parametrize("file", ["keys.bin", "leaves.bin", "nodes.bin", "manifest.json"])
def test_a_file_that_is_cut_or_missing_is_told(home: Home, folder: Path, file: str) -> None:
    path = folder / "private" / file
    whole = path.read_bytes()
    try:
        for content in (whole[: len(whole) // 4], b"", None):
            path.unlink() if content is None else path.write_bytes(content)
            assert "damaged" in {said(home, folder, account) for account in range(0, 300, 30)}
    finally:
        path.write_bytes(whole)


def test_a_manifest_or_statement_that_was_altered_is_told(home: Home, folder: Path) -> None:
    for file, old, new, said in (
        ("private/manifest.json", '"leaves": 300', '"leaves": 299', "damaged"),
        ("statement.json", '"total": "45150"', '"total": "45151"', "altered"),
    ):
        path = folder / file
        whole = path.read_text(encoding="utf-8")
        assert old in whole
        path.write_text(whole.replace(old, new), encoding="utf-8")
        with pytest.raises(BadInput, match=said):
            open_kept(folder)
        path.write_text(whole, encoding="utf-8")


def test_another_secret_is_told_and_not_taken_for_an_unknown_customer(home: Home, folder: Path) -> None:
    secret = home.keys / "liabilities.secret"
    before = secret.read_bytes()
    secret.write_bytes(bytes(32))
    with pytest.raises(BadInput, match="another than this proof was made with"):
        customers_proof(home, open_kept(folder), "a1")
    secret.write_bytes(before)


def test_an_account_without_a_leaf_is_told(home: Home, folder: Path) -> None:
    with pytest.raises(BadInput, match="the account 'A1' is in no tree"):
        customers_proof(home, open_kept(folder), "A1")
