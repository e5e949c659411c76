"""A backup put to use: into the place of a journal that is lost, or beside a new box's own.

Into the box that made it (its keys are here) goes what is missing, its journal too: at the next
start the box finds that head office knows more than this journal does, and goes on under a new
stream (`restore`).  Into another box, or one that is not enrolled yet, goes what a person set up;
the old journal stays in a folder of its own, for `tillbox-edge salvage`.  Nothing is overwritten.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from edge.backup.unpack import Unpacked
from edge.identity import IDENTITY_FILE, load_identity, sync_folder
from edge.journal.life_files import life_numbers, take_lock
from shared.kernel.errors import RefusedError

JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, slots=True)
class PutBack:
    """Which files went into the data folder; `is_own` where the box is the one that made it."""

    files: tuple[str, ...]
    is_own: bool


def put_back(unpacked: Unpacked, data_dir: Path) -> PutBack:
    """Copy what belongs into the data folder.

    RefusedError `journal.in_use` while the box runs, `backup.journal_is_here` where the box that
    made the backup still has a journal: it would be replaced by an older one.
    """
    is_own = (data_dir / IDENTITY_FILE).exists() and load_identity(
        data_dir
    ).dev == unpacked.manifest.dev
    copied: list[str] = []
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = unpacked.folder / "settings"
    for path in sorted(settings.iterdir()) if settings.is_dir() else ():
        copied += _copy(path, data_dir / path.name)
    if is_own:
        copied += _put_journal(unpacked, data_dir)
    sync_folder(data_dir)
    return PutBack(tuple(copied), is_own)


def _put_journal(unpacked: Unpacked, data_dir: Path) -> list[str]:
    files = [each.file for each in unpacked.manifest.journals if each.file]
    if not files:
        return []
    handle = take_lock(data_dir / JOURNAL_FILE)
    try:
        if life_numbers(data_dir / JOURNAL_FILE):
            raise RefusedError("backup.journal_is_here", path=str(data_dir))
        # The mark says how far the journal was when head office last acknowledged it: the one
        # that is here is newer than the backup's, and the evidence that entries are missing.
        names = [*files, "journal.mark"]
        return [name for each in names for name in _copy(unpacked.folder / each, data_dir / each)]
    finally:
        os.close(handle)


def _copy(source: Path, target: Path) -> list[str]:
    if target.exists() or not source.exists():
        return []
    draft = target.with_name(target.name + ".new")
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    return [target.name]
