"""Entries as an export reads them, made from events."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

from shared.export.entry import ExportedEntry, ExportedStore, StoredEntry, read_entry
from shared.journal.entry import body_bytes
from shared.journal.event import Event
from shared.kernel.money import CURRENCIES
from shared.wire.codec import event_data
from tests.builders import STREAM, an_entry_header

STORE = ExportedStore("343", "惠民 <Main & 2nd>", CURRENCIES["CNY"], ZoneInfo("Asia/Shanghai"))


def stored(event: Event, seq: int = 0, *, flag: str = "", **header: object) -> StoredEntry:
    """An event as headquarters has it."""
    written = an_entry_header(seq, **{"type": event.type, **header})
    body = body_bytes(written, event_data(event))
    fingerprint = hashlib.sha256(body).hexdigest()
    return StoredEntry(STREAM, seq, written.id, event.type, written.at, fingerprint, flag, body)


def exported(event: Event, seq: int = 0, *, flag: str = "", **header: object) -> ExportedEntry:
    """An event as an export tells it."""
    return read_entry(STORE, stored(event, seq, flag=flag, **header))
