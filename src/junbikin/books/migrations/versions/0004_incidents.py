"""Incidents, frozen assets and claims are on record too. No table changes: rules and functions come with every migration."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing of the tables changes."""
