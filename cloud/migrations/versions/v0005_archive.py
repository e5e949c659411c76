"""What of the journal lies in the archive, the daily trees over it, and the restore drills."""

from alembic import op
from sqlalchemy import inspect

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # The box's signature over the head; what is sealed into segments; what a box may forget.
    """
    ALTER TABLE stream
        ADD COLUMN head_sig bytea,
        ADD COLUMN head_sig_at_ms bigint,
        ADD COLUMN sealed_seq bigint NOT NULL DEFAULT -1,
        ADD COLUMN sealed_at_ms bigint,
        ADD COLUMN safe_seq bigint NOT NULL DEFAULT -1,
        ADD COLUMN safe_hash bytea,
        ADD CONSTRAINT stream_safe CHECK (safe_seq <= sealed_seq AND sealed_seq <= head_seq)""",
    # `sig` is the box's over the last entry, made at `sig_at_ms`; null where a later segment of
    # the stream bears it. `flaw`: what reading it back found wrong (a dotted code).
    """
    CREATE TABLE segment (
        stream_id bytea NOT NULL REFERENCES stream, from_seq bigint NOT NULL,
        to_seq bigint NOT NULL, prev_hash bytea NOT NULL, head_hash bytea NOT NULL,
        sig bytea, sig_at_ms bigint, object text NOT NULL, bytes bigint NOT NULL,
        sealed_at_ms bigint NOT NULL, verified_at_ms bigint, flaw text,
        PRIMARY KEY (stream_id, from_seq), CHECK (to_seq >= from_seq))""",
    "CREATE INDEX segment_unverified ON segment (stream_id) WHERE verified_at_ms IS NULL",
    # One row per signed root, in the order of their making; `inc` is the life of the database.
    """
    CREATE TABLE tree (
        n integer PRIMARY KEY, day date NOT NULL, at_ms bigint NOT NULL, inc text NOT NULL,
        size integer NOT NULL, root bytea NOT NULL, prev bytea NOT NULL,
        sig bytea NOT NULL, hq_pub bytea NOT NULL, object text NOT NULL)""",
    """
    CREATE TABLE tree_leaf (
        n integer NOT NULL REFERENCES tree, i integer NOT NULL,
        stream_id bytea NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL,
        PRIMARY KEY (n, i))""",
    "CREATE INDEX tree_leaf_stream ON tree_leaf (stream_id, seq, n)",
    # What a box signed under numbers that others have taken in this database: after a restore to
    # the past a clone's branch may come first. Their effects count by their ids all the same.
    """
    CREATE TABLE branch_entry (
        stream_id bytea NOT NULL REFERENCES stream, seq bigint NOT NULL, hash bytea NOT NULL,
        prev_hash bytea NOT NULL, store_id text NOT NULL, body bytea NOT NULL,
        PRIMARY KEY (stream_id, seq, hash))""",
    """
    CREATE TABLE restore_drill (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at_ms bigint NOT NULL,
        took_ms bigint NOT NULL, is_ok boolean NOT NULL, report jsonb NOT NULL)""",
)
TABLES = {"segment", "tree", "tree_leaf", "branch_entry", "restore_drill"}
COLUMNS = {
    "head_sig", "head_sig_at_ms", "sealed_seq", "sealed_at_ms", "safe_seq", "safe_hash",
}  # fmt: skip


def upgrade() -> None:
    """Add columns and tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    missing |= COLUMNS - {str(column["name"]) for column in found.get_columns("stream")}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
