"""What head office tells a box of members: whole, or not taken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.kernel.errors import CorruptError
from shared.member.feed import Feed, KnownMember, dump_feed, read_feed
from shared.member.pseudonym import box_keys, card_ref, member_id, phone_ref

KEYS = box_keys(b"s" * 32, "s1")
ANN = KnownMember(
    member_id(bytes(12)), phone_ref(b"h", KEYS.store), "8000", (card_ref("1", KEYS.card),), 5
)
FEED = Feed("e", "7:m", False, KEYS, b"p" * 32, (ANN, replace(ANN, phone_ref="", last_digits="")))


def test_it_arrives_as_it_was_sent() -> None:
    assert read_feed(json.loads(json.dumps(dump_feed(FEED)))) == FEED


def test_a_member_costs_a_box_about_a_hundred_bytes() -> None:
    one = len(json.dumps(dump_feed(FEED)["members"][0], separators=(",", ":")))
    assert one < 110


@pytest.mark.parametrize(
    "lie",
    [
        {"members": None},
        {"members": [1]},
        {"members": [["m", "", "", [], 0, 1]]},
        {"epoch": ""},
        {"epoch": "e" * 500},
        {"cursor": 7},
        {"has_more": "yes"},
        {"salt": "00"},
        {"join_public": None},
    ],
)
def test_a_list_that_is_none_is_refused(lie: dict[str, Any]) -> None:
    with pytest.raises(CorruptError, match=r"member\.feed"):
        read_feed(dump_feed(FEED) | lie)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, "m'; --"),
        (1, "zz"),
        (2, "13800138000"),
        (2, 8000),
        (3, ["x"]),
        (4, -1),
        (4, "5"),
        (5, 2),
    ],
)
def test_a_row_that_is_none_is_refused(at: int, value: object) -> None:
    raw = dump_feed(FEED)
    raw["members"][0][at] = value
    with pytest.raises(CorruptError, match=r"member\.feed"):
        read_feed(raw)
