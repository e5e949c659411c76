"""A copy of an entry proves itself, wherever it was kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.journal.carbon import (
    CARBON_BYTES_MAX,
    Carbon,
    carbon_line,
    check_carbon,
    read_carbon,
)
from shared.kernel.errors import CorruptError, RefusedError
from tests.fakes.box_stream import BoxStream
from tests.fakes.office import a_carbon


def a_box() -> BoxStream:
    box = BoxStream("d-aaaaaaaaaaaaaaaa", "s1")
    box.append_sales(3)
    return box


def verify_of(box: BoxStream):
    def verify(signature: bytes, statement: bytes) -> bool:
        return box.key.sign(statement) == signature

    return verify


def test_a_line_gives_the_very_copy_back() -> None:
    carbon = a_carbon(a_box(), 2)
    line = carbon_line(carbon)
    assert b"\n" not in line
    assert read_carbon(line) == carbon


def test_fields_of_newer_software_are_ignored() -> None:
    carbon = a_carbon(a_box(), 1)
    raw = json.loads(carbon_line(carbon)) | {"lane": 3}
    assert read_carbon(json.dumps(raw).encode()) == carbon


def test_an_untouched_copy_proves_itself() -> None:
    box = a_box()
    for seq in range(3):
        check_carbon(a_carbon(box, seq), verify_of(box))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"body": b"{}"}, "carbon.hash"),
        ({"prev": bytes(32)}, "carbon.hash"),
        ({"seq": 2}, "carbon.hash"),
        ({"stream": "00" * 16}, "carbon.hash"),
        ({"at_ms": 1}, "carbon.signature"),
        ({"sig": bytes(64)}, "carbon.signature"),
    ],
)
def test_whatever_is_changed_shows(changed: dict[str, object], code: str) -> None:
    box = a_box()
    carbon: Carbon = replace(a_carbon(box, 1), **changed)  # type: ignore[arg-type]
    with pytest.raises(CorruptError) as refused:
        check_carbon(carbon, verify_of(box))
    assert refused.value.code == code
    assert refused.value.params["seq"] == carbon.seq


def test_another_boxs_signature_does_not_count() -> None:
    box, other = a_box(), BoxStream("d-bbbbbbbbbbbbbbbb", "s1")
    with pytest.raises(CorruptError, match=r"carbon\.signature"):
        check_carbon(a_carbon(box, 0), verify_of(other))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        *(
            json.dumps(json.loads(carbon_line(a_carbon(a_box(), 1))) | changed).encode()
            for changed in (
                {"v": 2},
                {"seq": -1},
                {"seq": True},
                {"seq": 1 << 63},
                {"at": 1.5},
                {"stream": "5EED" * 8},
                {"hash": "00"},
                {"sig": None},
                {"body": None},
                {"body": 7},
                {"body": "\ud800"},
            )
        ),
    ],
)
def test_what_is_no_copy_is_refused(line: bytes) -> None:
    with pytest.raises(RefusedError, match=r"carbon\.line"):
        read_carbon(line)


def test_a_line_of_any_length_is_not_read() -> None:
    with pytest.raises(RefusedError) as refused:
        read_carbon(b" " * (CARBON_BYTES_MAX + 1))
    assert refused.value.code == "carbon.too_large"
