"""Sealed files: what went in comes out, and nothing else is ever given out."""

from __future__ import annotations

import hashlib
import inspect
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.seal_cipher import CIPHER
from edge.seal_cipher import CIPHER as EDGE_CIPHER
from shared.kernel.errors import CorruptError, RefusedError, RetailError
from shared.wire.sealed import (
    PIECE_BYTES,
    TAG_BYTES,
    Proof,
    Sealed,
    SealingWriter,
    about,
    by_body_key,
    by_private,
    by_proof,
    key_id,
    key_text,
    opened,
    proofs_of,
    read_key_text,
    read_public_keys,
    recipients_of,
    writer_key,
    writer_text,
)

PRIVATE, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC, OTHER_PUBLIC = CIPHER.public_of(PRIVATE), CIPHER.public_of(OTHER)
RANDOM = hashlib.sha512(b"never twice in earnest").digest()
ABOUT = Sealed("box", "d-abcdefghijklmnop", 1_700_000_000_000, "a name")


def noise(count: int) -> bytes:
    """What zstd cannot make smaller."""
    return hashlib.shake_256(b"noise").digest(count)


def sealed(data: bytes, *recipients: bytes, step: int = 10_000) -> bytes:
    out = bytearray()
    writer = SealingWriter(CIPHER, ABOUT, recipients or (PUBLIC,), RANDOM, out.extend)
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
    writer.close()
    return bytes(out)


def unsealed(file: bytes, private: bytes = PRIVATE, step: int = 7_777) -> bytes:
    chunks = (file[at : at + step] for at in range(0, len(file), step))
    return b"".join(opened(chunks, EDGE_CIPHER, by_private(EDGE_CIPHER, private)))


def body_start(file: bytes) -> int:
    return file.index(b"\n", 5) + 1


def test_both_sides_have_the_same_cipher() -> None:
    sides = (
        inspect.getsource(sys.modules[type(each).__module__]) for each in (CIPHER, EDGE_CIPHER)
    )
    assert len(set(sides)) == 1


@pytest.mark.parametrize(
    "size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17]
)
def test_what_one_side_seals_the_other_opens(size: int) -> None:
    data = noise(size)
    assert unsealed(sealed(data)) == data
    assert unsealed(sealed(data), step=1 << 22) == data


@settings(max_examples=40)
@given(st.binary(max_size=3000), st.integers(1, 4000))
def test_it_does_not_matter_how_the_bytes_come(data: bytes, step: int) -> None:
    assert unsealed(sealed(data, step=step), step=step) == data


def test_each_recipient_opens_it_alone_and_nobody_else_does() -> None:
    file = sealed(b"the books", PUBLIC, OTHER_PUBLIC)
    assert unsealed(file, PRIVATE) == unsealed(file, OTHER) == b"the books"
    assert recipients_of([file]) == (key_id(PUBLIC), key_id(OTHER_PUBLIC))
    with pytest.raises(RefusedError, match=r"backup\.not_for_key"):
        unsealed(sealed(b"the books"), OTHER)


def test_who_made_it_reads_it_back_without_a_private_key() -> None:
    assert b"".join(opened([sealed(b"books")], CIPHER, by_body_key(RANDOM))) == b"books"


def test_it_says_in_the_clear_what_it_is_and_shows_nothing_of_what_is_in_it() -> None:
    file = sealed(b"Operator 1002 sold 3 apples" * 40)
    assert about([file]) == ABOUT
    assert b"Operator" not in file


@settings(max_examples=150)
@given(st.data())
def test_a_flipped_bit_is_always_found(data: st.DataObject) -> None:
    file = bytearray(sealed(noise(PIECE_BYTES + 100)))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RetailError, match="backup"):
        unsealed(bytes(file))


