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
    """Heads of a box: repairs whatever was lost before. `acked` is -1 before the first ack.

    `model` is the kind of hardware as it names itself ("" unknown), `reads` the newest version of
    a manifest that this software can read; a box that does not say it reads the first only.
    """

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
    model: Text = ""
    reads: Whole = 1


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
    """How far a box is with its catalogue; `shown` maps lane to the revision on its screen.

    `next_rev` and `next_at` (UTC ms): the first staged revision that waits for its instant, 0 for
    none. `clk` is the trust in the box's clock, `held` why a due revision is not active.
    """

    zone: Text
    stored: Whole
    stored_at: Whole
    active: Whole
    active_at: Whole
    shown: dict[str, Whole] = field(default_factory=dict)
    shown_at: Whole = 0
    error: Text | None = None
    next_rev: Whole = 0
    next_at: Whole = 0
    clk: Whole = 2
    held: Text | None = None


@dataclass(frozen=True, slots=True)
class SoftwareReport:
    """How far a box is with its software; `state` as in `shared.release.state`.

    `trusted` is the release that it goes back to; `error` a dotted code.
    """

    running: Text
    wanted: Text = ""
    state: Text = "idle"
    since: Whole = 0
    error: Text | None = None
    trusted: Text = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Reported state: it *is* the acknowledgement of the desired one. Times in UTC ms.

    `gen` is the newest desired document that the box has read.
    """

    t: Whole
    catalog: CatalogReport
    unsynced: Whole
    lanes: Whole
    v: Whole = 1
    gen: Whole = 0
    software: SoftwareReport | None = None


@dataclass(frozen=True, slots=True)
class DesiredCatalog:
    """The manifest that a zone should sell with: its object's SHA-256 and HQ's signature.

    `at` (UTC ms): not before this instant of the box's trusted time; 0 for at once.
    """

    zone: Text
    rev: Whole
    sha256: Text
    sig: Text
    at: Whole = 0


@dataclass(frozen=True, slots=True)
class DesiredSoftware:
    """The release that a box should run: the SHA-256 of its signed description, HQ's signature.

    `window` is when it may be installed, in the store's local time ("HH:MM-HH:MM", "" for any
    time); `after` (UTC ms) not before this instant.
    """

    version: Text
    sha256: Text
    sig: Text
    window: Text = ""
    after: Whole = 0


@dataclass(frozen=True, slots=True)
class DesiredCommand:
    """One command of HQ that waits for its box; done at most once, not after `not_after`.

    `args` are short texts by name. It stands in the desired document until its result is known,
    so that a box that was away gets it, or lets it expire.
    """

    id: Text
    kind: Text
    not_after: Whole
    args: dict[str, Text] = field(default_factory=dict)


NEXT_MAX = 4
"""Revisions that may wait for their instants: the document stays small."""
COMMANDS_MAX = 4


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Heads only, under 2 KB; everything else is fetched.

    `status` is `active`, or `retiring` for a box that was replaced: it starts no new sales and
    brings what it has. `catalog` is to be active now, `next` at later instants, in ascending
    order of revision and instant; each is reached by the deltas of the last one's manifest.
    A signed document (`shared.wire.signed`) says for which box it is (`dev`), when it was changed
    (`at`) and until when it may be gone by (`not_after`, both UTC ms).
    """

    gen: Whole
    inc: Text
    catalog: DesiredCatalog | None = None
    v: Whole = 1
    status: Text = "active"
    next: Annotated[tuple[DesiredCatalog, ...], Field(max_length=NEXT_MAX)] = ()
    software: DesiredSoftware | None = None
    commands: Annotated[tuple[DesiredCommand, ...], Field(max_length=COMMANDS_MAX)] = ()
    telemetry_s: Whole = 60
    dev: Text = ""
    at: Whole = 0
    not_after: Whole = 0


@dataclass(frozen=True, slots=True)
class CloudBirth:
    """The cloud's incarnation; a changed one tells boxes that it was restored or moved."""

    incarnation: Text
    t: Whole
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command: `done`, `failed`, `refused` or `expired`; sent until HQ knows.

    `code` is a dotted code where it is not done, `detail` one line for people; `object` names what
    the box uploaded (collected logs), as its SHA-256.
    """

    id: Text
    state: Text
    t: Whole
    code: Text = ""
    detail: Text = ""
    object: Text = ""
    v: Whole = 1


@dataclass(frozen=True, slots=True)
class DeviceTelemetry:
    """One device of the box, as its health page shows it."""

    id: Text
    kind: Text
    state: Text
    fault: Text | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """How a box feels; at most one in `telemetry_s` seconds, lost ones are not sent again.

    None stands for what this machine does not tell. Sizes in MB, temperature in milli-degrees
    Celsius, wear in percent of the card's life, latencies in milliseconds over the last period.
    """

    t: Whole
    uptime_s: Whole
    disk_free_mb: Whole
    disk_size_mb: Whole
    clk: Whole
    queue: Whole
    wear_percent: Whole | None = None
    temperature_mc: Annotated[int, Field(strict=True)] | None = None
    is_undervolted: bool | None = None
    clock_off_ms: Annotated[int, Field(strict=True)] | None = None
    memory_mb: Whole | None = None
    load_milli: Whole | None = None
    certificate_days: Annotated[int, Field(strict=True)] | None = None
    scan_p50_ms: Whole | None = None
    scan_p99_ms: Whole | None = None
    sync_p50_ms: Whole | None = None
    sync_p99_ms: Whole | None = None
    scans: Whole = 0
    devices: Annotated[tuple[DeviceTelemetry, ...], Field(max_length=64)] = ()
    v: Whole = 1


Message = Ack | Hello | Birth | Report | DesiredState | CloudBirth | CommandResult | Telemetry
M = TypeVar("M", Ack, Hello, Birth, Report, DesiredState, CloudBirth, CommandResult, Telemetry)


_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        Ack,
        Hello,
        Birth,
        Report,
        DesiredState,
        CloudBirth,
        CommandResult,
        Telemetry,
    )
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
