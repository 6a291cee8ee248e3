"""The nodes that are asked: `sources.toml` in the home, one table each, every setting written out."""

from __future__ import annotations

import base64
import os
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from junbikin.errors import BadInput
from junbikin.home import Home
from junbikin.registry.addresses import BITCOIN, ETHEREUM

FILE = "sources.toml"
KINDS = {"esplora": "bitcoin", "core": "bitcoin", "ethereum": "ethereum"}
"""What a node speaks, and on which family of networks."""


@dataclass(frozen=True, slots=True)
class Source:
    """One node, as `sources.toml` states it.

    `confirmations` counts the block that is read: 1 is the newest. A node whose newest block is older than
    `newest_block_minutes`, or that is more than `behind_blocks` behind another of its network, lags and is refused.
    """

    name: str
    kind: str
    network: str
    url: str
    confirmations: int
    newest_block_minutes: int
    behind_blocks: int
    timeout_seconds: int
    credentials: str = ""

    @property
    def shown(self) -> str:
        """Its address without path and without what lets one in: hosted nodes put a key there."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"source {self.name} ({self.network}) at {self.shown}"

    def authorisation(self) -> dict[str, str]:
        """The header that lets one in, from the environment variable named by `credentials`."""
        if not self.credentials:
            return {}
        secret = os.environ.get(self.credentials, "")
        if not secret:
            raise BadInput(
                f"the environment variable {self.credentials} is not set",
                where=self.where, then="set it to user:password, or to a token",
            )  # fmt: skip
        basic = "Basic " + base64.b64encode(secret.encode()).decode()
        return {"Authorization": basic if ":" in secret else f"Bearer {secret}"}


_NUMBERS = {
    "confirmations": "6 (Bitcoin), 32 (Ethereum)",
    "newest_block_minutes": "120 (Bitcoin), 5 (Ethereum)",
    "behind_blocks": "2 (Bitcoin), 10 (Ethereum)",
    "timeout_seconds": "30, or 900 for a Bitcoin Core node, which looks through every unspent output",
}
_SETTINGS = ("kind", "network", "url", *_NUMBERS)


def sources(home: Home) -> list[Source]:
    """Every source of the home. Raises `BadInput` when there are none, or one is not stated in full."""
    file = home.path / FILE
    try:
        stated = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise BadInput(
            "no node is named that could be asked", where=str(file), then="write it; docs/evidence.md shows how"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(f"the sources cannot be read: {problem}", where=str(file), then="mend that line") from None
    return [_source(name, settings, f"{file}, [{name}]") for name, settings in stated.items()]


def _source(name: str, settings: Any, where: str) -> Source:
    if not isinstance(settings, dict) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
        raise BadInput(f"{name!r} names no source", where=where, then="write a table such as [core-1]")
    unknown = [key for key in settings if key not in (*_SETTINGS, "credentials")]
    missing = [key for key in _SETTINGS if key not in settings]
    if unknown:
        raise BadInput(f"unknown setting {unknown[0]!r}", where=where, then="the settings are " + ", ".join(_SETTINGS))
    if missing:
        raise BadInput(
            f"the setting {missing[0]!r} is missing", where=where, then=f"add {missing[0]} = {_like(missing[0])}"
        )
    for key, value in settings.items():
        if not _possible(key, value):
            raise BadInput(f"{key} = {value!r} is not possible", where=where, then=f"write it like {_like(key)}")
    if not settings["network"].startswith(KINDS[settings["kind"]]):
        raise BadInput(
            f"a {settings['kind']} node is not of {settings['network']}",
            where=where,
            then="write another kind or network",
        )
    return Source(name, **settings)


def _possible(key: str, value: Any) -> bool:
    if key in _NUMBERS:
        return type(value) is int and (value >= 0 if key == "behind_blocks" else value >= 1) and value <= 1_000_000
    if not isinstance(value, str):
        return False
    if key == "kind":
        return value in KINDS
    if key == "network":
        return value in BITCOIN or bool(ETHEREUM.fullmatch(value))
    if key == "url":
        return bool(re.fullmatch(r"https?://[^\s@/?#]+(/[^\s?#]*)?", value))
    return bool(re.fullmatch(r"[A-Z][A-Z0-9_]*", value))


def _like(key: str) -> str:
    examples = {
        "kind": " or ".join(f'"{kind}"' for kind in KINDS),
        "network": '"bitcoin" or "ethereum:1"',
        "url": '"http://127.0.0.1:8332", without a password',
        "credentials": '"CORE_1", the environment variable with user:password',
    }
    return {**_NUMBERS, **examples}[key]
