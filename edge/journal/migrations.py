"""Schema of `journal.db`, forward only. `entry` is never migrated in place.

`projected` says up to which entry the tables beside `entry` are written; `anchor` keeps the last
pruned entry's number and hash, so that the chain still has a beginning; `older_copy` counts the
copies of receipts of a journal before this one.
"""

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
    """
    CREATE TABLE projected(
        one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL
    ) STRICT;
    INSERT INTO projected SELECT 1, coalesce(max(seq), -1) FROM entry;
    CREATE TABLE older_copy(receipt_no TEXT PRIMARY KEY, copies INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE note(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE anchor(
        one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    DROP TRIGGER entry_stays;
    CREATE TRIGGER entry_stays BEFORE DELETE ON entry
    WHEN OLD.seq = 0 OR OLD.seq > coalesce((SELECT up_to_seq FROM prune_permit), -1)
    BEGIN SELECT RAISE(ABORT, 'this journal entry may not be pruned'); END;
    ALTER TABLE stream ADD COLUMN series TEXT NOT NULL DEFAULT '';
    ALTER TABLE stream ADD COLUMN began_at_ms INTEGER NOT NULL DEFAULT 0
    """,
)
