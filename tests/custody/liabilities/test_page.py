"""The page verifies a real proof in a real browser, offline, and says clearly when one does not hold."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junbikin.custody.liabilities.page import page_with
from junbikin.custody.liabilities.proof import Proof, fault, proof_of
from junbikin.custody.liabilities.statement import LeftOut, Total

from .browser import PROGRAM, Page, browser
from .liar import ONE, changed, leaf_of, shown, stated, unchecked
from .scene import home_with, proof_for

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium here: install the package `chromium`")
_REFUSED = """
new Promise((told) => {
  addEventListener('securitypolicyviolation', (event) => told(event.effectiveDirective), { once: true });
  fetch('https://example.com/').then(() => told('sent'), () => {});
})
"""
NASTY = "</script><img src=x onerror=alert(1)>{{ SCRIPT }} 田中"


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    balances = {(f"a{n}", "BTC"): f"{n + 1}.5" for n in range(300)} | {
        (NASTY, "BTC"): "1234567.000000000000000001",
        (NASTY, "JPY"): "500",
    }
    return proof_for(home_with(tmp_path_factory.mktemp("page") / "home", balances), NASTY)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "verify.html"
    file.write_text(page_with(None, "en"), encoding="utf-8")
    return file


def chosen(tab: Page, empty: Path, content: Any, folder: Path) -> tuple[str, str]:
    """What the page says of a proof that a customer chose."""
    file = (
        folder / f"proof-{len(list(folder.iterdir()))}.json"
    )  # a browser says nothing when the same file is chosen again
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if tab.run("location.href") != empty.as_uri():
        tab.open(empty)
    tab.choose(file)
    return tab.verdict()


def test_a_page_with_the_proof_in_it_says_what_is_owed(tab: Page, proof: Proof, tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    file.write_text(page_with(proof, "ja"), encoding="utf-8")
    tab.open(file)
    state, text = tab.verdict()
    assert state == "holds"
    assert text.startswith("あなたの残高は含まれています")
    for part in (
        NASTY,
        "1,234,567.000000000000000001",
        "500",
        proof.statement.digest,
        proof.statement.signer,
        "結び付けられていない",
    ):
        assert part in text
    tab.run("document.getElementById('en').click()")
    assert tab.verdict()[1].startswith("You are counted")


def test_a_file_that_the_customer_chooses_is_verified(tab: Page, empty: Path, proof: Proof, tmp_path: Path) -> None:
    tab.open(empty)
    assert tab.run("document.getElementById('result').hidden") is True
    state, text = chosen(tab, empty, proof.content, tmp_path)
    assert state == "holds"
    assert "You are counted" in text
    assert proof.statement.digest in text


def test_nothing_is_fetched_nothing_is_run_that_is_not_the_pages_own(tab: Page, proof: Proof, tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    file.write_text(page_with(proof, "en"), encoding="utf-8")
    tab.open(file)
    tab.verdict()
    asked = {m["params"]["request"]["url"] for m in tab.heard if m.get("method") == "Network.requestWillBeSent"}
    assert asked <= {file.as_uri()}
    assert not [m for m in tab.heard if m.get("method") in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening")]
    assert tab.run(_REFUSED) == "connect-src"
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert "connect-src" not in page_with(None, "en")
    assert "default-src 'none'" in page_with(None, "en")


def changes(proof: Proof) -> dict[str, Any]:
    """Proofs that were altered, each in one thing."""

    def altered(change: Any, *keys: Any) -> Any:
        content = copy.deepcopy(proof.content)
        holder: Any = content
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = change
        return content

    path = proof.content["balances"][0]["path"]
    return {
        "amount": altered("1234568", "balances", 0, "amount"),
        "account": altered("somebody else", "account"),
        "nonce": altered("00" * 16, "balances", 0, "nonce"),
        "sibling": altered("00" * 32, "balances", 0, "path", 3, "digest"),
        "sibling's sum": altered("1", "balances", 0, "path", 8, "amount"),
        "cut": altered(path[:-1], "balances", 0, "path"),
        "total": altered("1", "statement", "assets", 0, "total"),
        "operator": altered("Another", "statement", "operator"),
        "signature": altered("00" * 64, "statement", "signature"),
        "key": altered("00" * 32, "statement", "public_key"),
        "twice": altered(proof.content["balances"] + proof.content["balances"][:1], "balances"),
    }


def lies() -> dict[str, Proof]:
    """Proofs of an operator who signs what it likes."""
    ada, dummy, hidden = leaf_of("ada", 6 * ONE), leaf_of("nobody", 0), leaf_of("h", 2**127 - 1)
    return {
        "dummy": shown(stated(unchecked(ada, dummy)), "ada", 6 * ONE, 0, dummy),
        "overflow": shown(stated(unchecked(ada, hidden)), "ada", 6 * ONE, 0, hidden),
        "other leaf": shown(stated(unchecked(ada, ada)), "eva", 6 * ONE, 0, ada),
    }


def test_whatever_was_altered_the_page_says_so_as_the_command_does(
    tab: Page, empty: Path, proof: Proof, tmp_path: Path
) -> None:
    tried = {**changes(proof), **{name: lie.content for name, lie in lies().items() if name != "overflow"}}
    for name, content in tried.items():
        state, text = chosen(tab, empty, content, tmp_path)
        wrong = fault(proof_of(content))
        assert wrong is not None, name
        assert (state, text.splitlines()[0]) == ("fails", "The proof does not hold"), name
        assert wrong.en in text, (name, text)
        assert "owed to you" not in text


def test_what_is_no_proof_is_called_so(tab: Page, empty: Path, proof: Proof, tmp_path: Path) -> None:
    negative = copy.deepcopy(proof.content)
    negative["balances"][0]["path"][0]["amount"] = "-1"
    beyond = lies()["overflow"].content
    no_proofs: list[Any] = [negative, beyond, proof.statement.content, {}, [], None, 5, {**proof.content, "more": 1}]
    for content in no_proofs:
        state, text = chosen(tab, empty, content, tmp_path)
        assert state == "fails", content
        assert "no proof" in text or "does not hold" in text
    (tmp_path / "broken.json").write_text("{")
    tab.choose(tmp_path / "broken.json")
    assert "This is no proof" in tab.verdict()[1]


def test_a_browser_that_cannot_check_the_signature_says_so_and_how_to(tab: Page, proof: Proof, tmp_path: Path) -> None:
    file = tmp_path / "old.html"
    file.write_text(page_with(proof, "en"), encoding="utf-8")
    old = "crypto.subtle.importKey = async () => { throw new DOMException('no', 'NotSupportedError'); }"
    added = tab.ask("Page.addScriptToEvaluateOnNewDocument", source=old)["identifier"]
    tab.open(file)
    state, text = tab.verdict()
    assert state == ""
    assert "the signature was not checked" in text
    assert "junbikin verify-proof" in text
    tab.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
    none = "Object.defineProperty(globalThis, 'crypto', { value: {} })"
    added = tab.ask("Page.addScriptToEvaluateOnNewDocument", source=none)["identifier"]
    tab.open(file)
    state, text = tab.verdict()
    assert state == "fails"
    assert "This browser cannot verify" in text
    tab.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=added)


def test_what_was_left_out_stands_on_the_page_as_text(tab: Page, empty: Path, tmp_path: Path) -> None:
    statement = changed(stated(leaf_of("ada", ONE)), left_out=LeftOut(1200, "asked <b>them</b>"))
    state, text = chosen(tab, empty, shown(statement, "ada", ONE, 0).content, tmp_path)
    assert state == "holds"
    assert "1,200 rows of customer balances" in text
    assert "asked <b>them</b>" in text


@pytest.mark.parametrize(
    "said", [None, {}, {"rows": 0, "why": "x"}, {"rows": 1, "why": ""}, {"rows": 1, "why": "x", "also": 1}]
)
def test_left_out_in_another_form_is_no_proof(tab: Page, empty: Path, tmp_path: Path, said: Any) -> None:
    content = shown(stated(leaf_of("ada", ONE)), "ada", ONE, 0).content
    content["statement"] |= {"left_out": said}
    assert chosen(tab, empty, content, tmp_path)[1].startswith("This is no proof")


def test_assets_ascend_by_code_points_here_and_there(tab: Page, empty: Path, tmp_path: Path) -> None:
    """A browser compares texts by halves of code points, by which 😀 would stand before ｱ."""
    root = leaf_of("ada", ONE)
    for assets, holds in (
        (("BTC", "ｱ", "😀"), True),
        (("BTC", "😀", "ｱ"), False),
        (("BTC", "BTC", "ｱ"), False),
        (("BTC", "BT"), False),
    ):
        statement = changed(stated(root), totals=tuple(Total(asset, root) for asset in assets))
        content = shown(statement, "ada", ONE, 0).content
        assert (chosen(tab, empty, content, tmp_path)[0] == "holds") is holds
        if holds:
            assert fault(proof_of(content)) is None
        else:
            with pytest.raises(ValueError, match="contradicts itself"):
                proof_of(content)
