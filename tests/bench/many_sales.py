"""A database with very many sales, made quickly: one store's rows are copied under other names.

The first store's journal goes the real way, through ingest and posters.  Its rows are then copied
inside the database with other stores, journals and ids, so every table has what real sales leave
in it.  The copies' chains do not hold (their hashes are the first one's): what is measured reads
bytes and compares them, and asks no chain.
"""

from __future__ import annotations

from contextlib import closing

import psycopg
from psycopg import sql

from cloud.db import Database
from cloud.ingest.journals import Journals
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from shared.kernel.ids import DeviceId
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import SettableClock

BATCH = 200
STORES_AT_ONCE = 50
_TABLES = """
SELECT c.oid::regclass::text, c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> 'alembic_version'"""
_COLUMNS = """
SELECT attname, format_type(atttypid, NULL), attidentity <> '' FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum"""
_OTHERS = {
    "store_id": "'s' || copy_no",
    "dev": "'d-' || lpad(translate(to_hex(copy_no), '0189', 'ghij'), 16, 'a')",
}
"""What a copy has in place of the first store's own: by column."""


def fill(url: str, stores: int, sales_each: int) -> int:
    """Fill an empty database; how many sales it holds."""
    database = Database(url)
    with closing(database):
        migrate(database)
        box = BoxStream("d-" + "b" * 16, "s0")
        enrol(database, box)
        box.append_sales(sales_each)
        journals = Journals(database, POSTERS, SettableClock())
        for first in range(0, len(box.bodies), BATCH):
            last = min(first + BATCH, len(box.bodies)) - 1
            assert journals.take(DeviceId(box.dev), box.batch(first, last)).code == "ok"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no keys checked, no triggers
        tables = [row[0] for row in connection.execute(_TABLES)]
        for begin in range(1, stores, STORES_AT_ONCE):
            for table in tables:
                _copy(connection, table, begin, min(begin + STORES_AT_ONCE, stores) - 1)
        connection.execute("ANALYZE")
        found = connection.execute("SELECT count(*) FROM sale").fetchone()
    assert found is not None
    return int(found[0])


def _copy(connection: psycopg.Connection, table: str, first: int, last: int) -> None:
    columns = [
        (name, kind)
        for name, kind, is_identity in connection.execute(_COLUMNS, (table,))
        if not is_identity
    ]
    names = {name for name, _ in columns}
    if not names & {"store_id", "stream_id", "dev"}:
        return
    where = "store_id = 's0'" if "store_id" in names else "true"
    if "store_id" not in names and "dev" in names:
        where = "dev = 'd-bbbbbbbbbbbbbbbb'"
    elif "store_id" not in names:
        where = "stream_id IN (SELECT stream_id FROM stream WHERE store_id = 's0')"
    chosen = ", ".join(_value(name, kind) for name, kind in columns)
    listed = ", ".join(f'"{name}"' for name, _ in columns)
    statement = (
        f"INSERT INTO {table} ({listed}) SELECT {chosen} FROM {table} t,"  # noqa: S608 - our names
        f" generate_series({first}, {last}) AS copy_no WHERE {where} ON CONFLICT DO NOTHING"
    )
    connection.execute(sql.SQL(statement))  # type: ignore[arg-type]


def _value(name: str, kind: str) -> str:
    if name in _OTHERS:
        return f'CASE WHEN t."{name}" IS NULL THEN NULL ELSE {_OTHERS[name]} END'
    if name == "stream_id":
        return "decode(md5(encode(t.stream_id, 'hex') || copy_no), 'hex')"
    if kind == "uuid":
        return f'md5(t."{name}"::text || copy_no)::uuid'
    if name in {"id", "entry_id"} and kind == "text":
        return f'(md5(t."{name}" || copy_no)::uuid)::text'
    return f't."{name}"'
