"""The list of keys that boxes seal their backups for, as head office signs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError
from shared.kernel.hexadecimal import is_hex
from shared.wire.sealed import KEY_BYTES, RECIPIENTS_MAX

_TAG = b"tbk-keys-1"
_SIG_BYTES = 64


@dataclass(frozen=True, slots=True)
class BackupKeys:
    """Public keys; `at_ms` (UTC) is since when the list is like this, `sig` head office's."""

    keys: tuple[bytes, ...]
    at_ms: int
    sig: bytes = b""


def keys_statement(keys: BackupKeys) -> bytes:
    """What head office signs."""
    body = {"at": keys.at_ms, "keys": [each.hex() for each in keys.keys]}
    return _TAG + sha256(canonical_bytes(body))


def dump_backup_keys(keys: BackupKeys) -> dict[str, Any]:
    """As it goes over the wire: {at, keys, sig}."""
    return {
        "at": keys.at_ms,
        "keys": [each.hex() for each in keys.keys],
        "sig": keys.sig.hex(),
    }


def read_backup_keys(raw: object) -> BackupKeys:
    """Read the list; CorruptError `backup.keys` for what is none. The signature is not checked."""
    if not isinstance(raw, dict):
        raise CorruptError("backup.keys")
    keys, at_ms, sig = raw.get("keys"), raw.get("at"), raw.get("sig")
    if (
        not isinstance(keys, list)
        or len(keys) > RECIPIENTS_MAX
        or not all(is_hex(each, KEY_BYTES) for each in keys)
        or type(at_ms) is not int
        or not is_hex(sig, _SIG_BYTES)
    ):
        raise CorruptError("backup.keys")
    return BackupKeys(tuple(map(bytes.fromhex, keys)), at_ms, bytes.fromhex(str(sig)))
