"""Print jobs in `desk.db`: the one queue of the store's printers, kept over restarts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from edge.sqlite import Writer

JobOutcome = Literal["queued", "printing", "printed", "not_printed", "unknown"]
"""`queued` waits and no byte has gone out; `not_printed` was given up, and no byte has gone out;
`unknown` may or may not have come out: a person looks."""
JobKind = Literal["receipt", "z_slip"]
JOBS_KEPT = 10_000
WAITING_MAX = 200
"""Receipts that wait for paper: some hours of a store; the journal has those that are given up."""
_RECENT_JOBS = 50


@dataclass(frozen=True, slots=True)
class SpooledJob:
    """One print job; `copy` is 0 for the receipt itself, `at_ms` (UTC) when it was asked for.

    A Z slip has the business date for its `receipt_no`.
    """

    job_id: str
    lane: int
    receipt_no: str
    copy: int
    at_ms: int
    kind: JobKind = "receipt"


def job_of(lane: int, receipt_no: str, copy: int, at_ms: int) -> SpooledJob:
    """A job by the receipt's number: the same receipt or copy is the same job."""
    return SpooledJob(f"{receipt_no}.{copy}", lane, receipt_no, copy, at_ms)


def z_slip_of(lane: int, biz: str, copy: int, at_ms: int) -> SpooledJob:
    """The Z slip of a business date, to come out where `lane` prints."""
    return SpooledJob(f"z-{biz}.{copy}", lane, biz, copy, at_ms, "z_slip")


class Spool:
    """First in, first out. At most `waiting_max` jobs wait; then the oldest are given up."""

    def __init__(self, database: Writer, waiting_max: int = WAITING_MAX) -> None:
        self._database = database
        self._waiting_max = waiting_max
        self._open_jobs: Mapping[int, int] = {}
        self._cut_off: frozenset[str] = frozenset()
        self._doubtful: Mapping[int, str] = {}

    def cut_off(self) -> frozenset[str]:
        """Ids of the printers in which half a job may stand since before the box started."""
        return self._cut_off

    def doubtful(self, lane: int) -> str:
        """Number of the lane's receipt that the last stop of the box cut off; "" for none."""
        return self._doubtful.get(lane, "")

    def recover(self) -> None:
        """After a start: a job that was cut off at the printer may have come out."""
        with self._database.transaction() as connection:
            cut = connection.execute(
                "UPDATE print_job SET outcome='unknown' WHERE outcome='printing'"
                " RETURNING lane, receipt_no, kind",
            ).fetchall()
            rows = connection.execute(
                "SELECT DISTINCT printer FROM (SELECT printer, outcome FROM print_job"
                " WHERE printer <> '' ORDER BY n DESC LIMIT ?) WHERE outcome='unknown'",
                (_RECENT_JOBS,),
            ).fetchall()
            self._count(connection)
        self._cut_off = frozenset(row[0] for row in rows)
        self._doubtful = {lane: receipt_no for lane, receipt_no, kind in cut if kind == "receipt"}

    def open_jobs(self, lane: int | None = None) -> int:
        """How many jobs of a lane, or of all, wait or are being printed; asks no file."""
        jobs = self._open_jobs
        return sum(jobs.values()) if lane is None else jobs.get(lane, 0)

    def add(self, job: SpooledJob) -> tuple[SpooledJob, ...]:
        """Queue a job at the end; one that waits already keeps its place.

        Gives the jobs that were given up for it.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM print_job WHERE job_id=? AND outcome='not_printed'", (job.job_id,)
            )
            connection.execute(
                "INSERT OR IGNORE INTO"
                " print_job(job_id, lane, receipt_no, copy, at_ms, kind, outcome)"
                " VALUES(?,?,?,?,?,?,'queued')",
                (job.job_id, job.lane, job.receipt_no, job.copy, job.at_ms, job.kind),
            )
            rows = connection.execute(
                "UPDATE print_job SET outcome='not_printed' WHERE outcome='queued' AND n <="
                " (SELECT n FROM print_job WHERE outcome='queued' ORDER BY n DESC LIMIT 1 OFFSET ?)"
                " RETURNING job_id, lane, receipt_no, copy, at_ms, kind",
                (self._waiting_max,),
            ).fetchall()
            connection.execute(
                "DELETE FROM print_job WHERE outcome NOT IN ('queued', 'printing')"
                " AND n <= (SELECT max(n) FROM print_job) - ?",
                (JOBS_KEPT,),
            )
            self._count(connection)
        return tuple(SpooledJob(*row) for row in rows)

    def waiting_lanes(self) -> frozenset[int]:
        """The lanes that wait for paper."""
        if not self._open_jobs:
            return frozenset()
        rows = self._database.rows("SELECT DISTINCT lane FROM print_job WHERE outcome='queued'")
        return frozenset(row[0] for row in rows)

    def next_job(self, lanes: Collection[int]) -> SpooledJob | None:
        """The job of these lanes that has waited longest."""
        rows = self._database.rows(
            "SELECT job_id, lane, receipt_no, copy, at_ms, kind FROM print_job"
            " WHERE outcome='queued' AND lane IN (SELECT value FROM json_each(?))"
            " ORDER BY n LIMIT 1",
            (json.dumps(sorted(lanes)),),
        )
        return SpooledJob(*rows[0]) if rows else None

    def begin(self, job_id: str, printer: str) -> bool:
        """Note, for good, that bytes are about to go out; False when the job does not wait.

        Without the sync a power cut could take the note back, and the receipt would come twice.
        """
        with self._database.transaction(is_synced=True) as connection:
            changed = connection.execute(
                "UPDATE print_job SET outcome='printing', printer=?"
                " WHERE job_id=? AND outcome='queued'",
                (printer, job_id),
            ).rowcount
            self._count(connection)
        return changed == 1

    def put_back(self, job_id: str) -> None:
        """It did not come out for sure: it waits again, at its old place."""
        self._set(job_id, "queued")

    def close_job(self, job_id: str, outcome: JobOutcome) -> None:
        """Note what became of it."""
        self._set(job_id, outcome)

    def outcome(self, receipt_no: str) -> JobOutcome | None:
        """What became of the newest job of a receipt; None when there was none."""
        rows = self._database.rows(
            "SELECT outcome FROM print_job WHERE receipt_no=? ORDER BY copy DESC LIMIT 1",
            (receipt_no,),
        )
        return rows[0][0] if rows else None

    def original(self, receipt_no: str) -> JobOutcome | None:
        """What became of the receipt itself, copies aside; None when nothing is known of it."""
        rows = self._database.rows(
            "SELECT outcome FROM print_job WHERE receipt_no=? AND copy=0", (receipt_no,)
        )
        return rows[0][0] if rows else None

    def _set(self, job_id: str, outcome: JobOutcome) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE print_job SET outcome=? WHERE job_id=?", (outcome, job_id))
            self._count(connection)

    def _count(self, connection: sqlite3.Connection) -> None:
        self._open_jobs = dict(
            connection.execute(
                "SELECT lane, count(*) FROM print_job WHERE outcome IN ('queued', 'printing')"
                " GROUP BY lane"
            ).fetchall()
        )
