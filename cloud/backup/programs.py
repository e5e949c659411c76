"""PostgreSQL's own programs: finding them, taking a base backup, running a server to restore in."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from cloud.settings import Settings
from shared.kernel.errors import RefusedError, UnavailableError

DEBIAN = Path("/usr/lib/postgresql")
READ_BYTES = 1 << 18
TOLD_CHARS = 400
STOP_S = 60
SOCKET_S, SOCKET_LOOK_S = 120.0, 0.05
_PLAIN = "postgresql"
Wait = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its database URL, its process, and where it says what."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """UnavailableError `backup.server_failed` once it has ended by itself."""
        if self.process.poll() is not None:
            raise UnavailableError("backup.server_failed", because=log_end(self.log))


@dataclass(frozen=True, slots=True)
class Programs:
    """Where PostgreSQL's programs are and what goes before them."""

    folder: str = ""
    run: tuple[str, ...] = ()

    def path(self, name: str) -> str:
        """A program's file; UnavailableError `backup.no_postgres`."""
        found = shutil.which(name, path=self.folder or None)
        if found is None and not self.folder:
            debian = [each for each in DEBIAN.glob(f"*/bin/{name}") if each.parts[-3].isdecimal()]
            newest = max(debian, key=lambda each: int(each.parts[-3]), default=None)
            found = None if newest is None else str(newest)
        if found is None:
            raise UnavailableError("backup.no_postgres", program=name)
        return found

    @contextmanager
    def base_backup(self, database_url: str) -> Iterator[Iterator[bytes]]:
        """A tar of the whole server as a stream, with the WAL that makes it whole.

        UnavailableError `backup.base_failed` with what PostgreSQL says; one with tablespaces
        cannot be streamed, and says so.
        """
        address, password = without_password(database_url)
        command = [self.path("pg_basebackup"), "-d", address, "-D", "-", "-Ft"]
        command += ["-X", "fetch", "-c", "fast", "--no-password", "-l", "tillbox"]
        secret = {} if password is None else {"PGPASSWORD": password}
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env=os.environ | secret
            )
            assert process.stdout is not None
            try:
                yield iter(lambda: process.stdout.read(READ_BYTES), b"")  # type: ignore[union-attr]
            finally:
                process.stdout.close()
                code = process.wait()
                errors.seek(0)
                told = errors.read().decode(errors="replace").strip()[-TOLD_CHARS:]
            if code:
                raise UnavailableError("backup.base_failed", because=told)

    @contextmanager
    def server(self, data: Path, options: Sequence[str], wait: Wait) -> Iterator[Server]:
        """Run a server over a data folder, on a socket of its own.

        The server is told to stop at the end. UnavailableError `backup.server_failed`.
        """
        sockets = Path(tempfile.mkdtemp(prefix="tillbox-pg-"))
        # It lets everybody in who reaches its socket, so only who owns the restored files does.
        sockets.chmod(0o700)
        log = data.with_name(data.name + ".log")
        inner = sockets / "s"
        inner.mkdir(mode=0o700)
        settings = ["listen_addresses=", f"unix_socket_directories={inner}", *options]
        command = [*self.run, self.path("postgres"), "-D", str(data.absolute())]
        command += [part for each in settings for part in ("-c", each)]
        try:
            with log.open("wb") as told:
                # PostgreSQL refuses to start in a folder that its user may not enter.
                process = subprocess.Popen(
                    command, stdout=told, stderr=told, stdin=subprocess.DEVNULL, cwd=data
                )
            try:
                _wait_for_socket(process, inner, log, wait)
                url = f"{_PLAIN}:///postgres?host={quote(str(inner), safe='/')}"
                yield Server(url, process, log)
            finally:
                _stop(process)
        finally:
            shutil.rmtree(sockets, ignore_errors=True)


def programs_of(settings: Settings) -> Programs:
    """As the settings say."""
    return Programs(settings.postgres_bin, tuple(shlex.split(settings.postgres_run)))


def without_password(database_url: str) -> tuple[str, str | None]:
    """An address for PostgreSQL's programs and the password beside it: all can see arguments.

    RefusedError `database.url`.
    """
    url = make_url(database_url)
    if not url.drivername.startswith("postgres"):
        raise RefusedError("database.url")
    password = None if url.password is None else str(url.password)
    plain = url.set(drivername=_PLAIN, password=None)
    return plain.render_as_string(hide_password=False), password


def log_end(log: Path) -> str:
    """The last that a server said."""
    with suppress(OSError):
        return log.read_text(errors="replace").strip()[-TOLD_CHARS:]
    return ""


def _wait_for_socket(
    process: subprocess.Popen[bytes], sockets: Path, log: Path, wait: Wait
) -> None:
    """A server opens its socket before it replays anything: a minute is long."""
    for _ in range(int(SOCKET_S / SOCKET_LOOK_S)):
        if any(each.is_socket() for each in sockets.iterdir()):
            return
        if process.poll() is not None:
            break
        wait(SOCKET_LOOK_S)
    raise UnavailableError("backup.server_failed", because=log_end(log))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
