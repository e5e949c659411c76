"""`tillbox-cloud backup wal`: PostgreSQL calls it for each piece of its log, so it starts fast."""

from __future__ import annotations

from argparse import Namespace

from cloud.archive.places import stash_of
from cloud.backup.archive_wal import archive_wal
from cloud.backup.sealed_files import Vault, proofs_of
from cloud.clock import SystemClock
from cloud.settings import Settings


def wal(settings: Settings, chosen: Namespace) -> None:
    """Seal one WAL file; status 0 only once it is where backups lie."""
    vault = Vault(stash_of(settings), proofs_of(settings), SystemClock())
    archive_wal(vault, chosen.path, chosen.path.name)
