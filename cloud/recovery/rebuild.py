"""Make the books anew from the entries, store by store, with the posters that ingest uses.

The new rows go into temporary tables of the same names, which a session sees before the real
ones; then only what differs is changed, in the transaction that holds the store's streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from cloud.db import Database, driver
from cloud.ingest.desk import Written, post_again
from cloud.ingest.posting import Poster
from cloud.recovery.branch import post_branches
from cloud.recovery.digest import NOTHING, Digest, digest_of, tables_of
from shared.kernel.errors import MissingError

REBUILD_LOCK = 7_461_006
CHUNK = 1_000
STORES = "SELECT store_id FROM store ORDER BY 1"
HOLD_STORE = "SELECT 1 FROM store WHERE store_id = %s FOR NO KEY UPDATE"
HOLD_STREAMS = "SELECT 1 FROM stream WHERE store_id = %s ORDER BY stream_id FOR UPDATE"
STREAMS = "SELECT stream_id, head_seq FROM stream WHERE store_id = %s ORDER BY ordinal"
BODIES = """
SELECT body FROM entry
WHERE store_id = %s AND stream_id = %s AND seq BETWEEN %s AND %s ORDER BY seq"""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TableChange:
    """One table over all rebuilt stores: as it was, as the entries say, and as it is now."""

    table: str
    before: Digest
    rebuilt: Digest
    after: Digest

    @property
    def is_same(self) -> bool:
        """Whether the table was what the entries say."""
        return self.before == self.rebuilt


def rebuild(
    database: Database,
    posters: Sequence[Poster],
    *,
    store_id: str | None = None,
    is_check: bool = False,
    progress: Progress = lambda *_: None,
) -> list[TableChange]:
    """Make all tables of the posters anew, or with `is_check` only compare.

    `database` must not have been used before: a prepared statement knows the real tables. Each
    store's boxes wait while it is being rebuilt, and nobody waits for a check. Raises
    MissingError `store.unknown`, RefusedError for entries that ingest would never have stored.
    """
    tables = tables_of(posters)
    changes = {table: TableChange(table, NOTHING, NOTHING, NOTHING) for table in tables}
    with _shadows(database, tables, is_check=is_check) as connection:
        stores = _stores(connection, store_id)
        for done, store in enumerate(stores):
            progress(done, len(stores))
            with connection.begin():
                for change in _rebuild_store(connection, posters, store, is_check=is_check):
                    changes[change.table] = _sum(changes[change.table], change)
        progress(len(stores), len(stores))
    return list(changes.values())


@contextmanager
def _shadows(database: Database, tables: Sequence[str], *, is_check: bool) -> Iterator[Connection]:
    with database.session_lock(REBUILD_LOCK) as connection:
        if is_check:  # all of a store as of one instant
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            for table in tables:
                connection.execute(
                    text(
                        f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL)"
                        " ON COMMIT DELETE ROWS"
                    )
                )
        try:
            yield connection
        finally:
            with connection.begin():
                connection.execute(text("DISCARD TEMP"))


def _stores(connection: Connection, store_id: str | None) -> list[str]:
    with connection.begin():
        stores = [row[0] for row in driver(connection).execute(STORES)]
    if store_id is None:
        return stores
    if store_id not in stores:
        raise MissingError("store.unknown", store_id=store_id[:40])
    return [store_id]


def _rebuild_store(
    connection: Connection, posters: Sequence[Poster], store_id: str, *, is_check: bool
) -> list[TableChange]:
    below = driver(connection)
    if not is_check:
        below.execute(HOLD_STORE, (store_id,))
        below.execute(HOLD_STREAMS, (store_id,))
    for stream_id, head_seq in below.execute(STREAMS, (store_id,)).fetchall():
        _post_stream(connection, posters, (store_id, bytes(stream_id)), head_seq)
    post_branches(connection, posters, store_id)
    return [
        _settle_table(connection, table, store_id, is_check=is_check)
        for table in tables_of(posters)
    ]


def _post_stream(
    connection: Connection, posters: Sequence[Poster], of: tuple[str, bytes], head_seq: int
) -> None:
    store_id, stream_id = of
    for first in range(0, head_seq + 1, CHUNK):
        bounds = (store_id, stream_id, first, min(first + CHUNK - 1, head_seq))
        rows = driver(connection).execute(BODIES, bounds, binary=True)
        bodies = [bytes(row[0]) for row in rows]
        post_again(connection, posters, Written(store_id, stream_id.hex(), first, bodies))


def _settle_table(
    connection: Connection, table: str, store_id: str, *, is_check: bool
) -> TableChange:
    before = digest_of(connection, f"public.{table}", store_id)
    rebuilt = digest_of(connection, f"pg_temp.{table}", store_id)
    if is_check or before == rebuilt:
        return TableChange(table, before, rebuilt, before)
    below = driver(connection)
    below.execute(
        f"DELETE FROM public.{table} a WHERE store_id = %s AND NOT EXISTS"  # noqa: S608 - tables of a constant
        f" (SELECT FROM pg_temp.{table} b WHERE b::text = a::text)",
        (store_id,),
    )
    below.execute(
        f"INSERT INTO public.{table} SELECT * FROM pg_temp.{table} b WHERE NOT EXISTS"  # noqa: S608 - tables of a constant
        f" (SELECT FROM public.{table} a WHERE a.store_id = %s AND a::text = b::text)"
        " ON CONFLICT DO NOTHING",
        (store_id,),
    )
    after = digest_of(connection, f"public.{table}", store_id)
    return TableChange(table, before, rebuilt, after)


def _sum(left: TableChange, right: TableChange) -> TableChange:
    return TableChange(
        left.table,
        left.before + right.before,
        left.rebuilt + right.rebuilt,
        left.after + right.after,
    )
