"""Operators have badges, PINs that they chose themselves, and are seen at tills."""

from alembic import op
from sqlalchemy import inspect

revision = "0026"
down_revision = "0025"

# A PIN that head office sets `is_first_pin` has to be changed at the till. Of a badge's code only
# a keyed hash is kept.
STATEMENTS = (
    """
    ALTER TABLE staff
        ADD COLUMN pin_day date,
        ADD COLUMN is_first_pin boolean NOT NULL DEFAULT false,
        ADD COLUMN badge_key text,
        ADD COLUMN badge_hash text""",
    # When somebody was last at a till of a store, and when their PIN was guessed at.
    """
    CREATE TABLE staff_seen (
        store_id text NOT NULL, operator_id text NOT NULL, last_at_ms bigint,
        guessed_at_ms bigint, guessed_tries integer, PRIMARY KEY (store_id, operator_id))""",
    "CREATE INDEX staff_seen_operator ON staff_seen (operator_id)",
    # New PINs that came from tills; `is_taken`: it replaced the one that head office knew.
    """
    CREATE TABLE staff_pin_change (
        store_id text NOT NULL, entry_id uuid NOT NULL, operator_id text NOT NULL,
        at_ms bigint NOT NULL, is_taken boolean NOT NULL, PRIMARY KEY (store_id, entry_id))""",
)
TABLES = {"staff_seen", "staff_pin_change"}
COLUMNS = {"pin_day", "is_first_pin", "badge_key", "badge_hash"}


def upgrade() -> None:
    """Add tables and columns, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    missing |= COLUMNS - {str(column["name"]) for column in found.get_columns("staff")}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
