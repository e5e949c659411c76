import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.stock.shelf import (
    Agreement,
    ShelfRule,
    ShelfSignal,
    accepted,
    quantity_on,
    step_agreement,
    step_signal,
)

JARS = ShelfRule(piece_g=500, tare_g=200, hold_ms=5_000, threshold_milli=2_000, debounce_ms=60_000)
NUTS = replace(JARS, piece_g=0)
SECOND_MS = 1_000


def settled(grams: list[int], rule: ShelfRule = JARS, before: ShelfSignal | None = None):
    """The signal after one reading a second."""
    signal = before or ShelfSignal()
    for n, each in enumerate(grams):
        signal = step_signal(signal, each, rule, n * SECOND_MS)
    return signal


def test_grams_become_pieces_by_tare_and_piece_weight() -> None:
    assert quantity_on(200 + 12 * 500, JARS, None) == 12_000
    assert quantity_on(0, JARS, None) == 0
    assert quantity_on(200 + 740, NUTS, None) == 740


def test_a_count_sticks_until_the_weight_is_well_away_from_it() -> None:
    just_over_half = 200 + 12 * 500 - 300
    assert quantity_on(just_over_half, JARS, 12_000) == 12_000
    assert quantity_on(just_over_half, JARS, None) == 11_000
    assert quantity_on(200 + 12 * 500 - 400, JARS, 12_000) == 11_000


def test_a_value_counts_only_after_it_has_stood() -> None:
    full = settled([6_200] * 6)
    assert full.settled_milli == 12_000
    hand_in_shelf = settled([9_000, 9_000, 6_200], before=full)
    assert hand_in_shelf == ShelfSignal(12_000)
    assert settled([5_700] * 5, before=full).settled_milli == 12_000
    assert settled([5_700] * 6, before=full).settled_milli == 11_000


@given(st.lists(st.integers(-150, 150), min_size=30, max_size=120), st.integers(1, 60))
def test_noise_below_a_third_of_a_piece_never_changes_the_count(
    noise: list[int], pieces: int
) -> None:
    start = settled([200 + pieces * 500] * 6)
    signal = start
    for n, each in enumerate(noise):
        signal = step_signal(signal, 200 + pieces * 500 + each, JARS, n * SECOND_MS)
        assert signal.settled_milli == pieces * 1_000


@given(st.lists(st.integers(-5_000, 5_000), max_size=60), st.integers(0, 40))
def test_whatever_happened_a_quiet_shelf_tells_the_right_count(
    before: list[int], pieces: int
) -> None:
    signal = settled([2_000 + each for each in before])
    quiet = [200 + pieces * 500] * 8
    for n, each in enumerate(quiet, start=len(before)):
        signal = step_signal(signal, each, JARS, n * SECOND_MS)
    assert signal.settled_milli == pieces * 1_000


def test_goods_by_weight_settle_too() -> None:
    assert settled([1_200, 1_201, 1_199, 1_200, 1_202, 1_200], NUTS).settled_milli == 1_000


def verdicts(gaps: list[int], rule: ShelfRule = JARS, step_ms: int = 10_000):
    """What is told while the book is ahead of the shelf by `gaps`, and how it stands at the end."""
    state, told = Agreement(), []
    for n, gap in enumerate(gaps):
        state, verdict = step_agreement(state, 50_000 + gap, 50_000, rule, n * step_ms)
        told += [] if verdict is None else [(n, verdict)]
    return told, state


def test_a_lasting_difference_is_told_once() -> None:
    told, state = verdicts([12_000] * 30)
    assert told == [(6, "differs")]
    assert state.is_differing


def test_a_difference_that_goes_away_in_time_is_none() -> None:
    assert verdicts([12_000] * 6 + [0] + [12_000] * 6)[0] == []
    assert verdicts([1_000] * 100)[0] == []


def test_more_on_the_shelf_than_in_the_book_is_a_difference_too() -> None:
    assert verdicts([-3_000] * 7)[0] == [(6, "differs")]


def test_it_agrees_again_after_a_while_and_can_differ_anew() -> None:
    told, _ = verdicts([5_000] * 7 + [0] * 7 + [5_000] * 7)
    assert told == [(6, "differs"), (13, "agrees"), (20, "differs")]


@given(st.lists(st.booleans(), max_size=300))
def test_a_value_at_the_edge_does_not_flap(is_over: list[bool]) -> None:
    """One piece to and fro around the threshold: told at most once, never taken back."""
    told, _ = verdicts([2_000 if each else 1_000 for each in is_over])
    assert len(told) <= 1


@given(st.lists(st.integers(-20_000, 20_000), max_size=200))
def test_verdicts_take_turns_with_the_debounce_between(gaps: list[int]) -> None:
    told, _ = verdicts(gaps)
    assert [each for _, each in told] == (["differs", "agrees"] * 100)[: len(told)]
    assert all(later - sooner >= 7 for (sooner, _), (later, _) in itertools.pairwise(told))


def test_what_a_person_accepted_is_news_only_when_it_changes() -> None:
    state = accepted(12_000, 4_000)
    for n in range(20):
        state, verdict = step_agreement(state, 12_000, 4_000, JARS, n * 10_000)
        assert verdict is None
    told = []
    for n in range(20):
        state, verdict = step_agreement(state, 12_000, 2_000, JARS, n * 10_000)
        told += [verdict] if verdict else []
    assert told == ["differs"]


def test_an_accepted_difference_is_forgotten_once_book_and_shelf_agree() -> None:
    state, _ = step_agreement(accepted(12_000, 4_000), 12_000, 12_000, JARS, 0)
    assert state == Agreement()


def test_a_shelf_filled_up_from_the_back_room_is_no_difference() -> None:
    state, told = accepted(30_000, 12_000), []
    steps = [(20_000, 2_000)] * 10 + [(20_000, 12_000)] * 10 + [(20_000, 7_000)] * 10
    for n, (book, shelf) in enumerate(steps):
        state, verdict = step_agreement(state, book, shelf, JARS, n * 10_000)
        told += [(n, verdict)] if verdict else []
    assert told == [(26, "differs")]  # five jars that were not sold, out of the filled shelf
