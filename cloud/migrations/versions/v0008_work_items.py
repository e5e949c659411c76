"""What people at headquarters have to look at, and what they did about it."""

from alembic import op
from sqlalchemy import inspect

revision = "0008"
down_revision = "0007"

# Open items are read from where they arise; only what people said and did is stored here. `item`
# names the subject, such as "entry:<stream>:<seq>".
STATEMENTS = (
    """
    CREATE TABLE work_note (
        id bigserial PRIMARY KEY, item text NOT NULL, at_ms bigint NOT NULL,
        by text NOT NULL, note text NOT NULL)""",
    "CREATE INDEX work_note_item ON work_note (item, id)",
    # A copy of what the item said: posting an entry anew clears its flag.
    """
    CREATE TABLE work_done (
        item text PRIMARY KEY, kind text NOT NULL, store_id text, code text NOT NULL,
        at_ms bigint NOT NULL, how text NOT NULL CHECK (how IN ('done', 'reposted')),
        done_at_ms bigint NOT NULL, by text NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX work_done_newest ON work_done (done_at_ms DESC)",
    # Open items are counted every minute by every console: what is rare is found by its rarity.
    "CREATE INDEX segment_flawed ON segment (stream_id) WHERE flaw IS NOT NULL",
    "CREATE INDEX stream_forked ON stream (stream_id) WHERE status = 'fork'",
    # The few entries that a box brought out of another journal: an export looks for them.
    "CREATE INDEX entry_salvaged ON entry (store_id) WHERE type = 'entry.salvaged'",
)
TABLES = {"work_note", "work_done"}


def upgrade() -> None:
    """Add tables and an index, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = TABLES - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
