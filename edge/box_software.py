"""The box's part in changing its own software: the updater with what it looks at."""

from __future__ import annotations

import hashlib
import os
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import SystemClock
from edge.device.ports import USABLE, DeviceReport
from edge.device.store_printer import StorePrinters
from edge.identity import Identity
from edge.ids import Ids
from edge.journal.store import EntryDraft, Journal
from edge.own_page import own_url
from edge.receipt.layout import zone_of
from edge.settings import Settings
from edge.sync.fetch import ObjectFetcher
from edge.sync.service import SyncService
from edge.updater.health import Senses
from edge.updater.launcher import RELEASE_VARIABLE, ROOT_VARIABLE, Releases
from edge.updater.service import Updater, UpdaterParts
from edge.version import software_version
from shared.journal.software_event import SoftwareChanged
from shared.release.lock import Shop


@dataclass(frozen=True, slots=True)
class SoftwareView:
    """What the updater may see of the box; each is asked from its own thread."""

    reports: Callable[[], tuple[DeviceReport, ...]]
    printers: StorePrinters
    open_baskets: Callable[[], int]
    print_queue: Callable[[], int]
    idle_ms: Callable[[], int]


def make_updater(
    settings: Settings, identity: Identity, journal: Journal, sync: SyncService, view: SoftwareView
) -> Updater:
    """The updater of this box; without a launcher it only tells what runs."""
    clock = SystemClock()
    data = settings.data_dir
    root = os.environ.get(ROOT_VARIABLE)
    fetcher = ObjectFetcher(identity, data / "update" / "fetch", Ids(clock).jitter)

    def shop() -> Shop:
        day = journal.day()
        is_open = day is not None and day.is_open
        queue = view.print_queue()
        is_drawer_open = any(each.port.status().is_drawer_open for each in view.printers.every)
        return Shop(view.open_baskets(), is_drawer_open, is_open, queue, view.idle_ms())

    return Updater(
        UpdaterParts(
            releases=None if root is None else Releases(Path(root)),
            running=os.environ.get(RELEASE_VARIABLE) or software_version(),
            data_dir=data,
            hq_pub=identity.hq_pub,
            zone=zone_of(identity.zone),
            clock=clock,
            fetch=fetcher.fetch,
            forget=fetcher.forget,
            senses=_senses(settings, identity, journal, sync, view),
            shop=shop,
            restart=lambda: os.kill(os.getpid(), signal.SIGTERM),
            told=sync.report,
        )
    )


def _senses(
    settings: Settings, identity: Identity, journal: Journal, sync: SyncService, view: SoftwareView
) -> Senses:
    clock = SystemClock()

    def ready() -> frozenset[str]:
        found = (each for each in view.reports() if each.kind == "printer")
        return frozenset(each.id for each in found if each.state.state in USABLE)

    return Senses(
        append=lambda *change: _append(journal, clock.now_ms(), SoftwareChanged(*change)),
        url=f"{own_url(settings)}/",
        ready=ready,
        is_online=lambda: sync.cloud_state().online,
        broker=(identity.broker_host, identity.broker_port),
    )


def _append(journal: Journal, at_ms: int, event: SoftwareChanged) -> None:
    """Write down that the software changed; a start that was cut off writes it once more."""
    day = journal.day()
    seed = f"{journal.stream}:{journal.boot()}:{event}".encode()
    journal.append(
        EntryDraft(
            id=str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4)),
            event=event,
            actor="",
            till="",
            biz=day.biz if day is not None and day.is_open else "",
            at_ms=at_ms,
            cat=0,
        )
    )
