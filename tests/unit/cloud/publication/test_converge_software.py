"""Where a box stands with its software."""

from __future__ import annotations

import pytest

from cloud.publication.converge import (
    SILENT_AFTER_MS,
    ConvergenceState,
    Reported,
    Software,
    converge_software,
)

NOW = 1_000_000_000
HERE = Reported(NOW)
AWAY = Reported(NOW - SILENT_AFTER_MS - 1)
CURRENT, STAGED, LAGGING, REFUSED, SILENT = ConvergenceState
BASKET = "release.held.basket"


@pytest.mark.parametrize(
    ("software", "box", "state", "because"),
    [
        (Software(), HERE, CURRENT, None),
        (Software("1.1", "1.1", "watch"), AWAY, CURRENT, None),
        (Software("1.1", "1.0", "idle"), HERE, LAGGING, "announced"),
        (Software("1.1", "1.0"), HERE, LAGGING, "announced"),
        (Software("1.1", "1.0", "download"), HERE, LAGGING, "download"),
        (
            Software("1.1", "1.0", "download", "object.unreachable"),
            HERE,
            LAGGING,
            "object.unreachable",
        ),
        # It has it and waits for its shop: nobody refused anything.
        (Software("1.1", "1.0", "swap"), HERE, STAGED, "swap"),
        (Software("1.1", "1.0", "swap", BASKET), HERE, STAGED, BASKET),
        (Software("1.1", "1.0", "failed", "release.replay"), HERE, REFUSED, "release.replay"),
        (Software("1.1", "1.0", "failed", "release.replay"), AWAY, SILENT, "no_contact"),
    ],
)
def test_a_box_is_judged_by_what_it_runs(
    software: Software, box: Reported, state: ConvergenceState, because: str | None
) -> None:
    found = converge_software(software, box, NOW)
    assert (found.state, found.because) == (state, because)
