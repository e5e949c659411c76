"""Shapes of the release endpoints. Instants are UTC ms, money minor units, shares basis points."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from cloud.release.policy import EVIDENCE_BOXES_PERCENT, EVIDENCE_SALES, EVIDENCE_WAIT_S, Then
from shared.release.plan import UNDO

NOTE_MAX = 200
REASON_MAX = 500
WAVES_MAX = 20
STORES_MAX = 20_000
ROWS_MAX = 500
DAY_S = 86_400
WEEK_MIN = 7 * 24 * 60
LOCAL = r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?)?$"
"""Wall-clock text of a store, such as 2026-11-27T00:00; empty: as soon as it is approved."""


class WavePlan(BaseModel):
    """One wave: a share of the stores, a store group, or stores by name; the last takes the rest.

    `percent` counts all stores up to and with this wave. `offset_min` moves the start of its
    stores against the release's own start (negative: earlier). After the wave has come into
    force, or where that is later than the next one's start after it was sent, `soak_s` passes.
    """

    name: str = Field(min_length=1, max_length=40)
    percent: int | None = Field(default=None, ge=1, le=100)
    group: str | None = Field(default=None, max_length=64)
    stores: list[str] | None = Field(default=None, max_length=STORES_MAX)
    soak_s: int = Field(default=900, ge=0, le=7 * DAY_S)
    offset_min: int = Field(default=0, ge=-WEEK_MIN, le=WEEK_MIN)


UNDO_WAVES = [WavePlan(**asdict(wave)) for wave in UNDO]


class ReleaseRequest(BaseModel):
    """All drafts become a release.

    `plan` null is the policy's. `approve` asks for approval at once, where the policy lets its
    creator approve it.
    """

    note: str = Field(default="", max_length=NOTE_MAX)
    starts_local: str = Field(default="", pattern=LOCAL)
    plan: list[WavePlan] | None = Field(default=None, min_length=1, max_length=WAVES_MAX)
    approve: bool = False


class Said(BaseModel):
    """Why somebody does it."""

    reason: str = Field(default="", max_length=REASON_MAX)


class ReleaseFilter(BaseModel):
    """Which releases a request asks for; `q` is looked for in note and creator."""

    state: str = Field(default="", max_length=20)
    q: str = Field(default="", max_length=80)
    page: int = Field(default=1, ge=1, le=1_000_000)
    size: int = Field(default=50, ge=1, le=ROWS_MAX)


class StoreFilter(BaseModel):
    """Which stores of a release a request asks for; `wave` counts from 0."""

    state: str = Field(default="", max_length=20)
    wave: int | None = Field(default=None, ge=0, le=WAVES_MAX)
    q: str = Field(default="", max_length=80)
    page: int = Field(default=1, ge=1, le=1_000_000)
    size: int = Field(default=50, ge=1, le=ROWS_MAX)


class Progress(BaseModel):
    """How many stores are how far; `failed` say an error, `silent` have not been heard of."""

    total: int
    brought: int
    stored: int
    active: int
    shown: int
    failed: int
    silent: int


class Because(BaseModel):
    """Why a release needs a second person: a figure and the limit that it passes."""

    rule: Literal["lines", "move", "below_cost", "stores", "plan"]
    value: int
    limit: int


class ReleaseRow(BaseModel):
    """One release.

    `state` is review, rejected, cancelled, approved, queued, rolling, paused, halted,
    rolling_back, rolled_back or done; `because` a short code of what it waits for or ended by
    (`release.because.<code>`), `wave` the wave under way from 0 (-1: none yet), `may` what the
    asking person may do now. `undoes` is the release that this one takes back.
    """

    release_id: int
    note: str
    state: str
    because: str | None
    created_by: str
    created_at_ms: int
    approved_by: str | None
    approved_at_ms: int | None
    changes: int
    by_kind: dict[str, int]
    stores: int
    starts_local: str | None
    wave: int
    waves_count: int
    progress: Progress
    needs_approval: bool
    undoes: int | None
    may: list[str]


class Releases(BaseModel):
    """One page, the newest first."""

    releases: list[ReleaseRow]
    total: int
    page: int
    size: int


class Wave(BaseModel):
    """One wave; `state` is waiting, rolling (not stored everywhere), soaking, done or withdrawn.

    `first_at_ms` and `last_at_ms` are the instants between which its stores begin to sell by it;
    `next_at_ms` is when the next wave may begin, null while nobody knows.
    """

    n: int
    name: str
    state: str
    stores: int
    percent: int | None
    group: str | None
    soak_s: int
    offset_min: int
    started_at_ms: int | None
    done_at_ms: int | None
    first_at_ms: int | None
    last_at_ms: int | None
    next_at_ms: int | None
    progress: Progress


class Evidence(BaseModel):
    """What a guard saw in one store (empty: in all of them together)."""

    store_id: str
    name: str
    value: int
    text: str
    at_ms: int


class Guard(BaseModel):
    """One guard's last look: `state` is ok, tripped, no_data or off."""

    guard: str
    is_on: bool
    threshold: int
    unit: Literal["bp", "count", "minor"]
    least: int
    window_s: int
    action: Literal["roll_back", "halt"]
    value: int | None
    state: str
    at_ms: int | None
    evidence: list[Evidence]


class ReleaseEvent(BaseModel):
    """What happened; `by` empty: the release's own machinery."""

    at_ms: int
    by: str
    action: str
    reason: str
    params: dict[str, int | str]


