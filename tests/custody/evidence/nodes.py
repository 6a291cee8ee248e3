"""Real nodes, started from npm's packages: Bitcoin in regtest and Ethereum; and proxies that stand between them and us."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from btclib.b32 import p2wpkh
from btclib.b58 import p2pkh
from btclib.key import PubKeyData
from ecc.curves import bytes_from_prv_key_int

from junbikin.custody.evidence.sources import Source
from junbikin.facts.lake import open_lake
from junbikin.home import Home

FOLDER = Path(__file__).parents[1] / "nodes"
WEB = httpx.Client(timeout=60, trust_env=False, verify=False)  # noqa: S501 - to loopback only, without TLS


@contextmanager
def running(script: str) -> Iterator[str]:
    """The address of a node on loopback; it ends when its standard input does, whatever becomes of us."""
    if shutil.which("node") is None or not (FOLDER / "node_modules").exists():
        pytest.skip("no Node.js, or its packages are not installed: scripts/nodes installs them")
    with subprocess.Popen(
        ["node", FOLDER / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=FOLDER
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        try:
            line = node.stdout.readline()
            assert line, f"{script} did not start"
            yield f"http://127.0.0.1:{json.loads(line)['port']}"
        finally:
            node.stdin.close()
            node.wait(timeout=20)


def key(number: int) -> PubKeyData:
    """The public key of a private key."""
    return PubKeyData(bytes_from_prv_key_int(number), network="regtest")


def pkh(number: int) -> str:
    """The address, from which the node can pay, of a private key."""
    return p2pkh(key(number))


def wpkh(number: int) -> str:
    """The segwit address of a private key."""
    return p2wpkh(key(number))


@dataclass(frozen=True)
class Bitcoin:
    """Two real nodes, `a` and `b`, asked in the ways of Esplora and of Bitcoin Core."""

    url: str

    def source(self, kind: str, node: str = "a", **settings: Any) -> Source:
        """A source that asks a node."""
        return bitcoin_source(f"{self.url}/{node}/{kind}", kind, **settings)

    def does(self, what: str, **how: Any) -> dict[str, Any]:
        """Mines, pays, feeds or reorganises."""
        answer = WEB.post(f"{self.url}/control/{what}", json=how)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def mine(self, count: int = 1, **how: Any) -> int:
        """Mines on `a`; returns the height."""
        return int(self.does("mine", node="a", count=count, **how)["height"])

    def pay(self, to: str, satoshi: int, source: int = 1, node: str = "a") -> int:
        """Pays and mines the payment in; returns the height."""
        return int(self.does("pay", node=node, to=to, value=satoshi, **{"from": source})["height"])


def bitcoin_source(url: str, kind: str, **settings: Any) -> Source:
    """A source in regtest, the newest block taken as it is."""
    given = {"name": kind, "confirmations": 1, "newest_block_minutes": 600, "behind_blocks": 2, "timeout_seconds": 20}
    return Source(kind=kind, network="bitcoin-regtest", url=url, **{**given, **settings})


@dataclass(frozen=True)
class Ethereum:
    """A real node with rich accounts of its own."""

    url: str

    def source(self, url: str = "", **settings: Any) -> Source:
        """A source that asks it, or a proxy before it."""
        given = {"name": "hardhat", "network": "ethereum:31337", "confirmations": 1, "newest_block_minutes": 600}
        limits = {"behind_blocks": 10, "timeout_seconds": 20}
        return Source(kind="ethereum", url=url or self.url, **{**given, **limits, **settings})

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of a JSON-RPC call."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = WEB.post(self.url, json=body).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, **transaction: str) -> dict[str, Any]:
        """Sends a transaction from the first account; it is mined at once. Returns its receipt."""
        sender = self.call("eth_accounts")[0]
        receipt: dict[str, Any] = self.call(
            "eth_getTransactionReceipt", self.call("eth_sendTransaction", {"from": sender, **transaction})
        )
        return receipt


PAUSE = b"<pause>"
"""Where it stands in an answer, the server waits a little."""
Answer = Callable[[str, str, bytes], tuple[int, bytes]]
"""Method, path and what was asked → status and answer."""
Alter = Callable[[str, bytes, int, bytes], tuple[int, bytes]]
"""Path, what was asked, status and answer → what a proxy answers instead."""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server on loopback that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = answer(self.command, self.path, asked)
            with suppress(ConnectionError):  # whoever asked may have gone
                self.send_response(status)
                self.send_header("content-length", str(len(body.replace(PAUSE, b""))))
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.end_headers()
                for part in re.split(PAUSE, body):
                    self.wfile.write(part)
                    self.wfile.flush()
                    time.sleep(0.3 if PAUSE in body else 0)

        do_GET = do_POST = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def proxy(to: str, alter: Alter) -> AbstractContextManager[str]:
    """The address of a server that passes everything on, and alters the answers."""

    def answer(method: str, path: str, asked: bytes) -> tuple[int, bytes]:
        real = WEB.request(method, to + path, content=asked)
        return alter(path, asked, real.status_code, real.content)

    return serving(answer)


def stated(home: Home) -> list[dict[str, Any]]:
    """The statements in the lake, by place, asset and source; instants in UTC as text."""
    files = [
        str(home.facts / segment.file)
        for segments in open_lake(home).days("statements").values()
        for segment in segments
    ]
    if not files:
        return []
    found = duckdb.connect().execute(
        "SELECT * REPLACE (strftime(stated_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') AS stated_at) "
        "FROM read_parquet(?) ORDER BY as_of, location_id, asset, source", [files],
    )  # fmt: skip
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
