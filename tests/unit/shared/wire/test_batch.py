from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, replace
from typing import Any

import pytest
import zstandard

from shared.kernel.errors import RefusedError
from shared.wire.batch import (
    BATCH_ENTRIES_MAX,
    CODEC_ZLIB,
    CODEC_ZSTD,
    PAYLOAD_BYTES_MAX,
    UNPACKED_BYTES_MAX,
    decode_batch,
    encode_batch,
    unpack,
)
from tests.builders import a_batch_header

BODIES = [b'{"n":%d}' % n for n in range(3)]
HEADER = a_batch_header(BODIES)
PAYLOAD = encode_batch(HEADER, BODIES)
LINES = unpack(PAYLOAD).split(b"\n")
HEAD: dict[str, Any] = json.loads(LINES[0])


def packed(lines: list[bytes]) -> bytes:
    return bytes([CODEC_ZSTD]) + zstandard.ZstdCompressor().compress(b"\n".join(lines))


def with_head(**changed: object) -> bytes:
    return packed([json.dumps(HEAD | changed).encode(), *BODIES])


def refusal_of(payload: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        decode_batch(payload)
    return refused.value.code


def test_a_batch_arrives_byte_for_byte() -> None:
    assert decode_batch(PAYLOAD) == (HEADER, BODIES)


def test_a_box_without_zstd_may_send_zlib() -> None:
    payload = bytes([CODEC_ZLIB]) + zlib.compress(b"\n".join(LINES))
    assert decode_batch(payload) == (HEADER, BODIES)


def test_a_full_batch_arrives() -> None:
    bodies = [b"{}"] * BATCH_ENTRIES_MAX
    header = a_batch_header(bodies)
    assert decode_batch(encode_batch(header, bodies)) == (header, bodies)


def test_the_header_is_readable_by_any_tool() -> None:
    assert HEAD.keys() == {"v", "from"} | asdict(HEADER).keys() - {"from_seq"}


def test_fields_of_newer_software_are_ignored() -> None:
    assert decode_batch(with_head(later="x")) == (HEADER, BODIES)


@pytest.mark.parametrize(
    "payload",
    [
        PAYLOAD[:-1],
        PAYLOAD[:20],
        PAYLOAD[:1],
        PAYLOAD + b"x",
        bytes([CODEC_ZSTD]) + b"junk",
        bytes([CODEC_ZLIB]) + PAYLOAD[1:],
        bytes([CODEC_ZLIB]) + zlib.compress(b"\n".join(LINES))[:-4],
        bytes([CODEC_ZLIB]),
    ],
)
def test_cut_padded_or_mislabelled_payloads_are_refused(payload: bytes) -> None:
    assert refusal_of(payload) == "wire.compressed"


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x03" + PAYLOAD[1:], b'{"v":1}'])
def test_an_unknown_codec_is_refused(payload: bytes) -> None:
    assert refusal_of(payload) == "wire.codec"


@pytest.mark.parametrize("codec", [CODEC_ZSTD, CODEC_ZLIB])
def test_a_bomb_is_refused(codec: int) -> None:
    bomb = bytes(UNPACKED_BYTES_MAX + 1)
    data = zstandard.ZstdCompressor().compress(bomb) if codec == CODEC_ZSTD else zlib.compress(bomb)
    assert refusal_of(bytes([codec]) + data) == "wire.bomb"


def test_an_oversized_payload_is_not_even_unpacked() -> None:
    assert refusal_of(bytes([CODEC_ZSTD]) + bytes(PAYLOAD_BYTES_MAX)) == "wire.too_large"


def test_an_oversized_batch_is_not_sent() -> None:
    noise = hashlib.shake_128(b"noise").hexdigest(2 * PAYLOAD_BYTES_MAX).encode()
    with pytest.raises(RefusedError, match=r"wire\.too_large"):
        encode_batch(a_batch_header([noise]), [noise])


@pytest.mark.parametrize(
    "lines",
    [LINES[:-1], [*LINES, b"{}"], [*LINES, b""], LINES[:1], [*LINES[:1], *[b""] * 1_000_000]],
    ids=["one less", "one more", "an empty one more", "none", "a million"],
)
def test_another_number_of_bodies_than_stated_is_refused(lines: list[bytes]) -> None:
    assert refusal_of(packed(lines)) == "wire.count"


@pytest.mark.parametrize("count", [0, BATCH_ENTRIES_MAX + 1])
def test_a_batch_has_1_to_200_entries(count: int) -> None:
    head = json.dumps(HEAD | {"count": count}).encode()
    assert refusal_of(packed([head, *[b"{}"] * count])) == "wire.count"


NUMBERS = ("from", "count", "edge_head", "boot", "mono", "t")
HASHES = ("stream", "prev", "head", "sig")


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("value", [None, "5", 1.0, True, -1, 1 << 63, [], {}])
def test_a_header_number_of_another_kind_is_refused(field: str, value: object) -> None:
    assert refusal_of(with_head(**{field: value})) == "wire.header"


@pytest.mark.parametrize("field", HASHES)
def test_a_header_hash_in_another_form_is_refused(field: str) -> None:
    good = "ab" * (len(HEAD[field]) // 2)
    assert decode_batch(with_head(**{field: good}))
    for bad in (
        None,
        5,
        "",
        good[:-2],
        good + "00",
        good.upper(),
        good[:-2] + " a",
        good[:-1] + "g",
    ):
        assert refusal_of(with_head(**{field: bad})) == "wire.header"


@pytest.mark.parametrize("sw", [None, 5, "x" * 81, "a\x00b", "a\nb", "\ud800"])
def test_a_software_name_that_no_column_takes_is_refused(sw: object) -> None:
    assert refusal_of(with_head(sw=sw)) == "wire.header"


@pytest.mark.parametrize("field", [*NUMBERS, *HASHES, "sw"])
def test_a_missing_header_field_is_refused(field: str) -> None:
    head = {name: value for name, value in HEAD.items() if name != field}
    assert refusal_of(packed([json.dumps(head).encode(), *BODIES])) == "wire.header"


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_a_header_that_is_none_is_refused(line: bytes) -> None:
    assert refusal_of(packed([line, *BODIES])) == "wire.header"


def test_a_wrong_count_or_a_line_feed_in_a_body_is_the_senders_mistake() -> None:
    with pytest.raises(AssertionError):
        encode_batch(replace(HEADER, count=2), BODIES)
    with pytest.raises(AssertionError):
        encode_batch(HEADER, [*BODIES[:2], b'{"a":\n1}'])
