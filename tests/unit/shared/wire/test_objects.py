from __future__ import annotations

import io
import zlib

import pytest
import zstandard

from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, RecordKind, parse_record, record_bytes
from shared.wire import objects
from shared.wire.objects import LINE_BYTES_MAX, encode_object, iter_lines


def item(number: int) -> Record:
    return Record(RecordKind.ITEM, str(number), {"name": f"商品 {number * 7919 % 10_007}"})


RECORDS = [item(number) for number in range(5_000)]
OBJECT = encode_object(RECORDS)


class Dribble(io.BytesIO):
    """A download that gives few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(7 if size is None or size > 0 else size)


def packed(data: bytes) -> io.BytesIO:
    return io.BytesIO(zstandard.ZstdCompressor().compress(data))


def test_records_come_back_in_order() -> None:
    assert [parse_record(line) for line in iter_lines(io.BytesIO(OBJECT))] == RECORDS


def test_records_come_back_from_a_slow_line() -> None:
    assert list(iter_lines(Dribble(OBJECT))) == [record_bytes(record) for record in RECORDS]


def test_the_same_records_make_the_same_object() -> None:
    assert encode_object(iter(RECORDS)) == OBJECT
    assert len(OBJECT) * 4 < sum(len(record_bytes(record)) for record in RECORDS)


def test_an_empty_object_has_no_lines() -> None:
    assert list(iter_lines(io.BytesIO(encode_object([])))) == []


def test_a_last_line_without_its_end_is_still_a_line() -> None:
    assert list(iter_lines(packed(b"a\nb"))) == [b"a", b"b"]


@pytest.mark.parametrize(
    "data",
    [
        OBJECT[:-1],
        OBJECT[:-3],
        OBJECT[: len(OBJECT) // 2],
        OBJECT + b"x",
        b"",
        b"junk",
        zlib.compress(b"{}"),
    ],
)
def test_a_cut_or_foreign_object_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"wire\.compressed"):
        list(iter_lines(io.BytesIO(data)))


@pytest.mark.parametrize("before", [0, 1, 40_000, 65_000])
def test_a_long_line_is_refused_wherever_it_begins(before: int) -> None:
    start = b"x" * before + b"\n"
    longest = b"y" * LINE_BYTES_MAX
    assert list(iter_lines(packed(start + longest + b"\n"))) == [start[:-1], longest]
    for end in (b"\n", b""):
        with pytest.raises(RefusedError, match=r"wire\.line"):
            list(iter_lines(packed(start + longest + b"z" + end)))


def test_a_record_that_no_box_would_read_is_not_published() -> None:
    with pytest.raises(RefusedError, match=r"wire\.line"):
        encode_object([Record(RecordKind.ITEM, "1", {"name": "x" * LINE_BYTES_MAX})])


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "OBJECT_BYTES_MAX", 1_000_000)
    with pytest.raises(RefusedError, match=r"wire\.bomb"):
        list(iter_lines(packed(b"x\n" * 500_001)))
