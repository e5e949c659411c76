from edge.sync.backoff import STEADY_MS, WAIT_MS_MAX, failures_after, full_jitter_ms


def test_waits_grow_with_each_failure_up_to_five_minutes() -> None:
    longest = [full_jitter_ms(failures, 1000, 0.999_999) for failures in range(12)]
    assert longest == sorted(longest)
    assert longest[0] == 999
    assert longest[-1] == WAIT_MS_MAX - 1


def test_a_connection_that_held_makes_the_next_failure_the_first() -> None:
    assert failures_after(7, STEADY_MS) == 0


def test_a_connection_that_ended_at_once_counts_as_failed() -> None:
    assert failures_after(0, 40) == 1
    assert failures_after(3, STEADY_MS - 1) == 4


def test_a_connection_that_never_stood_counts_as_failed() -> None:
    assert failures_after(3, None) == 4
