"""Schema of `desk.db`: open baskets, screens, print jobs, sessions. Forward only."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE lane(
        lane INTEGER PRIMARY KEY, seq INTEGER NOT NULL, state BLOB NOT NULL, pending_key TEXT
    ) STRICT;
    CREATE TABLE result(
        n INTEGER PRIMARY KEY, lane INTEGER NOT NULL, key TEXT NOT NULL,
        seq INTEGER NOT NULL, receipt_no TEXT, UNIQUE (lane, key)
    ) STRICT;
    CREATE TABLE print_job(
        job_id TEXT PRIMARY KEY, lane INTEGER NOT NULL, receipt_no TEXT NOT NULL,
        copy INTEGER NOT NULL, outcome TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX print_job_receipt ON print_job(receipt_no);
    CREATE TABLE session(
        n INTEGER PRIMARY KEY, token_sha256 BLOB NOT NULL UNIQUE, lane INTEGER NOT NULL,
        operator TEXT NOT NULL
    ) STRICT
    """,
)
