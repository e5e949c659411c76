"""Releases that reach stores one by one, and desired documents made of parts."""

from alembic import op
from sqlalchemy import inspect

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # The base: what every store has beside the releases in flight. `line` is null only where it
    # was published before this step; it is read once from the published objects.
    "ALTER TABLE record_hash RENAME TO record",
    "ALTER TABLE record ADD COLUMN line bytea",
    "CREATE INDEX record_unlearnt ON record (sha256) WHERE line IS NULL",
    # Digest (hex) and number of a scope's records in the base, so that nobody adds them up again.
    """
    CREATE TABLE scope_sum (
        scope text PRIMARY KEY, digest text NOT NULL, records integer NOT NULL)""",
    # A frozen set of changes. Lines are whole records, `old_*` null for one that was not there;
    # `new_sha` null is a removal, whose line says so.
    """
    CREATE TABLE release_change (
        release_id bigint NOT NULL, scope text NOT NULL, kind text NOT NULL, key text NOT NULL,
        old_sha bytea, old_line bytea, new_sha bytea, new_line bytea NOT NULL,
        PRIMARY KEY (release_id, scope, kind, key))""",
    "CREATE INDEX release_change_key ON release_change (scope, kind, key)",
    # `flying` from the first store that it reaches until its changes are base, or gone again.
    """
    CREATE TABLE release_flight (
        release_id bigint PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('frozen', 'flying', 'settled', 'dropped')),
        at_ms bigint NOT NULL)""",
    "CREATE INDEX release_flight_open ON release_flight (release_id) WHERE state = 'flying'",
    # Which drafts went into a release: they can be given back, and the history can name it.
    """
    CREATE TABLE release_draft (
        release_id bigint NOT NULL, source text NOT NULL, key text NOT NULL,
        PRIMARY KEY (release_id, source, key))""",
    "CREATE INDEX release_draft_key ON release_draft (source, key)",
    # `rev` brought it, to be active from `at_ms` on (0: at once); `gone_rev` took it back.
    """
    CREATE TABLE release_store (
        release_id bigint NOT NULL, store_id text NOT NULL, rev integer NOT NULL,
        at_ms bigint NOT NULL,
        state text NOT NULL CHECK (state IN ('held', 'active', 'withdrawn')),
        gone_rev integer, PRIMARY KEY (release_id, store_id))""",
    "CREATE INDEX release_store_held ON release_store (store_id, at_ms) WHERE state = 'held'",
    "CREATE INDEX release_store_of ON release_store (store_id, release_id)",
    # Where a store's line of revisions ends. `now_rev` is the newest that is active (or will be
    # as soon as the box hears of it); later ones wait for their instants. `digest` and `records`
    # are those of `now_rev`; `kinds` names the newest revision that changed each kind of record.
    """
    CREATE TABLE lineage (
        store_id text PRIMARY KEY, rev integer NOT NULL,
        now_rev integer NOT NULL, inc text NOT NULL, scopes text[] NOT NULL,
        digest text NOT NULL, records integer NOT NULL, kinds jsonb NOT NULL DEFAULT '{}')""",
    """
    INSERT INTO lineage (store_id, rev, now_rev, inc, scopes, digest, records)
    SELECT DISTINCT ON (store_id) store_id, rev, rev,
           coalesce(CAST(convert_from(manifest, 'UTF8') AS jsonb)->>'inc', ''),
           ARRAY['', 'store-' || store_id], digest, records
    FROM zone_revision JOIN store ON zone = 'store-' || store_id
    ORDER BY store_id, rev DESC""",
    """
    ALTER TABLE zone_revision
        ADD COLUMN at_ms bigint NOT NULL DEFAULT 0,
        ADD COLUMN made_at_ms bigint NOT NULL DEFAULT 0,
        ADD COLUMN kinds text[] NOT NULL DEFAULT '{}'""",
    "CREATE INDEX zone_revision_manifest ON zone_revision (manifest_sha)",
    "ALTER TABLE publication ADD COLUMN release_id bigint",
    # All records of one scope with one content: stores that hold the same share it.
    """
    CREATE TABLE scope_snapshot (
        scope text NOT NULL, digest text NOT NULL, sha256 text NOT NULL,
        size bigint NOT NULL, records integer NOT NULL, PRIMARY KEY (scope, digest))""",
    # Small published objects; large ones lie in the object store.
    "CREATE TABLE piece (sha256 text PRIMARY KEY, data bytea NOT NULL)",
    # The desired document in parts, each written by one room; `doc` and `changed_rev` are read no
    # more. `changed_no` grows with every change that a box has to hear of.
    "CREATE SEQUENCE desired_changed_no",
    """
    ALTER TABLE desired
        ALTER COLUMN doc DROP NOT NULL, ALTER COLUMN changed_rev SET DEFAULT 0,
        ADD COLUMN inc text NOT NULL DEFAULT '', ADD COLUMN catalog jsonb,
        ADD COLUMN next jsonb, ADD COLUMN software jsonb, ADD COLUMN commands jsonb,
        ADD COLUMN changed_no bigint NOT NULL DEFAULT nextval('desired_changed_no'),
        ADD COLUMN changed_at_ms bigint NOT NULL DEFAULT 0""",
    "UPDATE desired SET inc = coalesce(doc->>'inc', ''), catalog = nullif(doc->'catalog', 'null')",
    "CREATE INDEX desired_changed_no_of ON desired (changed_no)",
    # The first revision that a box has stored for a later instant, and why it holds a due one.
    """
    ALTER TABLE box_state
        ADD COLUMN next_rev bigint, ADD COLUMN next_at_ms bigint, ADD COLUMN held text,
        ADD COLUMN clk smallint, ADD COLUMN gen bigint""",
)
TABLES = {
    "record", "scope_sum", "release_change", "release_flight", "release_draft", "release_store",
    "lineage", "scope_snapshot", "piece",
}  # fmt: skip
COLUMNS = {"inc", "catalog", "next", "software", "commands", "changed_no"}


def upgrade() -> None:
    """Add tables and columns, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    missing |= COLUMNS - {str(column["name"]) for column in found.get_columns("desired")}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
