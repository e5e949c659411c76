"""Where a store's box is reached by those who look after it."""

from alembic import op

revision = "0025"
down_revision = "0024"

# `address` is a host name or an IP address of the network in which IT reaches boxes.
STATEMENT = """
    CREATE TABLE store_site (
        store_id text PRIMARY KEY REFERENCES store, address text NOT NULL,
        made_at_ms bigint NOT NULL, made_by text NOT NULL)"""


def upgrade() -> None:
    """Make the table."""
    op.execute(STATEMENT)
