"""Brings a stream that is not the box's current one up to its end: a tail, or an older life."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.copy.forward import GAP_RETRY_MS
from edge.sync.backoff import full_jitter_ms
from shared.wire.batch import BATCH_ENTRIES_MAX
from shared.wire.message import Ack, AckCode
from tests.simulation.cloud import Batch
from tests.simulation.journal import Entry, Life

if TYPE_CHECKING:
    from tests.simulation.box import Box

ANSWER_MS = (100, 2_000)
RETRY_BASE_MS = 5_000


@dataclass
class Job:
    """Entries of one stream, in order and without gaps."""

    life: Life
    entries: list[Entry]
    at: int = 0
    failures: int = 0
    has_waited: bool = False
    prev: bytes = field(default=b"")


class Courier:
    """One request at a time, over HTTP: the answer comes back or it does not."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.jobs: deque[Job] = deque()
        self.later: list[Job] = []
        """Waiting for what stands before them."""
        self._ticket = 0
        self._is_under_way = False

    def bring(self, life: Life, before: bytes, entries: list[Entry]) -> None:
        """Bring these, which follow the hash `before`, to the cloud.

        What cannot go up in its own stream goes in the box's.
        """
        if any(job.entries[-1] is entries[-1] for job in (*self.jobs, *self.later)):
            return
        # Its end tells at once whether the cloud has all of it.
        start = max(0, len(entries) - BATCH_ENTRIES_MAX)
        self.jobs.append(Job(life, entries, at=start, prev=before))
        self.turn()

    def forget(self) -> None:
        """The power went; what was to be brought is looked for again at the next start."""
        self.jobs.clear()
        self.later.clear()
        self._ticket += 1
        self._is_under_way = False

    def turn(self) -> None:
        """Send the next request if none is under way."""
        if self._is_under_way or not self.jobs:
            return
        job, box = self.jobs[0], self._box
        self._is_under_way = True
        agenda = box.agenda
        if box.is_parted or agenda.chance(box.world.weather.loss):
            self._again(job)
            return
        entries = job.entries[job.at : job.at + BATCH_ENTRIES_MAX]
        prev = job.entries[job.at - 1].hash if job.at else job.prev
        bodies = [entry.body for entry in entries]
        last = job.entries[-1].seq
        batch = Batch(box.dev, job.life.stream, entries[0].seq, prev, bodies, last)
        agenda.counts["courier requests"] += 1
        ack = box.world.workers.batch(batch)
        if ack is None or agenda.chance(box.world.weather.loss):
            self._again(job)
            return
        agenda.after(agenda.between(*ANSWER_MS), self._answered, self._ticket, job, ack)

    def _answered(self, ticket: int, job: Job, ack: Ack) -> None:
        if ticket != self._ticket:
            return
        self._is_under_way = False
        if ack.code in {AckCode.OK, AckCode.DUP}:
            job.failures = 0
            self._advance(job, ack.head)
        elif ack.code is AckCode.FORK:
            self._salvage(job)
        elif ack.code is AckCode.GAP:
            self._gap(job, ack.head)
        else:
            self._is_under_way = True
            self._again(job)
            return
        self.turn()

    def _advance(self, job: Job, head: int) -> None:
        reached = head + 1 - job.entries[0].seq
        if reached >= len(job.entries):
            self.jobs.popleft()
        else:
            job.at = max(reached, 0)

    def _gap(self, job: Job, head: int) -> None:
        if head + 1 >= job.entries[0].seq:
            job.at = head + 1 - job.entries[0].seq
        elif job.has_waited:
            self._salvage(job)
        else:  # the beginning is not here: the archive or another box may bring it
            self.jobs.popleft()
            job.has_waited = True
            self.later.append(job)
            self._box.agenda.after(GAP_RETRY_MS, self._put_back, self._ticket, job)

    def _put_back(self, ticket: int, job: Job) -> None:
        if ticket == self._ticket:
            self.later.remove(job)
            self.jobs.append(job)
            self.turn()

    def _salvage(self, job: Job) -> None:
        box = self._box
        self.jobs.popleft()
        box.agenda.note("salvage", box.name, job.life.hex[:8], len(job.entries))
        box.agenda.counts["streams salvaged into another"] += 1
        for entry in job.entries:
            if entry.seq > job.life.safe:
                box.salvage(job.life, entry)
        box.turn()

    def _again(self, job: Job) -> None:
        job.failures += 1
        jitter = self._box.agenda.rng.random()
        wait_ms = 500 + full_jitter_ms(job.failures, RETRY_BASE_MS, jitter)
        self._box.agenda.after(wait_ms, self._retry, self._ticket)

    def _retry(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._is_under_way = False
            self.turn()
