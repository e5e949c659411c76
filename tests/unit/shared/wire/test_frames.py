"""Objects in one answer, whole or known to be cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.wire.frames import FRAME_BYTES_MAX, Frame, FrameKind, FrameReader, frame_header

OBJECTS = (b"{}", b"", b"\x00" * 300)
STREAM = b"".join(
    frame_header(FrameKind.PIECE, sha256(data), len(data)) + data for data in OBJECTS
) + frame_header(FrameKind.END)


@given(st.integers(1, 80))
def test_frames_read_back_whatever_the_chunks(size: int) -> None:
    reader = FrameReader()
    found: list[tuple[Frame, bytes]] = []
    for start in range(0, len(STREAM), size):
        for part in reader.feed(STREAM[start : start + size]):
            if isinstance(part, Frame):
                found.append((part, b""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + part)
    reader.finish()
    *pieces, (end, _) = found
    assert [(frame.sha256, body) for frame, body in pieces] == [
        (sha256(data), data) for data in OBJECTS
    ]
    assert end.kind is FrameKind.END


@pytest.mark.parametrize("cut", [0, 1, 40, len(STREAM) - 37, len(STREAM) - 1])
def test_an_answer_that_was_cut_is_known(cut: int) -> None:
    reader = FrameReader()
    list(reader.feed(STREAM[:cut]))
    with pytest.raises(RefusedError, match=r"wire\.frame_cut"):
        reader.finish()


@pytest.mark.parametrize(
    "data",
    [
        b"X" * 37,
        frame_header(FrameKind.PIECE, length=FRAME_BYTES_MAX + 1),
        STREAM + b"more",
        STREAM + STREAM,
        frame_header(FrameKind.END, length=3) + b"abc",
    ],
    ids=["kind", "length", "rest", "again", "end with a body"],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"wire\.frame"):
        list(FrameReader().feed(data))
