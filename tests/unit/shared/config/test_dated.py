"""Settings by level and date."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.config.dated import ConfigLevel, Setting, body_of, record_key, setting_at
from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import instant_ms

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW_MS = instant_ms("2026-11-22T12:00", SHANGHAI)
OLD, NEW = {"rate_bp": 900}, {"rate_bp": 1300}


def at(records: dict[str, Any], at_ms: int = NOW_MS) -> Setting | None:
    return setting_at("tax/food", records.get, at_ms, SHANGHAI)


def test_the_nearest_level_counts() -> None:
    records: dict[str, Any] = {}
    for level in (ConfigLevel.CHAIN, ConfigLevel.ZONE, ConfigLevel.GROUP, ConfigLevel.STORE):
        value = {"rate_bp": len(records)}
        records[record_key("tax/food", level)] = body_of([("", value)])
        assert at(records) == Setting(value, level)


def test_a_later_value_counts_from_its_time_on_the_stores_clock() -> None:
    records = {"tax/food@c": body_of([("2026-12-01T00:00", NEW), ("", OLD)])}
    start_ms = instant_ms("2026-12-01T00:00", SHANGHAI)
    assert at(records, start_ms - 1) == Setting(OLD, ConfigLevel.CHAIN)
    assert at(records, start_ms) == Setting(NEW, ConfigLevel.CHAIN)


def test_where_a_level_ends_the_next_one_counts() -> None:
    records = {
        "tax/food": body_of([("", NEW), ("2026-11-20T00:00", None)]),
        "tax/food@c": body_of([("", OLD)]),
    }
    assert at(records) == Setting(OLD, ConfigLevel.CHAIN)
    assert at({"tax/food": records["tax/food"]}) is None


def test_nothing_counts_before_the_first_time() -> None:
    assert at({"tax/food@c": body_of([("2027-01-01T00:00", NEW)])}) is None
    assert at({}) is None


def test_of_two_rows_of_one_time_the_later_one_counts() -> None:
    assert body_of([("", OLD), ("", NEW)]) == {"dated": [["", NEW]]}


@pytest.mark.parametrize("body", [{}, {"dated": 1}, {"dated": [["", 1]]}, {"dated": [[None, {}]]}])
def test_a_body_that_is_none_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        at({"tax/food": body})
    assert refused.value.code == "config.record"
