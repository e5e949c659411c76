"""Find the journal entry of a sale by store and instant, so that baskets can be priced again."""

from alembic import op
from sqlalchemy import inspect

revision = "0004"
down_revision = "0003"

INDEX = "entry_sale_at"


def upgrade() -> None:
    """Add the index, then check."""
    op.execute(f"CREATE INDEX {INDEX} ON entry (store_id, at_ms) WHERE type = 'sale.completed'")
    found = {str(index["name"]) for index in inspect(op.get_bind()).get_indexes("entry")}
    if INDEX not in found:
        raise RuntimeError(f"the step left out {INDEX}")
