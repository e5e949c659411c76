"""What stops a release, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud.release.guard import (
    DEFAULTS,
    BoxFact,
    GuardId,
    Look,
    Rate,
    Seen,
    Sight,
    Signal,
    look_all,
)

SETTINGS = {each.guard: each for each in DEFAULTS}
WINDOW = 1_800


def sight(**stores: Signal) -> Sight:
    return Sight({WINDOW: stores})


def look(guard: GuardId, seen: Sight, *, is_on: bool = True) -> Look:
    return look_all([replace(SETTINGS[guard], is_on=is_on)], seen)[0]


@pytest.mark.parametrize(
    ("guard", "sales", "state", "value"),
    [
        (GuardId.ZERO_LINES, Signal(lines=10, zero_lines=10), "tripped", 10_000),
        (GuardId.ZERO_LINES, Signal(lines=2, zero_lines=2), "ok", 10_000),
        (GuardId.ZERO_LINES, Signal(lines=100, zero_lines=9), "ok", 900),
        (GuardId.ZERO_LINES, Signal(), "no_data", None),
        (GuardId.OVERRIDES, Signal(lines=60, overridden_lines=10), "tripped", 1_666),
        (GuardId.OVERRIDES, Signal(lines=60, overridden_lines=8), "ok", 1_333),
        (GuardId.VOIDS, Signal(sales=40, refunds=6, voids=4), "tripped", 2_272),
        (GuardId.VOIDS, Signal(sales=40, refunds=2, voids=1), "ok", 731),
        (GuardId.MARGIN, Signal(costed_lines=20, cost_minor=100), "tripped", 10_000),
        (
            GuardId.MARGIN,
            Signal(costed_lines=20, cost_minor=100, costed_net_minor=99),
            "tripped",
            100,
        ),
        (GuardId.MARGIN, Signal(costed_lines=20, cost_minor=100, costed_net_minor=100), "ok", 0),
        (GuardId.MARGIN, Signal(costed_lines=19, cost_minor=100), "ok", 10_000),
        (GuardId.MARGIN, Signal(lines=50), "no_data", None),
    ],
)
def test_a_guard_of_sales_trips_at_its_share_of_enough_cases(
    guard: GuardId, sales: Signal, state: str, value: int | None
) -> None:
    found = look(guard, sight(one=sales))
    assert (found.state, found.value) == (state, value)


def test_the_evidence_names_the_worst_stores_first() -> None:
    seen = sight(
        good=Signal(lines=10), bad=Signal(lines=10, zero_lines=9), odd=Signal(lines=4, zero_lines=1)
    )
    assert look(GuardId.ZERO_LINES, seen).evidence == (
        Seen("bad", 9_000, "9/10"),
        Seen("odd", 2_500, "1/4"),
    )


def test_a_guard_that_is_off_looks_at_nothing() -> None:
    bad = sight(one=Signal(lines=10, zero_lines=10))
    assert look(GuardId.ZERO_LINES, bad, is_on=False) == Look(GuardId.ZERO_LINES, "off")


def boxes(wave_stores: int, *odd: BoxFact) -> Sight:
    fine = wave_stores - len(odd)
    good = [BoxFact(f"s{n}", wave_stores, is_stored=True) for n in range(fine)]
    return Sight({}, [*good, *odd])


def late(store: str, wave_stores: int, *, is_online: bool = True) -> BoxFact:
    return BoxFact(store, wave_stores, is_online=is_online, late_ms=601_000)


def refusing(store: str, wave_stores: int, error: str = "catalog.disk_full") -> BoxFact:
    return BoxFact(store, wave_stores, error=error, late_ms=91_000)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (boxes(3, late("x", 3)), "tripped"),
        (boxes(3, late("x", 3, is_online=False)), "ok"),
        (boxes(3, BoxFact("x", 3, late_ms=599_000)), "ok"),
        (boxes(3, refusing("x", 3)), "tripped"),
        # A download that failed once, or what it could not take before: it tries again.
        (boxes(3, BoxFact("x", 3, error="objects.unavailable", late_ms=89_000)), "ok"),
        (boxes(100, refusing("x", 100), refusing("y", 100)), "ok"),
        (boxes(100, *(refusing(name, 100) for name in "xyz")), "tripped"),
        (boxes(400, *(refusing(name, 400) for name in "xyz")), "ok"),
        (Sight({}), "no_data"),
    ],
)
def test_failures_trip_by_share_and_in_a_small_wave_at_once(seen: Sight, state: str) -> None:
    assert look(GuardId.FAILURES, seen).state == state


def test_one_box_with_other_content_is_enough() -> None:
    seen = boxes(400, refusing("x", 400, "replica.digest"))
    found = look(GuardId.DIGEST, seen)
    assert (found.state, found.evidence) == ("tripped", (Seen("x", 1, "replica.digest"),))
    assert look(GuardId.DIGEST, boxes(400, refusing("x", 400))).state == "ok"


@pytest.mark.parametrize(
    ("rate", "control", "state", "value"),
    [
        (Rate(40, 100), Rate(1000, 1000), "tripped", 6_000),
        (Rate(60, 100), Rate(1000, 1000), "ok", 4_000),
        # Everybody sells less in the evening.
        (Rate(40, 100), Rate(400, 1000), "ok", 0),
        # Nobody to compare with: yesterday at this time.
        (Rate(40, 100, 45), Rate(0, 0), "ok", 1_111),
        (Rate(10, 100, 45), Rate(0, 0), "tripped", 7_777),
        # Today went so before the release, too.
        (Rate(40, 42, 100, 105), Rate(0, 0), "ok", 0),
        (Rate(10, 42, 100, 105), Rate(0, 0), "tripped", 7_500),
        (Rate(0, 20), Rate(1000, 1000), "no_data", None),
    ],
)
def test_sales_are_held_against_what_others_did_or_yesterday(
    rate: Rate, control: Rate, state: str, value: int | None
) -> None:
    seen = Sight({}, rates={WINDOW: {"a": rate}}, control={WINDOW: control})
    found = look(GuardId.SALES_DROP, seen)
    assert (found.state, found.value) == (state, value)
