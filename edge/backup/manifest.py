"""What a box's backup says of itself: every member with its hash, signed by the journal key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError
from shared.kernel.hexadecimal import is_hex

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_TAG = b"tbk-manifest-1"
_KEY_BYTES, _HASH_BYTES = 32, 32
# Names come from a file: nothing but these is ever written to a disk.
_NAME = re.compile(
    r"settings/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
    r"|journal(?:-[1-9][0-9]{0,5})?\.db|journal\.mark|salvage\.db"
    r"|tillbox-[0-9a-f]{32}\.jsonl"
)
# Nor these as settings: who the box is, whom it believes and what it sold.
_OWN = re.compile(
    r"settings/(?:identity|fleet|backup|swap|time|launcher)\.json"
    r"|settings/(?:signed_documents|retiring|ballast|probe|backup\.keys|tls|replica|update|old-box)"
    r"|settings/(?:journal[.-].*|.*\.db(?:-.*)?)"
)
_JOURNAL_NAME = re.compile(r"journal(?:-[1-9][0-9]{0,5})?\.db")
Verify = Callable[[bytes, bytes, bytes], bool]
"""Public key, signature, message: whether the holder of the key signed it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JournalTold:
    """A journal of the box when the backup was made: its last entry, and what HQ held for sure.

    `file` is "" where only the tail is in the backup; `tail` is how many signed copies are.
    """

    file: str
    stream: str
    head: int
    hash: str
    safe: int
    tail: int


@dataclass(frozen=True, slots=True)
class BoxManifest:
    """`scope` is `full` or `tail`; `at_ms` UTC; `journal_pub` (hex) is whose signature counts."""

    dev: str
    store_id: str
    store_name: str
    scope: str
    at_ms: int
    software: str
    journal_pub: str
    journals: tuple[JournalTold, ...]
    members: tuple[Member, ...]


def is_member_name(name: str) -> bool:
    """Whether a file of this name may be in a backup."""
    return _NAME.fullmatch(name) is not None and _OWN.fullmatch(name) is None


def manifest_bytes(manifest: BoxManifest) -> bytes:
    """The form that is signed."""
    return canonical_bytes({"v": 1, **asdict(manifest)})


def statement_of(raw: bytes) -> bytes:
    """What the journal key signs."""
    return _TAG + sha256(raw)


def read_manifest(raw: bytes, signature: bytes, verify: Verify) -> BoxManifest:
    """CorruptError `backup.manifest` when it is none, `backup.signature` when nobody stands for it.

    The signature proves that the file is as the holder of `journal_pub` made it; whether that is
    the right box is for the caller to ask.
    """
    try:
        manifest = _manifest_of(json.loads(raw))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CorruptError("backup.manifest") from None
    if not verify(bytes.fromhex(manifest.journal_pub), signature, statement_of(raw)):
        raise CorruptError("backup.signature", dev=manifest.dev)
    return manifest


def _manifest_of(raw: dict[str, Any]) -> BoxManifest:
    members = tuple(Member(**each) for each in raw.pop("members"))
    journals = tuple(JournalTold(**each) for each in raw.pop("journals"))
    if raw.pop("v") != 1 or not all(
        is_member_name(each.name) and is_hex(each.sha256, _HASH_BYTES) for each in members
    ):
        raise ValueError
    names = {each.name for each in members}
    if not all(_is_told(each.file, names) for each in journals):
        raise ValueError
    manifest = BoxManifest(**raw, journals=journals, members=members)
    if not is_hex(manifest.journal_pub, _KEY_BYTES):
        raise ValueError
    return manifest


def _is_told(file: str, names: set[str]) -> bool:
    """Whether a journal is a member of the backup, or not in it ("")."""
    return not file or (file in names and _JOURNAL_NAME.fullmatch(file) is not None)
