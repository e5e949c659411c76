"""How this box opens SQLite: one writer per file, readers that cannot write, WAL everywhere.

Debian 12's SQLite 3.40.1 has the WAL-reset fault: two connections must not both checkpoint. So
each file has one `Writer`, and readers run with `wal_autocheckpoint=0` and `query_only=1`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from shared.kernel.errors import CorruptError

Synchronous = Literal["FULL", "NORMAL"]
Step = str | Callable[[sqlite3.Connection], None]
"""A step of a schema: a script, or what a script would say too slowly."""
BUSY_TIMEOUT_MS = 5000
_DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


def connect_writer(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """Open for writing, WAL, autocommit: every transaction is an explicit BEGIN IMMEDIATE.

    FULL syncs once per commit (nothing acknowledged is lost by a power cut); NORMAL survives a
    killed process but may lose the last commits when the power goes.  CorruptError
    `storage.damaged` when the file is no database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError as error:
        connection.close()
        if error.sqlite_errorcode in _DAMAGED:
            raise CorruptError("storage.damaged", path=str(path)) from error
        raise
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open for reading only; shared between threads under the caller's lock."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA query_only=1")
    return connection


def migrate(connection: sqlite3.Connection, steps: Sequence[Step], floor: int = 1) -> None:
    """Bring the schema up to date: `PRAGMA user_version` counts the steps that ran.

    Each step is one transaction. A box that goes back to the software before has to open the files
    of the newer one: steps only add, and older software leaves alone what it does not know. A step
    that older software could not live with raises `floor`, the fewest steps that a reader must
    know; it is kept in `PRAGMA application_id`. CorruptError `storage.newer` below it.
    """
    done = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if done > len(steps):
        needed = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if not 0 < needed <= len(steps):
            raise CorruptError("storage.newer", version=done, known=len(steps))
        return
    for number, step in enumerate(steps[done:], start=done + 1):
        if isinstance(step, str):
            connection.executescript(
                f"BEGIN IMMEDIATE; {step}; PRAGMA user_version={number}; COMMIT;"
            )
        else:
            _run(connection, step, number)
    if done < len(steps) or not connection.execute("PRAGMA application_id").fetchone()[0]:
        connection.execute(f"PRAGMA application_id={floor}")


def _run(
    connection: sqlite3.Connection, step: Callable[[sqlite3.Connection], None], number: int
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        step(connection)
        connection.execute(f"PRAGMA user_version={number}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


class Writer:
    """The one writing connection of a file, for threads that take turns."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        self._path = path
        self._synchronous: Synchronous = synchronous
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def open(self, migrations: Sequence[Step]) -> None:
        """Open the file, make it if absent, bring its schema up to date."""
        with self._lock:
            self._connection = connect_writer(self._path, self._synchronous)
            migrate(self._connection, migrations)

    def close(self) -> None:
        """Checkpoint and close; may be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def transaction(self, *, is_synced: bool = False) -> Iterator[sqlite3.Connection]:
        """All statements of the block or none of them.

        With `is_synced` a power cut cannot take it back, whatever the file's own mode is.
        """
        with self._lock:
            connection = self._opened()
            if is_synced:
                connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            else:
                connection.execute("COMMIT")
            finally:
                if is_synced:
                    connection.execute(f"PRAGMA synchronous={self._synchronous}")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock:
            return self._opened().execute(sql, parameters).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError(f"{self._path.name} is not open")
        return self._connection
