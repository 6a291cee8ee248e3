"""`sources.toml` states every setting; what is missing, unknown, impossible or does not fit together is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from junbikin.custody.evidence.sources import sources
from junbikin.errors import BadInput
from junbikin.home import Home, create_home

WHOLE = {
    "kind": '"core"', "network": '"bitcoin"', "url": '"http://127.0.0.1:8332/wallet"', "confirmations": "6",
    "newest_block_minutes": "120", "behind_blocks": "2", "timeout_seconds": "900",
}  # fmt: skip


def written(home: Home, name: str = "core-1", **settings: str) -> Home:
    lines = (f"{key} = {value}" for key, value in {**WHOLE, **settings}.items() if value)
    (home.path / "sources.toml").write_text("\n".join([f"[{name}]", *lines]), encoding="utf-8")
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "Example")


def test_a_source_is_as_it_is_written(home: Home) -> None:
    [source] = sources(written(home, credentials='"CORE_1"'))
    assert (source.name, source.kind, source.network, source.confirmations) == ("core-1", "core", "bitcoin", 6)
    assert source.where == "source core-1 (bitcoin) at http://127.0.0.1:8332"


@pytest.mark.parametrize("setting", WHOLE)
def test_no_setting_has_a_hidden_default(home: Home, setting: str) -> None:
    with pytest.raises(BadInput, match=f"the setting '{setting}' is missing") as refusal:
        sources(written(home, **{setting: ""}))
    assert refusal.value.where.endswith("sources.toml, [core-1]")
    assert refusal.value.then.startswith(f"add {setting} = ")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kind", '"electrum"'), ("kind", "1"), ("network", '"dogecoin"'), ("network", '"ethereum"'), ("url", '"127.0.0.1:8332"'),
        ("url", '"http://user:word@127.0.0.1:8332"'), ("url", '"ftp://127.0.0.1"'), ("url", '"http://node/?key=1"'), ("confirmations", "0"),
        ("confirmations", '"6"'), ("confirmations", "true"), ("behind_blocks", "-1"), ("timeout_seconds", "1.5"),
        ("credentials", '"user:word"'), ("network", '"ethereum:1"'), ("colour", '"red"'),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_refused_with_what_is(home: Home, setting: str, value: str) -> None:
    with pytest.raises(BadInput) as refusal:
        sources(written(home, **{setting: value}))
    assert "[core-1]" in refusal.value.where
    assert refusal.value.then


def test_a_file_that_is_missing_or_broken_is_refused(home: Home) -> None:
    with pytest.raises(BadInput, match="no node is named"):
        sources(home)
    (home.path / "sources.toml").write_text("[core-1\n")
    with pytest.raises(BadInput, match="cannot be read"):
        sources(home)
    with pytest.raises(BadInput, match="names no source"):
        sources(written(home, '"Core 1"'))
