"""What offers ask of an item, and the offers themselves."""

from alembic import op
from sqlalchemy import inspect

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # A cost or a margin of nothing is a statement of its own, so null means that there is none.
    """
    ALTER TABLE item
        ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
        ADD COLUMN tax_bp integer NOT NULL DEFAULT 0 CHECK (tax_bp BETWEEN 0 AND 10000),
        ADD COLUMN is_promotable boolean NOT NULL DEFAULT true,
        ADD COLUMN min_price_minor integer NOT NULL DEFAULT 0
            CHECK (min_price_minor BETWEEN 0 AND 99999999),
        ADD COLUMN min_margin_bp integer CHECK (min_margin_bp BETWEEN 0 AND 9999),
        ADD COLUMN cost_minor integer CHECK (cost_minor BETWEEN 0 AND 99999999),
        ADD COLUMN uom text NOT NULL DEFAULT ''""",
    # Append-only: an offer is its highest version. `stores` null means all of them, also those
    # that are yet to open. `document` is canonical and says neither version nor stores.
    """
    CREATE TABLE offer_version (
        offer_id text NOT NULL, version integer NOT NULL CHECK (version > 0),
        state text NOT NULL CHECK (state IN ('active', 'ended')),
        document jsonb NOT NULL, stores text[],
        created_by text NOT NULL, created_at_ms bigint NOT NULL, reason text NOT NULL,
        PRIMARY KEY (offer_id, version))""",
    "CREATE TABLE offer_draft (offer_id text PRIMARY KEY)",
    """
    CREATE TABLE offer_publication (
        offer_id text NOT NULL, version integer NOT NULL, rev integer NOT NULL,
        PRIMARY KEY (offer_id, version))""",
)
TABLES = {"offer_version", "offer_draft", "offer_publication"}
COLUMNS = {
    "tags", "tax_bp", "is_promotable", "min_price_minor", "min_margin_bp", "cost_minor", "uom",
}  # fmt: skip


def upgrade() -> None:
    """Add columns and tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    missing |= COLUMNS - {str(column["name"]) for column in found.get_columns("item")}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
