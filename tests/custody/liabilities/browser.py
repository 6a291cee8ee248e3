"""A real browser, driven over its own pipe: opens a page, chooses a file on it, and says what stands there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
_START = """
import fcntl, os, sys  # the browser reads from descriptor 3 and writes to 4
ours, its = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(ours, 3), os.dup2(its, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_SECONDS = 30


@dataclass
class Page:
    """One tab of the browser, under the DevTools protocol."""

    to: IO[bytes]
    back: IO[bytes]
    session: str = ""
    number: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers; events that come before are kept in `heard`."""
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        self.to.write(
            json.dumps({"id": self.number, "method": method, "params": parameters, **session}).encode() + b"\0"
        )
        self.to.flush()
        while True:
            message = self._next()
            if message.get("id") == self.number:
                assert "error" not in message, message
                found: dict[str, Any] = message["result"]
                return found
            self.heard.append(message)

    def _next(self) -> dict[str, Any]:
        content = bytearray()
        while (byte := self.back.read(1)) != b"\0":
            assert byte, "the browser went away"
            content += byte
        message: dict[str, Any] = json.loads(content)
        return message

    def run(self, script: str) -> Any:
        """The value of a script on the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, file: Path) -> None:
        """Opens a file as a page."""
        self.heard.clear()
        self.ask("Page.navigate", url=file.as_uri())
        self._until("document.readyState == 'complete' && location.href == " + json.dumps(file.as_uri()))

    def choose(self, file: Path) -> None:
        """Chooses a file as a person does."""
        self.run("document.getElementById('result').hidden = true")
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def verdict(self) -> tuple[str, str]:
        """How the result is marked, and all that is to be read in it."""
        self._until("!document.getElementById('result').hidden")
        state, text = self.run(
            "[document.getElementById('result').className, document.getElementById('result').innerText]"
        )
        return state, text

    def _until(self, condition: str) -> None:
        end = time.monotonic() + _SECONDS
        while not self.run(condition):
            assert time.monotonic() < end, f"not within {_SECONDS} s: {condition}"
            time.sleep(0.02)


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A page in a new browser, which is stopped when it is left."""
    assert PROGRAM
    (read_ours, write_ours), (read_its, write_its) = os.pipe(), os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(read_ours), str(write_its), PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(read_ours, write_its), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read_ours)
    os.close(write_its)
    try:
        with os.fdopen(write_ours, "wb") as to, os.fdopen(read_its, "rb") as back:
            page = Page(to, back)
            target = page.ask("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for part in ("Page", "Runtime", "DOM", "Network", "Log"):
                page.ask(f"{part}.enable")
            page.ask(
                "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
            )
            yield page
    finally:
        process.terminate()
        process.wait(10)
