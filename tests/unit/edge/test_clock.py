"""A clock that can be set, for training."""

from edge.clock import SystemClock, VirtualClock
from edge.ids import Ids
from shared.kernel.clock import ClockQuality


def test_the_machines_clock_goes_on() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.mono_ms() <= clock.mono_ms()
    assert clock.quality() in set(ClockQuality)


def test_a_virtual_clock_stands_where_it_was_set() -> None:
    clock = VirtualClock(SystemClock())
    clock.set_ms(42)
    assert (clock.now_ms(), clock.quality()) == (42, ClockQuality.NTP)
    clock.set_ms(None)
    assert clock.now_ms() > 1_700_000_000_000


def test_ids_sort_by_time_and_differ() -> None:
    clock = VirtualClock(SystemClock())
    ids = Ids(clock)
    found = []
    for at_ms in (1, 1000, 1_000_000):
        clock.set_ms(at_ms)
        found += sorted(ids.entry_id() for _ in range(3))
    assert found == sorted(set(found))
    assert ids.session_token() != ids.session_token()
    assert all(0 <= ids.jitter() < 1 for _ in range(100))