def test_a_file_that_ends_early_is_told_from_a_damaged_one() -> None:
    file = sealed(noise(3 * PIECE_BYTES))
    start = body_start(file)
    for end in (start, start + 5, start + PIECE_BYTES + TAG_BYTES, len(file) - 1):
        with pytest.raises(CorruptError) as raised:
            unsealed(file[:end])
        assert raised.value.code in {"backup.cut", "backup.damaged"}
    with pytest.raises(CorruptError, match=r"backup\.cut"):
        unsealed(file[: start + PIECE_BYTES + TAG_BYTES])


def test_pieces_cannot_change_places_or_be_left_out_or_added() -> None:
    file = sealed(noise(4 * PIECE_BYTES))
    start, size = body_start(file), PIECE_BYTES + TAG_BYTES
    head, body = file[:start], file[start:]
    first, second, rest = body[:size], body[size : 2 * size], body[2 * size :]
    for wrong in (second + first + rest, second + rest, first + first + second + rest, body + b"x"):
        with pytest.raises(CorruptError, match=r"backup\.damaged"):
            unsealed(head + wrong)


def test_nothing_is_given_out_before_it_is_proven() -> None:
    file = bytearray(sealed(noise(2 * PIECE_BYTES)))
    file[body_start(bytes(file)) + 10] ^= 1
    out = opened([bytes(file)], CIPHER, by_private(CIPHER, PRIVATE))
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        next(out)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"tbk1\n",
        b"tbk2\n{}\n",
        b"tbk1\nnot json\n",
        b"tbk1\n{}\n",
        b"tbk1\n[]\n",
        b'tbk1\n{"v":1,"kind":1,"by":"","at":1,"name":"","key":"00","to":[]}\n',
        b"tbk1\n" + b"[" * 20_000 + b"\n",
        b"tbk1\n" + b"[" * 9_000 + b"\n",
    ],
)
def test_what_is_no_sealed_file_is_refused(file: bytes) -> None:
    with pytest.raises(RefusedError, match=r"backup\.form"):
        unsealed(file)
    with pytest.raises(RefusedError, match=r"backup\.form"):
        about([file])


@pytest.mark.parametrize("keys", [(), (bytes(32),), (PUBLIC,) * 17], ids=["none", "weak", "many"])
def test_without_good_recipients_nothing_is_sealed(keys: tuple[bytes, ...]) -> None:
    out: list[bytes] = []
    with pytest.raises(RefusedError, match=r"backup\.key"):
        SealingWriter(CIPHER, ABOUT, keys, RANDOM, out.append)
    assert out == []


def test_memory_stays_bounded_however_long_the_file_is() -> None:
    written = 0
    largest = 0

    def count(data: bytes) -> None:
        nonlocal written, largest
        written += len(data)
        largest = max(largest, len(data))

    writer = SealingWriter(CIPHER, ABOUT, (PUBLIC,), RANDOM, count)
    block = noise(1 << 20)
    for _ in range(8):
        writer.write(block)
    writer.close()
    assert written > PIECE_BYTES
    assert largest <= PIECE_BYTES + TAG_BYTES


def test_a_key_file_can_be_typed_in_again() -> None:
    text = key_text(PRIVATE, PUBLIC)
    assert read_key_text(text) == PRIVATE
    assert read_key_text(PRIVATE.hex().upper()[:32] + " \n" + PRIVATE.hex()[32:]) == PRIVATE
    for wrong in ("", "# only words\n", PRIVATE.hex()[:-1], "zz" * 32):
        with pytest.raises(RefusedError, match=r"backup\.key_file"):
            read_key_text(wrong)


def test_public_keys_stand_in_a_list_with_commas() -> None:
    text = f" {PUBLIC.hex()}, {OTHER_PUBLIC.hex()},"
    assert read_public_keys(text) == (PUBLIC, OTHER_PUBLIC)
    assert read_public_keys("") == ()
    with pytest.raises(RefusedError, match=r"backup\.key"):
        read_public_keys("abc")


