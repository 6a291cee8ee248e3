"""What came of one check: it agrees, it differs (the first difference, with its file), or it could not be made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from junbikin.figures import Name


class Outcome(StrEnum):
    """How a check ended."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCHECKED = "not checked"

    @property
    def words(self) -> Name:
        """What it is called."""
        return Name(self.value, {"agrees": "一致", "differs": "相違", "not checked": "未検証"}[self.value])


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: of what, how many were looked at, how it ended, and what is to be told of it; `where` is a file of the pack."""

    what: Name
    outcome: Outcome
    count: int
    told: Name
    where: str = ""


NOTHING = Name("", "")


def agrees(what: Name, count: int, told: Name = NOTHING) -> Checked:
    """All of it is as it must be."""
    return Checked(what, Outcome.AGREES, count, told)


def differs(what: Name, where: str, en: str, ja: str, count: int = 0) -> Checked:
    """The first thing that is not."""
    return Checked(what, Outcome.DIFFERS, count, Name(en, ja), where)


def unchecked(what: Name, en: str, ja: str, count: int = 0) -> Checked:
    """Why it could not be looked at."""
    return Checked(what, Outcome.UNCHECKED, count, Name(en, ja))


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is looked at: its folder, and what its index says.

    From the auditor: by whose key it must be signed ("": anybody's), and the checkpoints that were kept.
    """

    folder: Path
    index: dict[str, Any]
    demanded: str = ""
    kept: tuple[Path, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """Path → SHA-256 of every file that the index lists."""
        return {file["path"]: file["sha256"] for file in self.index["files"]}

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return (self.folder / path).is_file()

    def below(self, folder: str) -> list[str]:
        """The files under a folder that the index lists and that are there."""
        return [path for path in sorted(self.digests) if path.startswith(f"{folder}/") and self.has(path)]

    def lacks(self, part: str) -> bool:
        """Whether the index says that a part is missing."""
        return any(missing["part"] == part for missing in self.index["missing"])
