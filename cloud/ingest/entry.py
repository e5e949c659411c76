"""Reading what ingest must know of an entry's body; everything else stays bytes."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, NamedTuple

import msgspec

from cloud.ingest.decision import Opening
from shared.journal.event import KNOWN_EVENTS, EntrySalvaged, StreamOpened
from shared.journal.life import LifeCause
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.wire.topics import is_device_id

INSTANT_MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999."""

KNOWN_TYPES = frozenset(event.type for event in KNOWN_EVENTS)
SALVAGED = EntrySalvaged.type
SALVAGED_DEPTH_MAX = 8
"""A life may salvage what an earlier one had salvaged; nobody is cloned more often."""

CAUSES = frozenset(LifeCause)

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_BIGINT = msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)


class EntryHead(msgspec.Struct, gc=False):
    """The header fields of a body that ingest and the posters use; `data` is the raw event.

    The wide truth is `shared.journal.entry.EntryHeader`; a reader takes what it needs.
    """

    id: str
    type: str
    stream: str
    seq: int
    at: Annotated[int, _BIGINT]
    data: msgspec.Raw
    biz: str = ""
    cat: int = 0


class BrokenHead(EntryHead, gc=False):
    """The head of an entry whose header is not what it should be; `data` is not to be read."""


class _SalvagedData(msgspec.Struct, gc=False):
    """What `original_of` reads of an `entry.salvaged`."""

    stream: str
    seq: int
    body: str


class _OpenedData(msgspec.Struct, gc=False):
    """What `read_genesis` reads of a `stream.opened`."""

    device: str
    store: str
    cause: str = ""
    previous: Any = None


class Genesis(NamedTuple):
    """Entry 0: whose stream begins, why, and the `previous` one as {stream, seq, hash}."""

    opening: Opening
    cause: str
    previous: dict[str, Any] | None


_UNREADABLE = (msgspec.DecodeError, RecursionError)
"""Nested without end is as bad as no JSON."""
_decode = msgspec.json.Decoder(EntryHead).decode
_decode_opened = msgspec.json.Decoder(_OpenedData).decode
_decode_salvaged = msgspec.json.Decoder(_SalvagedData).decode


def read_head(body: bytes, stream: str, seq: int) -> EntryHead:
    """Read a body that should stand at `seq` of `stream` (hex).

    Raises RefusedError `ingest.body` when it is no entry at all, `ingest.place` when it is an
    entry of another place: a box that signs such things must stop.  An entry that is in its place
    and wrong elsewhere is a fact all the same: it becomes a `BrokenHead`.
    """
    try:
        head = _decode(body)
    except (*_UNREADABLE, UnicodeDecodeError) as error:
        head = _read_broken(body, RefusedError("ingest.body", seq=seq, because=str(error)))
    if head.seq != seq or head.stream != stream:
        raise RefusedError("ingest.place", seq=seq)
    return head


def _read_broken(body: bytes, refusal: RefusedError) -> BrokenHead:
    """What can be read of a body that `EntryHead` does not fit; raises `refusal` when too little.

    By the standard library: numbers of any size are members like others here.
    """
    try:
        said = json.loads(body)
        stream, seq = said["stream"], said["seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise refusal from None
    if type(stream) is not str or type(seq) is not int:
        raise refusal
    texts = [said[name] if type(said.get(name)) is str else "" for name in ("id", "type", "biz")]
    at_ms = said.get("at")
    is_instant = type(at_ms) is int and 0 <= at_ms <= INSTANT_MS_MAX
    return BrokenHead(
        id=texts[0],
        type=texts[1],
        stream=stream,
        seq=seq,
        at=at_ms if is_instant else 0,
        data=msgspec.Raw(b"null"),
        biz=texts[2],
    )


def read_genesis(body: bytes, stream: str) -> Genesis | None:
    """What the body of entry 0 of `stream` (hex) says; None when it begins no stream."""
    try:
        head = read_head(body, stream, 0)
        data = _decode_opened(head.data) if head.type == StreamOpened.type else None
    except (RefusedError, *_UNREADABLE, UnicodeError):
        return None
    if data is None or not is_device_id(data.device):
        return None
    cause = data.cause if data.cause in CAUSES else ""
    return Genesis(Opening(data.device, data.store), cause, _previous(data.previous))


def _previous(said: object) -> dict[str, Any] | None:
    if not isinstance(said, dict):
        return None
    stream, seq, entry_hash = said.get("stream"), said.get("seq"), said.get("hash")
    if not is_hex(stream, 16) or type(seq) is not int or not -1 <= seq < 1 << 63:
        return None
    return {"stream": stream, "seq": seq, "hash": entry_hash if is_hex(entry_hash, 32) else ""}


def original_of(head: EntryHead) -> EntryHead | None:
    """The entry that a salvaged one carries, with the sequence number of its carrier.

    None when what it carries is no entry, or has another id or place than it says.
    """
    carried, seq = head, head.seq
    for _ in range(SALVAGED_DEPTH_MAX):
        try:
            data = _decode_salvaged(carried.data)
            found = _decode(data.body.encode())
        except (*_UNREADABLE, UnicodeError):
            return None
        if (found.id, found.stream, found.seq) != (head.id, data.stream, data.seq):
            return None
        if found.type != SALVAGED:
            found.seq = seq
            return found
        carried = found
    return None


def flaw_of(head: EntryHead) -> str | None:
    """Why an entry can be stored but not be posted: a dotted code, None when all is well."""
    if type(head) is BrokenHead:
        return "entry.header"
    if _ID.fullmatch(head.id) is None:
        return "entry.id"
    if head.type not in KNOWN_TYPES and _TYPE.fullmatch(head.type) is None:
        return "entry.type"
    if not 0 <= head.at <= INSTANT_MS_MAX:
        return "entry.at"
    return None


def storable(text: str) -> bytes:
    """Text as PostgreSQL can hold it, UTF-8 without NUL; the body keeps the truth."""
    return text.replace("\0", "").encode("utf-8", "replace")