NAME = "base/20261122T140000Z.tbk"
WRITER = writer_key(PRIVATE)


def proven(data: bytes, *recipients: Proof, told: str = NAME) -> bytes:
    out = bytearray()
    about_it = Sealed("base", "cloud", 1_700_000_000_000, told)
    to = recipients or ((PUBLIC, WRITER),)
    writer = SealingWriter(CIPHER, about_it, to, RANDOM, out.extend)
    writer.write(data)
    writer.close()
    return bytes(out)


def believed(file: bytes, private: bytes = PRIVATE, name: str = NAME) -> bytes:
    return b"".join(opened([file], CIPHER, by_proof(CIPHER, private, name)))


def test_a_file_with_the_writer_key_in_it_proves_who_made_it() -> None:
    both = ((PUBLIC, WRITER), (OTHER_PUBLIC, writer_key(OTHER)))
    assert believed(proven(b"the books", *both)) == b"the books"
    assert believed(proven(b"the books", *both), OTHER) == b"the books"
    assert believed(proven(b"the books", told=f"{NAME} a note")) == b"the books"
    assert unsealed(proven(b"the books")) == b"the books"


@pytest.mark.parametrize("writer", [bytes(32), writer_key(OTHER), PUBLIC])
def test_who_knows_the_public_key_alone_cannot_make_one_that_is_believed(writer: bytes) -> None:
    with pytest.raises(CorruptError, match=r"backup\.forged"):
        believed(proven(b"forged", (PUBLIC, writer)))


def test_a_file_that_proves_nothing_is_not_believed_where_proof_is_wanted() -> None:
    with pytest.raises(CorruptError, match=r"backup\.unproven"):
        believed(sealed(b"forged"))


def test_a_proven_file_counts_under_its_own_name_alone() -> None:
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        believed(proven(b"an older one", told="base/20250101T000000Z.tbk"))


def test_a_proof_cannot_be_moved_to_another_name_version_or_body() -> None:
    good = proven(b"x" * 1000)
    older = proven(b"x" * 1000, told="base/20250101T000000Z.tbk")
    renamed = older.replace(b"base/20250101T000000Z.tbk", NAME.encode())
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        believed(renamed)
    plain = sealed(b"forged")
    said = plain.replace(b'"v":1', b'"v":2').replace(
        b'"name":"a name"', f'"name":"{NAME}"'.encode()
    )
    with pytest.raises(CorruptError, match=r"backup\.forged"):
        believed(said)
    mixed = good[: body_start(good)] + plain[body_start(plain) :]
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        believed(mixed)


def test_writer_keys_are_read_for_their_recipients() -> None:
    one, two = writer_text(PUBLIC, WRITER), writer_text(OTHER_PUBLIC, writer_key(OTHER))
    wanted = ((PUBLIC, WRITER), (OTHER_PUBLIC, writer_key(OTHER)))
    assert proofs_of(f"{two}, {one},", (PUBLIC, OTHER_PUBLIC)) == wanted
    assert proofs_of("", ()) == ()
    for text in ("", two, "abc", f"{key_id(PUBLIC)}:", f"{key_id(PUBLIC)}:{'0' * 63}"):
        with pytest.raises(RefusedError, match=r"backup\.writer_key"):
            proofs_of(text, (PUBLIC,))


PROVEN = proven(b"the books of a chain" * 50)


@settings(max_examples=60)
@given(st.integers(0, len(PROVEN) - 1), st.integers(1, 255))
def test_no_byte_of_a_proven_file_can_be_changed(at: int, by: int) -> None:
    changed = bytearray(PROVEN)
    changed[at] ^= by
    with pytest.raises(RetailError):
        believed(bytes(changed))


@settings(max_examples=20)
@given(st.integers(0, len(PROVEN) - 1))
def test_no_end_of_a_proven_file_can_be_missing(length: int) -> None:
    with pytest.raises(RetailError):
        believed(PROVEN[:length])
