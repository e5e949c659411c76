"""The MQTT broker's log-ins: one per enrolled box, written where the broker reads them.

Mosquitto keeps log-ins in a text file of `user:$7$iterations$salt$hash` lines (PBKDF2 with SHA-512,
both values in base64; mosquitto_passwd(1)) and reads it again on SIGHUP (mosquitto(8)).  A box's
password is a random 256-bit secret, so the broker's own low iteration count does no harm.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from shared.kernel.errors import UnavailableError

ITERATIONS = 101
SALT_BYTES = 12
USER_FORBIDDEN = frozenset(":\r\n\0")


class BrokerAccounts(Protocol):
    """Where enrolment leaves a box's log-in for the broker."""

    def put(self, dev: str, password: str) -> None:
        """Let `dev` log in with `password` from now on, and with no earlier one.

        Raises UnavailableError when the broker could not be told.
        """
        ...

    def remove(self, dev: str) -> None:
        """Let `dev` in no more, and drop its connection; nothing happens when it has no log-in.

        Raises UnavailableError when the broker could not be told.
        """
        ...


class OpenAccounts:
    """For a broker that asks nobody for a password (development only)."""

    def put(self, dev: str, password: str) -> None:
        """Do nothing: every box may connect."""

    def remove(self, dev: str) -> None:
        """Do nothing: every box may connect."""


class MosquittoAccounts:
    """Mosquitto's password file, replaced atomically, then announced by SIGHUP."""

    def __init__(self, password_file: Path, pid_file: Path) -> None:
        self._password_file = password_file
        self._pid_file = pid_file

    def put(self, dev: str, password: str) -> None:
        """See BrokerAccounts.  A broker that is not running reads the file when it starts."""
        self.put_all({dev: password})

    def put_all(self, passwords: Mapping[str, str]) -> None:
        """The same for many with one change of the file."""
        for dev in passwords:
            if not dev or USER_FORBIDDEN & set(dev):
                message = f"not a possible broker user: {dev!r}"
                raise ValueError(message)
        with self._locked():
            entries = self._read()
            for dev, password in passwords.items():
                entries[dev] = hashed_password(password, secrets.token_bytes(SALT_BYTES))
            self._replace(entries)
        self.announce()

    def remove(self, dev: str) -> None:
        """See BrokerAccounts.  On SIGHUP the broker also asks those who are connected again."""
        with self._locked():
            entries = self._read()
            if entries.pop(dev, None) is None:
                return
            self._replace(entries)
        self.announce()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep two cloud processes from losing each other's box."""
        lock = self._password_file.with_name(self._password_file.name + ".lock")
        with lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, str]:
        if not self._password_file.exists():
            return {}
        lines = self._password_file.read_text(encoding="utf-8").splitlines()
        return {user: rest for user, _, rest in (line.partition(":") for line in lines) if rest}

    def _replace(self, entries: dict[str, str]) -> None:
        folder = self._password_file.parent
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".accounts-")
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(f"{user}:{rest}\n" for user, rest in sorted(entries.items()))
                file.flush()
                self._hand_over(file.fileno())
                os.fsync(file.fileno())
            fresh.replace(self._password_file)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise

    def _hand_over(self, descriptor: int) -> None:
        """Keep the replaced file's owner and mode: the broker runs as another user."""
        if not self._password_file.exists():
            os.fchmod(descriptor, 0o640)
            return
        old = self._password_file.stat()
        os.fchmod(descriptor, old.st_mode & 0o777)
        new = os.fstat(descriptor)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)

    def announce(self) -> None:
        """Have a running broker read its files again, those of certificates too.

        Raises UnavailableError `broker.reload_refused`.
        """
        pid = self._broker_pid()
        if pid is None:
            return
        try:
            os.kill(pid, signal.SIGHUP)
        except ProcessLookupError:
            return
        except PermissionError as problem:
            raise UnavailableError("broker.reload_refused", pid=pid) from problem

    def _broker_pid(self) -> int | None:
        """Return the running broker's process id; never that of a process which took its number."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if name == "mosquitto" else None


def hashed_password(password: str, salt: bytes) -> str:
    """Return the part of a password file's line that follows `user:`."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return "$7${}${}${}".format(ITERATIONS, *encoded)
