"""Journal lives that boxes begin by themselves, and who did what to a box."""

from alembic import op
from sqlalchemy import inspect

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # `previous` is what entry 0 names: {stream, seq, hash} of the life before.
    """
    ALTER TABLE stream
        ADD COLUMN cause text NOT NULL DEFAULT 'enrol',
        ADD COLUMN previous jsonb,
        ADD COLUMN opened_at_ms bigint NOT NULL DEFAULT 0""",
    "UPDATE stream SET cause = 'swap' WHERE ordinal > 1",
    # Append-only. No foreign key: an attempt to enrol may name no device.
    """
    CREATE TABLE fleet_event (
        id bigserial PRIMARY KEY, at_ms bigint NOT NULL, dev text NOT NULL,
        store_id text NOT NULL, action text NOT NULL, by text NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX fleet_event_dev ON fleet_event (dev, id)",
)
COLUMNS = {"cause", "previous", "opened_at_ms"}


def upgrade() -> None:
    """Add columns and a table, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = COLUMNS - {str(column["name"]) for column in found.get_columns("stream")}
    missing |= {"fleet_event"} - set(found.get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
