"""Small MQTT messages as dataclasses, checked by pydantic on the way in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from shared.kernel.errors import RefusedError

MESSAGE_BYTES_MAX = 16 * 1024

Whole = Annotated[int, Field(strict=True, ge=-1, lt=1 << 63)]
"""What a database column holds; -1 stands for none yet."""
Text = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f]*$")]
"""One short line."""


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

    stream: Text
    code: AckCode
    head: Whole
    hh: Text
    safe: Whole
    sh: Text
    inc: Text
    t: Whole
    retry_ms: Whole = 0
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class Hello:
    """Heads of a box: repairs whatever was lost before. `acked` is -1 before the first ack."""

    dev: Text
    stream: Text
    seq: Whole
    hash: Text
    acked: Whole
    boot: Whole
    conn: Whole
    sw: Text
    clk: Whole
    t: Whole
    stored_rev: Whole
    active_rev: Whole
    unsynced: Whole
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class Birth:
    """Retained state of a box; the broker sends the offline form as its last will.

    A death whose `conn` is not the current connection's is old news and is ignored.
    """

    online: bool
    conn: Whole
    boot: Whole = 0
    sw: Text = ""
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class CatalogReport:
    """How far a box is with its catalogue; `shown` maps lane to the revision on its screen."""

    zone: Text
    stored: Whole
    stored_at: Whole
    active: Whole
    active_at: Whole
    shown: dict[str, Whole] = field(default_factory=dict)
    shown_at: Whole = 0
    error: Text | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Reported state: it *is* the acknowledgement of the desired one. Times in UTC ms."""

    t: Whole
    catalog: CatalogReport
    unsynced: Whole
    lanes: Whole
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class DesiredCatalog:
    """The manifest that a zone should sell with: its object's SHA-256 and HQ's signature."""

    zone: Text
    rev: Whole
    sha256: Text
    sig: Text


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Heads only, under 2 KB; everything else is fetched.

    `status` is `active`, or `retiring` for a box that was replaced: it starts no new sales and
    brings what it has.
    """

    gen: Whole
    inc: Text
    catalog: DesiredCatalog | None = None
    v: Whole = 1
    status: Text = "active"


@dataclass(frozen=True, slots=True)
class CloudBirth:
    """The cloud's incarnation; a changed one tells boxes that it was restored or moved."""

    incarnation: Text
    t: Whole
    v: Whole = 1


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
