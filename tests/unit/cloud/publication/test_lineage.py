"""Which revisions a move makes of a store's line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.publication.lineage import Held, Line, Step, plan_bring, plan_withdraw
from shared.kernel.errors import RefusedError
from shared.publication.manifest import Manifest, Piece
from shared.wire.message import NEXT_MAX

PIECE = Piece(0, 5, "ab" * 32, 9, 1)
MANIFEST = Manifest("store-1", 5, "i", "0" * 64, 1, (PIECE,))


def line(*held: tuple[int, int], active: frozenset[int] = frozenset({1})) -> Line:
    """A store that has release 1, and holds others (release, instant)."""
    waiting = tuple(Held(release_id, at_ms, 5) for release_id, at_ms in held)
    return Line("1", ("", "store-1"), active, waiting, MANIFEST)


def test_a_release_for_now_is_one_revision() -> None:
    assert plan_bring(line(), 9, 0) == (Step((), (9,), 0, 9),)


def test_what_waits_is_taken_back_for_now_and_waits_again() -> None:
    assert plan_bring(line((2, 100), (3, 200)), 9, 0) == (
        Step((2, 3), (9,), 0, 9),
        Step((), (2,), 100, 2),
        Step((), (3,), 200, 3),
    )


def test_a_later_release_waits_behind_earlier_ones() -> None:
    assert plan_bring(line((2, 100)), 9, 150) == (Step((), (9,), 150, 9),)
    assert plan_bring(line((2, 100)), 9, 100) == (Step((), (9,), 100, 9),)


def test_an_earlier_release_goes_before_what_waits_longer() -> None:
    assert plan_bring(line((2, 100), (3, 200)), 9, 150) == (
        Step((3,), (9,), 150, 9),
        Step((), (3,), 200, 3),
    )


def test_a_release_is_taken_back_at_once_wherever_it_is() -> None:
    assert plan_withdraw(line((2, 100)), 1) == (Step((2, 1), (), 0, 1), Step((), (2,), 100, 2))
    assert plan_withdraw(line((2, 100), (3, 200)), 2) == (
        Step((2, 3), (), 0, 2),
        Step((), (3,), 200, 3),
    )


def test_a_new_store_begins_with_what_holds_now() -> None:
    new = Line("1", ("", "store-1"))
    assert plan_bring(new, 9, 0) == (Step((), (9,), 0, 9, is_whole=True),)
    assert plan_bring(new, 9, 70) == (
        Step((), (), 0, None, is_whole=True),
        Step((), (9,), 70, 9),
    )


def test_too_many_do_not_wait() -> None:
    full = line(*((2 + n, 100 + n) for n in range(NEXT_MAX)))
    with pytest.raises(RefusedError, match=r"publication\.next_full"):
        plan_bring(full, 9, 300)
    assert len(plan_bring(full, 9, 0)) == NEXT_MAX + 1


@given(
    st.lists(st.tuples(st.integers(2, 6), st.integers(1, 4)), max_size=3, unique_by=lambda x: x[0]),
    st.integers(0, 5),
    st.booleans(),
)
def test_the_end_of_a_line_has_everything_once_and_in_the_order_of_instants(
    held: list[tuple[int, int]], at_ms: int, is_back: bool
) -> None:
    held = sorted(held, key=lambda each: each[1])
    before = line(*held)
    steps = plan_withdraw(before, 1) if is_back else plan_bring(before, 9, at_ms)
    content = {1, *(release_id for release_id, _ in held)}
    instants = [] if steps[0].at_ms == 0 else [at for _, at in held if at <= steps[0].at_ms]
    for step in steps:
        assert set(step.removes) <= content
        content -= set(step.removes)
        assert not content & set(step.adds)
        content |= set(step.adds)
        instants.append(step.at_ms)
    wanted = {1, 9, *(release_id for release_id, _ in held)} - ({1, 9} if is_back else set())
    assert content == wanted
    assert instants == sorted(instants)
