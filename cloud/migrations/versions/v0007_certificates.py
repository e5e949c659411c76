"""What boxes certify when they close a day, and what head office found when it checked."""

from alembic import op
from sqlalchemy import inspect

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    # The boxes' own words, made anew by a rebuild; `last_seq` orders those of one journal.
    """
    CREATE TABLE day_certificate (
        entry_id uuid PRIMARY KEY, store_id text NOT NULL, business_date date NOT NULL,
        stream_id bytea NOT NULL, last_seq bigint NOT NULL,
        document text NOT NULL, box_sig bytea NOT NULL)""",
    "CREATE INDEX day_certificate_day ON day_certificate (store_id, business_date)",
    "CREATE INDEX day_certificate_stream ON day_certificate (stream_id, last_seq)",
    # `beside`: receipts of that store and day that other journals hold.
    """
    CREATE TABLE day_certificate_check (
        entry_id uuid PRIMARY KEY,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'agrees', 'differs')),
        flaw text, beside integer NOT NULL DEFAULT 0, hq_sig bytea, checked_at_ms bigint)""",
    """
    CREATE INDEX day_certificate_open ON day_certificate_check (state)
        WHERE state <> 'agrees'""",
)
TABLES = {"day_certificate", "day_certificate_check"}


def upgrade() -> None:
    """Add tables and indexes, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = TABLES - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
