"""What head office desires and what the box has of it, for the two threads that work on it."""

from __future__ import annotations

import threading

import structlog

from edge.replica.store import Replica
from edge.trusted_time import TrustedTime
from shared.kernel.errors import RetailError
from shared.publication.activation import (
    Activate,
    Desired,
    Head,
    ReplicaState,
    Staged,
    Still,
    Wait,
    due_step,
    newer_of,
)
from shared.publication.manifest import Manifest
from shared.wire.message import DesiredCatalog, DesiredState, message_bytes, parse_message

UNTRUSTED = "clock.untrusted"
"""Why a revision is held whose instant may have come: nobody vouches for the clock."""
_log = structlog.get_logger(__name__)


class Plan:
    """The newest desired document, kept on disk, and the state that the planner goes by."""

    def __init__(self, zone: str, replica: Replica, time: TrustedTime) -> None:
        self._zone = zone
        self._replica = replica
        self._time = time
        self._lock = threading.Lock()
        self._document: bytes | None = None
        self._desired: Desired | None = None
        self._at_ms = 0
        self._manifest: tuple[str, Manifest | None] = ("", None)
        self._distrusts_deltas = False

    @property
    def desired(self) -> Desired | None:
        """What head office wants, as far as this box has heard."""
        return self._desired

    @property
    def gen(self) -> int:
        """The number of the newest desired document; 0 before the first one."""
        return self._desired.gen if self._desired is not None else 0

    def load(self) -> None:
        """Take up what was desired when the box last ran."""
        document = self._replica.desired()
        if document is None:
            return
        try:
            state = parse_message(DesiredState, document)
        except RetailError as error:  # it comes again with the next connection
            _log.warning("plan.unreadable", because=str(error))
            return
        with self._lock:
            self._document, self._desired = document, desired_of(state)
            self._at_ms = state.at

    def desire(self, state: DesiredState) -> bool:
        """Take a document that has come, durably; False for one that is older than the last."""
        told, document = desired_of(state), message_bytes(state)
        with self._lock:
            if newer_of(self._desired, told) is not told or self._is_from_before(state):
                return False
            if document != self._document:
                self._replica.put_desired(document)
            self._document, self._desired, self._at_ms = document, told, state.at
        return True

    def _is_from_before(self, state: DesiredState) -> bool:
        """Whether a document of another life of head office was changed before what we have."""
        is_other = self._desired is not None and self._desired.inc != state.inc
        return is_other and 0 < state.at < self._at_ms

    def state(self) -> ReplicaState:
        """What the box has."""
        stored, active = self._replica.stored(), self._replica.active()
        name, manifest = self._manifest
        return ReplicaState(
            zone=self._zone,
            stored_rev=stored.rev,
            active_rev=active.rev,
            inc="" if self._distrusts_deltas else stored.inc,
            active_inc=active.inc,
            staged=tuple(
                Staged(each.rev, each.inc, each.not_before_ms) for each in self._replica.staged()
            ),
            manifest=manifest,
            manifest_sha256=name,
        )

    def due(self) -> Activate | Wait | Still:
        """What to do with the staged revisions now."""
        return due_step(self.state(), self._desired, self._time.sure_ms())

    def held(self) -> str | None:
        """Why a staged revision may be late; None when it is not."""
        is_late = not self._time.is_trusted() and isinstance(self.due(), Wait)
        return UNTRUSTED if is_late else None

    def wanted(self) -> set[tuple[int, str]]:
        """Revisions, with their incarnations, that are to be kept for their instants."""
        desired = self._desired
        return set() if desired is None else {(head.rev, head.inc) for head in desired.heads}

    def has_manifest(self, name: str, manifest: Manifest) -> None:
        """Go by a manifest that was fetched and verified."""
        self._manifest = (name, manifest)

    def trust_deltas(self) -> None:
        """Build upon what is stored again."""
        self._distrusts_deltas = False

    def begin_again(self) -> None:
        """Whatever was built upon may be wrong: take the manifest anew, and the snapshot."""
        self._distrusts_deltas = True
        self._manifest = ("", None)


def desired_of(state: DesiredState) -> Desired:
    """The heads of a desired document."""
    catalogs = (*([state.catalog] if state.catalog else ()), *state.next)
    return Desired(state.gen, state.inc, tuple(_head(each, state.inc) for each in catalogs))


def _head(catalog: DesiredCatalog, inc: str) -> Head:
    return Head(catalog.zone, catalog.rev, catalog.sha256, catalog.sig, inc, catalog.at)
