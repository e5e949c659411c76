from __future__ import annotations

import pytest

from shared.release.rollout import WaveFacts, next_move

SOAK_S = 60


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (WaveFacts(-1, 0, 0, 0, is_last=False, soaked_ms=0), "wave"),
        (WaveFacts(0, 3, 2, 0, is_last=False, soaked_ms=0), "wait"),
        (WaveFacts(0, 3, 3, 0, is_last=False, soaked_ms=59_999), "wait"),
        (WaveFacts(0, 3, 3, 0, is_last=False, soaked_ms=60_000), "wave"),
        # One of the canaries is enough; later 1 % or three.
        (WaveFacts(0, 200, 0, 1, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(1, 200, 150, 1, is_last=False, soaked_ms=0), "wait"),
        (WaveFacts(1, 200, 199, 1, is_last=False, soaked_ms=60_000), "wave"),
        (WaveFacts(1, 99, 98, 1, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(1, 1000, 0, 3, is_last=False, soaked_ms=0), "halt"),
        (WaveFacts(3, 10, 10, 0, is_last=True, soaked_ms=0), "finish"),
        # A store that is closed for a week holds up nobody but the end; all of them do.
        (WaveFacts(1, 10, 9, 0, is_last=False, soaked_ms=60_000, silent=1), "wave"),
        (WaveFacts(0, 3, 0, 0, is_last=False, soaked_ms=60_000, silent=3), "wait"),
        (WaveFacts(3, 10, 9, 0, is_last=True, soaked_ms=0, silent=1), "wait"),
    ],
)
def test_a_rollout_goes_on_waits_or_halts(facts: WaveFacts, what: str) -> None:
    assert next_move(facts, SOAK_S).what == what
