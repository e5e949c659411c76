"""A day of bad luck for each of these seeds, and nothing is lost or doubled; see `world`."""

import pytest

from tests.simulation.seeds import broken_by, fixed_seeds, fresh_seeds

SHARE = 1


@pytest.mark.parametrize("seeds", fixed_seeds(SHARE), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_nothing_is_lost_or_doubled_whatever_the_day_brings(seeds: range) -> None:
    assert not broken_by(seeds)


def test_nothing_is_lost_or_doubled_on_days_that_nobody_has_seen_before() -> None:
    assert not broken_by(fresh_seeds(SHARE))
