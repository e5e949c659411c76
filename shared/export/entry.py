"""What an export tells of one journal entry, read from its stored body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.journal.event import EntrySalvaged, Event
from shared.kernel.errors import RefusedError
from shared.kernel.money import Currency
from shared.wire.codec import parse_body, parse_event

INSTANT_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999."""
SALVAGED_DEPTH_MAX = 16
"""How often a journal may have been lost before an entry's original is no longer looked for."""
UNREADABLE = "export.unreadable"
"""Flag of an entry that cannot be read and that nobody had flagged before."""


@dataclass(frozen=True, slots=True)
class ExportedStore:
    """The store that an entry is of."""

    id: str
    name: str
    currency: Currency
    zone: ZoneInfo

    def local(self, at_ms: int) -> str:
        """ISO 8601 wall clock with offset of an instant (UTC ms); "" for an absurd instant."""
        if not 0 <= at_ms <= INSTANT_MS_MAX:
            return ""
        second, milli = divmod(at_ms, 1000)
        try:
            at = datetime.fromtimestamp(second, self.zone)
        except (OverflowError, ValueError):  # east of Greenwich the year 10000 has begun
            return ""
        return at.replace(microsecond=milli * 1000).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as headquarters stores it; `flag` is "" for one that had its effects."""

    stream: str
    seq: int
    id: str
    type: str
    at_ms: int
    hash: str
    flag: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """One fact with its place in the chain.

    `stream`, `seq` and `hash` (hex) are where it was first written; `carrier` names the stream
    that brought a salvaged one, else "". `business_date` is ISO 8601, "" outside of business days.
    `event` is None when the body cannot be read; `body` is then its text.
    """

    store: ExportedStore
    stream: str
    seq: int
    hash: str
    id: str
    type: str
    at_ms: int
    business_date: str
    lane: str
    operator: str
    revision: int
    flag: str
    carrier: str
    event: Event | None
    body: str = ""

    @property
    def at(self) -> str:
        """When it was written: the store's wall clock with its offset."""
        return self.store.local(self.at_ms)

    @property
    def day(self) -> str:
        """The date that it is exported under: its business date, or else the wall clock's."""
        try:
            date.fromisoformat(self.business_date)
        except ValueError:
            return self.at[:10]
        return self.business_date


def read_entry(store: ExportedStore, stored: StoredEntry) -> ExportedEntry:
    """The entry for an export; one that cannot be read comes flagged, never as an error."""
    entry = _read(store, stored)
    for _ in range(SALVAGED_DEPTH_MAX):
        if not isinstance(entry.event, EntrySalvaged):
            break
        carried = replace(
            stored,
            stream=entry.event.stream,
            seq=entry.event.seq,
            hash=entry.event.hash,
            body=entry.event.body.encode("utf-8", "replace"),
        )
        entry = replace(_read(store, carried), carrier=stored.stream)
    return entry


def _read(store: ExportedStore, stored: StoredEntry) -> ExportedEntry:
    header: dict[str, Any] = {}
    event: Event | None = None
    try:
        header = parse_body(stored.body)
        event = parse_event(_text(header, "type"), header["data"])
    except (RefusedError, KeyError):
        pass  # marked below: what was stored is told, whatever it is
    return ExportedEntry(
        store,
        stored.stream,
        stored.seq,
        stored.hash,
        _text(header, "id") or stored.id,
        _text(header, "type") or stored.type,
        _number(header, "at", stored.at_ms),
        _text(header, "biz"),
        _text(header, "till"),
        _text(header, "actor"),
        _number(header, "cat", 0),
        stored.flag or ("" if event is not None else UNREADABLE),
        "",
        event,
        "" if event is not None else stored.body.decode("utf-8", "replace"),
    )


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""


def _number(header: dict[str, Any], name: str, otherwise: int) -> int:
    value = header.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
