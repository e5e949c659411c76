"""After an outage the whole fleet comes back soon, and never all at once."""

import pytest

from tests.bench.reconnect import (
    BACK_GOAL_S,
    CAPACITIES_PER_S,
    PEAK_GOAL_PER_S,
    paho_wait,
    storm,
)


@pytest.mark.parametrize("capacity_per_s", CAPACITIES_PER_S)
def test_ten_thousand_boxes_come_back_within_five_minutes_and_under_a_hundred_a_second(
    capacity_per_s: int,
) -> None:
    seen = storm(capacity_per_s)
    assert seen.peak_per_s < PEAK_GOAL_PER_S
    assert seen.back_s <= BACK_GOAL_S


def test_waits_without_jitter_are_a_storm() -> None:
    assert storm(600, paho_wait).peak_per_s == 10_000
