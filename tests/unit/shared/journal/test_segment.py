"""Segments of the archive: whole, in one byte form, and caught when anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud.signing import is_signed_by
from shared.journal.chain import genesis_hash
from shared.journal.segment import (
    Segment,
    Signature,
    check_segment,
    read_segment,
    segment_lines,
)
from shared.kernel.errors import CorruptError
from tests.fakes.box_stream import BoxStream


def a_box(entries: int = 6) -> BoxStream:
    box = BoxStream("d-aaaaaaaaaaaaaaaa", "17")
    box.append_sales(entries)
    return box


def a_segment(box: BoxStream, first: int, last: int) -> Segment:
    header = box.header(first, last)
    return Segment(
        stream=header.stream,
        dev=box.dev,
        store=box.store_id,
        journal_pub=box.journal_pub,
        from_seq=first,
        prev=box.prev_of(first),
        head=box.hashes[last],
        bodies=tuple(box.bodies[first : last + 1]),
        signature=Signature(last, header.t, bytes.fromhex(header.sig)),
    )


def test_a_segment_comes_back_and_proves_itself_without_a_database() -> None:
    box = a_box()
    for first, last in ((0, 5), (2, 4), (5, 5)):
        segment = a_segment(box, first, last)
        read = read_segment(segment_lines(segment))
        assert read == segment
        assert check_segment(read, is_signed_by) == box.hashes[first : last + 1]


def test_a_segment_without_a_signature_is_only_chained() -> None:
    box = a_box()
    segment = replace(a_segment(box, 0, 3), signature=None)
    read = read_segment(segment_lines(segment))
    assert check_segment(read, is_signed_by) == box.hashes[:4]


def test_any_flipped_byte_is_found() -> None:
    lines = segment_lines(a_segment(a_box(2), 0, 1))
    told: set[str] = set()
    names = len(b'{"count":2,"dev":"d-aaaaaaaaaaaaaaaa"')  # the writer's names are not signed
    for place in range(names, len(lines)):
        changed = bytearray(lines)
        changed[place] ^= 1
        try:
            read = read_segment(bytes(changed))
            check_segment(read, is_signed_by)
        except CorruptError as error:
            told.add(error.code)
            continue
        assert replace(read, store="17") == a_segment(a_box(2), 0, 1), bytes(changed)[:400]
    assert told == {"segment.form", "segment.chain", "segment.genesis", "segment.signature"}


@pytest.mark.parametrize(
    "lines", [b"", b"{}", b"null\nx", b"\xff", b'{"kind":"tree"}', b"[" * 3000]
)
def test_what_is_no_segment_is_refused(lines: bytes) -> None:
    with pytest.raises(CorruptError, match=r"segment\.form"):
        read_segment(lines)


def test_a_foreign_signature_or_one_of_another_entry_is_refused() -> None:
    box, other = a_box(), BoxStream("d-bbbbbbbbbbbbbbbb", "17")
    segment = a_segment(box, 0, 3)
    signed = segment.signature
    assert signed is not None
    for wrong in (
        replace(segment, journal_pub=other.journal_pub),
        replace(segment, signature=replace(signed, seq=2)),
        replace(segment, signature=replace(signed, at_ms=signed.at_ms + 1)),
    ):
        with pytest.raises(CorruptError, match=r"segment\.signature"):
            check_segment(wrong, is_signed_by)


def test_the_first_segment_stands_on_its_streams_own_genesis() -> None:
    segment = replace(a_segment(a_box(), 0, 3), prev=genesis_hash(bytes(16)))
    with pytest.raises(CorruptError, match=r"segment\.genesis"):
        check_segment(segment, is_signed_by)
