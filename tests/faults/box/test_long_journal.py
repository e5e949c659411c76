"""A journal of years is opened as fast as one of a day.

By default it is a few months long: set TILLBOX_LONG_JOURNAL to 1800000 entries for five years.
"""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from shared.journal.chain import entry_hash
from tests.builders import STREAM_ID
from tests.integration.edge.boxes import DAY, a_journal, a_sale_draft, open_day

ENTRIES = int(os.environ.get("TILLBOX_LONG_JOURNAL", "20000"))
OPENED_WITHIN_S = 10.0
RUN = 10_000


def lengthened(path: Path, entries: int) -> None:
    """Append copies of the last sale, numbered and chained as the journal does it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        seq, body, head = connection.execute(
            "SELECT seq, body, hash FROM entry ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        raw = json.loads(body)
        total = raw["gt"]["sales"]
        for first in range(seq + 1, seq + 1 + entries, RUN):
            connection.execute("BEGIN")
            for number in range(first, min(first + RUN, seq + 1 + entries)):
                raw["id"] = f"00000000-0000-7000-8000-{number:012d}"
                raw["seq"] = number
                raw["gt"]["sales"] = total = total + 1000
                raw["data"]["sale"]["receipt_no"] = f"1-{number - 1:06d}"
                body = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
                head = entry_hash(STREAM_ID, number, head, body)
                connection.execute(
                    "INSERT INTO entry(seq, id, type, body, hash) VALUES(?,?,?,?,?)",
                    (number, raw["id"], raw["type"], body, head),
                )
                connection.execute(
                    "INSERT INTO sale(lane, number, biz, seq) VALUES(1,?,?,?)",
                    (number - 1, DAY, number),
                )
            connection.execute("UPDATE projected SET seq=?", (number,))
            connection.execute("COMMIT")


def test_a_journal_of_years_is_opened_in_seconds_and_sells(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.append(a_sale_draft(journal))
    journal.close()
    lengthened(tmp_path / "journal.db", ENTRIES)
    began = time.monotonic()
    again = a_journal(tmp_path)
    entry = again.append(a_sale_draft(again))
    took_s = time.monotonic() - began
    assert took_s < OPENED_WITHIN_S
    assert (again.cause, entry.seq) == (None, ENTRIES + 3)
    assert json.loads(entry.body)["gt"]["sales"] == (ENTRIES + 2) * 1000
    assert again.sale_by_receipt(f"1-{ENTRIES // 2:06d}").seq == ENTRIES // 2 + 1
    again.close()
