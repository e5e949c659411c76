"""Parts of a box that are made from others: what the composition root would only be long with."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from itertools import islice

from fastapi import APIRouter

from edge.clock import SystemClock, VirtualClock
from edge.copy.copies import Copies, CopyParts
from edge.device.escpos_profile import profile_of
from edge.device.wiring import Devices
from edge.identity import Identity
from edge.ids import Ids
from edge.journal.signer import Signer
from edge.journal.store import EntryDraft, Journal
from edge.receipt.artwork import StoreArtwork
from edge.receipt.layout import ReceiptLayout, zone_of
from edge.replica.store import Replica
from edge.settings import Settings
from edge.sync.backoff import full_jitter_ms
from edge.texts import load_texts
from shared.journal.event import RevisionActivated
from shared.kernel.clock import Clock
from shared.kernel.money import currency_of

COPY_PAUSE_MS = 2000
SAMPLES = 24
SAMPLES_LOOKED_AT = 500
"""Not every item of a chain's catalogue has a price in every store."""


def make_layout(
    settings: Settings, identity: Identity, operator_name: Callable[[str], str]
) -> ReceiptLayout:
    """How this store's receipts look; `operator_name` gives the name of an operator's id."""
    return ReceiptLayout(
        store_name=identity.store_name,
        zone=zone_of(identity.zone),
        currency=currency_of(identity.currency),
        texts=load_texts(settings.box.locale),
        profile=profile_of(settings.printer),
        operator_name=operator_name,
        is_training=settings.training,
        language=settings.box.locale,
        store_id=identity.store_id,
        public_url=identity.public_url or identity.cloud_url,
        artwork=StoreArtwork(settings.data_dir, settings.receipt).of,
    )


def make_copies(
    settings: Settings, identity: Identity, signer: Signer, journal: Journal, ids: Ids
) -> Copies:
    """The second copies of the journal, on tablets and a USB stick."""
    return Copies(
        CopyParts(
            data_dir=settings.data_dir,
            mirror_path=settings.mirror.path,
            identity=identity,
            signer=signer,
            journal=journal,
            clock=SystemClock(),
            wait_ms=lambda failures: (
                COPY_PAUSE_MS + full_jitter_ms(failures, COPY_PAUSE_MS, ids.jitter())
            ),
        )
    )


def training_routers(
    settings: Settings, devices: Devices, replica: Replica, clock: Clock
) -> tuple[APIRouter, ...]:
    """The page with the virtual devices; none on a box that sells."""
    if not settings.training or devices.virtual is None:
        return ()
    from edge.device.virtual_api import (  # noqa: PLC0415 - not on a selling box
        SampleCode,
        TrainingDesk,
        virtual_router,
    )

    def samples() -> list[SampleCode]:
        revision = replica.active_revision()
        found = replica.first_items(SAMPLES_LOOKED_AT, revision) if revision else []
        priced = (item for item in found if replica.dated_prices(item.gtin, revision))
        return [SampleCode(item.gtin, item.name) for item in islice(priced, SAMPLES)]

    set_clock = clock.set_ms if isinstance(clock, VirtualClock) else None
    locale = settings.box.locale
    texts = {key: text for key, text in load_texts(locale).items() if key.startswith("virtual.")}
    desk = TrainingDesk(set_clock=set_clock, samples=samples, texts=texts, locale=locale)
    return (virtual_router(devices.virtual, desk),)


def activation_draft(
    journal: Journal, replica: Replica, clock: Clock, zone: str
) -> EntryDraft | None:
    """The fact that says which revision is active; None before the first.

    Its id follows from the revision, so a repeat changes nothing: the box may have died between
    the flip and this entry.
    """
    active = replica.active()
    if not active.rev:
        return None
    seed = f"{journal.stream}:{active.rev}:{active.manifest_sha256}".encode()
    day = journal.day()
    return EntryDraft(
        id=str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4)),
        event=RevisionActivated(zone, active.rev, active.manifest_sha256),
        actor="",
        till="",
        biz=day.biz if day is not None and day.is_open else "",
        at_ms=clock.now_ms(),
        cat=active.rev,
    )
