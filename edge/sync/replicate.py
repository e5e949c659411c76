"""Walk from what the box has to what head office desires: fetch, check, stage.

The planner is `shared.publication.activation`; here its steps are carried out, on one thread, at
once when a desired document arrives and again after a pause when a step failed. Switching to what
is staged is `edge.sync.activate`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.identity import Identity
from edge.replica.store import Replica
from edge.sync.backoff import full_jitter_ms
from edge.sync.fetch import MANIFEST_BYTES_MAX, ObjectFetcher
from edge.sync.metrics import CONVERGE_ERRORS
from edge.sync.plan import Plan
from edge.sync.report import Reporter
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RetailError
from shared.publication.activation import Fetch, FetchManifest, Head, fetch_step
from shared.publication.manifest import Manifest, parse_manifest, signing_statement

REPORT_EVERY_S = 60.0
RETRY_BASE_MS = 1000
_STEPS_MAX = 16
_JOIN_S = 5.0
_PLACE = "fetch"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplicateParts:
    """What replication works with.

    `pins` are the revisions open baskets are priced with; `on_staged` looks what is due; `clock`
    is the machine's, for the record.
    """

    identity: Identity
    plan: Plan
    replica: Replica
    clock: Clock
    fetcher: ObjectFetcher
    reporter: Reporter
    jitter: Callable[[], float]
    pins: Callable[[], set[int]]
    on_staged: Callable[[], None]


class Replicator:
    """Works towards the newest desired document."""

    def __init__(self, parts: ReplicateParts) -> None:
        self._parts = parts
        self._hq = Ed25519PublicKey.from_public_bytes(bytes.fromhex(parts.identity.hq_pub))
        self._wake = threading.Event()
        self._has_leftovers = False
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing happens before a document is desired."""
        self._thread = threading.Thread(target=self._run, name="replication", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its current step."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def wake(self) -> None:
        """Look again: something else is desired. Returns at once."""
        self._wake.set()

    def tidy(self) -> None:
        """Let go of what is not read any more, in a while: another revision is active."""
        self._has_leftovers = True
        self._wake.set()

    def _run(self) -> None:
        self._parts.replica.warm()
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
            self._let_go()
        except RetailError as error:
            _log.warning("replication.failed", code=error.code, because=str(error))
            self._failed(error.code, is_corrupt=isinstance(error, CorruptError))
            return False
        except Exception:  # noqa: BLE001 - outermost loop: prices must come some day
            _log.exception("replication.crashed")
            self._failed("sync.step_failed", is_corrupt=True)
            return False
        self._parts.reporter.failed(_PLACE, None)
        return True

    def _failed(self, code: str, *, is_corrupt: bool) -> None:
        CONVERGE_ERRORS.labels(code).inc()
        if is_corrupt:
            self._parts.plan.begin_again()
            self._parts.fetcher.forget()
        if not self._is_stopping:
            self._parts.reporter.failed(_PLACE, code)

    def _converge(self) -> None:
        plan = self._parts.plan
        for _ in range(_STEPS_MAX):
            step = fetch_step(plan.state(), plan.desired)
            if self._is_stopping or not isinstance(step, FetchManifest | Fetch):
                return
            if isinstance(step, FetchManifest):
                plan.has_manifest(step.head.sha256, self._fetch_manifest(step.head))
            else:
                self._stage(step)
        raise CorruptError("sync.no_progress", steps=_STEPS_MAX)

    def _fetch_manifest(self, head: Head) -> Manifest:
        self._check_signature(head)
        state = self._parts.plan.state()
        self._parts.fetcher.fetch_all(head.sha256, state.stored_rev, state.inc)
        path = self._parts.fetcher.fetch(head.sha256, MANIFEST_BYTES_MAX)
        manifest = parse_manifest(path.read_bytes())
        stated = (manifest.zone, manifest.rev, manifest.inc)
        if stated != (head.zone, head.rev, head.inc):
            raise CorruptError("publication.other_manifest", revision=manifest.rev)
        return manifest

    def _check_signature(self, head: Head) -> None:
        try:
            statement = signing_statement(bytes.fromhex(head.sha256))
            self._hq.verify(bytes.fromhex(head.sig), statement)
        except (InvalidSignature, ValueError):
            raise CorruptError("publication.signature", revision=head.rev) from None

    def _stage(self, step: Fetch) -> None:
        parts = self._parts
        manifest = parts.plan.state().manifest
        assert manifest is not None
        fetch = parts.fetcher.fetch
        files = {piece.sha256: fetch(piece.sha256, piece.size) for piece in step.pieces}
        parts.replica.stage(manifest, files, parts.clock.now_ms())
        parts.plan.trust_deltas()
        parts.fetcher.forget()
        parts.on_staged()
        parts.reporter.send()

    def _let_go(self) -> None:
        """On this thread alone: nothing may be dropped while something is built."""
        if self._has_leftovers:
            self._has_leftovers = False
            self._parts.replica.release(self._parts.pins(), self._parts.plan.wanted())
