"""What the stores' shelves and cold places told is found without reading whole journals."""

from alembic import op
from sqlalchemy import inspect

revision = "0010"
down_revision = "0009"

INDEX = "entry_shelf"


def upgrade() -> None:
    """Index the few entries about shelves and cold places."""
    op.execute(
        f"CREATE INDEX {INDEX} ON entry (at_ms DESC, store_id) WHERE type IN"
        " ('stock.counted', 'shelf.differed', 'shelf.settled',"
        " 'cold_chain.broken', 'cold_chain.restored')"
    )
    indexes = inspect(op.get_bind()).get_indexes("entry")
    if INDEX not in {str(each["name"]) for each in indexes}:
        raise RuntimeError(f"the step left out {INDEX}")
