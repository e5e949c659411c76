"""Whom backups are sealed for: head office's keys, signed by head office, kept for offline nights.

The list is believed because of head office's signature, not because of the road it came by: who
could slip a key of his own in would read every backup from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edge.backup.unpack import is_signed
from edge.identity import write_secret
from shared.kernel.errors import CorruptError, MissingError
from shared.wire.backup_keys import BackupKeys, keys_statement, read_backup_keys

KEYS_FILE = "backup.keys"


@dataclass(frozen=True, slots=True)
class KnownRecipients:
    """The newest list that this box has; `hq_pub` (hex) is who must have signed it."""

    data_dir: Path
    hq_pub: str

    def take(self, raw: bytes) -> BackupKeys:
        """Believe and keep a list.

        CorruptError `backup.keys` for one that head office did not sign, or that is older than
        the one that is here.
        """
        keys = self._believed(raw)
        known = self._kept()
        if known is not None and keys.at_ms < known.at_ms:
            raise CorruptError("backup.keys")
        if known != keys:
            write_secret(self.data_dir / KEYS_FILE, raw)
        return keys

    def known(self) -> BackupKeys:
        """The kept list; MissingError `backup.no_keys` before the first."""
        found = self._kept()
        if found is None or not found.keys:
            raise MissingError("backup.no_keys")
        return found

    def _kept(self) -> BackupKeys | None:
        path = self.data_dir / KEYS_FILE
        try:
            return self._believed(path.read_bytes())
        except (FileNotFoundError, CorruptError):
            return None

    def _believed(self, raw: bytes) -> BackupKeys:
        try:
            keys = read_backup_keys(json.loads(raw))
        except (ValueError, RecursionError):
            raise CorruptError("backup.keys") from None
        if not is_signed(bytes.fromhex(self.hq_pub), keys.sig, keys_statement(keys)):
            raise CorruptError("backup.keys")
        return keys
