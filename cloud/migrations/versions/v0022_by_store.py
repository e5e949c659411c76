"""Facts are keyed by their store, and the tables that grow with every sale are partitioned by it.

Each primary key ends with `store_id`, so that every row that an entry causes lies with the entry,
whether in one partition or on one node of a distributed PostgreSQL. It comes last because the
other columns tell rows apart sooner, and journals and ids are written in the order of time.

The big tables are copied beside the living ones, in batches that are committed one by one: boxes
may go on meanwhile, and a copy that was cut short goes on where it stopped. The last transaction
takes what came since, compares counts and hashes of each store, and puts the new tables in place.
"""

from __future__ import annotations

from typing import NamedTuple

from alembic import op
from sqlalchemy import inspect, text

revision = "0022"
down_revision = "0021"

PARTITIONS = 16
"""More make no table of a large chain handier, and each is one more lock for a query of all."""

NEXT = "tillbox_next"
BATCH_ROWS = 20_000


class _Table(NamedTuple):
    """One that moves: its key without the store, and its indexes by name."""

    name: str
    key: str
    indexes: dict[str, str]


MOVED = (
    _Table(
        "entry",
        "stream_id, seq",
        {
            "entry_flagged": "(store_id) WHERE flag IS NOT NULL",
            "entry_sale_at": "(store_id, at_ms) WHERE type = 'sale.completed'",
            "entry_salvaged": "(store_id) WHERE type = 'entry.salvaged'",
            "entry_device": "(store_id, at_ms DESC) WHERE type IN"
            " ('device.faulted', 'device.recovered', 'device.bound', 'devices.tested')",
            "entry_shelf": "(at_ms DESC, store_id) WHERE type IN"
            " ('stock.counted', 'shelf.differed', 'shelf.settled',"
            " 'cold_chain.broken', 'cold_chain.restored')",
        },
    ),
    _Table(
        "sale",
        "entry_id",
        {"sale_day": "(store_id, business_date)", "sale_newest": "(at_ms)"},
    ),
    _Table("posting", "entry_id, n", {}),
)
# Few rows, or rows that go after two days: these are keyed anew where they stand. The store of a
# check whose certificate a rebuild has taken away is that of its entry; without one it is nobody's.
KEYED = (
    "ALTER TABLE day_close DROP CONSTRAINT day_close_pkey, ADD PRIMARY KEY (entry_id, store_id)",
    """
    ALTER TABLE day_certificate DROP CONSTRAINT day_certificate_pkey,
        ADD PRIMARY KEY (entry_id, store_id)""",
    "ALTER TABLE day_certificate_check ADD COLUMN store_id text",
    """
    UPDATE day_certificate_check made SET store_id = said.store_id
    FROM day_certificate said WHERE said.entry_id = made.entry_id""",
    """
    UPDATE day_certificate_check made SET store_id = entry.store_id
    FROM entry WHERE made.store_id IS NULL AND entry.id = made.entry_id::text""",
    "DELETE FROM day_certificate_check WHERE store_id IS NULL",
    """
    ALTER TABLE day_certificate_check ALTER COLUMN store_id SET NOT NULL,
        DROP CONSTRAINT day_certificate_check_pkey, ADD PRIMARY KEY (entry_id, store_id)""",
    "ALTER TABLE segment DROP CONSTRAINT segment_stream_id_fkey, ADD COLUMN store_id text",
    "ALTER TABLE branch_entry DROP CONSTRAINT branch_entry_stream_id_fkey",
    "ALTER TABLE stream DROP CONSTRAINT stream_pkey, ADD PRIMARY KEY (stream_id, store_id)",
    """
    UPDATE segment SET store_id = stream.store_id FROM stream
    WHERE stream.stream_id = segment.stream_id""",
    """
    ALTER TABLE segment ALTER COLUMN store_id SET NOT NULL, DROP CONSTRAINT segment_pkey,
        ADD PRIMARY KEY (stream_id, from_seq, store_id),
        ADD FOREIGN KEY (stream_id, store_id) REFERENCES stream""",
    """
    ALTER TABLE branch_entry DROP CONSTRAINT branch_entry_pkey,
        ADD PRIMARY KEY (stream_id, seq, hash, store_id),
        ADD FOREIGN KEY (stream_id, store_id) REFERENCES stream""",
)
BY_STORE = (
    "entry", "sale", "posting", "day_close", "day_certificate", "day_certificate_check",
    "sale_signal", "stream", "segment", "branch_entry",
)  # fmt: skip


def upgrade() -> None:
    """Copy beside the living tables, then change places and check."""
    with op.get_context().autocommit_block():
        op.execute(_expansion())
        for table in MOVED:
            _copy(table)
        for table in MOVED:
            _add_indexes(table)
    for table in MOVED:
        op.execute(f"LOCK TABLE public.{table.name} IN ACCESS EXCLUSIVE MODE")
    for table in MOVED:
        _catch_up(table)
        _compare(table)
    for table in MOVED:
        _swap(table)
    op.execute(f"DROP SCHEMA {NEXT}")
    for statement in KEYED:
        op.execute(statement)
    for table in MOVED:  # nobody analyzes a partitioned table by itself
        op.execute(f"ANALYZE {table.name}")
    _check()


