"""Sealed files in the stash: written for the recipients of this installation, read with a key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
    Proof,
    Sealed,
    SealingWriter,
    by_proof,
    opened,
    read_key_text,
    read_public_keys,
)
from shared.wire.sealed import proofs_of as read_proofs

CLOUD = "cloud"


@dataclass(slots=True)
class Counter:
    """How many bytes of a sealed file there are."""

    size: int = 0


@dataclass(frozen=True, slots=True)
class Vault:
    """Where sealed files lie, whom they are for, and the clock that dates them.

    A recipient's writer key goes into each file, so that a restore refuses one that somebody else
    put there; the file's name too, so that none counts under another's.
    """

    stash: Stash
    recipients: tuple[Proof, ...]
    clock: Clock

    @contextmanager
    def sealing(
        self, name: str, kind: str, note: str = ""
    ) -> Iterator[tuple[SealingWriter, Counter]]:
        """A file to write plain bytes to: whole under its name at the end, or not there.

        `note` stands in the clear behind the name. RefusedError `backup.no_recipients` where nobody
        could open it.
        """
        if not self.recipients:
            raise RefusedError("backup.no_recipients")
        counter = Counter()
        with writing(self.stash, name) as write:

            def count(data: bytes) -> None:
                counter.size += len(data)
                write(data)

            told = f"{name} {note}" if note else name
            about = Sealed(kind, CLOUD, self.clock.now_ms(), told)
            random = random_bytes(2 * KEY_BYTES)
            writer = SealingWriter(CIPHER, about, self.recipients, random, count)
            yield writer, counter
            writer.close()

    def reading(
        self, name: str, private: bytes, told: Callable[[int], object] = lambda _: None
    ) -> Iterator[bytes]:
        """The plain bytes of a file that head office made under this name.

        `told` hears when (UTC ms), which counts once the last byte came. Raises as `opened` and
        `by_proof`, MissingError `backup.missing`.
        """
        unlock = by_proof(CIPHER, private, name)

        def noting(header: bytes) -> bytes:
            told(int(json.loads(header)["at"]))
            return unlock(header)

        return opened(self.stash.chunks(name), CIPHER, noting)


def recipients_of(settings: Settings) -> tuple[bytes, ...]:
    """Whom this installation seals for; RefusedError `backup.key`."""
    return read_public_keys(settings.backup_recipients)


def proofs_of(settings: Settings) -> tuple[Proof, ...]:
    """The same with what proves a file's maker; also RefusedError `backup.writer_key`."""
    return read_proofs(settings.backup_writer_keys, recipients_of(settings))


def is_proving(settings: Settings) -> bool:
    """Whether this installation can prove of what it seals that it is its own."""
    try:
        return bool(proofs_of(settings))
    except RefusedError:
        return False


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
