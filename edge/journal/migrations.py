"""Schema of `journal.db`, forward only. `entry` is never migrated in place."""

from __future__ import annotations

from edge.journal.members import count_members
from edge.sqlite import Step

MIGRATIONS: tuple[Step, ...] = (
    """
    CREATE TABLE stream(
        stream_id BLOB PRIMARY KEY, ordinal INTEGER NOT NULL, genesis BLOB NOT NULL,
        closed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE entry(
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
        body BLOB NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE prune_permit(
        one INTEGER PRIMARY KEY CHECK (one = 1), up_to_seq INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'a journal entry is never changed'); END;
    CREATE TRIGGER entry_stays BEFORE DELETE ON entry
    WHEN OLD.seq > coalesce((SELECT up_to_seq FROM prune_permit), -1)
    BEGIN SELECT RAISE(ABORT, 'this journal entry may not be pruned'); END;
    CREATE TABLE watermark(
        name TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE boot(
        one INTEGER PRIMARY KEY CHECK (one = 1), ordinal INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sale(
        lane INTEGER NOT NULL, number INTEGER NOT NULL, biz TEXT NOT NULL, seq INTEGER NOT NULL,
        copies INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (lane, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE z(
        biz TEXT NOT NULL, till TEXT NOT NULL, report TEXT NOT NULL,
        PRIMARY KEY (biz, till)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE day(
        one INTEGER PRIMARY KEY CHECK (one = 1), biz TEXT NOT NULL, shift TEXT NOT NULL,
        is_open INTEGER NOT NULL
    ) STRICT
    """,
    count_members,
)