def _expansion() -> str:
    """One statement, and so one transaction: the new tables are all there, or none is."""
    made = "".join(
        f"""
            CREATE TABLE {NEXT}.{table.name} (LIKE public.{table.name} INCLUDING DEFAULTS,
                PRIMARY KEY ({table.key}, store_id)) PARTITION BY HASH (store_id);"""
        for table in MOVED
    )
    names = ", ".join(f"'{table.name}'" for table in MOVED)
    return f"""
        DO $$
        DECLARE parent text;
        BEGIN
            IF EXISTS (SELECT FROM pg_namespace WHERE nspname = '{NEXT}') THEN RETURN; END IF;
            CREATE SCHEMA {NEXT};{made}
            FOREACH parent IN ARRAY ARRAY[{names}] LOOP
                FOR part IN 0 .. {PARTITIONS - 1} LOOP
                    EXECUTE format('CREATE TABLE {NEXT}.%I PARTITION OF {NEXT}.%I'
                        ' FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER %s)',
                        parent || '_' || part, parent, part);
                END LOOP;
            END LOOP;
        END $$"""


def _copy(table: _Table) -> None:
    """Batch by batch in the order of the key, from behind the last row that is there."""
    new, key = f"{NEXT}.{table.name}", table.key
    newest_first = ", ".join(f"{column} DESC" for column in key.split(", "))
    run = op.get_bind()
    last = run.execute(text(f"SELECT {key} FROM {new} ORDER BY {newest_first} LIMIT 1")).fetchone()  # noqa: S608 - names of ours
    while True:
        bounds = {} if last is None else {f"k{n}": value for n, value in enumerate(last)}
        after = f"WHERE ({key}) > ({', '.join(f':{name}' for name in bounds)})" if bounds else ""
        batch = f"""
            WITH batch AS MATERIALIZED (
                SELECT * FROM public.{table.name} {after} ORDER BY {key} LIMIT {BATCH_ROWS}),
            moved AS (INSERT INTO {new} SELECT * FROM batch)
            SELECT {key} FROM batch ORDER BY {newest_first} LIMIT 1"""  # noqa: S608 - names of ours
        last = run.execute(text(batch), bounds).fetchone()
        if last is None:
            return


def _add_indexes(table: _Table) -> None:
    """Once the rows are there, which is faster; first in each partition, by a name that tells."""
    for name, what in table.indexes.items():
        for part in range(PARTITIONS):
            where = f"{NEXT}.{table.name}_{part}"
            op.execute(f"CREATE INDEX IF NOT EXISTS {name}_{part} ON {where} {what}")
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {NEXT}.{table.name} {what}")


def _catch_up(table: _Table) -> None:
    """What came, changed or went while the copy was made; nobody writes now."""
    new, old = f"{NEXT}.{table.name}", f"public.{table.name}"
    columns = (*table.key.split(", "), "store_id")
    same_key = " AND ".join(f"new.{column} = old.{column}" for column in columns)
    op.execute(f"""
        DELETE FROM {new} new WHERE NOT EXISTS (
            SELECT FROM {old} old WHERE {same_key} AND old IS NOT DISTINCT FROM new)""")  # noqa: S608 - names of ours
    op.execute(f"""
        INSERT INTO {new} SELECT * FROM {old} old WHERE NOT EXISTS (
            SELECT FROM {new} new WHERE {same_key})""")  # noqa: S608 - names of ours


def _compare(table: _Table) -> None:
    """Each store has as many rows as before, and their hashes add up to the same."""
    digest = """
        SELECT store_id, count(*) AS rows, sum(hashtextextended(t::text, 0)) AS total
        FROM {} t GROUP BY store_id"""
    old, new = digest.format(f"public.{table.name}"), digest.format(f"{NEXT}.{table.name}")
    differing = text(f"""
        SELECT store_id FROM ({old}) old FULL JOIN ({new}) new USING (store_id)
        WHERE (old.rows, old.total) IS DISTINCT FROM (new.rows, new.total)
        ORDER BY store_id LIMIT 5""")  # noqa: S608 - names of ours
    found = [str(row[0]) for row in op.get_bind().execute(differing)]
    if found:
        raise RuntimeError(f"the copy of {table.name} differs for store {', '.join(found)}")


def _swap(table: _Table) -> None:
    op.execute(f"DROP TABLE public.{table.name}")
    for part in ("", *(f"_{n}" for n in range(PARTITIONS))):
        op.execute(f"ALTER TABLE {NEXT}.{table.name}{part} SET SCHEMA public")


def _check() -> None:
    found = inspect(op.get_bind())
    loose = [
        name for name in BY_STORE
        if "store_id" not in found.get_pk_constraint(name)["constrained_columns"]
    ]  # fmt: skip
    if loose:
        raise RuntimeError(f"the step left out the store in the key of {', '.join(loose)}")
    for table in MOVED:
        there = {str(index["name"]) for index in found.get_indexes(table.name)}
        missing = table.indexes.keys() - there
        if missing:
            raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
