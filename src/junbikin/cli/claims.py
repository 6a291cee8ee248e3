"""`claims`: what the approved plans owe, and how far it is paid."""

from __future__ import annotations

import click


@click.command()
@click.argument("incident", required=False)
def claims(incident: str | None) -> None:
    """Follow the claims (請求) of approved plans: paid, out, returned, kept on trust, disputed."""
