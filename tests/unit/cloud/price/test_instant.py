"""A store's wall clock as UTC, also on the two days of the year when it jumps."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.price.table import instant_ms
from shared.kernel.errors import RefusedError

NEW_YORK = ZoneInfo("America/New_York")


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-07-01 08:00:00", "2026-07-01T12:00:00"),
        ("2026-01-05 08:00", "2026-01-05T13:00:00"),
        ("2026-01-05", "2026-01-05T05:00:00"),
        ("2026-01-05T08:00:00+08:00", "2026-01-05T00:00:00"),
        ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00"),
        # 02:30 does not exist on 8 March: the first instant after the gap is meant.
        ("2026-03-08 02:30:00", "2026-03-08T07:00:00"),
        ("2026-03-08 03:30:00", "2026-03-08T07:30:00"),
        # 01:30 happens twice on 1 November: the earlier one is meant.
        ("2026-11-01 01:30:00", "2026-11-01T05:30:00"),
    ],
)
def test_a_local_time_means_one_instant(local: str, expected: str) -> None:
    assert instant_ms(local, NEW_YORK) == utc(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "import.time"),
        ("soon", "import.time"),
        ("2026-02-30", "import.time"),
        ("2026-01-05 25:00:00", "import.time"),
        ("0001-01-01T00:00:00+14:00", "import.time_range"),
        ("9999-12-31 23:59:59", "import.time_range"),
    ],
)
def test_what_is_no_time_is_refused(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        instant_ms(text, NEW_YORK)
    assert refused.value.code == code
