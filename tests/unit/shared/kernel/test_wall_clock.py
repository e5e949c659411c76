"""Times on a store's clock as instants, also where the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import first_instant, instant_ms, wall_clock_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-27T00:00", SHANGHAI, "2026-11-26T16:00:00"),
        ("2026-11-27T00:00:30", SHANGHAI, "2026-11-26T16:00:30"),
        ("2026-03-29T01:59", BERLIN, "2026-03-29T00:59:00"),
        ("2026-03-29T02:00", BERLIN, "2026-03-29T01:00:00"),
        ("2026-03-29T02:30", BERLIN, "2026-03-29T01:00:00"),
        ("2026-03-29T03:00", BERLIN, "2026-03-29T01:00:00"),
        ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30:00"),
        ("2026-10-25T03:00", BERLIN, "2026-10-25T02:00:00"),
        # Half an hour, southern hemisphere.
        ("2026-10-04T02:15", ZoneInfo("Australia/Lord_Howe"), "2026-10-03T15:30:00"),
        # A whole day that the calendar left out.
        ("2011-12-30T12:00", ZoneInfo("Pacific/Apia"), "2011-12-30T10:00:00"),
    ],
)
def test_a_local_time_is_its_first_instant(text: str, zone: ZoneInfo, utc: str) -> None:
    found = datetime.fromtimestamp(instant_ms(text, zone) / 1000, UTC)
    assert found.replace(tzinfo=None).isoformat() == utc


def test_the_instants_of_a_day_with_a_gap_never_go_back() -> None:
    start = datetime(2026, 3, 29)  # noqa: DTZ001 - a wall clock has no zone
    times = [start + timedelta(minutes=minutes) for minutes in range(240)]
    found = [first_instant(local, BERLIN) for local in times]
    assert found == sorted(found)
    assert found[-1] - found[0] == timedelta(minutes=179)


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-27", "2026-11-27 00:00", "2026-11-27T00:00Z", "2026-02-30T00:00", "27.11.2026",
     "1999-01-01T00:00", "2026-11-27T24:30"],
)  # fmt: skip
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        wall_clock_of(text)
    assert refused.value.code == "time.local"
