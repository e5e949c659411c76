"""Sealed files in the stash: written for the recipients of this installation, read with a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud.archive.stash import Stash, writing
from cloud.clock import random_bytes
from cloud.seal_cipher import CIPHER
from cloud.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.sealed import (
    KEY_BYTES,
    Sealed,
    SealingWriter,
    by_private,
    opened,
    read_key_text,
    read_public_keys,
)

CLOUD = "cloud"


@dataclass(slots=True)
class Counter:
    """How many bytes of a sealed file there are."""

    size: int = 0


@dataclass(frozen=True, slots=True)
class Vault:
    """Where sealed files lie, whom they are for, and the clock that dates them."""

    stash: Stash
    recipients: tuple[bytes, ...]
    clock: Clock

    @contextmanager
    def sealing(
        self, name: str, kind: str, note: str = ""
    ) -> Iterator[tuple[SealingWriter, Counter]]:
        """A file to write plain bytes to: whole under its name at the end, or not there.

        RefusedError `backup.no_recipients` where nobody could open it.
        """
        if not self.recipients:
            raise RefusedError("backup.no_recipients")
        counter = Counter()
        with writing(self.stash, name) as write:

            def count(data: bytes) -> None:
                counter.size += len(data)
                write(data)

            about = Sealed(kind, CLOUD, self.clock.now_ms(), note)
            random = random_bytes(2 * KEY_BYTES)
            writer = SealingWriter(CIPHER, about, self.recipients, random, count)
            yield writer, counter
            writer.close()

    def reading(self, name: str, private: bytes) -> Iterator[bytes]:
        """The plain bytes of a file; raises as `opened`, MissingError `backup.missing`."""
        return opened(self.stash.chunks(name), CIPHER, by_private(CIPHER, private))


def recipients_of(settings: Settings) -> tuple[bytes, ...]:
    """Whom this installation seals for; RefusedError `backup.key`."""
    return read_public_keys(settings.backup_recipients)


def read_private(path: Path) -> bytes:
    """A backup key's file.

    UnavailableError `backup.key_missing`, RefusedError `backup.key_file` for what is none.
    """
    try:
        return read_key_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnavailableError("backup.key_missing", file=str(path)) from None
    except UnicodeDecodeError:
        raise RefusedError("backup.key_file") from None
