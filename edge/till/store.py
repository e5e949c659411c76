"""First answers to the commands of the business day, in `desk.db`."""

from __future__ import annotations

from pydantic import TypeAdapter

from edge.sqlite import Writer
from shared.till.z_report import ZReport

ANSWERS_KEPT = 32
_REPORT = TypeAdapter(ZReport)


class DayAnswers:
    """By idempotency key, so that a repeat after a restart is no second command."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def find(self, key: str) -> ZReport | None:
        """The first answer to that key, while it is remembered."""
        rows = self._database.rows("SELECT report FROM day_answer WHERE key=?", (key,))
        return _REPORT.validate_json(rows[0][0]) if rows else None

    def keep(self, key: str, report: ZReport) -> None:
        """Remember an answer, and forget the oldest."""
        with self._database.transaction(is_synced=True) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO day_answer(key, report) VALUES(?,?)",
                (key, _REPORT.dump_json(report)),
            )
            connection.execute(
                "DELETE FROM day_answer WHERE n <= (SELECT max(n) FROM day_answer) - ?",
                (ANSWERS_KEPT,),
            )
