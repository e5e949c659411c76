"""A release that takes offers remembers which stores it brings all of them to."""

from alembic import op

revision = "0018"
down_revision = "0017"

# Stores with a line of revisions were brought theirs; no release has the number -1.
STATEMENT = """
    INSERT INTO release_draft (release_id, source, key)
    SELECT -1, 'offer.store', store_id FROM lineage"""


def upgrade() -> None:
    """Note what every store has."""
    op.execute(STATEMENT)
