"""Asking a node over HTTP: within a time, within a size, numbers by their digits; whatever goes wrong is said with its place."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from junbikin.custody.evidence.sources import Source
from junbikin.errors import BadInput

LARGEST_ANSWER = 64 * 2**20
"""Bytes of one answer: a full block with what it spends takes some 20 MB."""


class NodeError(BadInput):
    """A node did not answer, or that it cannot or will not; `code` is its own, or HTTP's."""

    code: int | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A source and the connection to it."""

    source: Source
    client: httpx.Client

    def text(self, path: str) -> str:
        """What a GET brings, as text."""
        return self._answer("GET", path, None)[1].strip()

    def json(self, path: str) -> Any:
        """What a GET brings, as JSON."""
        return self._read(self._answer("GET", path, None)[1])

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of a JSON-RPC call. Raises `NodeError` when the node answers an error."""
        status, body = self._answer(
            "POST", "", {"jsonrpc": "2.0", "id": method, "method": method, "params": list(parameters)}, erring=True
        )
        with understood(self.source, f"to {method}"):
            answer = self._read(body, status)
            failure = answer.get("error")
            if failure is not None:
                refusal = NodeError(
                    f"the node answers {method} with an error: {str(failure['message'])[:300]}",
                    where=self.source.where, then="look at the node, or leave it out with --source",
                )  # fmt: skip
                refusal.code = failure.get("code")
                raise refusal
            if answer["id"] != method:
                raise ValueError("an answer to another question")
            return answer["result"]

    def _answer(self, way: str, path: str, content: Any, *, erring: bool = False) -> tuple[int, str]:
        late = time.monotonic() + self.source.timeout_seconds
        try:
            with self.client.stream(way, self.source.url.rstrip("/") + path, json=content) as response:
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if time.monotonic() > late:
                        raise self._failed(f"no whole answer within {self.source.timeout_seconds} seconds")
                    if len(body) > LARGEST_ANSWER:
                        raise self._failed(f"the answer is larger than {LARGEST_ANSWER // 2**20} MB")
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise self._failed(f"no answer: {problem or type(problem).__name__}") from None
        # Bitcoin Core gives an error in JSON with the status 500, or 404; an error of a proxy before it is no JSON.
        if status in (401, 403):
            raise self._failed(f"the node does not let us in (HTTP {status})", "check the credentials of this source")
        if status != 200 and not erring:
            failure = self._failed(f"HTTP {status}: {body[:200].decode(errors='replace').strip()}")
            failure.code = status
            raise failure
        try:
            return status, body.decode()
        except UnicodeDecodeError:
            raise self._failed("the answer is not text") from None

    def _read(self, body: str, status: int = 200) -> Any:
        def never(word: str) -> None:
            raise ValueError(word)

        try:
            return json.loads(body, parse_float=Decimal, parse_constant=never)
        except (ValueError, RecursionError):
            shown = " ".join(body.split())[:100]
            raise self._failed(f"the answer is not JSON (HTTP {status}): {shown}") from None

    def _failed(self, what: str, then: str = "look at the node, or leave it out with --source") -> NodeError:
        return NodeError(what, where=self.source.where, then=then)


@contextmanager
def connected(source: Source) -> Iterator[Asking]:
    """A connection to a source. It goes there straight: no redirect, no proxy of the environment."""
    timeout = httpx.Timeout(source.timeout_seconds, connect=min(10, source.timeout_seconds))
    with httpx.Client(timeout=timeout, headers=source.authorisation(), trust_env=False) as client:
        yield Asking(source, client)


@contextmanager
def understood(source: Source, what: str) -> Iterator[None]:
    """Turns an answer of another shape than expected into a refusal that names the source."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, InvalidOperation) as problem:
        raise BadInput(
            f"the answer {what} is not understood ({type(problem).__name__}: {str(problem)[:100]})",
            where=source.where, then=f"check that this is a {source.kind} node, or leave it out with --source",
        ) from None  # fmt: skip
