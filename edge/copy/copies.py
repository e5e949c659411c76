"""The copy room from outside: second copies of this box's journal, and copies of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from edge.copy.adopt import adopt
from edge.copy.api import CopyRoom
from edge.copy.forward import Forwarder, ForwardParts
from edge.copy.keys import KnownKeys
from edge.copy.look_back import LookBackParts, look_back
from edge.copy.mirror import Mirror, MirrorParts
from edge.copy.office import HttpOffice
from edge.copy.service import Intake, OwnJournal
from edge.copy.store import SALVAGE_FILE, SalvageStore
from edge.identity import Identity
from edge.journal.signer import Signer
from edge.journal.store import Journal
from edge.tls import BoxKeys
from shared.journal.carbon import Carbon
from shared.kernel.clock import Clock

DONE_SHOWN_MS = 60 * 60_000
"""So long after the last entry arrived the screen still says that all is handed in."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CopyParts:
    """What the room works with.

    `mirror_path` is "" for no mirror; `wait_ms` gives the pause after so many failures.
    """

    data_dir: Path
    mirror_path: str
    identity: Identity
    signer: Signer
    journal: Journal
    clock: Clock
    wait_ms: Callable[[int], int]


class Copies:
    """Everything of the room, started and stopped with the box."""

    def __init__(self, parts: CopyParts) -> None:
        identity, journal = parts.identity, parts.journal
        self._parts = parts
        self._store = SalvageStore(parts.data_dir / SALVAGE_FILE)
        bearer = f"Bearer {identity.dev}.{identity.secret}"
        trust = BoxKeys(parts.data_dir).https_trust
        self._office = HttpOffice(identity.cloud_url, bearer, trust)
        self._forwarder = Forwarder(
            self._store,
            ForwardParts(
                office=self._office,
                clock=parts.clock,
                wait_ms=parts.wait_ms,
                adopt=self._adopt,
                look_back=partial(
                    look_back,
                    LookBackParts(journal, parts.signer, self._office, parts.clock, self._adopt),
                ),
            ),
        )
        keys = (parts.signer.public_hex, *(each.journal_pub for each in identity.previous))
        own = OwnJournal(lambda: journal.stream, journal.acked, journal.hash_at)
        self._intake = Intake(self._store, own, KnownKeys(keys), self._forwarder.hurry)
        self._mirror = self._make_mirror()

    def start(self) -> None:
        """Open the file, go on with what waits; the journal must be open."""
        self._store.open()
        self._intake.know(self._parts.identity.previous)
        self._forwarder.start()
        if self._mirror is not None:
            self._mirror.start()

    def stop(self) -> None:
        """End the threads; the journal must still be open."""
        if self._mirror is not None:
            self._mirror.stop()
        self._office.close()
        self._forwarder.stop()
        self._store.close()

    def room(self) -> CopyRoom:
        """For the endpoints."""
        return CopyRoom(self._parts.journal.carbons, self._parts.journal.acked, self._intake)

    def status(self) -> dict[str, Any]:
        """`journal`: where it stands; `copies`: how the mirror and what was handed in fare."""
        journal = self._parts.journal
        acked, acked_hash = journal.watermark("acked") or (-1, b"")
        since_ms = self._parts.clock.now_ms() - DONE_SHOWN_MS
        return {
            "journal": {
                "stream": journal.stream,
                "head": journal.head()[0],
                "acked": acked,
                "acked_hash": acked_hash.hex(),
            },
            "copies": {
                "mirror": "off" if self._mirror is None else self._mirror.state(),
                "salvage": [asdict(each) for each in self._forwarder.progress(since_ms)],
            },
        }

    def cloud_changed(self, incarnation: str) -> None:
        """Another cloud answers than before: it may have been restored."""
        _log.info("copies.cloud_changed", incarnation=incarnation)
        self._forwarder.look_back()

    def _adopt(self, carbon: Carbon) -> None:
        adopt(self._parts.journal, carbon, self._parts.clock.now_ms)

    def _has_arrived(self, carbon: Carbon) -> bool:
        return self._intake.has_arrived(carbon.stream, carbon.seq, carbon.hash)

    def _make_mirror(self) -> Mirror | None:
        parts = self._parts
        if not parts.mirror_path:
            return None
        return Mirror(
            MirrorParts(
                folder=Path(parts.mirror_path),
                data_dir=parts.data_dir,
                journal=parts.journal,
                clock=parts.clock,
                has_arrived=self._has_arrived,
                take_in=self._intake.take_in,
            )
        )
