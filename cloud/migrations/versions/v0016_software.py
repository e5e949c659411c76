"""Software releases for the boxes, their rollouts in waves, and what each box says it runs."""

from alembic import op
from sqlalchemy import inspect

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    # `wheels`: [{name, sha256, size, arch}]; the bytes are objects.
    """
    CREATE TABLE software (
        version text PRIMARY KEY, python text NOT NULL, requires text NOT NULL,
        vectors text NOT NULL, notes text NOT NULL, wheels jsonb NOT NULL,
        added_by text NOT NULL, added_at_ms bigint NOT NULL)""",
    # `id` is the number in the signed description; `percents` the growing shares of the waves;
    # `wave` counts from 0, -1 before the first; `quiet_at_ms` since when all of the wave are done.
    """
    CREATE TABLE software_rollout (
        id bigserial PRIMARY KEY, version text NOT NULL REFERENCES software,
        sha256 text NOT NULL, sig text NOT NULL, percents integer[] NOT NULL,
        soak_s integer NOT NULL, hours text NOT NULL, note text NOT NULL,
        state text NOT NULL CHECK (state IN ('rolling', 'halted', 'done', 'cancelled')),
        because text NOT NULL DEFAULT '', wave integer NOT NULL DEFAULT -1,
        wave_at_ms bigint, quiet_at_ms bigint,
        created_by text NOT NULL, created_at_ms bigint NOT NULL, ended_at_ms bigint)""",
    # Two versions on their way at once would be told apart by nobody at three in the morning.
    """
    CREATE UNIQUE INDEX software_rolling ON software_rollout ((true))
        WHERE state IN ('rolling', 'halted')""",
    # Which wave a store is dealt to; `brought_at_ms` null until its wave began. `is_excused`: it
    # had failed when a person let the rollout go on.
    """
    CREATE TABLE software_target (
        rollout_id bigint NOT NULL REFERENCES software_rollout, store_id text NOT NULL,
        wave integer NOT NULL, brought_at_ms bigint, is_excused boolean NOT NULL DEFAULT false,
        PRIMARY KEY (rollout_id, store_id))""",
    """
    CREATE TABLE software_event (
        id bigserial PRIMARY KEY, rollout_id bigint NOT NULL REFERENCES software_rollout,
        at_ms bigint NOT NULL, by text NOT NULL, what text NOT NULL,
        reason text NOT NULL DEFAULT '', evidence jsonb NOT NULL DEFAULT '[]')""",
    "CREATE INDEX software_event_of ON software_event (rollout_id, id)",
    # The newest word of each box; `since_ms` is the box's own time, `at_ms` when it came.
    """
    CREATE TABLE software_state (
        dev text PRIMARY KEY, running text NOT NULL, wanted text NOT NULL, state text NOT NULL,
        since_ms bigint NOT NULL, error text, trusted text NOT NULL, at_ms bigint NOT NULL)
        WITH (fillfactor = 70)""",
)
TABLES = (
    "software",
    "software_rollout",
    "software_target",
    "software_event",
    "software_state",
)


def upgrade() -> None:
    """Add the tables; none of them depends on what is there."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = set(TABLES) - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
