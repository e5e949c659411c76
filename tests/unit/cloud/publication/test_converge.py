"""Where a store stands."""

from __future__ import annotations

import pytest

from cloud.publication.converge import SILENT_AFTER_MS, ConvergenceState, Reported, converge

NOW = 1_000_000_000
CURRENT, STAGED, LAGGING, REFUSED, SILENT = ConvergenceState


@pytest.mark.parametrize(
    ("target", "box", "state", "because"),
    [
        (7, Reported(NOW, 7, 7, 7), CURRENT, None),
        (7, Reported(NOW, 8, 8, 8), CURRENT, None),
        (7, Reported(NOW, 7, 7, 6), CURRENT, "till_not_shown"),
        (7, Reported(NOW, 7, 7, None), CURRENT, "till_not_shown"),
        (7, Reported(NOW - SILENT_AFTER_MS - 1, 7, 7, 7), CURRENT, None),
        (7, Reported(NOW, 7, 6, 6), STAGED, "not_activated"),
        (7, Reported(NOW, 6, 6, 6), LAGGING, "announced"),
        (7, Reported(NOW), LAGGING, "announced"),
        (7, Reported(NOW, 6, 6, 6, "replica.digest"), REFUSED, "replica.digest"),
        (7, Reported(NOW, 7, 6, 6, "clock.unsynced"), REFUSED, "clock.unsynced"),
        (7, Reported(), SILENT, "never_seen"),
        (7, Reported(NOW - SILENT_AFTER_MS - 1, 6, 6, 6), SILENT, "no_contact"),
        (7, Reported(NOW - SILENT_AFTER_MS, 6, 6, 6), LAGGING, "announced"),
        (None, Reported(), CURRENT, "nothing_published"),
    ],
)
def test_a_store_is_judged_by_what_it_sells_with(
    target: int | None, box: Reported, state: ConvergenceState, because: str | None
) -> None:
    found = converge(target, box, NOW)
    assert (found.state, found.because) == (state, because)
