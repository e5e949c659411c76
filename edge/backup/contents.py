"""What goes into a box's backup, written as a stream.

In it: settings, every life of the journal (`full`) or only what head office may lack (`tail`),
signed copies of that, and what this box holds of other boxes' journals.

Not in it, on purpose: `journal.key`, the TLS key and the secret of `identity.json`. Who finds or
opens a backup must not be able to sell in the box's name, and a second machine with the same key
would be a clone.  A box in its place enrols with a claim of its own and gets keys of its own; the
entries are handed in all the same, because each copy was signed when the backup was made.
What lies in `desk.db` (open baskets, sessions) and in `replica/` is not: it is of this hour, or
fetched again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

from edge.backup.manifest import (
    MANIFEST,
    SIGNATURE,
    BoxManifest,
    JournalTold,
    Member,
    is_member_name,
    manifest_bytes,
    statement_of,
)
from edge.device.binding_store import BINDINGS_FILE
from edge.identity import Identity
from edge.journal.carbons import signed_copies
from edge.journal.life_files import life_numbers, life_path, mark_path, take_lock
from edge.journal.lives import Life, life_of
from edge.journal.signer import Signer
from edge.settings import SETTINGS_FILE, Settings
from edge.sqlite import connect_reader
from shared.journal.carbon import carbon_line
from shared.journal.chain import genesis_hash
from shared.journal.entry import JournalEntry
from shared.kernel.errors import CorruptError, RefusedError

JOURNAL_FILE, SALVAGE_FILE, SENSORS_FILE = "journal.db", "salvage.db", "sensors.toml"
SPARE_BYTES = 64 << 20
"""So much stays free beside the copy of the journal: a till that sells goes first."""
_READ_BYTES, _RUN_ENTRIES = 1 << 18, 500
Scope = Literal["full", "tail"]


@dataclass(frozen=True, slots=True)
class BoxState:
    """What is backed up: the data folder and who the box is."""

    settings: Settings
    identity: Identity
    signer: Signer
    software: str

    @property
    def journal(self) -> Path:
        """The journal's first file."""
        return self.settings.data_dir / JOURNAL_FILE


def write_contents(
    state: BoxState, scope: Scope, at_ms: int, work: Path, out: IO[bytes]
) -> BoxManifest:
    """Write the backup's members to `out`, a manifest last; `work` is an empty folder for copies.

    RefusedError `backup.no_room` where a copy of the journal would fill the disk, CorruptError
    `journal.stream` for a file that is no journal.
    """
    with ExitStack() as stack:
        stack.enter_context(_alone_or_beside_the_box(state.journal))
        tar = stack.enter_context(tarfile.open(mode="w|", fileobj=out, bufsize=_READ_BYTES))
        members = [_put(tar, f"settings/{path.name}", path) for path in settings_files(state)]
        journals: list[JournalTold] = []
        for path in _journals(state.journal):
            told, tail = _journal(state, scope, path, work, at_ms)
            journals.append(told)
            if told.file:
                members.append(_put_and_forget(tar, told.file, work / path.name))
            if told.tail:
                members.append(_put_and_forget(tar, tail.name, tail))
        if mark_path(state.journal).exists():
            members.append(_put(tar, "journal.mark", mark_path(state.journal)))
        salvage = state.settings.data_dir / SALVAGE_FILE
        if salvage.exists():
            _copy_database(salvage, work / SALVAGE_FILE)
            members.append(_put_and_forget(tar, SALVAGE_FILE, work / SALVAGE_FILE))
        manifest = BoxManifest(
            dev=state.identity.dev,
            store_id=state.identity.store_id,
            store_name=state.identity.store_name,
            scope=scope,
            at_ms=at_ms,
            software=state.software,
            journal_pub=state.signer.public_hex,
            journals=tuple(journals),
            members=tuple(members),
        )
        raw = manifest_bytes(manifest)
        _put_bytes(tar, MANIFEST, raw)
        _put_bytes(tar, SIGNATURE, state.signer.sign(statement_of(raw)))
    return manifest


def settings_files(state: BoxState) -> list[Path]:
    """The files that a person set up: settings, sensors, scanners' lanes, the receipts' picture."""
    settings = state.settings
    names = (SETTINGS_FILE, SENSORS_FILE, BINDINGS_FILE)
    given = (settings.receipt.logo, settings.shelf.password_file)
    found = (settings.data_dir / name for name in (*names, *given) if name)
    return [path for path in found if path.is_file() and is_member_name(f"settings/{path.name}")]


