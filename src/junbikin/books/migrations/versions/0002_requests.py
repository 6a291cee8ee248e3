"""What came of a request is found by an index: the list of requests looked through the whole log for each of them."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the index; few records are of a request."""
    op.execute("CREATE INDEX records_by_request ON books.records (request) WHERE request IS NOT NULL")
