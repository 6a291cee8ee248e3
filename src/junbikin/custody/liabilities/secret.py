"""The secret of a home that makes leaves unguessable (秘密値): every leaf has a nonce that only its customer is told.

Nonces are worked from one secret (AES-256-CMAC of context and account), so that the same facts give the same roots, and
no nonce needs to be stored.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from junbikin.errors import BadInput
from junbikin.home import Home

SECRET_FILE = "liabilities.secret"  # noqa: S105 - a file's name
SECRET = 32
"""Bytes of the secret."""


def secret_of(home: Home) -> bytes:
    """The home's secret, made when it is first asked for. Raises `BadInput` when its file is not one."""
    path = home.keys / SECRET_FILE
    if not path.exists():
        _make(path)
    secret = path.read_bytes()
    if len(secret) != SECRET:
        raise BadInput(
            f"the secret of the proofs has {len(secret)} bytes and not {SECRET}", where=str(path),
            then="put it back from a backup: without it no customer's proof of an earlier day can be made",
        )  # fmt: skip
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent)  # readable by the owner alone
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(SECRET))
            stream.flush()
            os.fsync(stream.fileno())
        os.link(fresh, path)  # whole or not at all, and never in place of another
    except FileExistsError:
        pass  # somebody else made it meanwhile
    finally:
        Path(fresh).unlink()


def nonce(secret: bytes, within: bytes, account: str) -> bytes:
    """The nonce of an account's leaf in the tree of a context. In columns: `nonces.nonces`."""
    return _mac(secret, within + account.encode())


def mark_of(secret: bytes) -> str:
    """By which a secret is known again; it gives nothing of it away."""
    return _mac(secret, b"mark").hex()


def _mac(secret: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(secret))
    mac.update(message)
    return mac.finalize()
