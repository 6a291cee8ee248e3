"""The page (検証ページ): one HTML file that verifies a customer's proof in a browser, offline, with nothing installed."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from importlib.resources import files

from junbikin.custody.liabilities.proof import Proof


def page_with(proof: Proof | None, lang: str) -> str:
    """The page, in a language at first, with a proof in it or with none: then the customer chooses the file.

    Its policy lets only its own script run, by digest, and lets nothing be fetched or sent.
    """
    folder = files("junbikin.custody.liabilities") / "html"
    script = (folder / "verify.js").read_text(encoding="utf-8")
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    inside = json.dumps(proof.content if proof else None, ensure_ascii=False).replace("<", "\\u003c")
    html = (folder / "page.html").read_text(encoding="utf-8")
    content = {"LANG": lang, "DIGEST": digest, "PROOF": inside, "SCRIPT": script}
    return re.sub(r"\{\{ ([A-Z]+) \}\}", lambda place: content[place[1]], html)
