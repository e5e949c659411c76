"""What leaves the store in a log: the program's own words, and nothing about people."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.logs import RING_LINES, LogRing
from edge.ops.log_pack import LogParts, pack
from edge.ops.redact import HIDDEN, PLAIN_FIELDS, redacted
from shared.journal.device_event import DeviceFaulted
from tests.unit.edge.ops.packs import unpacked

SECRETS = (
    "4111 1111 1111 1111",
    "6222021234567890123",
    "13800138000",
    "+1 (415) 555-0134",
    "mei.lin@example.com",
    "hunter2hunter2hunter2hunter2",
    "Bearer d-abc.3f9a0b",
    "陈小明",
)


def said(**fields: object) -> str:
    return redacted([json.dumps(fields, ensure_ascii=False)])[0]


def test_codes_numbers_and_places_in_the_program_stay() -> None:
    line = said(
        timestamp="2026-11-22T10:00:00Z",
        level="warning",
        event="printer.job",
        outcome="unknown",
        lane=2,
        job="lane-1/s-1-000042/0",
        is_secure=False,
        exception=[{"exc_type": "OSError", "frames": [{"filename": "/opt/x.py", "lineno": 7}]}],
    )
    found = json.loads(line)
    assert found["event"] == "printer.job"
    assert (found["outcome"], found["lane"], found["is_secure"]) == ("unknown", 2, False)
    assert found["timestamp"] == "2026-11-22T10:00:00Z"
    assert found["exception"][0]["frames"][0]["lineno"] == 7
    assert found["exception"][0]["exc_type"] == "OSError"


def test_free_text_keeps_only_its_code_or_error_number() -> None:
    told = json.loads(said(because="[Errno 111] no route to 10.0.0.7 for Mei"))
    assert told["because"].startswith("ECONNREFUSED [")
    told = json.loads(said(because="sale.refused (member=13800138000)"))
    assert told["because"] == "sale.refused [33 characters]"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ["because", "event", "detail", "code", "fact", "message"])
def test_no_secret_is_told_wherever_it_stands(secret: str, name: str) -> None:
    for value in (secret, f"x {secret} y", [secret], {"inner": secret}, {secret: 1}):
        assert secret not in said(**{name: value})


@pytest.mark.parametrize("name", ["pin", "secret", "authorization", "card_no", "member", "actor"])
def test_fields_about_people_are_hidden_whatever_they_hold(name: str) -> None:
    assert json.loads(said(**{name: 1234})) == {name: HIDDEN}


@given(
    name=st.sampled_from(sorted(PLAIN_FIELDS)),
    digits=st.text("0123456789", min_size=8, max_size=24),
    before=st.text("abc .:/-", max_size=8),
)
def test_long_numbers_are_hidden_even_among_the_programs_own_words(
    name: str, digits: str, before: str
) -> None:
    assert digits not in said(**{name: before + digits})
    assert digits not in redacted([before + digits])[0]


def test_names_that_the_store_knows_are_looked_for_everywhere() -> None:
    line = json.dumps({"event": "command.refused", "command": "Mei"})
    assert "Mei" in redacted([line])[0]
    assert "Mei" not in redacted([line], ["Mei"])[0]


def test_a_line_that_is_no_json_keeps_the_place_of_a_fault() -> None:
    lines = ['  File "/opt/box/edge/sale/service.py", line 12, in take', "ValueError: PIN 1234"]
    place, text = redacted(lines)
    assert place.strip() == "edge/sale/service.py:12 in take" or place.endswith(":12 in take")
    assert text == "[20 characters]"


def test_a_pack_is_bounded_and_loses_its_oldest_lines_first() -> None:
    lines = [json.dumps({"event": "tick", "n": n, "x": n * 7919 % 1_000_003}) for n in range(5000)]
    parts = LogParts(lambda: lines, lambda: {"event": "standing", "lanes": 2}, lambda: ())
    packed = pack(parts, size_max=8_000)
    assert len(packed) <= 8_000
    told = unpacked(packed)
    assert told[0] == {"event": "standing", "lanes": 2}
    assert told[-1]["n"] == 4999
    assert len(told) < 5000


def test_the_ring_keeps_the_newest_lines_only() -> None:
    ring = LogRing()
    for number in range(RING_LINES + 5):
        ring.emit(logging.LogRecord("x", logging.INFO, "", 0, f"line {number}", (), None))
    assert len(ring.lines()) == RING_LINES
    assert ring.lines()[-1] == f"line {RING_LINES + 4}"


def test_what_a_fact_holds_of_people_is_not_told() -> None:
    fact = DeviceFaulted("printer-1", "printer", 1, "printer.offline", "failed")
    assert "printer.offline" not in said(fact=repr(fact))
    assert asdict(fact)["code"] == "printer.offline"
