"""Boxes' backups at head office: whom to seal for, taking one in, keeping the newest.

Head office cannot read them on the machine that takes them in: only a holder of the private key
can, somewhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cloud.archive.stash import Stash, StashWriter
from cloud.backup import store
from cloud.backup.names import BOX, box_name
from cloud.db import Database
from cloud.signing import HqKey
from shared.kernel.errors import RefusedError
from shared.wire.backup_keys import BackupKeys, dump_backup_keys, keys_statement, read_backup_keys
from shared.wire.sealed import HEADER_BYTES_MAX, MAGIC, about

BOX_BYTES_MAX = 1 << 30
KEEP_PER_BOX = 7
PAUSE_MS = 600_000
"""A box that hands in one after the other is out of order, and would fill the bucket."""
_STICK = re.compile(r"ok|off|[a-z_]{1,40}(?:\.[a-z_]{1,40}){1,2}")
_HEAD_BYTES = len(MAGIC) + HEADER_BYTES_MAX + 1


def signed_keys(
    database: Database, key: HqKey, recipients: tuple[bytes, ...], now_ms: int
) -> BackupKeys:
    """The list of keys that boxes seal for, signed; it is as old as its last change."""
    with database.begin() as connection:
        known = store.kept_keys(connection)
        at_ms = now_ms
        if known is not None:
            found = read_backup_keys(known)
            statement = keys_statement(replace(found, sig=b""))
            if found.keys == recipients and key.sign(statement) == found.sig:
                return found
            # Later than the last list, whatever the clock says: boxes take no older one.
            at_ms = max(now_ms, found.at_ms + 1)
        unsigned = BackupKeys(recipients, at_ms)
        signed = replace(unsigned, sig=key.sign(keys_statement(unsigned)))
        store.keep_keys(connection, dump_backup_keys(signed))
    return signed


@dataclass(slots=True)
class BoxIntake:
    """A box's backup on its way in; `begin` first, then `write`, then `finish` or `abort`."""

    database: Database
    stash: Stash
    dev: str
    now_ms: int
    stick: str
    _writer: StashWriter | None = None
    _head: bytes = b""
    _is_checked: bool = False
    _size: int = 0

    def begin(self) -> None:
        """RefusedError `backup.too_often`, `request.invalid` for a stick that is told strangely."""
        if _STICK.fullmatch(self.stick) is None:
            raise RefusedError("request.invalid", field="stick", because=self.stick[:80])
        with self.database.begin() as connection:
            last_ms = store.last_box_backup_ms(connection, self.dev)
        if last_ms is not None and 0 <= self.now_ms - last_ms < PAUSE_MS:
            raise RefusedError("backup.too_often")
        self._writer = self.stash.writer(box_name(self.dev, self.now_ms))

    def write(self, data: bytes) -> None:
        """Take bytes; RefusedError `backup.form` for what is no sealed backup of this box."""
        assert self._writer is not None
        self._size += len(data)
        if not self._is_checked:
            self._head += data[:_HEAD_BYTES]
            if b"\n" in self._head[len(MAGIC) :] or len(self._head) >= _HEAD_BYTES:
                self._check()
        self._writer.write(data)

    def finish(self) -> str:
        """Keep it, forget this box's oldest; its name."""
        assert self._writer is not None
        self._check()
        self._writer.finish()
        name = box_name(self.dev, self.now_ms)
        row = {"at_ms": self.now_ms, "name": name, "bytes": self._size, "stick": self.stick}
        with self.database.begin() as connection:
            store.add_box_backup(connection, self.dev, row)
            old = store.drop_old_box_backups(connection, self.dev, KEEP_PER_BOX)
        for each in old:
            self.stash.delete(each)
        return name

    def abort(self) -> None:
        """Keep nothing."""
        if self._writer is not None:
            self._writer.abort()

    def _check(self) -> None:
        if self._is_checked:
            return
        told = about([self._head])
        if (told.kind, told.made_by) != (BOX, self.dev):
            raise RefusedError("backup.form")
        self._is_checked, self._head = True, b""


def newest_of(database: Database, dev: str) -> str:
    """The name of a box's newest backup; RefusedError `backup.none_of_box`."""
    with database.begin() as connection:
        found = store.box_backups(connection, 1, dev)
    if not found or found[0]["name"] is None:
        raise RefusedError("backup.none_of_box", dev=dev[:40])
    return str(found[0]["name"])
