"""Parts of a box that are made from others: what the composition root would only be long with."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable

from edge.clock import SystemClock
from edge.copy.copies import Copies, CopyParts
from edge.device.escpos_profile import profile_of
from edge.house_rules import HouseRules
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
from shared.kernel.errors import RetailError
from shared.kernel.money import currency_of

COPY_PAUSE_MS = 2000
ENTRY_BYTES_MAX = 1 << 20


def make_layout(
    settings: Settings,
    identity: Identity,
    operator_name: Callable[[str], str],
    rules: HouseRules,
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
        artwork=StoreArtwork(settings.data_dir, settings.receipt, rules.logo).of,
        texts_at=rules.receipt_texts,
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


def newest_at_ms(journal: Journal) -> int:
    """When the journal's last entry was written, by the clock of then: no earlier is now.

    0 where that cannot be read: a spoilt entry is salvaged later, and the box sells now.
    """
    try:
        entries = journal.read(journal.last_seq(), 1, ENTRY_BYTES_MAX)
        at_ms = json.loads(entries[0].body).get("at", 0) if entries else 0
    except (RetailError, ValueError, AttributeError):
        return 0
    return at_ms if type(at_ms) is int and at_ms > 0 else 0
