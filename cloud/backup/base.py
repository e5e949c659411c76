"""The database's own backups: a base backup now and then, every piece of WAL as it is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path

from cloud.backup.names import (
    BASE,
    KEYS,
    MARK,
    WAL,
    Base,
    outdated,
    place_of,
    read_mark,
    wal_file,
)
from cloud.backup.programs import Programs
from cloud.backup.sealed_files import Vault
from cloud.db import Database, driver
from shared.kernel.errors import CorruptError
from shared.wire.sealed import FILE_SUFFIX

_KEY_MODE = 0o600
SECOND_MS, DAY_MS = 1_000, 86_400_000
KEEP_LEAST = 2
Progress = Callable[[int, int], None]
_STAND = """
SELECT pg_walfile_name(pg_current_wal_lsn()),
    (SELECT sum(pg_database_size(oid)) FROM pg_database)::bigint"""


@dataclass(frozen=True, slots=True)
class BaseMade:
    """A base backup: its name, sealed bytes, plain bytes."""

    base: Base
    size: int
    plain: int


def make_base(
    vault: Vault, database: Database, programs: Programs, progress: Progress = lambda *_: None
) -> BaseMade:
    """Take a base backup of the whole server and seal it as it comes.

    It is first written under a name that nothing looks for, as its name tells when it ended.
    RefusedError `backup.no_recipients`, UnavailableError `backup.base_failed`.
    """
    with database.begin() as connection:
        row = driver(connection).execute(_STAND).fetchone()
        assert row is not None
        begin_wal, expected = str(row[0]), int(row[1])
    begun, plain = Base(vault.clock.now_ms(), 0, begin_wal), 0
    with (
        vault.sealing(begun.name, BASE) as (writer, counter),
        programs.base_backup(database.url) as chunks,
    ):
        for chunk in chunks:
            writer.write(chunk)
            plain += len(chunk)
            progress(min(plain, expected), expected)
    # A second later, because names have whole seconds: no instant before the end is promised.
    made = replace(begun, end_ms=vault.clock.now_ms() + SECOND_MS)
    with vault.sealing(made.mark, MARK) as (writer, _):
        writer.write(made.name.encode())
    return BaseMade(made, counter.size, plain)


def seal_keys(vault: Vault, files: tuple[Path, ...]) -> int:
    """Seal what no database holds and a restored head office cannot do without; how many files.

    Boxes trust no other key than `hq_key_file`: without it a restored head office sets no price.
    """
    there = [path for path in files if path.is_file()]
    for path in there:
        with vault.sealing(_key_name(path), KEYS) as (writer, _):
            writer.write(path.read_bytes())
    return len(there)


def bring_back_keys(
    vault: Vault, private: bytes, files: tuple[Path, ...], passing: tuple[Path, ...] = ()
) -> list[Path]:
    """Write those of the files that are missing here and sealed there, for their owner alone.

    Which they were. Raises as `Vault.reading`; CorruptError `backup.keys_old` for one from before
    the newest base backup, with which all are sealed anew: an old key in a new one's place. Of the
    `passing` ones an old one is left out, as it may have been there for some weeks alone.
    """
    sealed = {each.name for each in vault.stash.files(f"{KEYS}/")}
    wanted = [
        path for path in (*files, *passing) if not path.exists() and _key_name(path) in sealed
    ]
    newest_ms = max((base.at_ms for base in bases_of(vault)), default=0)
    opened = {path: _open_key(vault, private, path) for path in wanted}
    new = {path: content for path, (content, at_ms) in opened.items() if at_ms >= newest_ms}
    for path in wanted:
        if path not in new and path not in passing:
            raise CorruptError("backup.keys_old", name=_key_name(path))
    for path, content in new.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _KEY_MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return list(new)


def _open_key(vault: Vault, private: bytes, path: Path) -> tuple[bytes, int]:
    """A key file and when it was sealed (UTC ms)."""
    sealed_ms: list[int] = []
    content = b"".join(vault.reading(_key_name(path), private, sealed_ms.append))
    return content, sealed_ms[0]


def _key_name(path: Path) -> str:
    return f"{KEYS}/{path.name}{FILE_SUFFIX}"


def bases_of(vault: Vault) -> list[Base]:
    """Every base backup, the oldest first."""
    found = (read_mark(each.name) for each in vault.stash.files(f"{MARK}/"))
    return [each for each in found if each is not None]


def prune(vault: Vault, keep_days: int, known: Container[str]) -> int:
    """Delete what only reaches further back than wanted; how many files went.

    `known` are the base backups that the database knows of, by name: this machine cannot open a
    mark, and one that somebody put there must not decide what is deleted. Also what no mark names
    and is older than a day: a base backup that was broken off.
    """
    now_ms, marked = vault.clock.now_ms(), bases_of(vault)
    bases = [each for each in marked if each.name in known]
    old = outdated(bases, now_ms - keep_days * DAY_MS, KEEP_LEAST)
    left = [each for each in bases if each not in old]
    gone = [name for each in old for name in (each.mark, each.name)]
    named = {each.name for each in marked}
    gone += [
        each.name
        for each in vault.stash.files(f"{BASE}/")
        if each.name not in named and each.at_ms < now_ms - DAY_MS
    ]
    if left:
        gone += _outdated_wal(vault, min(left, key=lambda each: each.end_ms))
    for name in gone:
        vault.stash.delete(name)
    return len(gone)


def _outdated_wal(vault: Vault, oldest: Base) -> list[str]:
    """WAL of any timeline from before the oldest base backup began: nobody replays it."""
    begin = place_of(oldest.begin_wal)
    return [
        each.name
        for each in vault.stash.files(f"{WAL}/")
        if (place := place_of(wal_file(each.name))) and place < begin
    ]
