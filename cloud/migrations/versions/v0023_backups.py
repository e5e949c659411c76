"""Backups: runs over the database, and what boxes handed in."""

from alembic import op

revision = "0023"
down_revision = "0022"

STATEMENTS = (
    # `base`: a backup was made; `drill`: one was restored and compared. `reaches_ms` (UTC): the
    # instant that it stands for.
    """
    CREATE TABLE backup_run (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('base', 'drill')),
        at_ms bigint NOT NULL, took_ms bigint NOT NULL, is_ok boolean NOT NULL,
        name text NOT NULL, bytes bigint NOT NULL, reaches_ms bigint, report jsonb NOT NULL)""",
    "CREATE INDEX backup_run_newest ON backup_run (kind, at_ms DESC)",
    # `stick` is how the box's own backups on its stick fare: ok, off, or a dotted code.
    """
    CREATE TABLE box_backup (
        dev text NOT NULL REFERENCES device, at_ms bigint NOT NULL, name text NOT NULL,
        bytes bigint NOT NULL, stick text NOT NULL, PRIMARY KEY (dev, at_ms))""",
)


def upgrade() -> None:
    """Make the two tables."""
    for statement in STATEMENTS:
        op.execute(statement)