@contextmanager
def _alone_or_beside_the_box(first: Path) -> Iterator[None]:
    """Keep a box from starting meanwhile; one that runs goes on, and is the only one to checkpoint.

    Two connections that checkpoint at once are what SQLite 3.40 must not have.
    """
    handle = None
    with suppress(RefusedError):
        handle = take_lock(first)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _journals(first: Path) -> list[Path]:
    return [life_path(first, number) for number in life_numbers(first)]


def _journal(
    state: BoxState, scope: Scope, path: Path, work: Path, at_ms: int
) -> tuple[JournalTold, Path]:
    """Copy a journal as of one instant (`full`) and write its tail as signed copies."""
    source = path
    if scope == "full":
        _copy_database(path, work / path.name)
        source = work / path.name
    try:
        with closing(connect_reader(source)) as connection, _snapshot(connection):
            life = life_of(connection, 0)
            if life is None:
                raise CorruptError("journal.stream", path=str(path))
            head, head_hash = _head(connection, life)
            safe = _safe(connection)
            tail = work / f"tillbox-{life.stream}.jsonl"
            with tail.open("wb") as file:
                count = _write_tail(connection, life, safe, (state.signer, at_ms, file.write))
    except sqlite3.DatabaseError as error:
        raise CorruptError("journal.stream", path=str(path)) from error
    file_name = path.name if scope == "full" else ""
    return JournalTold(file_name, life.stream, head, head_hash.hex(), safe, count), tail


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads of the block see one instant."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _head(connection: sqlite3.Connection, life: Life) -> tuple[int, bytes]:
    row = connection.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    return (-1, genesis_hash(life.stream_id)) if row is None else (row[0], row[1])


def _safe(connection: sqlite3.Connection) -> int:
    """Up to where head office's archive holds it: more than "committed", which a restore undoes."""
    row = connection.execute("SELECT seq FROM watermark WHERE name='safe'").fetchone()
    return -1 if row is None else int(row[0])


def _write_tail(
    connection: sqlite3.Connection,
    life: Life,
    safe: int,
    to: tuple[Signer, int, Callable[[bytes], object]],
) -> int:
    signer, at_ms, write = to
    rows = connection.execute(
        "SELECT seq, id, type, body, hash FROM entry WHERE seq>? ORDER BY seq", (safe,)
    )
    before = _hash_at(connection, life, safe)
    count = 0
    while run := [JournalEntry(*row) for row in rows.fetchmany(_RUN_ENTRIES)]:
        if before is None:  # pruned up to an entry that nobody vouched for: never by this software
            break
        carbons = signed_copies(life, before, run, signer, at_ms)
        for carbon in carbons:
            write(carbon_line(carbon) + b"\n")
        count += len(carbons)
        before = run[-1].hash
    return count


def _hash_at(connection: sqlite3.Connection, life: Life, seq: int) -> bytes | None:
    if seq < 0:
        return genesis_hash(life.stream_id)
    row = connection.execute(
        "SELECT hash FROM entry WHERE seq=? UNION ALL SELECT hash FROM anchor WHERE seq=?",
        (seq, seq),
    ).fetchone()
    return None if row is None else row[0]


def _copy_database(source: Path, target: Path) -> None:
    """One consistent copy while the box goes on writing; RefusedError `backup.no_room`."""
    needed = source.stat().st_size + SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    no_room = RefusedError("backup.no_room", path=str(target.parent), needed_mb=needed >> 20)
    if free < needed:
        raise no_room
    try:
        with closing(connect_reader(source)) as reader, closing(sqlite3.connect(target)) as copy:
            reader.backup(copy)
    except sqlite3.DatabaseError as error:
        # Sales may have taken what was free a moment ago; anything else is a file that is broken.
        if error.sqlite_errorcode in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}:
            raise no_room from error
        raise CorruptError("journal.stream", path=str(source)) from error


def _put(tar: tarfile.TarFile, name: str, path: Path) -> Member:
    size, digest = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        tar.addfile(_info(name, size), _Hashing(file, digest.update, size))
    return Member(name, size, digest.hexdigest())


def _put_and_forget(tar: tarfile.TarFile, name: str, path: Path) -> Member:
    try:
        return _put(tar, name, path)
    finally:
        path.unlink()


def _put_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_info(name, len(data)), BytesIO(data))


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


class _Hashing:
    """A file that is hashed as it is read, and gives no byte more than was said."""

    def __init__(self, file: IO[bytes], update: Callable[[bytes], object], size: int) -> None:
        self._file = file
        self._update = update
        self._left = size

    def read(self, count: int = -1) -> bytes:
        """See `IO.read`."""
        count = self._left if count < 0 else min(count, self._left)
        data = self._file.read(min(count, _READ_BYTES) if count > _READ_BYTES else count)
        self._left -= len(data)
        self._update(data)
        return data