class Conflict(BaseModel):
    """A release in flight that changes the same records, and some of them."""

    release_id: int
    note: str
    keys: list[str]


class Shown(BaseModel):
    """What a wave has shown so far, and what it has to: sales by it, stores that sell by it."""

    sales: int
    sales_wanted: int
    boxes: int
    boxes_wanted: int


class Waits(BaseModel):
    """What the next step waits for (`release.waits.<why>`), and until when if that is known.

    `evidence` where the wave under way has not shown enough for the next one to begin.
    """

    why: str
    until_ms: int | None
    evidence: Shown | None


class Release(ReleaseRow):
    """One release in full; events are the oldest first."""

    waves: list[Wave]
    guards: list[Guard]
    events: list[ReleaseEvent]
    conflicts: list[Conflict]
    waits: Waits | None


class ReleaseStore(BaseModel):
    """One store of a release; `at_ms` is when it begins to sell by it (0: at once).

    `state` is waiting, brought, stored, active, shown, failed, too_old (its software cannot read
    it), silent or withdrawn.
    """

    store_id: str
    name: str
    wave: int
    state: str
    because: str | None
    rev: int | None
    at_ms: int | None
    stored_at_ms: int | None
    active_at_ms: int | None
    shown_at_ms: int | None


class ReleaseStores(BaseModel):
    """One page of stores; `counts` of all of them by state."""

    stores: list[ReleaseStore]
    total: int
    page: int
    size: int
    counts: dict[str, int]


class Move(BaseModel):
    """A price that changes; `store_id` null: in a zone or everywhere. `move_bp` null: no old."""

    gtin: str
    name: str
    scope: str
    store_id: str | None
    currency: str
    from_at_ms: int | None
    old_minor: int | None
    new_minor: int | None
    old_member_minor: int | None
    new_member_minor: int | None
    move_bp: int | None


class BelowCost(BaseModel):
    """A price below what the item costs, both with tax."""

    gtin: str
    name: str
    scope: str
    store_id: str | None
    currency: str
    price_minor: int
    cost_minor: int


class Finding(BaseModel):
    """What the linter of offers says: `price.lint.<code>` is the text."""

    severity: Literal["error", "warning", "hint"]
    code: str
    params: dict[str, int | str]
    where: str


class Effect(BaseModel):
    """Recorded baskets priced again, of the stores of one currency."""

    currency: str
    baskets: int
    touched: int
    net_before_minor: int
    net_after_minor: int
    margin_before_minor: int
    margin_after_minor: int
    lines: int
    lines_without_cost: int
    paying_more: int
    paying_less: int


class Simulation(BaseModel):
    """The margin effect on recorded sales; `done` of `total` sales are priced again."""

    state: Literal["none", "waiting", "running", "done", "failed"]
    because: str | None
    done: int
    total: int
    from_on: str | None
    to_on: str | None
    totals: list[Effect]


class Preview(BaseModel):
    """What a release changes: at most 100 moves and 100 prices below cost, 50 stores named."""

    changes: int
    by_kind: dict[str, int]
    stores: int
    store_ids: list[str]
    moves: list[Move]
    moves_total: int
    below_cost: list[BelowCost]
    below_cost_total: int
    findings: list[Finding]
    needs_approval: bool
    approval_because: list[Because]
    simulation: Simulation


class Policy(BaseModel):
    """Above any of these limits a second person approves; `below_cost`: any price below cost.

    `plan` is used where a release names none; only a release within the limits may go to all
    stores in one wave. `undo_plan` takes a finished release back. Before the next wave begins,
    `evidence_sales` were made by the release in the stores of the one before, and
    `evidence_boxes_percent` of them sell by it; after `evidence_wait_s` it goes on all the same,
    or waits for a person.
    """

    lines_max: int = Field(default=200, ge=0, le=10_000_000)
    move_bp_max: int = Field(default=3_000, ge=0, le=1_000_000)
    stores_max: int = Field(default=100, ge=0, le=1_000_000)
    below_cost: bool = True
    plan: list[WavePlan] = Field(min_length=1, max_length=WAVES_MAX)
    undo_plan: list[WavePlan] = Field(default=UNDO_WAVES, min_length=1, max_length=WAVES_MAX)
    evidence_sales: int = Field(default=EVIDENCE_SALES, ge=0, le=1_000_000)
    evidence_boxes_percent: int = Field(default=EVIDENCE_BOXES_PERCENT, ge=0, le=100)
    evidence_wait_s: int = Field(default=EVIDENCE_WAIT_S, ge=0, le=7 * DAY_S)
    evidence_then: Then = "ask"


class StoredPolicy(Policy):
    """The policy, and who changed it last (empty: nobody yet)."""

    changed_by: str
    changed_at_ms: int


class GuardSetting(BaseModel):
    """One guard: trips at `threshold` once at least `least` cases were seen in the window."""

    guard: str = Field(max_length=40)
    is_on: bool
    threshold: int = Field(ge=0, le=1_000_000_000)
    unit: Literal["bp", "count", "minor"]
    least: int = Field(ge=0, le=1_000_000)
    window_s: int = Field(ge=60, le=DAY_S)
    action: Literal["roll_back", "halt"]


class Guards(BaseModel):
    """Every guard; a change names all or some of them."""

    guards: list[GuardSetting] = Field(max_length=50)


class PublishRequest(BaseModel):
    """Why it is published."""

    note: str = Field(default="", max_length=NOTE_MAX)


class Published(BaseModel):
    """A finished publication and how many stores it reaches."""

    rev: int
    at_ms: int
    stores: int
