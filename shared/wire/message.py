"""Small MQTT messages as dataclasses, checked by pydantic on the way in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.kernel.errors import RefusedError

MESSAGE_BYTES_MAX = 16 * 1024


class AckCode(StrEnum):
    """What became of a batch. Only `ok` and `dup` move a watermark."""

    OK = "ok"
    DUP = "dup"
    GAP = "gap"
    FORK = "fork"
    BUSY = "busy"
    REVOKED = "revoked"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Ack:
    """The only acknowledgement that counts: sent after the commit, with number *and* hash.

    `head`/`hh` last committed entry and its hash (hex; -1 and "" for an empty stream),
    `safe`/`sh` last archived one, `inc` the cloud's incarnation, `t` UTC ms, `retry_ms` how
    long to wait when busy.
    """

    stream: str
    code: AckCode
    head: int
    hh: str
    safe: int
    sh: str
    inc: str
    t: int
    retry_ms: int = 0
    v: int = 1


@dataclass(frozen=True, slots=True)
class Hello:
    """Heads of a box: repairs whatever was lost before. `acked` is -1 before the first ack."""

    dev: str
    stream: str
    seq: int
    hash: str
    acked: int
    boot: int
    conn: int
    sw: str
    clk: int
    t: int
    stored_rev: int
    active_rev: int
    unsynced: int
    v: int = 1


@dataclass(frozen=True, slots=True)
class Birth:
    """Retained state of a box; the broker sends the offline form as its last will.

    A death whose `conn` is not the current connection's is old news and is ignored.
    """

    online: bool
    conn: int
    boot: int = 0
    sw: str = ""
    v: int = 1


@dataclass(frozen=True, slots=True)
class CatalogReport:
    """How far a box is with its catalogue; `shown` maps lane to the revision on its screen."""

    zone: str
    stored: int
    stored_at: int
    active: int
    active_at: int
    shown: dict[str, int] = field(default_factory=dict)
    shown_at: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Reported state: it *is* the acknowledgement of the desired one. Times in UTC ms."""

    t: int
    catalog: CatalogReport
    unsynced: int
    lanes: int
    v: int = 1


@dataclass(frozen=True, slots=True)
class DesiredCatalog:
    """The manifest that a zone should sell with: its object's SHA-256 and HQ's signature."""

    zone: str
    rev: int
    sha256: str
    sig: str


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Heads only, under 2 KB; everything else is fetched."""

    gen: int
    inc: str
    catalog: DesiredCatalog | None = None
    v: int = 1


@dataclass(frozen=True, slots=True)
class CloudBirth:
    """The cloud's incarnation; a changed one tells boxes that it was restored or moved."""

    incarnation: str
    t: int
    v: int = 1


Message = Ack | Hello | Birth | Report | DesiredState | CloudBirth
M = TypeVar("M", Ack, Hello, Birth, Report, DesiredState, CloudBirth)


_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Ack, Hello, Birth, Report, DesiredState, CloudBirth)
}


def message_bytes(message: Message) -> bytes:
    """JSON bytes of a message."""
    return _ADAPTERS[type(message).__name__].dump_json(message)


def parse_message(kind: type[M], payload: bytes) -> M:
    """Read a message; unknown fields are ignored. RefusedError `wire.too_large`, `wire.message`."""
    if len(payload) > MESSAGE_BYTES_MAX:
        raise RefusedError("wire.too_large", size=len(payload))
    try:
        message: M = _ADAPTERS[kind.__name__].validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError("wire.message", kind=kind.__name__, field=where) from None
    return message
