from __future__ import annotations

import json
from typing import Any

import pytest

from shared.kernel.errors import RefusedError
from shared.wire.message import (
    MESSAGE_BYTES_MAX,
    Ack,
    AckCode,
    Birth,
    CatalogReport,
    CloudBirth,
    DesiredCatalog,
    DesiredState,
    Hello,
    Message,
    Report,
    message_bytes,
    parse_message,
)

HELLO = Hello(
    dev="d-abcdefgh234567ab",
    stream="5eed" * 8,
    seq=-1,
    hash="",
    acked=-1,
    boot=1,
    conn=1,
    sw="0.1.0",
    clk=2,
    t=5,
    stored_rev=0,
    active_rev=0,
    unsynced=0,
)
CATALOG = CatalogReport("store-343", 7, 10, 7, 11, {"1": 7, "2": 6}, 12)
MESSAGES: list[Message] = [
    Ack("5eed" * 8, AckCode.OK, 5, "ab" * 32, -1, "", "inc-1", 5),
    Ack("5eed" * 8, AckCode.BUSY, -1, "", -1, "", "inc-1", 5, retry_ms=500),
    HELLO,
    Birth(online=True, conn=3, boot=2, sw="0.1.0"),
    Birth(online=False, conn=3),
    Report(5, CATALOG, 0, 2),
    Report(5, CatalogReport("z", 0, 0, 0, 0, error="publication.manifest"), 0, 2),
    DesiredState(3, "inc-1", DesiredCatalog("store-343", 7, "ab" * 32, "cd" * 64)),
    DesiredState(0, "inc-1"),
    CloudBirth("inc-1", 5),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_a_message_reads_back(message: Message) -> None:
    kind: Any = type(message)
    assert parse_message(kind, message_bytes(message)) == message


def test_fields_of_newer_software_are_ignored_and_old_ones_filled_in() -> None:
    raw = json.loads(message_bytes(HELLO)) | {"v": 2, "later": [1, 2]}
    assert parse_message(Hello, json.dumps(raw).encode()).v == 2
    assert parse_message(Birth, b'{"online":false,"conn":3}') == Birth(online=False, conn=3)


@pytest.mark.parametrize("field", ["dev", "seq", "t", "unsynced"])
def test_a_missing_field_is_named(field: str) -> None:
    raw = json.loads(message_bytes(HELLO))
    del raw[field]
    with pytest.raises(RefusedError) as refused:
        parse_message(Hello, json.dumps(raw).encode())
    assert refused.value.code == "wire.message"
    assert refused.value.params == {"kind": "Hello", "field": field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", "5"),
        ("seq", 5.0),
        ("seq", True),
        ("seq", None),
        ("seq", -2),
        ("seq", 1 << 63),
        ("seq", 10**30),
        ("sw", 5),
        ("sw", None),
        ("sw", "x" * 257),
        ("sw", "a\x00b"),
        ("sw", "a\n"),
    ],
)
def test_a_value_that_no_column_takes_is_refused(field: str, value: object) -> None:
    raw = json.loads(message_bytes(HELLO)) | {field: value}
    with pytest.raises(RefusedError, match=r"wire\.message"):
        parse_message(Hello, json.dumps(raw).encode())


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"{}", b"\xff\xff", b"{", b"[" * 10_000, b'"\\ud800"']
)
def test_what_is_no_message_is_refused(payload: bytes) -> None:
    kinds: tuple[Any, ...] = (Ack, Hello, Birth, Report, DesiredState, CloudBirth)
    for kind in kinds:
        with pytest.raises(RefusedError, match=r"wire\.message"):
            parse_message(kind, payload)


def test_an_unknown_acknowledgement_is_refused() -> None:
    raw = json.loads(message_bytes(MESSAGES[0])) | {"code": "perhaps"}
    with pytest.raises(RefusedError, match=r"wire\.message"):
        parse_message(Ack, json.dumps(raw).encode())


def test_a_long_message_is_not_even_read() -> None:
    with pytest.raises(RefusedError, match=r"wire\.too_large"):
        parse_message(Birth, b" " * (MESSAGE_BYTES_MAX + 1))


def test_desired_heads_are_small() -> None:
    assert all(len(message_bytes(message)) < 2048 for message in MESSAGES)
