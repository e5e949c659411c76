"""Report what is stored, active and shown: the report is the acknowledgement of desired state."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge.identity import Identity
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.sync.link import Link
from edge.sync.plan import Plan
from edge.trusted_time import TrustedTime
from shared.kernel.clock import Clock
from shared.publication.activation import Wait
from shared.wire.message import CatalogReport, Report, SoftwareReport, message_bytes
from shared.wire.topics import up_report


@dataclass(frozen=True, slots=True)
class ReportParts:
    """What a report is made of; `software` is what it says of the box's software."""

    identity: Identity
    journal: Journal
    replica: Replica
    plan: Plan
    time: TrustedTime
    clock: Clock
    link: Link
    lanes: int
    software: Callable[[], SoftwareReport | None] = lambda: None


class Reporter:
    """Sends the whole reported state each time, so that a lost report is repaired by the next."""

    def __init__(self, parts: ReportParts) -> None:
        self._parts = parts
        self._topic = up_report(parts.identity.dev)
        self._lock = threading.Lock()
        # Held from reading the state to handing it over: of two at once, the newer goes last.
        self._sending = threading.Lock()
        self._shown: dict[int, int] = {}
        self._shown_at_ms = 0
        self._errors: dict[str, str] = {}
        self._unsynced_told = 0

    def shown(self, lane: int, revision: int) -> None:
        """Report that a till paints `revision`; a repeat sends nothing."""
        with self._lock:
            is_new = self._shown.get(lane) != revision
            if is_new:
                self._shown[lane] = revision
                self._shown_at_ms = self._parts.clock.now_ms()
        if is_new:
            self.send()

    def failed(self, place: str, code: str | None) -> None:
        """Note why the desired state cannot be reached, None when it can. Sends on a change.

        `place` is who says so: each has its own reason.
        """
        with self._lock:
            is_new = self._errors.get(place) != code
            self._errors.pop(place, None)
            if code is not None:
                self._errors[place] = code
        if is_new:
            self.send()

    def synced(self) -> None:
        """Correct a report that told of unsynced entries, now that the cloud has them all."""
        if self._unsynced_told:
            self.send()

    def send(self) -> bool:
        """Send the state as it is; False while there is no connection."""
        with self._sending:
            report = self._report()
            is_sent = self._parts.link.publish(self._topic, message_bytes(report))
            if is_sent:
                self._unsynced_told = report.unsynced
        return is_sent

    def _report(self) -> Report:
        parts = self._parts
        return Report(
            t=parts.clock.now_ms(),
            catalog=self._catalog(),
            unsynced=max(parts.journal.head()[0] - parts.journal.acked(), 0),
            lanes=parts.lanes,
            gen=parts.plan.gen,
            software=parts.software(),
        )

    def _catalog(self) -> CatalogReport:
        parts = self._parts
        stored, active, due = parts.replica.stored(), parts.replica.active(), parts.plan.due()
        waits = due if isinstance(due, Wait) else Wait(0, 0)
        with self._lock:
            return CatalogReport(
                zone=parts.identity.price_zone,
                stored=stored.rev,
                stored_at=stored.at_ms,
                active=active.rev,
                active_at=active.at_ms,
                shown={str(lane): revision for lane, revision in self._shown.items()},
                shown_at=self._shown_at_ms,
                error=next(iter(self._errors.values()), None),
                next_rev=waits.rev,
                next_at=waits.until_ms,
                clk=int(parts.time.quality()),
                held=parts.plan.held(),
            )
