"""Sealed files: backups that only the holders of a key can read, written and read as a stream.

A file is `tbk1`, a line of JSON, then zstd in encrypted pieces of 64 KiB.  Its body has a random
key of its own, wrapped for each recipient by X25519 and HKDF-SHA256 (RFC 7748, RFC 5869); the
header goes into the body's key, so that not a byte of it can be changed.  A piece is one
ChaCha20-Poly1305 message (RFC 8439) whose nonce is its number and whether it is the last one:
pieces cannot be swapped, left out or cut off unnoticed (the STREAM construction).  ChaCha20 and
not AES: a Raspberry Pi 4 has no AES instructions.

A recipient's public key is no secret, so anybody could seal a file for it.  Where that matters the
maker knows a writer key of the recipient besides, which only the private key can derive: it goes
into the wrap (as the pre-shared key of RFC 9180's mode_psk does), and a file that was made without
it does not open.

The cipher is a port, as are the random bytes: this module computes and nothing else.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import zstandard

from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError, RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.wire.unpack import unzstd

MAGIC = b"tbk1\n"
KEY_BYTES = 32
PIECE_BYTES = 64 * 1024
TAG_BYTES = 16
HEADER_BYTES_MAX = 16 * 1024
RECIPIENTS_MAX = 16
KEY_ID_BYTES = 8
LEVEL = 3
_NONCE_BYTES, _NUMBER_BYTES = 12, 11
_WRAP, _BODY = b"tillbox backup wrap 1", b"tillbox backup body 1"
_WRAP_PROVEN, _WRITER = b"tillbox backup wrap 2", b"tillbox backup writer 1"
_PLAIN_VERSION, _PROVEN_VERSION = 1, 2
FILE_SUFFIX = ".tbk"
Write = Callable[[bytes], object]
Proof = tuple[bytes, bytes]
"""A recipient's public key, and its writer key."""
Unlock = Callable[[bytes], bytes]
"""The key of a file's body, by the file's header."""


class Cipher(Protocol):
    """X25519 and ChaCha20-Poly1305 over raw bytes."""

    def public_of(self, private: bytes) -> bytes:
        """The public key (32 bytes) of a private one."""
        ...

    def agree(self, private: bytes, public: bytes) -> bytes:
        """The shared secret (32 bytes); ValueError for a public key that is none."""
        ...

    def encrypt(self, key: bytes, nonce: bytes, data: bytes) -> bytes:
        """Ciphertext with its tag behind."""
        ...

    def decrypt(self, key: bytes, nonce: bytes, data: bytes) -> bytes | None:
        """The plain bytes; None when they were changed."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealed file says of itself in the clear.

    `kind` is what is in it, `made_by` a box or `cloud`, `at_ms` UTC.
    """

    kind: str
    made_by: str
    at_ms: int
    name: str = ""


def key_id(public: bytes) -> str:
    """The short name of a recipient's key (16 hex digits)."""
    return sha256(public)[:KEY_ID_BYTES].hex()


