"""Shapes of the endpoints about health, alerts, commands, windows and notes. Times UTC ms."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

Note = Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00]*$")]
Figure = Annotated[int, Field(ge=-(10**12), le=10**12)]
Instant = Annotated[int, Field(ge=0, lt=1 << 53)]


class BoxHealth(BaseModel):
    """A box in service; None for what it has not told. `rules` are those of its open alerts."""

    store_id: str
    store_name: str
    dev: str
    online: bool
    contact_at_ms: int | None
    unsynced: int
    alerts: int
    rules: list[str]
    sw: str
    told_at_ms: int | None
    uptime_s: int | None
    disk_free_mb: int | None
    disk_free_percent: int | None
    wear_percent: int | None
    temperature_mc: int | None
    is_undervolted: bool | None
    clk: int | None
    clock_off_ms: int | None
    memory_mb: int | None
    load_milli: int | None
    certificate_days: int | None
    scan_p50_ms: int | None
    scan_p99_ms: int | None
    sync_p50_ms: int | None
    sync_p99_ms: int | None
    devices_failed: int
    error: str | None


class HealthCounts(BaseModel):
    """How many boxes in service there are of each kind; `found` are those asked for."""

    boxes: int
    online: int
    offline: int
    silent: int
    alert: int
    untold: int
    found: int


class Health(BaseModel):
    """A page of the health table."""

    counts: HealthCounts
    boxes: list[BoxHealth]


class DeviceState(BaseModel):
    """A device of a box, as it tells itself."""

    id: str
    kind: str
    state: str
    fault: str | None


class LatestTelemetry(BaseModel):
    """The newest word of a box: `at_ms` when it came, `told_at_ms` by the box's own clock."""

    dev: str
    store_id: str
    at_ms: int
    told_at_ms: int
    uptime_s: int
    disk_free_mb: int
    disk_size_mb: int
    clk: int
    queue: int
    wear_percent: int | None
    temperature_mc: int | None
    is_undervolted: bool | None
    clock_off_ms: int | None
    memory_mb: int | None
    load_milli: int | None
    certificate_days: int | None
    scan_p50_ms: int | None
    scan_p99_ms: int | None
    sync_p50_ms: int | None
    sync_p99_ms: int | None
    scans: int
    devices: list[DeviceState]


class TelemetryHour(BaseModel):
    """An hour of a box: the worst of each figure; `undervolted` of `samples` were."""

    hour_ms: int
    store_id: str
    dev: str
    samples: int
    disk_free_mb_min: int
    queue_max: int
    wear_percent_max: int | None
    temperature_mc_max: int | None
    undervolted: int
    clk_min: int
    clock_off_ms_max: int | None
    memory_mb_max: int | None
    load_milli_max: int | None
    scan_p50_ms_max: int | None
    scan_p99_ms_max: int | None
    sync_p50_ms_max: int | None
    sync_p99_ms_max: int | None
    scans: int


class BoxTelemetry(BaseModel):
    """A box's newest word and its hours, oldest first."""

    latest: LatestTelemetry | None
    hours: list[TelemetryHour]


class Alert(BaseModel):
    """An alert: `open`, `acknowledged` or `closed`; `worst` is the worst figure so far."""

    id: int
    dev: str
    store_id: str
    store_name: str
    rule: str
    state: str
    opened_at_ms: int
    value: int
    worst: int
    detail: str
    acknowledged_by: str | None
    acknowledged_at_ms: int | None
    note: str
    closed_at_ms: int | None
    closed_because: str | None


class StandingCount(BaseModel):
    """How many alerts of a rule stand."""

    rule: str
    state: str
    count: int


class Alerts(BaseModel):
    """Alerts, the newest first, and how many stand in all."""

    alerts: list[Alert]
    standing: list[StandingCount]
    has_more: bool


class Acknowledge(BaseModel):
    """Somebody is on these alerts."""

    ids: list[int] = Field(min_length=1, max_length=1_000)
    note: Note = ""


class Acknowledged(BaseModel):
    """How many of them were open."""

    count: int


class AlertRule(BaseModel):
    """A rule: `came_*` are the figures that it came with."""

    rule: str
    unit: str
    is_above: bool
    is_on: bool
    open_at: int
    close_at: int
    hold_s: int
    came_open_at: int
    came_close_at: int
    came_hold_s: int
    changed_by: str
    changed_at_ms: int | None


class AlertRules(BaseModel):
    """Every rule, and whether somebody outside is told."""

    rules: list[AlertRule]
    has_outlet: bool


class RuleChange(BaseModel):
    """New figures of a rule."""

    is_on: bool
    open_at: Figure
    close_at: Figure
    hold_s: int = Field(ge=0, le=86_400)


class NewWindow(BaseModel):
    """Once (`from_ms`, `to_ms`) or weekly (`days` 1 Monday to 7 Sunday, "HH:MM" at the store)."""

    target: str = Field(pattern="^(all|group|store)$")
    target_id: str = Field(default="", max_length=64)
    from_ms: Instant | None = None
    to_ms: Instant | None = None
    days: list[int] = Field(default_factory=list, max_length=7)
    from_local: str = Field(default="", max_length=5)
    to_local: str = Field(default="", max_length=5)
    note: Note = ""


class Window(BaseModel):
    """A maintenance window; `is_live` while it counts or is to come."""

    id: int
    target: str
    target_id: str
    from_ms: int | None
    to_ms: int | None
    days: list[int]
    from_local: str
    to_local: str
    note: str
    made_by: str
    made_at_ms: int
    ended_by: str | None
    ended_at_ms: int | None
    is_live: bool


class Windows(BaseModel):
    """The newest windows, those that count first."""

    windows: list[Window]


class Added(BaseModel):
    """The number of what was added."""

    id: int


class NewNote(BaseModel):
    """What somebody wants the next one to know."""

    note: Note = Field(min_length=1)


class StoreNote(BaseModel):
    """A note about a store."""

    id: int
    store_id: str
    at_ms: int
    by: str
    note: str


class StoreNotes(BaseModel):
    """What people noted, the newest first."""

    notes: list[StoreNote]


class NewCommand(BaseModel):
    """One thing for several boxes, to be begun within `minutes`."""

    devs: list[Annotated[str, Field(max_length=32)]] = Field(min_length=1, max_length=500)
    kind: str = Field(max_length=40)
    args: dict[str, Annotated[str, Field(max_length=64)]] = Field(default_factory=dict)
    reason: Note
    minutes: int = Field(default=60, ge=1, le=10_080)


class CommandIds(BaseModel):
    """The commands, in the order of the boxes' ids."""

    ids: list[str]


class Command(BaseModel):
    """What a box was told: waiting, done, failed, refused, expired or cancelled.

    `detail` is "name=value" words of the box; `log_bytes` what it handed in, 0 for nothing.
    """

    id: str
    dev: str
    store_id: str
    store_name: str
    kind: str
    args: dict[str, Any]
    asked_by: str
    reason: str
    asked_at_ms: int
    not_after_ms: int
    state: str
    code: str
    detail: str
    log_bytes: int
    done_at_ms: int | None
    heard_at_ms: int | None


class Commands(BaseModel):
    """What was asked, the newest first."""

    commands: list[Command]
