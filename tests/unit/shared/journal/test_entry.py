from __future__ import annotations

import json

from shared.journal.entry import body_bytes
from shared.kernel.clock import ClockQuality
from tests.builders import ENTRY_ID, STREAM, an_entry_header


def test_a_body_says_all_of_its_header_and_the_fact() -> None:
    body = body_bytes(an_entry_header(42, gt=(1200, 200), pro=3), {"lane": 1, "note": "ok"})
    assert json.loads(body) == {
        "v": 1,
        "id": ENTRY_ID,
        "type": "sale.completed",
        "stream": STREAM,
        "seq": 42,
        "at": 1_502_090_430_000,
        "boot": 3,
        "mono": 120_000,
        "clk": 2,
        "biz": "2017-08-07",
        "till": "1",
        "shift": "",
        "actor": "cashier-1",
        "sw": "0.1.0",
        "gt": {"sales": 1200, "refunds": 200},
        "cat": 7,
        "pro": 3,
        "data": {"lane": 1, "note": "ok"},
    }


def test_the_order_of_fields_is_no_part_of_a_fact() -> None:
    header = an_entry_header()
    assert body_bytes(header, {"a": 1, "b": 2}) == body_bytes(header, {"b": 2, "a": 1})


def test_a_clocks_quality_is_a_plain_number_in_it() -> None:
    assert body_bytes(an_entry_header(clk=ClockQuality.NTP), {}) == body_bytes(
        an_entry_header(clk=2), {}
    )


def test_a_body_is_one_line() -> None:
    assert b"\n" not in body_bytes(an_entry_header(), {"reason": "two\nlines"})
