"""Where the files of an incident are, in the home."""

from __future__ import annotations

from pathlib import Path

from junbikin.home import Home


def incident_folder(home: Home, incident: str) -> Path:
    """Everything of one incident."""
    return home.path / "incidents" / incident


def plan_folder(home: Home, incident: str, name: str) -> Path:
    """A compensation plan: its rule, its document, everyone's amount."""
    return incident_folder(home, incident) / "plans" / name


def payees_folder(home: Home, incident: str, plan: str) -> Path:
    """Who can be paid how of the plan with a digest, each judging in a folder of its own."""
    return incident_folder(home, incident) / "payees" / plan[:12]


def runs_folder(home: Home, incident: str, plan: str) -> Path:
    """The runs in which the plan with a digest is paid, each in a folder of its own."""
    return incident_folder(home, incident) / "payouts" / plan[:12]


def documents_folder(home: Home, incident: str) -> Path:
    """Reports as they were given, and evidence of disputes."""
    return incident_folder(home, incident) / "documents"


def answers_folder(home: Home, incident: str) -> Path:
    """Answers of banks and custodians that were refused, each with why."""
    return incident_folder(home, incident) / "answers"
