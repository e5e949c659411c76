from __future__ import annotations

import io
import tracemalloc
import zlib

import pytest
import zstandard

from shared.kernel.errors import RefusedError
from shared.wire.unpack import WINDOW_BYTES_MAX, ChunkReader, at_most, unzlib, unzstd

DATA = b"".join(b'{"n":%d}\n' % (n * 7919 % 10_007) for n in range(50_000))
PACKED = zstandard.ZstdCompressor(level=3).compress(DATA)
MIB = 1 << 20


def streamed(data: bytes) -> bytes:
    """Pack without a stated size, as published objects are."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=10).stream_writer(out, closefd=False) as writer:
        writer.write(data)
    return out.getvalue()


def wide_window(log: int) -> bytes:
    settings = zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
    out = io.BytesIO()
    packer = zstandard.ZstdCompressor(compression_params=settings)
    with packer.stream_writer(out, closefd=False) as writer:
        writer.write(DATA)
    return out.getvalue()


@pytest.mark.parametrize("packed", [PACKED, streamed(DATA)], ids=["stated size", "streamed"])
@pytest.mark.parametrize("part", [1, 1000, MIB])
def test_whole_frames_unpack_however_they_arrive(packed: bytes, part: int) -> None:
    parts = (packed[start : start + part] for start in range(0, len(packed), part))
    assert b"".join(unzstd(parts)) == DATA


@pytest.mark.parametrize("packed", [PACKED, streamed(DATA)], ids=["stated size", "streamed"])
@pytest.mark.parametrize("missing", [1, 3, 100, 10_000])
def test_a_cut_frame_is_noticed(packed: bytes, missing: int) -> None:
    with pytest.raises(RefusedError, match=r"wire\.compressed"):
        list(unzstd((packed[:-missing],)))


@pytest.mark.parametrize(
    "packed",
    [b"", b"no zstd at all", PACKED + b"x", PACKED + PACKED, PACKED[1:], wide_window(27)],
    ids=["nothing", "junk", "one byte more", "twice", "no head", "needs 128 MiB"],
)
def test_what_is_not_one_frame_is_refused(packed: bytes) -> None:
    with pytest.raises(RefusedError, match=r"wire\.compressed"):
        list(unzstd((packed,)))


def test_a_byte_behind_the_frame_is_noticed_in_a_part_of_its_own() -> None:
    with pytest.raises(RefusedError, match=r"wire\.compressed"):
        list(unzstd((PACKED, b"x")))


def test_a_bomb_never_fills_the_memory() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(128 * MIB))
    assert len(bomb) < 5_000
    tracemalloc.start()
    with pytest.raises(RefusedError, match=r"wire\.bomb"):
        list(at_most(unzstd((bomb,)), WINDOW_BYTES_MAX))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MIB


def test_zlib_unpacks_whole_streams_only() -> None:
    packed = zlib.compress(DATA)
    assert unzlib(packed, len(DATA)) == DATA
    for broken in (packed[:-1], packed + b"x", b"", b"junk", packed[1:]):
        with pytest.raises(RefusedError, match=r"wire\.compressed"):
            unzlib(broken, len(DATA))


def test_zlib_stops_one_byte_behind_the_limit() -> None:
    assert len(unzlib(zlib.compress(bytes(10 * MIB)), 1000)) == 1001


def test_at_most_counts_over_all_pieces() -> None:
    assert list(at_most([b"ab", b"cd"], 4)) == [b"ab", b"cd"]
    with pytest.raises(RefusedError, match=r"wire\.bomb"):
        list(at_most([b"ab", b"cd"], 3))


def test_chunks_read_as_they_would_from_a_file() -> None:
    chunks = [b"ab", b"", b"cdefg", b"h" * 10]
    reader = ChunkReader(each for each in chunks if each)
    assert [reader.read(size) for size in (1, 3, 2, 100, 5)] == [
        *(b"a", b"bcd", b"ef"),
        b"g" + b"h" * 10,
        b"",
    ]
