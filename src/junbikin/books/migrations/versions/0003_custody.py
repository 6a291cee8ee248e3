"""Addresses and tokens are registered too. No table changes: rules and functions come with every migration."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing of the tables changes."""
