"""Walk from what the box has to what head office desires: fetch, check, stage, activate.

The planner is `shared.publication.activation.next_step`; here its steps are carried out, on one
thread, at once when a desired document arrives and again after a pause when a step failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.identity import Identity
from edge.replica.store import ActivationResult, Replica
from edge.sync.backoff import full_jitter_ms
from edge.sync.fetch import MANIFEST_BYTES_MAX, ObjectFetcher
from edge.sync.metrics import ACTIVE_REVISION, CONVERGE_ERRORS
from edge.sync.report import Reporter
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RetailError
from shared.publication.activation import (
    Activate,
    Desired,
    Fetch,
    FetchManifest,
    ReplicaState,
    Still,
    next_step,
)
from shared.publication.manifest import Manifest, Piece, parse_manifest, signing_statement

REPORT_EVERY_S = 60.0
RETRY_BASE_MS = 1000
_STEPS_MAX = 8
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplicateParts:
    """What replication works with; `pins` are the revisions open baskets are priced with."""

    identity: Identity
    replica: Replica
    clock: Clock
    fetcher: ObjectFetcher
    reporter: Reporter
    jitter: Callable[[], float]
    pins: Callable[[], set[int]]
    on_activated: Callable[[ActivationResult], None]


class Replicator:
    """Keeps the newest desired document and works towards it."""

    def __init__(self, parts: ReplicateParts) -> None:
        self._parts = parts
        self._hq = Ed25519PublicKey.from_public_bytes(bytes.fromhex(parts.identity.hq_pub))
        self._desired: Desired | None = None
        self._manifest: tuple[str, Manifest] | None = None
        self._distrusts_deltas = False
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing happens before a document is desired."""
        ACTIVE_REVISION.set(self._parts.replica.active_revision())
        self._thread = threading.Thread(target=self._run, name="replication", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its current step."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def desire(self, desired: Desired) -> None:
        """Take a new goal; returns at once."""
        self._desired = desired
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        while not self._is_stopping:
            wait_s = REPORT_EVERY_S
            if self._converged():
                failures = 0
            else:
                failures += 1
                wait_ms = full_jitter_ms(failures, RETRY_BASE_MS, self._parts.jitter())
                wait_s = min(wait_ms / 1000, REPORT_EVERY_S)
            if not self._wake.wait(wait_s):
                self._parts.reporter.send()
            self._wake.clear()

    def _converged(self) -> bool:
        """Step until still; False when a step failed and should be tried again later."""
        try:
            self._converge()
        except RetailError as error:
            _log.warning("replication.failed", code=error.code, because=str(error))
            self._failed(error.code, is_corrupt=isinstance(error, CorruptError))
            return False
        except Exception:  # noqa: BLE001 - outermost loop: prices must come some day
            _log.exception("replication.crashed")
            self._failed("sync.step_failed", is_corrupt=True)
            return False
        self._parts.reporter.failed(None)
        return True

    def _failed(self, code: str, *, is_corrupt: bool) -> None:
        CONVERGE_ERRORS.labels(code).inc()
        if is_corrupt:  # whatever was built on may be wrong: begin again with the snapshot
            self._distrusts_deltas = True
            self._manifest = None
            self._parts.fetcher.forget()
        if not self._is_stopping:
            self._parts.reporter.failed(code)

    def _converge(self) -> None:
        for _ in range(_STEPS_MAX):
            desired = self._desired
            step = next_step(self._state(), desired)
            if desired is None or isinstance(step, Still) or self._is_stopping:
                return
            if isinstance(step, FetchManifest):
                self._manifest = (desired.sha256, self._fetch_manifest(desired))
            elif isinstance(step, Fetch):
                self._stage(step.pieces)
            elif isinstance(step, Activate):
                self._activate(step.rev)
        raise CorruptError("sync.no_progress", steps=_STEPS_MAX)

    def _state(self) -> ReplicaState:
        stored = self._parts.replica.stored()
        sha256_hex, manifest = self._manifest or ("", None)
        return ReplicaState(
            zone=self._parts.identity.price_zone,
            stored_rev=stored.rev,
            active_rev=self._parts.replica.active_revision(),
            inc="" if self._distrusts_deltas else stored.inc,
            manifest=manifest,
            manifest_sha256=sha256_hex,
        )

    def _fetch_manifest(self, desired: Desired) -> Manifest:
        self._check_signature(desired)
        path = self._parts.fetcher.fetch(desired.sha256, MANIFEST_BYTES_MAX)
        manifest = parse_manifest(path.read_bytes())
        stated = (manifest.zone, manifest.rev, manifest.inc)
        if stated != (desired.zone, desired.rev, desired.inc):
            raise CorruptError("publication.other_manifest", revision=manifest.rev)
        return manifest

    def _check_signature(self, desired: Desired) -> None:
        try:
            statement = signing_statement(bytes.fromhex(desired.sha256))
            self._hq.verify(bytes.fromhex(desired.sig), statement)
        except (InvalidSignature, ValueError):
            raise CorruptError("publication.signature", revision=desired.rev) from None

    def _stage(self, pieces: tuple[Piece, ...]) -> None:
        parts = self._parts
        assert self._manifest is not None
        files = {piece.sha256: parts.fetcher.fetch(piece.sha256, piece.size) for piece in pieces}
        parts.replica.stage(self._manifest[1], files, parts.clock.now_ms())
        self._distrusts_deltas = False
        parts.fetcher.forget()
        parts.reporter.send()

    def _activate(self, revision: int) -> None:
        parts = self._parts
        result = parts.replica.activate(revision, parts.clock.now_ms())
        ACTIVE_REVISION.set(revision)
        parts.on_activated(result)
        parts.reporter.send()
        _log.info("revision.activated", revision=revision, changes=len(result.changes))
        parts.replica.release(parts.pins())
