"""How the boxes feel, what they are told to do, alerts, maintenance windows and notes."""

from alembic import op
from sqlalchemy import inspect

revision = "0013"
down_revision = "0012"

# One column for each number that a box tells, the same in the newest row and in the hours.
STATEMENTS = (
    # The newest word of each box. `at_ms` is when it came, `told_at_ms` the box's own time.
    # Rewritten once a minute for each box: room on the page keeps that off the indexes.
    """
    CREATE TABLE telemetry (
        dev text PRIMARY KEY, store_id text NOT NULL, at_ms bigint NOT NULL,
        told_at_ms bigint NOT NULL, uptime_s bigint NOT NULL,
        disk_free_mb bigint NOT NULL, disk_size_mb bigint NOT NULL, clk smallint NOT NULL,
        queue bigint NOT NULL, wear_percent integer, temperature_mc integer,
        is_undervolted boolean, clock_off_ms bigint, memory_mb integer, load_milli integer,
        certificate_days integer, scan_p50_ms integer, scan_p99_ms integer,
        sync_p50_ms integer, sync_p99_ms integer, scans bigint NOT NULL,
        devices jsonb NOT NULL) WITH (fillfactor = 60)""",
    # One row for each box and hour, in one partition for each day: old days are dropped whole.
    """
    CREATE TABLE telemetry_hour (
        hour_ms bigint NOT NULL, store_id text NOT NULL, dev text NOT NULL,
        samples integer NOT NULL, disk_free_mb_min bigint NOT NULL, queue_max bigint NOT NULL,
        wear_percent_max integer, temperature_mc_max integer, undervolted integer NOT NULL,
        clk_min smallint NOT NULL, clock_off_ms_max bigint, memory_mb_max integer,
        load_milli_max integer, scan_p50_ms_max integer, scan_p99_ms_max integer,
        sync_p50_ms_max integer, sync_p99_ms_max integer, scans bigint NOT NULL,
        PRIMARY KEY (dev, hour_ms)) PARTITION BY RANGE (hour_ms)""",
    # What differs from the rule's own figures; a rule without a row has those.
    """
    CREATE TABLE alert_rule (
        rule text PRIMARY KEY, is_on boolean NOT NULL, open_at bigint NOT NULL,
        close_at bigint NOT NULL, hold_s integer NOT NULL,
        changed_by text NOT NULL, changed_at_ms bigint NOT NULL)""",
    # `pending`: beyond the threshold, but not for long enough. `calm_since_ms`: since when it is
    # well again, while that has not been for long enough.
    """
    CREATE TABLE alert (
        id bigserial PRIMARY KEY, dev text NOT NULL, store_id text NOT NULL, rule text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'open', 'acknowledged', 'closed')),
        since_ms bigint NOT NULL, opened_at_ms bigint, calm_since_ms bigint,
        value bigint NOT NULL, worst bigint NOT NULL, detail text NOT NULL DEFAULT '',
        acknowledged_by text, acknowledged_at_ms bigint, note text NOT NULL DEFAULT '',
        closed_at_ms bigint, closed_because text)""",
    "CREATE UNIQUE INDEX alert_once ON alert (dev, rule) WHERE state <> 'closed'",
    "CREATE INDEX alert_newest ON alert (opened_at_ms DESC, id DESC)",
    "CREATE INDEX alert_store ON alert (store_id, opened_at_ms DESC)",
    # What is to be told outside; rows go once they are delivered, or given up.
    """
    CREATE TABLE alert_notice (
        id bigserial PRIMARY KEY, body jsonb NOT NULL, made_at_ms bigint NOT NULL,
        tries integer NOT NULL DEFAULT 0, due_at_ms bigint NOT NULL,
        error text NOT NULL DEFAULT '')""",
    "CREATE INDEX alert_notice_due ON alert_notice (due_at_ms)",
    # `is_standing`: it is in the box's desired document, until the box has said what became of it.
    """
    CREATE TABLE command (
        id text PRIMARY KEY, dev text NOT NULL REFERENCES device, store_id text NOT NULL,
        kind text NOT NULL, args jsonb NOT NULL, asked_by text NOT NULL, reason text NOT NULL,
        asked_at_ms bigint NOT NULL, not_after_ms bigint NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN
            ('waiting', 'done', 'failed', 'refused', 'expired', 'cancelled')),
        is_standing boolean NOT NULL DEFAULT true,
        code text NOT NULL DEFAULT '', detail text NOT NULL DEFAULT '',
        object text NOT NULL DEFAULT '', object_size bigint NOT NULL DEFAULT 0,
        done_at_ms bigint, heard_at_ms bigint)""",
    # What a box handed in for a command, gzip; gone after a month.
    "CREATE TABLE command_log (id text PRIMARY KEY, at_ms bigint NOT NULL, data bytea NOT NULL)",
    "CREATE INDEX command_log_old ON command_log (at_ms)",
    "CREATE INDEX command_newest ON command (asked_at_ms DESC, id)",
    "CREATE INDEX command_of ON command (dev, asked_at_ms DESC)",
    "CREATE INDEX command_standing ON command (dev) WHERE is_standing",
    # Once: from_ms to to_ms. Weekly: on these days (1 Monday to 7 Sunday), "HH:MM" to "HH:MM" at
    # the store. For one store, one group, or all ("").
    """
    CREATE TABLE maintenance_window (
        id bigserial PRIMARY KEY,
        target text NOT NULL CHECK (target IN ('all', 'group', 'store')),
        target_id text NOT NULL, from_ms bigint, to_ms bigint,
        days smallint[] NOT NULL DEFAULT '{}',
        from_local text NOT NULL DEFAULT '', to_local text NOT NULL DEFAULT '',
        note text NOT NULL, made_by text NOT NULL, made_at_ms bigint NOT NULL,
        ended_by text, ended_at_ms bigint)""",
    "CREATE INDEX maintenance_window_live ON maintenance_window (id) WHERE ended_at_ms IS NULL",
    """
    CREATE TABLE store_note (
        id bigserial PRIMARY KEY, store_id text NOT NULL REFERENCES store, at_ms bigint NOT NULL,
        by text NOT NULL, note text NOT NULL, removed_by text, removed_at_ms bigint)""",
    "CREATE INDEX store_note_of ON store_note (store_id, id DESC)",
)
TABLES = {
    "telemetry", "telemetry_hour", "alert_rule", "alert", "alert_notice", "command",
    "command_log", "maintenance_window", "store_note",
}  # fmt: skip


def upgrade() -> None:
    """Add tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = TABLES - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
