"""Where a release stands, read from the database for `next_move`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.publication import engine
from cloud.release import facts_store, signal_store, store
from cloud.release.guard import TRIPPED, GuardId, GuardSetting, Look, Sight, look_all
from cloud.release.lookup import guard_settings, policy_of
from cloud.release.move import Facts, ReleaseView, Seen, Trip, WaveView, soaked_at_ms
from cloud.release.policy import NO_EVIDENCE
from cloud.release.state import State
from cloud.release.store import Release, WaveRow
from shared.release.plan import WavePlan, starts_at_ms

NEVER_MS = 1 << 62
GUARD_ROLLS_BACK = "guard:"
"""What `halted_by` begins with where everything is taken back without a person."""
OF_SALES = (GuardId.ZERO_LINES, GuardId.OVERRIDES, GuardId.MARGIN, GuardId.VOIDS)


def view_of(connection: Connection, release: Release, now_ms: int) -> ReleaseView:
    """The release as `next_move` wants it."""
    counts = facts_store.progress(connection, [release.release_id], now_ms)[release.release_id]
    rows = store.waves(connection, release.release_id)
    waves = [
        _wave(plan, row, counts.get(row.n, {}))
        for plan, row in zip(release.plan, rows, strict=True)
    ]
    rolls_back = (release.halted_by or "").startswith(GUARD_ROLLS_BACK)
    # What a release brings back was sold by before: nothing has to be shown of it.
    proves = release.state is State.ROLLING and release.undoes is None
    evidence = policy_of(connection).evidence() if proves else NO_EVIDENCE
    return ReleaseView(release.state, waves, release.wave, release.since_ms, rolls_back, evidence)


def facts_of(
    connection: Connection,
    release: Release,
    view: ReleaseView,
    looks: Iterable[Look],
    now_ms: int,
) -> Facts:
    """What the world says."""
    release_id = release.release_id
    match release.state:
        case State.APPROVED | State.QUEUED:
            found = engine.conflicts(connection, release_id)
            return Facts(conflicts=tuple(each.release_id for each in found))
        case State.ROLLING | State.PAUSED:
            settings = {each.guard: each for each in guard_settings(connection)}
            trip = next((trip_of(settings[each.guard], each) for each in _tripped(looks)), None)
            zones = store.waiting_zones(connection, release_id)
            first_at_ms = _next_first_at_ms(release, zones)
            seen = _seen(connection, release, view, first_at_ms, now_ms) if zones else Seen()
            return Facts((), trip, first_at_ms, left=len(zones), seen=seen)
        case State.ROLLING_BACK:
            return Facts(returning=facts_store.returning(connection, release_id, now_ms))
        case _:
            return Facts()


def looks_of(
    connection: Connection, release: Release, settings: Sequence[GuardSetting], now_ms: int
) -> list[Look]:
    """What every guard sees now; nothing while no store has it."""
    if release.state not in {State.ROLLING, State.PAUSED}:
        return []
    release_id = release.release_id
    windows = {each.window_s for each in settings if each.is_on and each.guard in OF_SALES}
    sales = {
        window: signal_store.seen(connection, release_id, now_ms, window) for window in windows
    }
    boxes = facts_store.boxes(connection, release_id, now_ms)
    pairs = {
        each.window_s: signal_store.rates(connection, release_id, now_ms, each.window_s)
        for each in settings
        if each.is_on and each.guard is GuardId.SALES_DROP
    }
    rates = {window: pair[0] for window, pair in pairs.items()}
    control = {window: pair[1] for window, pair in pairs.items()}
    return look_all(settings, Sight(sales, boxes, rates, control))


def trip_of(setting: GuardSetting, look: Look) -> Trip:
    """A guard that stops a release."""
    return Trip(look.guard.value, look.value or 0, setting.action == "roll_back")


def instants_of(wave: WavePlan, starts_local: str | None, zones: dict[str, str]) -> dict[str, int]:
    """When each store begins, UTC ms (0: at once), by its IANA time zone."""
    known: dict[str, int] = {}
    for name in set(zones.values()):
        known[name] = starts_at_ms(starts_local, wave.offset_min, ZoneInfo(name))
    return {store_id: known[name] for store_id, name in zones.items()}


def _next_first_at_ms(release: Release, zones: dict[str, str]) -> int:
    n = release.wave + 1
    if not zones or n >= len(release.plan):
        return NEVER_MS
    return min(instants_of(release.plan[n], release.starts_local, zones).values())


def _seen(
    connection: Connection, release: Release, view: ReleaseView, first_at_ms: int, now_ms: int
) -> Seen:
    """What the wave under way has shown; asked once it has soaked, if it has to show anything."""
    wave = view.waves[release.wave]
    if view.evidence == NO_EVIDENCE or wave.is_done or now_ms < soaked_at_ms(view, first_at_ms):
        return Seen()
    sales = signal_store.sales_of_wave(
        connection, release.release_id, release.wave, wave.started_at_ms or 0
    )
    return Seen(sales, wave.active)


def _tripped(looks: Iterable[Look]) -> list[Look]:
    return [look for look in looks if look.state == TRIPPED]


def _wave(plan: WavePlan, row: WaveRow, counts: dict[str, int]) -> WaveView:
    return WaveView(
        plan.soak_s,
        sum(counts.values()),
        row.started_at_ms,
        row.done_at_ms is not None,
        row.last_at_ms or 0,
        counts.get("brought", 0) + counts.get("failed", 0),
        counts.get("active", 0) + counts.get("shown", 0),
    )
