"""`incident`: the group, and where each of its commands lives."""

from __future__ import annotations

import click

from junbikin.cli.lazy import Lazy

_COMMANDS = {
    "open": ("junbikin.cli.incident_acts:open_", "Open an incident: cause, when it happened, when it was found."),
    "taken": ("junbikin.cli.incident_taken", "State what was taken of an asset at a place."),
    "freeze": ("junbikin.cli.incident_acts", "Freeze an asset: nothing of customers moves in it."),
    "thaw": ("junbikin.cli.incident_acts", "Ask for a frozen asset to be opened again."),
    "note": ("junbikin.cli.incident_acts", "Put a note on the timeline."),
    "state": ("junbikin.cli.incident_acts", "Say how far the incident is."),
    "reported": ("junbikin.cli.incident_acts", "State what was told to the authority, the public or customers."),
    "recovered": ("junbikin.cli.incident_taken", "State what was got back."),
    "draft": ("junbikin.cli.plans", "Write rules to begin with."),
    "plan": ("junbikin.cli.plans", "Make a plan by a rule: amounts, who pays, what stays unpaid."),
    "compare": ("junbikin.cli.plans", "Compare plans: cost, who pays, who loses what, days."),
    "ask": ("junbikin.cli.plans", "Ask for a plan to be approved."),
    "payees": ("junbikin.cli.payments", "Judge who can be paid how."),
    "pay": ("junbikin.cli.payments", "Pay an approved plan by a channel."),
    "files": ("junbikin.cli.payments", "Write the files of a run again."),
    "withdraw": ("junbikin.cli.payments", "Take back a run that was never handed in."),
    "results": ("junbikin.cli.answers", "Take in what banks and custodians answer."),
    "permission": ("junbikin.cli.permission", "Whether the loss may be made good without confirmation."),
    "dispute": ("junbikin.cli.disputes", "What customers dispute, and what two people decide."),
    "report": ("junbikin.cli.incident_reports", "What the authority or the public is told."),
    "notice": ("junbikin.cli.incident_reports", "What one customer is told."),
    "notices": ("junbikin.cli.incident_reports", "What every customer is told, as one file."),
    "show": ("junbikin.cli.incident_shown", "Show the incident with deadlines and timeline."),
    "list": ("junbikin.cli.incident_shown:list_", "List incidents."),
    "replay": ("junbikin.cli.replays", "Work known cases again under each rulebook."),
}


@click.group(cls=Lazy, table=_COMMANDS)
def incident() -> None:
    """An incident (事故・流出事案): opened, planned for, paid, reported, and kept on a timeline that only grows."""
