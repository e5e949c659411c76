"""Releases on a fleet of simulated stores: exact at their instant, taken back when they are bad.

python -m tests.bench --only release
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from cloud.clock import SystemClock
from cloud.lightbox.store import TIME_ZONE
from tests.bench.figure import Figure, percentile, spread
from tests.bench.fleet import Fleet, fleet
from tests.demo.pack.sample import sample_pack

STORES, SMALL = 1_000, 20
AHEAD_S = 45
SALES_PER_DAY = 8_640
"""One in ten seconds."""
EXACT_GOAL_S, BACK_GOAL_S, CANARY = 1.0, 60.0, 3
WAIT_S, POLL_S = 240.0, 0.2
AT_ONCE = [{"name": "all", "percent": 100, "soak_s": 0}]
IN_WAVES = [
    {"name": "canary", "percent": 1, "soak_s": 900},
    {"name": "all", "percent": 100, "soak_s": 0},
]
_ACTIVE = text("SELECT active_at_ms FROM box_state WHERE active_rev >= :rev")
_REV = text("SELECT max(rev) FROM release_store WHERE release_id = :release_id")
_STORED = text("SELECT count(*) FROM box_state WHERE stored_rev >= :rev")
_TOUCHED = text("SELECT count(*) FROM release_store WHERE release_id = :release_id")
_BY_IT = text("SELECT count(*) FROM box_state WHERE active_rev = :rev")
_BEGAN = text("SELECT min(active_at_ms) FROM box_state WHERE active_rev = :rev")


def measure(folder: Path) -> list[Figure]:
    """A scheduled price for 1,000 stores, then a bad one that must not pass its canary."""
    exact, small = folder / "exact", folder / "small"
    exact.mkdir()
    small.mkdir()
    with fleet(exact, STORES) as found:
        late_s = _scheduled(found)
    with fleet(small, SMALL, SALES_PER_DAY) as found:
        back_s, touched = _bad_push(found)
    return [
        Figure(
            f"scheduled price active in {STORES:,} stores after its instant, p99",
            "s",
            percentile(late_s, 0.99),
            EXACT_GOAL_S,
            0.0,
            "",
            f"{spread(late_s, 's')}; {len(late_s)} of {STORES} stores, none before its instant",
        ),
        Figure(
            "bad push (everything costs 0): from the canary's first use to taken back everywhere",
            "s",
            back_s,
            BACK_GOAL_S,
            0.0,
            "",
            f"it reached {touched} of {SMALL} stores, the canary is {CANARY}",
        ),
    ]


def _scheduled(found: Fleet) -> list[float]:
    at = datetime.now(ZoneInfo(TIME_ZONE)).replace(microsecond=0) + timedelta(seconds=AHEAD_S)
    release = _submit(found, 777, AT_ONCE, at.strftime("%Y-%m-%dT%H:%M:%S"))
    rev = _rev_of(found, release)
    _until(found, lambda: _scalar(found, _STORED, rev=rev) >= found.crowd.count)
    assert SystemClock().now_ms() < at.timestamp() * 1_000, "stored too late to be exact"
    _until(found, lambda: len(_active(found, rev)) >= found.crowd.count)
    late_ms = [active_ms - at.timestamp() * 1_000 for active_ms in _active(found, rev)]
    assert min(late_ms) >= 0, "a store was early"
    return [each / 1_000 for each in late_ms]


def _bad_push(found: Fleet) -> tuple[float, int]:
    """Seconds until it was taken back, and how many stores ever had it."""
    release = _submit(found, 1, IN_WAVES, "")
    rev = _rev_of(found, release)
    found.processes.spoil(rev)
    _until(found, lambda: bool(_scalar(found, _BEGAN, rev=rev)))
    began_ms = _scalar(found, _BEGAN, rev=rev)
    _until(found, lambda: _get(found, release)["state"] == "rolled_back")
    _until(found, lambda: _scalar(found, _BY_IT, rev=rev) == 0)
    back_s = (SystemClock().now_ms() - began_ms) / 1_000
    return back_s, _scalar(found, _TOUCHED, release_id=release)


def _submit(found: Fleet, minor: int, plan: list[dict[str, Any]], starts_local: str) -> int:
    """Change a price for the chain and release it; the release's number."""
    hq = found.chain.console
    hq.change_chain_price(sample_pack().catalogue[0].ean13, minor)
    body = {"note": "bench", "plan": plan, "starts_local": starts_local, "approve": True}
    release: int = hq.call("POST", "/v1/releases", json=body)["release_id"]
    return release


def _get(found: Fleet, release: int) -> dict[str, Any]:
    answer: dict[str, Any] = found.chain.console.call("GET", f"/v1/releases/{release}")
    return answer


def _rev_of(found: Fleet, release: int) -> int:
    """The revision that brings a release, once the first stores are to have it."""
    _until(found, lambda: bool(_scalar(found, _REV, release_id=release)))
    return _scalar(found, _REV, release_id=release)


def _active(found: Fleet, rev: int) -> list[int]:
    with found.database.begin() as connection:
        return [int(at_ms) for at_ms in connection.execute(_ACTIVE, {"rev": rev}).scalars()]


def _scalar(found: Fleet, query: Any, **parameters: int) -> int:
    with found.database.begin() as connection:
        return int(connection.execute(query, parameters).scalar_one() or 0)


def _until(found: Fleet, is_so: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, found.processes.seen()
        time.sleep(POLL_S)
