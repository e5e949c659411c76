"""Print jobs with what became of them, in `desk.db`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.sqlite import Writer

JobOutcome = Literal["queued", "printed", "not_printed", "unknown"]
JOBS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class SpooledJob:
    """One print job; `copy` is 0 for the first receipt of a sale."""

    job_id: str
    lane: int
    receipt_no: str
    copy: int
    at_ms: int


class Spool:
    """Remembers each job from before its first byte until its outcome."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def add(self, job: SpooledJob) -> None:
        """Note a job that is about to be printed."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO print_job(job_id, lane, receipt_no, copy, outcome, at_ms)"
                " VALUES(?,?,?,?,'queued',?)",
                (job.job_id, job.lane, job.receipt_no, job.copy, job.at_ms),
            )

    def close_job(self, job_id: str, outcome: JobOutcome) -> None:
        """Note what became of it."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE print_job SET outcome=? WHERE job_id=?", (outcome, job_id))

    def outcome(self, receipt_no: str) -> JobOutcome | None:
        """What became of the newest job of a receipt; None when there was none."""
        rows = self._database.rows(
            "SELECT outcome FROM print_job WHERE receipt_no=? ORDER BY copy DESC LIMIT 1",
            (receipt_no,),
        )
        return rows[0][0] if rows else None

    def prune(self) -> None:
        """Forget the oldest jobs; the journal knows every sale."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM print_job WHERE at_ms <="
                " (SELECT at_ms FROM print_job ORDER BY at_ms DESC LIMIT 1 OFFSET ?)",
                (JOBS_KEPT,),
            )
