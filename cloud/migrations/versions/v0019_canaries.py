"""Boxes tell their model and what they can read; large objects are counted, to be let go."""

from alembic import op

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    # `model`: kind of hardware, "" unknown. `reads`: the newest version of a manifest that the
    # box's software can read, null until it says.
    """
    ALTER TABLE box_state ADD COLUMN model text NOT NULL DEFAULT '',
        ADD COLUMN reads integer""",
    # Published objects that lie in the object store; `unnamed_at_ms` since when no manifest names
    # one (null: one does).
    """
    CREATE TABLE large_piece (
        sha256 text PRIMARY KEY, made_at_ms bigint NOT NULL, unnamed_at_ms bigint)""",
    "CREATE INDEX large_piece_unnamed ON large_piece (unnamed_at_ms)",
    # What older versions stored: what manifests or snapshots name and the database does not hold.
    """
    INSERT INTO large_piece (sha256, made_at_ms)
    SELECT DISTINCT named.sha256, 0 FROM (
        SELECT sha256 FROM scope_snapshot
        UNION ALL
        SELECT CASE jsonb_typeof(piece) WHEN 'array' THEN piece->>2 ELSE piece->>'sha256' END
        FROM (SELECT CAST(convert_from(manifest, 'UTF8') AS jsonb) AS told
              FROM zone_revision) made
        CROSS JOIN LATERAL jsonb_array_elements(
            coalesce(told->'snapshots', jsonb_build_array(told->'snapshot'))
            || coalesce(told->'deltas', '[]')) piece) named
    WHERE named.sha256 IS NOT NULL
      AND NOT EXISTS (SELECT FROM piece WHERE piece.sha256 = named.sha256)""",
    # The guard was named after refunds, which no till has: it counts what is voided or paid out.
    "UPDATE release_guard SET guard = 'voids' WHERE guard = 'refunds'",
    "UPDATE release SET because = 'voids' WHERE because = 'refunds'",
    """
    UPDATE release SET halted_by = replace(halted_by, 'refunds', 'voids')
    WHERE halted_by LIKE '%refunds'""",
    """
    UPDATE release_guard_setting SET document = CAST(
        replace(CAST(document AS text), '"refunds"', '"voids"') AS jsonb)""",
)


def upgrade() -> None:
    """Add the columns and count what is there."""
    for statement in STATEMENTS:
        op.execute(statement)