class SealingWriter:
    """Takes plain bytes piece by piece and writes the sealed file; `close` makes it whole.

    `random` are 64 bytes that nobody knows: the body's key and the key of the exchange.
    """

    def __init__(
        self,
        cipher: Cipher,
        about: Sealed,
        recipients: Sequence[bytes | Proof],
        random: bytes,
        write: Write,
    ) -> None:
        """Raise RefusedError `backup.key` for no recipient, too many, or one that is no key.

        A recipient is a public key; with its writer key, in all of them, the file proves its maker.
        """
        assert len(random) == 2 * KEY_BYTES
        body_key, exchange = random[:KEY_BYTES], random[KEY_BYTES:]
        to = [each if isinstance(each, tuple) else (each, b"") for each in recipients]
        header = _header(cipher, about, to, body_key, exchange)
        self._cipher = cipher
        self._key = _derived(body_key, b"", _BODY + sha256(header))
        self._write = write
        self._packer = zstandard.ZstdCompressor(level=LEVEL).compressobj()
        self._waiting = bytearray()
        self._number = 0
        write(MAGIC + header + b"\n")

    def write(self, data: bytes) -> int:
        """Add plain bytes; how many they were."""
        self._put(self._packer.compress(data))
        return len(data)

    def close(self) -> None:
        """Write the last piece; a file without it is cut off."""
        self._put(self._packer.flush())
        self._piece(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _put(self, packed: bytes) -> None:
        waiting = self._waiting
        waiting += packed
        at = 0
        while len(waiting) - at > PIECE_BYTES:  # the last piece is written by `close`
            self._piece(bytes(waiting[at : at + PIECE_BYTES]), is_last=False)
            at += PIECE_BYTES
        if at:
            del waiting[:at]

    def _piece(self, data: bytes, *, is_last: bool) -> None:
        self._write(self._cipher.encrypt(self._key, _nonce(self._number, is_last=is_last), data))
        self._number += 1


def by_private(cipher: Cipher, private: bytes) -> Unlock:
    """Opens as a recipient does; RefusedError `backup.not_for_key`, CorruptError."""
    return lambda header: _unwrapped(header, cipher, private)


def by_proof(cipher: Cipher, private: bytes, name: str) -> Unlock:
    """The same, for a file that must be from a holder of the writer key and be called so.

    CorruptError `backup.unproven` where it says itself that it is not, `backup.forged` where it was
    made without that key, `backup.swapped` where its header has another name (up to a blank).
    """

    def unlock(header: bytes) -> bytes:
        raw = json.loads(header)
        if raw["v"] != _PROVEN_VERSION:
            raise CorruptError("backup.unproven", name=name)
        body_key = _unwrapped(header, cipher, private)
        told = raw["name"].partition(" ")[0]
        if told != name:
            raise CorruptError("backup.swapped", name=name, told=told[:120])
        return body_key

    return unlock


def writer_key(private: bytes) -> bytes:
    """What a maker of files must know so that the holder of a private key believes them."""
    return _derived(private, b"", _WRITER)


def writer_text(public: bytes, writer: bytes) -> str:
    """A writer key as settings name it: whose it is, and the key."""
    return f"{key_id(public)}:{writer.hex()}"


def proofs_of(text: str, recipients: Sequence[bytes]) -> tuple[Proof, ...]:
    """Recipients with their writer keys, which are a list with commas.

    RefusedError `backup.writer_key` for one that is none, or missing.
    """
    found: dict[str, bytes] = {}
    for each in (part.strip() for part in text.split(",") if part.strip()):
        name, _, key = each.partition(":")
        if not is_hex(name, KEY_ID_BYTES) or not is_hex(key, KEY_BYTES):
            raise RefusedError("backup.writer_key", key=name[:16])
        found[name] = bytes.fromhex(key)
    for public in recipients:
        if key_id(public) not in found:
            raise RefusedError("backup.writer_key", key=key_id(public))
    return tuple((public, found[key_id(public)]) for public in recipients)


def by_body_key(random: bytes) -> Unlock:
    """Opens with what the file was made with: its maker reads it back without a private key."""
    return lambda _: random[:KEY_BYTES]


def opened(chunks: Iterable[bytes], cipher: Cipher, unlock: Unlock) -> Iterator[bytes]:
    """The plain bytes of a sealed file, bounded in memory; nothing is given out unchecked.

    Raises RefusedError `backup.form` or `backup.not_for_key`, CorruptError `backup.damaged`, or
    `backup.cut` where the end is missing.
    """
    source = _Source(chunks)
    header = _read_header(source)
    key = _derived(unlock(header), b"", _BODY + sha256(header))
    pieces = (piece for piece in _pieces(source, cipher, key) if piece)
    try:
        yield from unzstd(pieces)
    except RefusedError:  # every piece is as it was sealed: whoever sealed it made no good file
        raise CorruptError("backup.damaged") from None


def about(chunks: Iterable[bytes]) -> Sealed:
    """What a sealed file says of itself; not proven before it is opened. RefusedError as above."""
    raw = json.loads(_read_header(_Source(chunks)))
    return Sealed(raw["kind"], raw["by"], raw["at"], raw["name"])


def key_text(private: bytes, public: bytes) -> str:
    """A key file: a person may print it and type it in again."""
    return (
        "# Tillbox backup key. Whoever has it reads every backup; without it nobody reads one.\n"
        "# Keep it away from the servers: on a stick and on paper, in two places.\n"
        f"# public: {public.hex()}\n{private.hex()}\n"
    )


def read_key_text(text: str) -> bytes:
    """The private key of a key file; RefusedError `backup.key_file`."""
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    found = "".join(lines).replace(" ", "").lower()
    if not is_hex(found, KEY_BYTES):
        raise RefusedError("backup.key_file")
    return bytes.fromhex(found)


def read_public_keys(text: str) -> tuple[bytes, ...]:
    """Public keys from a list with commas; RefusedError `backup.key` for one that is none."""
    found = [each.strip() for each in text.split(",") if each.strip()]
    for each in found:
        if not is_hex(each, KEY_BYTES):
            raise RefusedError("backup.key", key=each[:80])
    return tuple(bytes.fromhex(each) for each in found)


def recipients_of(chunks: Iterable[bytes]) -> tuple[str, ...]:
    """Short names of the keys that open a sealed file; RefusedError as above."""
    return tuple(each[0] for each in json.loads(_read_header(_Source(chunks)))["to"])


class _Source:
    """Bytes of an iterable, by count."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._waiting = bytearray()

    def read(self, count: int) -> bytes:
        """So many bytes, fewer only at the end."""
        while len(self._waiting) < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._waiting += chunk
        found = bytes(self._waiting[:count])
        del self._waiting[:count]
        return found

    def is_at_end(self) -> bool:
        """Whether there is no more."""
        while not self._waiting:
            chunk = next(self._chunks, None)
            if chunk is None:
                return True
            self._waiting += chunk
        return False


def _header(
    cipher: Cipher,
    about: Sealed,
    recipients: Sequence[Proof],
    body_key: bytes,
    exchange: bytes,
) -> bytes:
    """The header for recipients; a writer key is b"" where there is none."""
    if not 0 < len(recipients) <= RECIPIENTS_MAX:
        raise RefusedError("backup.key", key="")
    public = cipher.public_of(exchange)
    to = []
    for each, writer in recipients:
        wrap = _proven(_wrap_key(cipher, exchange, each, public + each), writer)
        to.append([key_id(each), cipher.encrypt(wrap, bytes(_NONCE_BYTES), body_key).hex()])
    is_proven = all(writer for _, writer in recipients)
    return canonical_bytes(
        {
            "v": _PROVEN_VERSION if is_proven else _PLAIN_VERSION,
            "kind": about.kind,
            "by": about.made_by,
            "at": about.at_ms,
            "name": about.name,
            "key": public.hex(),
            "to": to,
        }
    )


def _read_header(source: _Source) -> bytes:
    """The header's line, of the right form."""
    if source.read(len(MAGIC)) != MAGIC:
        raise RefusedError("backup.form")
    line = bytearray()
    while (byte := source.read(1)) != b"\n":
        if not byte or len(line) >= HEADER_BYTES_MAX:
            raise RefusedError("backup.form")
        line += byte
    try:
        raw = json.loads(line)
        texts = (raw["kind"], raw["by"], raw["name"])
        is_right = (
            raw["v"] in {_PLAIN_VERSION, _PROVEN_VERSION}
            and all(isinstance(each, str) for each in texts)
            and type(raw["at"]) is int
            and is_hex(raw["key"], KEY_BYTES)
            and len(raw["to"]) <= RECIPIENTS_MAX
            and all(
                is_hex(name, KEY_ID_BYTES) and is_hex(wrapped, KEY_BYTES + TAG_BYTES)
                for name, wrapped in raw["to"]
            )
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        is_right = False
    if not is_right:
        raise RefusedError("backup.form")
    return bytes(line)


def _unwrapped(header: bytes, cipher: Cipher, private: bytes) -> bytes:
    raw = json.loads(header)
    own, public = cipher.public_of(private), bytes.fromhex(raw["key"])
    wrapped = dict(raw["to"]).get(key_id(own))
    if wrapped is None:
        raise RefusedError("backup.not_for_key", key=key_id(own))
    is_proven = raw["v"] == _PROVEN_VERSION
    writer = writer_key(private) if is_proven else b""
    wrap = _proven(_wrap_key(cipher, private, public, public + own), writer)
    body_key = cipher.decrypt(wrap, bytes(_NONCE_BYTES), bytes.fromhex(wrapped))
    if body_key is None:
        if is_proven:
            raise CorruptError("backup.forged", name=str(raw["name"])[:120])
        raise CorruptError("backup.damaged")
    return body_key


def _pieces(source: _Source, cipher: Cipher, key: bytes) -> Iterator[bytes]:
    number = 0
    while True:
        piece = source.read(PIECE_BYTES + TAG_BYTES)
        is_last = source.is_at_end()
        plain = cipher.decrypt(key, _nonce(number, is_last=is_last), piece)
        if plain is None:
            # What would be good in the middle is no end: the rest of the file is missing.
            is_cut = is_last and (
                len(piece) < TAG_BYTES
                or cipher.decrypt(key, _nonce(number, is_last=False), piece) is not None
            )
            raise CorruptError("backup.cut" if is_cut else "backup.damaged")
        yield plain
        if is_last:
            return
        number += 1


def _wrap_key(cipher: Cipher, private: bytes, public: bytes, salt: bytes) -> bytes:
    try:
        secret = cipher.agree(private, public)
    except ValueError:
        raise RefusedError("backup.key", key=public.hex()) from None
    return _derived(secret, salt, _WRAP)


def _proven(wrap: bytes, writer: bytes) -> bytes:
    """The wrap's key as only who knows the writer key can make it."""
    return _derived(wrap, writer, _WRAP_PROVEN) if writer else wrap


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256, 32 bytes: one block."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + bytes((is_last,))
