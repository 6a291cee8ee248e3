"""Which payees of a plan were judged last: those whom the next run pays."""

from __future__ import annotations

from pathlib import Path

from junbikin.errors import BadInput
from junbikin.incidents.pay.files import settle, writing

_NEWEST = "newest"


def keep_as_newest(above: Path, digest: str) -> None:
    """Lets the payees of a digest be those that the next run pays."""
    with writing(above / _NEWEST) as file:
        file.write(f"{digest}\n".encode())
    settle(above)


def newest(above: Path, command: str) -> str:
    """The digest of the payees judged last. Raises `BadInput` that names the command that judges when none were."""
    try:
        return (above / _NEWEST).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise BadInput("nobody has judged yet who can be paid how", where=str(above), then=f"run `{command}`") from None
