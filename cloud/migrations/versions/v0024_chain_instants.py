"""What concerns the chain and no box: instants that alert rules count days to, or from."""

from alembic import op
from sqlalchemy import inspect

revision = "0024"
down_revision = "0023"

STATEMENT = "CREATE TABLE chain_instant (rule text PRIMARY KEY, at_ms bigint NOT NULL)"


def upgrade() -> None:
    """Make the table, then check."""
    op.execute(STATEMENT)
    if "chain_instant" not in inspect(op.get_bind()).get_table_names():
        raise RuntimeError("the step left out chain_instant")
