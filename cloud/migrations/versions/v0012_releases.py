"""Releases: a frozen set of changes on its way to the stores, its waves, guards and events."""

from alembic import op
from sqlalchemy import inspect

revision = "0012"
down_revision = "0011"

# `plan`, `because`, `preview` and the like are read and written as one value, never searched.
STATEMENTS = (
    """
    CREATE TABLE release (
        release_id bigserial PRIMARY KEY, note text NOT NULL, state text NOT NULL CHECK (state IN (
            'review', 'rejected', 'cancelled', 'approved', 'queued', 'rolling', 'paused',
            'halted', 'rolling_back', 'rolled_back', 'done')),
        because text, created_by text NOT NULL, created_at_ms bigint NOT NULL,
        approved_by text, approved_at_ms bigint, starts_local text, plan jsonb NOT NULL,
        changes integer NOT NULL DEFAULT 0, stores integer NOT NULL DEFAULT 0,
        by_kind jsonb NOT NULL DEFAULT '{}', needs_approval jsonb NOT NULL DEFAULT '[]',
        preview jsonb NOT NULL DEFAULT '{}',
        wave integer NOT NULL DEFAULT -1, since_ms bigint NOT NULL,
        halted_by text, undoes bigint REFERENCES release)""",
    """
    CREATE INDEX release_in_flight ON release (release_id) WHERE state IN (
        'approved', 'queued', 'rolling', 'paused', 'halted', 'rolling_back')""",
    """
    CREATE TABLE release_event (
        id bigserial PRIMARY KEY, release_id bigint NOT NULL REFERENCES release,
        at_ms bigint NOT NULL, by text NOT NULL, action text NOT NULL,
        reason text NOT NULL DEFAULT '', params jsonb NOT NULL DEFAULT '{}')""",
    "CREATE INDEX release_event_of ON release_event (release_id, id)",
    # The stores of a wave are chosen when it begins; a store that joins later is of the last one.
    """
    CREATE TABLE release_wave (
        release_id bigint NOT NULL REFERENCES release, n integer NOT NULL,
        started_at_ms bigint, done_at_ms bigint, withdrawn_at_ms bigint,
        first_at_ms bigint, last_at_ms bigint, PRIMARY KEY (release_id, n))""",
    """
    CREATE TABLE release_wave_store (
        release_id bigint NOT NULL, store_id text NOT NULL, n integer NOT NULL,
        at_ms bigint NOT NULL, PRIMARY KEY (release_id, store_id))""",
    "CREATE INDEX release_wave_store_of ON release_wave_store (release_id, n)",
    # What each guard saw last; of a tripped one the evidence stays.
    """
    CREATE TABLE release_guard (
        release_id bigint NOT NULL REFERENCES release, guard text NOT NULL,
        state text NOT NULL, value bigint, at_ms bigint NOT NULL,
        evidence jsonb NOT NULL DEFAULT '[]', PRIMARY KEY (release_id, guard))""",
    # Work in the background: the recorded sales of the stores, priced again.
    """
    CREATE TABLE release_simulation (
        release_id bigint PRIMARY KEY REFERENCES release, state text NOT NULL,
        because text, done bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0,
        from_on date, to_on date, totals jsonb NOT NULL DEFAULT '[]',
        beat_at_ms bigint NOT NULL DEFAULT 0)""",
    # Append-only: the newest row counts, the others are its history.
    """
    CREATE TABLE release_policy (
        id bigserial PRIMARY KEY, document jsonb NOT NULL,
        changed_by text NOT NULL, changed_at_ms bigint NOT NULL)""",
    """
    CREATE TABLE release_guard_setting (
        id bigserial PRIMARY KEY, document jsonb NOT NULL,
        changed_by text NOT NULL, changed_at_ms bigint NOT NULL)""",
    # How sales went, by store, minute and the revision that they were priced by: what guards look
    # at. Two days are kept.
    """
    CREATE TABLE sale_signal (
        store_id text NOT NULL, minute bigint NOT NULL, rev integer NOT NULL,
        sales integer NOT NULL, lines integer NOT NULL, units bigint NOT NULL,
        zero_lines integer NOT NULL, overridden_lines integer NOT NULL,
        refunds integer NOT NULL, voids integer NOT NULL, net_minor bigint NOT NULL,
        costed_lines integer NOT NULL, costed_net_minor bigint NOT NULL,
        cost_minor bigint NOT NULL, PRIMARY KEY (store_id, minute, rev))""",
    "CREATE INDEX sale_signal_minute ON sale_signal (minute)",
)
TABLES = {
    "release", "release_event", "release_wave", "release_wave_store", "release_guard",
    "release_simulation", "release_policy", "release_guard_setting", "sale_signal",
}  # fmt: skip


def upgrade() -> None:
    """Add tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = TABLES - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
