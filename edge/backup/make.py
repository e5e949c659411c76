"""One backup from beginning to end: seal it, read it back, walk the journal, then let it count.

A backup that nobody has read back is a hope.  The box cannot open what it sealed for head office,
but the run that made a file still has the key of that file: it unpacks the file from where it lies
into a scratch folder and walks every journal in it, before the file gets its name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from edge.backup.contents import BoxState, Scope, write_contents
from edge.backup.manifest import BoxManifest
from edge.backup.unpack import unpack
from edge.identity import sync_folder
from edge.seal_cipher import CIPHER
from shared.kernel.errors import CorruptError
from shared.wire.sealed import FILE_SUFFIX, KEY_BYTES, Sealed, SealingWriter, by_body_key

WORK_FOLDER = "backup-work"
KIND = "box"
_DRAFT = ".draft"
Walk = Callable[[Path], Sequence[tuple[str, int, str]]]
"""Walks the journal that begins with a file: stream, head and hash (hex) of each life."""


@dataclass(frozen=True, slots=True)
class MakeParts:
    """What a run needs; `random` gives bytes that nobody can guess."""

    state: BoxState
    walk: Walk
    random: Callable[[int], bytes]
    now_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was read back."""

    path: Path
    size: int
    manifest: BoxManifest


def make_backup(parts: MakeParts, scope: Scope, recipients: Sequence[bytes], folder: Path) -> Made:
    """Make and verify a backup in `folder`; it has its name only when it was read back well.

    Raises as `write_contents` and `unpack`; CorruptError `backup.differs` where the journal that
    was read back is not the one that was sealed. OSError as the disk does.
    """
    at_ms = parts.now_ms()
    work = parts.state.settings.data_dir / WORK_FOLDER
    target = folder / file_name(parts.state, scope, at_ms)
    draft = target.with_name(target.name + _DRAFT)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        manifest, random = _seal(parts, scope, recipients, (work, draft, at_ms))
        _verify(parts.walk, draft, random, work / "scratch")
        size = draft.stat().st_size
        draft.replace(target)
        sync_folder(folder)
    finally:
        draft.unlink(missing_ok=True)
        shutil.rmtree(work, ignore_errors=True)
    return Made(target, size, manifest)


def file_name(state: BoxState, scope: Scope, at_ms: int) -> str:
    """`tillbox-box-<store>-<box>-<time>-<scope>.tbk`, by which the files of a box sort by age."""
    when = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{prefix_of(state)}{when}-{scope}{FILE_SUFFIX}"


def prefix_of(state: BoxState) -> str:
    """With what the names of this box's files begin."""
    return f"tillbox-box-{state.identity.store_id}-{state.identity.dev}-"


def keep_newest(state: BoxState, folder: Path, count: int, last: str = "") -> list[Path]:
    """Delete this box's older backups in a folder, and drafts that a power cut left; which went.

    `last` is the name of the one just made. What calls itself later was made while the clock was
    ahead: it goes first, or it would push out every good one until that date has come.
    """
    prefix = prefix_of(state)
    mine = [path for path in folder.iterdir() if path.name.startswith(prefix)]
    mine.sort(key=lambda path: (not last or path.name <= last, path.name))
    drafts = [path for path in mine if path.name.endswith(_DRAFT)]
    whole = [path for path in mine if path.name.endswith(FILE_SUFFIX)]
    gone = [*drafts, *whole[:-count]]
    for path in gone:
        path.unlink()
    return gone


def _seal(
    parts: MakeParts, scope: Scope, recipients: Sequence[bytes], to: tuple[Path, Path, int]
) -> tuple[BoxManifest, bytes]:
    work, draft, at_ms = to
    random = parts.random(2 * KEY_BYTES)
    state = parts.state
    about = Sealed(KIND, state.identity.dev, at_ms, scope)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        sealing = SealingWriter(CIPHER, about, recipients, random, file.write)
        manifest = write_contents(state, scope, at_ms, work, cast("IO[bytes]", sealing))
        sealing.close()
        file.flush()
        os.fsync(file.fileno())
        # What is read back now has to come from the disk, not from the kernel's memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return manifest, random


def _verify(walk: Walk, file: Path, random: bytes, scratch: Path) -> None:
    unpacked = unpack(file, by_body_key(random), scratch)
    check_journals(unpacked.manifest, scratch, walk)


def check_journals(manifest: BoxManifest, folder: Path, walk: Walk) -> None:
    """Walk every journal of an unpacked backup; CorruptError for the first that does not hold.

    `backup.differs` where it is not the journal that the manifest names.
    """
    told = [each for each in manifest.journals if each.file]
    if not told:
        return
    found = walk(folder / told[0].file)
    if len(found) != len(told):
        raise CorruptError("backup.differs", stream=told[0].stream)
    for each, (stream, head, head_hash) in zip(told, found, strict=True):
        if (each.stream, each.head, each.hash) != (stream, head, head_hash):
            raise CorruptError("backup.differs", stream=each.stream)
