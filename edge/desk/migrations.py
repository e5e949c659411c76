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
    # Print jobs get an order of their own. Until here 'queued' was written before the first byte
    # and may hide a receipt that came out.
    """
    ALTER TABLE print_job RENAME TO print_job_before;
    CREATE TABLE print_job(
        n INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, lane INTEGER NOT NULL,
        receipt_no TEXT NOT NULL, copy INTEGER NOT NULL, outcome TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO print_job(job_id, lane, receipt_no, copy, outcome, at_ms)
        SELECT job_id, lane, receipt_no, copy,
            CASE outcome WHEN 'queued' THEN 'unknown' ELSE outcome END, at_ms
        FROM print_job_before ORDER BY at_ms;
    DROP TABLE print_job_before;
    CREATE INDEX print_job_receipt ON print_job(receipt_no);
    CREATE INDEX print_job_open ON print_job(n) WHERE outcome IN ('queued', 'printing')
    """,
    """
    CREATE TABLE day_answer(
        n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, report BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE device_fault(
        n INTEGER PRIMARY KEY, device TEXT NOT NULL, code TEXT NOT NULL, state TEXT NOT NULL,
        at_ms INTEGER NOT NULL, until_ms INTEGER, times INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX device_fault_device ON device_fault(device, n);
    CREATE TABLE self_test(
        one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL, results BLOB NOT NULL,
        asked_by TEXT NOT NULL, is_seen INTEGER NOT NULL
    ) STRICT
    """,
    # Which printer a job was given to, and what it is: a receipt or a day's Z slip.
    """
    ALTER TABLE print_job ADD COLUMN printer TEXT NOT NULL DEFAULT '';
    ALTER TABLE print_job ADD COLUMN kind TEXT NOT NULL DEFAULT 'receipt'
    """,
    # Keys of customer displays; only their SHA-256 is kept.
    """
    CREATE TABLE display_key(
        n INTEGER PRIMARY KEY, key_sha256 BLOB NOT NULL UNIQUE, lane INTEGER NOT NULL
    ) STRICT
    """,
    # The book of stock, tasks of shelves and cold places, and their facts on the way.
    """
    CREATE TABLE shelf_place(
        one INTEGER PRIMARY KEY CHECK (one = 1), stream TEXT NOT NULL, seq INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE shelf_book(
        gtin TEXT PRIMARY KEY, qty_milli INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE shelf_accepted(
        sensor TEXT PRIMARY KEY, gap_milli INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE shelf_task(
        n INTEGER PRIMARY KEY, sensor TEXT NOT NULL, kind TEXT NOT NULL, gtin TEXT NOT NULL,
        at_ms INTEGER NOT NULL, book_milli INTEGER NOT NULL, shelf_milli INTEGER NOT NULL,
        celsius_milli INTEGER NOT NULL, limit_milli INTEGER NOT NULL,
        seen_by TEXT NOT NULL DEFAULT '', settled_at_ms INTEGER, how TEXT,
        by TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE UNIQUE INDEX shelf_task_open ON shelf_task(sensor, kind) WHERE settled_at_ms IS NULL;
    CREATE TABLE shelf_fact(
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL
    ) STRICT
    """,
    # What this box was told to do by head office: kept so that nothing is done twice.
    """
    CREATE TABLE command(
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
        at_ms INTEGER NOT NULL, code TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '',
        object TEXT NOT NULL DEFAULT '', told INTEGER NOT NULL DEFAULT 0,
        is_known INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # Shelf labels that must change from an instant on, and those that were printed.
    """
    CREATE TABLE shelf_label(
        gtin TEXT NOT NULL, from_at_ms INTEGER NOT NULL, name TEXT NOT NULL, size TEXT NOT NULL,
        old_minor INTEGER, new_minor INTEGER, member_minor INTEGER, revision INTEGER NOT NULL,
        printed_at_ms INTEGER, printed_by TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (gtin, from_at_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX shelf_label_due ON shelf_label(from_at_ms) WHERE printed_at_ms IS NULL
    """,
    # The member price that stands on the shelf counts as well when a change is taken back.
    """
    ALTER TABLE shelf_label ADD COLUMN old_member_minor INTEGER
    """,
    # PINs that were chosen here, wrong ones in a row, what is done so many times a day, and the
    # screens on which somebody has signed in by PIN. `before`: hashes that a PIN came after.
    """
    CREATE TABLE pin(
        operator TEXT PRIMARY KEY, pin_hash TEXT NOT NULL, before TEXT NOT NULL, day TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pin_failure(
        operator TEXT PRIMARY KEY, times INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tally(
        day TEXT NOT NULL, permission TEXT NOT NULL, operator TEXT NOT NULL,
        times INTEGER NOT NULL, PRIMARY KEY (day, permission, operator)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE screen(
        n INTEGER PRIMARY KEY, token_sha256 BLOB NOT NULL UNIQUE, lane INTEGER NOT NULL
    ) STRICT
    """,
    # What was taken off by hand, for ceilings of a day; wrong PINs in a row by place.
    """
    CREATE TABLE taken_off(
        day TEXT NOT NULL, permission TEXT NOT NULL, operator TEXT NOT NULL,
        basket TEXT NOT NULL, amount_minor INTEGER NOT NULL,
        PRIMARY KEY (basket, permission, operator)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX taken_off_day ON taken_off(day, permission, operator);
    CREATE TABLE wrong_pin(
        operator TEXT NOT NULL, place TEXT NOT NULL, times INTEGER NOT NULL,
        PRIMARY KEY (operator, place)
    ) STRICT, WITHOUT ROWID
    """,
)
