"""The keys of members' data: those that seal it, and the secret that its hashes are made with.

They come from a file of their own (`member_key_file`), or where none is named from head office's
key.  `MemberKeys` is the port: a KMS that wraps and unwraps can stand behind it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.settings import Settings
from cloud.signing import HqKey
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.kernel.hexadecimal import is_hex
from shared.member.pseudonym import BoxKeys, box_keys

NONCE_BYTES, KEY_BYTES, KEY_MODE = 12, 32, 0o600
HQ_KEY_ID = "hq"
"""The sealing key that follows from head office's."""
Random = Callable[[int], bytes]


class MemberKeys(Protocol):
    """Seals personal data, and gives the secret behind its hashes."""

    @property
    def newest_id(self) -> str:
        """The id of the key that seals."""
        ...

    def seal(self, data: bytes, owner: str, nonce: bytes) -> bytes:
        """The data as only `open` with the same key id and owner reads it."""
        ...

    def open(self, sealed: bytes, owner: str, key_id: str) -> bytes:
        """The data; CorruptError `secret.unreadable` under another key or owner."""
        ...

    def of_store(self, store_id: str) -> BoxKeys:
        """What a store's box hashes with."""
        ...

    def join_private(self) -> bytes:
        """The X25519 key (32 bytes) that tills seal new members' data for."""
        ...


class HeldKeys:
    """Keys in this process's memory; see `MemberKeys`."""

    def __init__(self, secret: bytes, join: bytes, sealing: dict[str, bytes]) -> None:
        """`sealing` by id, oldest first: the last one seals, all of them open."""
        self._secret = secret
        self._join = join
        self._ciphers = {key_id: AESGCM(key) for key_id, key in sealing.items()}
        self.newest_id = list(sealing)[-1]

    def seal(self, data: bytes, owner: str, nonce: bytes) -> bytes:
        """See `MemberKeys`."""
        assert len(nonce) == NONCE_BYTES
        return nonce + self._ciphers[self.newest_id].encrypt(nonce, data, owner.encode())

    def open(self, sealed: bytes, owner: str, key_id: str) -> bytes:
        """See `MemberKeys`."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CorruptError("secret.unreadable", owner=owner[:40])
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError):
            raise CorruptError("secret.unreadable", owner=owner[:40]) from None

    def of_store(self, store_id: str) -> BoxKeys:
        """See `MemberKeys`."""
        return box_keys(self._secret, store_id)

    def join_private(self) -> bytes:
        """See `MemberKeys`."""
        return self._join


def keys_of(settings: Settings, hq_key: HqKey) -> MemberKeys:
    """The keys of this chain; raises as `read_keys`."""
    secret, join = _derived(hq_key)
    sealing = {HQ_KEY_ID: hq_key.derive("member", b"sealing")}
    if settings.member_key_file:
        secret, join, of_file = read_keys(Path(settings.member_key_file))
        sealing |= of_file
    return HeldKeys(secret, join, sealing)


def init_keys(path: Path, hq_key: HqKey, random: Random) -> str:
    """Write a key file with a first sealing key of its own; its id.

    The secret behind the hashes stays what it was: members are found as before. Raises
    RefusedError `member_key.exists`.
    """
    if path.exists():
        raise RefusedError("member_key.exists", file=str(path))
    secret, join = _derived(hq_key)
    _write(path, {"secret": secret.hex(), "join": join.hex(), "seal": {"k1": random(32).hex()}})
    return "k1"


def roll_keys(path: Path, random: Random) -> str:
    """Add a sealing key, which seals from now on; its id. Raises as `read_keys`."""
    secret, join, sealing = read_keys(path)
    key_id = f"k{max(int(each[1:]) for each in sealing) + 1}"
    sealing[key_id] = random(KEY_BYTES)
    seal = {each: key.hex() for each, key in sealing.items()}
    _write(path, {"secret": secret.hex(), "join": join.hex(), "seal": seal})
    return key_id


def read_keys(path: Path) -> tuple[bytes, bytes, dict[str, bytes]]:
    """Secret, join key and sealing keys of a file.

    Raises UnavailableError `member_key.missing`, RefusedError `member_key.readable` when others
    may read it too, CorruptError `member_key.damaged`.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UnavailableError("member_key.missing", file=str(path)) from None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise RefusedError("member_key.readable", file=str(path))
    try:
        found = json.loads(raw)
        sealing = {str(each): _key(key) for each, key in found["seal"].items()}
        _check_ids(sealing)
        return _key(found["secret"]), _key(found["join"]), sealing
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CorruptError("member_key.damaged", file=str(path)) from None


def _derived(hq_key: HqKey) -> tuple[bytes, bytes]:
    return hq_key.derive("member", b"hashes"), hq_key.derive("member", b"join")


def _check_ids(sealing: dict[str, bytes]) -> None:
    if not sealing or not all(each[:1] == "k" and each[1:].isdigit() for each in sealing):
        raise ValueError


def _key(text: object) -> bytes:
    if not is_hex(text, KEY_BYTES):
        raise ValueError
    return bytes.fromhex(str(text))


def _write(path: Path, value: dict[str, object]) -> None:
    """All or nothing: half a key file would be the end of all members' data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(path.name + ".new")
    waiting.unlink(missing_ok=True)
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
    with os.fdopen(handle, "wb") as stream:
        stream.write(json.dumps(value, indent=1).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    waiting.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
