"""PostgreSQL: the one module that knows the driver.

Rooms get a SQLAlchemy `Connection` inside a transaction and speak `text()` or Core. The hot
paths ask `driver()` for the psycopg connection below it: same transaction, COPY included.
The tables themselves are described once, in `cloud/migrations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import orjson
import psycopg
from psycopg import sql
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cloud.settings import Settings
from shared.kernel.errors import RefusedError, UnavailableError

DriverConnection = psycopg.Connection[tuple[Any, ...]]
DatabaseError = psycopg.Error
LostConnectionError = psycopg.OperationalError
StatementError = DBAPIError
"""What SQLAlchemy makes of a DatabaseError."""

DRIVER = "postgresql+psycopg"
CONNECT_TIMEOUT_S = 5
SERIALIZATION_TRIES = 4
INCARNATION_BUMPS = "incarnation_bumps"
"""Key in `deployment`: how often a person declared a new life of the database."""
NOTIFY_BYTES_MAX = 7_999
"""What PostgreSQL takes as the payload of a NOTIFY."""

_INCARNATION = text("""
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN
        (SELECT system_identifier FROM pg_control_system()) || '-' ||
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int ||
        coalesce((SELECT '-' || value FROM deployment WHERE key = :bumps), '') END""")

_Result = TypeVar("_Result")

set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


class Database:
    """A pool of connections to one database; opens none before the first use."""

    def __init__(
        self, url: str, *, connections: int = 8, lock_wait_ms: int = 0, idle_ms: int = 0
    ) -> None:
        """Raise RefusedError `database.url` for what names no PostgreSQL database.

        A statement that waits longer than `lock_wait_ms` for a lock fails as a lost connection
        does (0: it waits for ever). A transaction whose process asks nothing for `idle_ms` is
        ended, and what it had locked is free again (0: never).
        """
        self.url = _driver_url(url)
        self.engine: Engine = create_engine(
            self.url,
            pool_size=connections,
            max_overflow=connections,
            pool_pre_ping=True,
            # Errors end up in logs; what a statement was given may be somebody's.
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c lock_timeout={lock_wait_ms}"
                f" -c idle_in_transaction_session_timeout={idle_ms}",
            },
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: commits at the end, rolls back when anything is raised.

        Raises UnavailableError `database.unreachable`, or `database.busy` when all connections
        of the pool stay in use.
        """
        with self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One transaction that sees everything as of its beginning, whatever others commit.

        Raises as `begin` does.
        """
        with self._connection() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def session_lock(self, key: int) -> Iterator[Connection]:
        """A connection that holds the advisory lock `key`, for several transactions in turn.

        Raises as `begin` does.
        """
        with self._connection() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            connection.commit()
            try:
                yield connection
            finally:
                if not connection.invalidated:  # the lock falls with a lost connection
                    connection.rollback()
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                    connection.commit()

    @contextmanager
    def try_session_lock(self, key: int) -> Iterator[bool]:
        """Whether the advisory lock `key` was free; then it is held until the end.

        Raises as `begin` does.
        """
        with self._connection() as connection:
            asked = text("SELECT pg_try_advisory_lock(:key)")
            is_held = bool(connection.execute(asked, {"key": key}).scalar_one())
            connection.commit()
            try:
                yield is_held
            finally:
                if is_held and not connection.invalidated:
                    connection.rollback()
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                    connection.commit()

    def alone(self, key: int, work: Callable[[Connection], _Result]) -> _Result:
        """Do `work` in one transaction that nobody else who names `key` runs beside.

        Its view of the data is the one of its beginning (REPEATABLE READ): what others commit
        meanwhile is neither read nor changed. Where it touches a row that somebody else changed
        meanwhile, `work` is done again from the start.
        """
        with self.session_lock(key) as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            for _ in range(SERIALIZATION_TRIES - 1):
                try:
                    with connection.begin():
                        return work(connection)
                except OperationalError as error:
                    if not isinstance(error.orig, psycopg.errors.SerializationFailure):
                        raise
            with connection.begin():
                return work(connection)

    def ping(self) -> None:
        """Raise UnavailableError unless the database answers."""
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close the pool; a later use opens it again."""
        self.engine.dispose()

    def _connection(self) -> Connection:
        try:
            return self.engine.connect()
        except OperationalError as error:
            raise UnavailableError("database.unreachable", because=_reason(error)) from error
        except PoolTimeoutError as error:
            raise UnavailableError("database.busy") from error

    def listen(self, *channels: str, poll_s: float) -> Iterator[tuple[str, str] | None]:
        """Yield (channel, payload) of each NOTIFY, and None every `poll_s` seconds.

        Has a connection of its own, which closes when the generator does. Raises
        UnavailableError `database.unreachable` when the connection is or gets lost.
        """
        try:
            with psycopg.connect(
                _libpq_url(self.url), autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
            ) as connection:
                for channel in channels:
                    connection.execute(sql.SQL("LISTEN {}").format(_name(channel)))
                while True:
                    for notice in connection.notifies(timeout=poll_s):
                        yield notice.channel, notice.payload
                    yield None
        except psycopg.OperationalError as error:
            raise UnavailableError("database.unreachable", because=_reason(error)) from error


