"""Amounts on the command line: plain digits, such as a file holds them."""

from __future__ import annotations

import re
from decimal import Decimal

from junbikin.errors import BadInput
from junbikin.figures import exact


def stated(text: str, option: str) -> Decimal:
    """The amount stated. Raises `BadInput` on anything but digits, with a point and more of them if need be."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
        raise BadInput(f"{text!r} is no amount", where=option, then="write plain digits, such as 1200.5")
    return exact(text)