def connect(database_url: str, *, autocommit: bool = False) -> DriverConnection:
    """A psycopg connection of one's own, for a worker that keeps it.

    Raises UnavailableError `database.unreachable`.
    """
    try:
        return psycopg.connect(
            _libpq_url(database_url), autocommit=autocommit, connect_timeout=CONNECT_TIMEOUT_S
        )
    except psycopg.OperationalError as error:
        raise UnavailableError("database.unreachable", because=_reason(error)) from error


def sibling(database_url: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_url(database_url).set(database=name).render_as_string(hide_password=False)


def driver(connection: Connection) -> DriverConnection:
    """The psycopg connection below, in the same transaction; do not commit or close it."""
    return cast("DriverConnection", connection.connection.driver_connection)


def unavailable_when_lost(error: Exception) -> UnavailableError | None:
    """The error to tell when the connection was lost in the middle; None for any other error."""
    if isinstance(error, DBAPIError) and not error.connection_invalidated:
        return None
    if not isinstance(error, (DBAPIError, psycopg.OperationalError)):
        return None
    return UnavailableError("database.unreachable", because=_reason(error))


def is_unspeakable(error: Exception) -> bool:
    """Whether a value was no text that the database can hold (a NUL), so that nothing was asked."""
    origin = getattr(error, "orig", None) or error
    return isinstance(origin, psycopg.DataError) and origin.sqlstate is None


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """COPY rows into a table (or temporary table); returns how many there were."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        _name(table), sql.SQL(", ").join(map(_name, columns))
    )
    count = 0
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def like_literal(word: str) -> str:
    """The word as a pattern of LIKE that matches nothing but itself."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def notify(connection: Connection, channel: str, payload: str) -> None:
    """Tell listeners once the transaction commits."""
    connection.execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )


def lock_for_transaction(connection: Connection, key: int) -> None:
    """Wait for the advisory lock `key`; it falls with the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def incarnation(connection: Connection) -> str:
    """Which life of the database this is: "<system identifier>-<timeline>[-<bumps>]".

    A restore to a point in time starts a new timeline, so a cloud that went back in time
    announces itself to the boxes. What PostgreSQL cannot know, a person adds as a bump.
    The timeline is that of the log being written: the control file's is the last checkpoint's,
    which a server that has just come out of recovery has yet to make.

    Raises UnavailableError `database.recovering` while it is not out of it: it can be read then.
    """
    found: str | None = connection.execute(_INCARNATION, {"bumps": INCARNATION_BUMPS}).scalar_one()
    if found is None:
        raise UnavailableError("database.recovering")
    return found


def _driver_url(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise RefusedError("database.url") from None  # it may hold a password: not in the text
    if parsed.drivername not in {"postgres", "postgresql", DRIVER}:
        raise RefusedError("database.url")
    return parsed.set(drivername=DRIVER).render_as_string(hide_password=False)


def _libpq_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _reason(error: Exception) -> str:
    origin = getattr(error, "orig", None) or error
    return str(origin).strip().splitlines()[0] if str(origin).strip() else type(origin).__name__


def database_of(settings: Settings) -> Database:
    """The database that the settings name; opens nothing yet."""
    return Database(settings.database_url, connections=settings.database_connections)


def notify_each(connection: Connection, channel: str, payloads: Iterable[str]) -> None:
    """The same for several payloads, with one round trip."""
    with driver(connection).cursor() as cursor:
        rows = [(channel, payload) for payload in payloads]
        cursor.executemany("SELECT pg_notify(%s, %s)", rows)
