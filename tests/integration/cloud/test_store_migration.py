"""The step that keys facts by their store, on a database that is in use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import text

from cloud.db import Database
from cloud.migrations.run import _config, migrate
from cloud.migrations.versions import v0022_by_store as step
from cloud.recovery.digest import Digest, digests_of
from tests.lab.postgres import PostgresServer

TABLES = ("entry", "sale", "posting", "day_close", "day_certificate")
STORES = 24
# Everything that an office holds, in the tables as they were; journal n is of store n.
FILL = """
    INSERT INTO store SELECT 's' || n, 'Store', 'UTC', 'EUR' FROM generate_series(1, {stores}) n;
    INSERT INTO device SELECT 'd-' || n, 's' || n, '', '', 'active', '', 0
        FROM generate_series(1, {stores}) n;
    INSERT INTO stream (stream_id, dev, store_id, ordinal, head_seq, sealed_seq)
        SELECT sha256(n::text::bytea), 'd-' || n, 's' || n, 1, 19, 19
        FROM generate_series(1, {stores}) n;
    INSERT INTO entry SELECT sha256(n::text::bytea), seq,
        '00000000-0000-7000-8000-' || lpad((n * 1000 + seq)::text, 12, '0'),
        CASE seq % 10 WHEN 0 THEN 'day.closed' ELSE 'sale.completed' END, 1000 + seq, 's' || n,
        ('{{"n": ' || seq || '}}')::bytea, sha256((n * 1000 + seq)::text::bytea),
        CASE WHEN seq = 7 THEN 'entry.id' END
        FROM generate_series(1, {stores}) n, generate_series(0, 19) seq;
    INSERT INTO sale SELECT id::uuid, store_id, '2017-08-07', '1-' || seq, 1, at_ms, 1, 1, 100, 0,
        0, 100, 0, 100, 100, 0, 7 FROM entry WHERE type = 'sale.completed';
    INSERT INTO posting SELECT entry_id, n, store_id, business_date, account, amount
        FROM sale, (VALUES (0, 'sales', -100), (1, 'cash', 100)) AS p (n, account, amount);
    INSERT INTO day_close SELECT id::uuid, store_id, '2017-08-07', '{{}}'
        FROM entry WHERE type = 'day.closed';
    INSERT INTO day_certificate SELECT id::uuid, store_id, '2017-08-07', stream_id, seq, 'said', ''
        FROM entry WHERE type = 'day.closed' AND seq > 0;
    INSERT INTO day_certificate_check (entry_id, state) SELECT id::uuid, 'agrees' FROM entry
        WHERE type = 'day.closed';
    INSERT INTO day_certificate_check (entry_id) VALUES (gen_random_uuid());
    INSERT INTO segment SELECT stream_id, 0, 19, '', '', NULL, NULL, 'object', 1, 0 FROM stream;
    INSERT INTO branch_entry SELECT stream_id, 3, 'x', 'y', store_id, 'z' FROM stream
        WHERE store_id = 's1'"""
# A box goes on, a person settles an item, a rebuild finds a sale that is none.
MEANWHILE = (
    """
    INSERT INTO entry SELECT stream_id, 20, '00000000-0000-7000-8000-99' || right(id, 10), type,
        at_ms, store_id, body, hash, flag FROM entry WHERE seq = 19""",
    "UPDATE entry SET flag = NULL WHERE store_id = 's3' AND flag IS NOT NULL",
    "DELETE FROM sale WHERE store_id = 's4' AND receipt_no = '1-5'",
    "UPDATE sale SET net_minor = 90 WHERE store_id = 's5' AND receipt_no = '1-5'",
)


@pytest.fixture
def filled(postgres: PostgresServer) -> Iterator[Database]:
    """A database one step before, with rows in every table that the step moves or keys anew."""
    database = Database(postgres.create_database("to_key"))
    config = _config()
    with database.session_lock(1) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, step.down_revision)
    run(database, *FILL.format(stores=STORES).split(";"))
    yield database
    database.close()
    postgres.drop_database("to_key")


def run(database: Database, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def digests(database: Database) -> dict[tuple[str, str], Digest]:
    with database.begin() as connection:
        return digests_of(connection, TABLES)


def begin_copy(database: Database) -> None:
    """A copy that was cut short: a part of the rows is there, and no index."""
    run(database, step._expansion())
    for table in ("entry", "sale"):
        part = f"TABLE public.{table} ORDER BY 1, 2 LIMIT 100"
        run(database, f"INSERT INTO {step.NEXT}.{table} {part}")


def test_every_row_of_every_store_is_kept(filled: Database) -> None:
    before = digests(filled)
    migrate(filled)
    assert digests(filled) == before
    assert len({store for _, store in before}) == STORES
    parts = "SELECT count(DISTINCT tableoid) FROM {}"
    for table in ("entry", "sale", "posting"):
        ((used,),) = rows(filled, parts.format(table))
        assert 1 < int(str(used)) <= step.PARTITIONS
    assert rows(filled, "SELECT count(*) FROM segment WHERE store_id IS NOT NULL") == [(STORES,)]
    assert rows(filled, "SELECT count(*) FROM day_certificate_check") == [(2 * STORES,)]
    assert rows(filled, "SELECT 1 FROM pg_namespace WHERE nspname = 'tillbox_next'") == []


def test_a_copy_that_was_cut_short_goes_on_and_takes_what_came_meanwhile(
    filled: Database,
) -> None:
    begin_copy(filled)
    run(filled, *MEANWHILE)
    expected = digests(filled)
    migrate(filled)
    assert digests(filled) == expected


def test_a_copy_that_differs_never_takes_the_place_of_the_rows(filled: Database) -> None:
    begin_copy(filled)
    before = digests(filled)
    run(
        filled,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.net_minor := NEW.net_minor + 1; RETURN NEW; END'",
        f"CREATE TRIGGER spoil BEFORE INSERT ON {step.NEXT}.sale"
        " FOR EACH ROW WHEN (NEW.store_id = 's9') EXECUTE FUNCTION spoil()",
    )
    with pytest.raises(RuntimeError, match="the copy of sale differs for store s9"):
        migrate(filled)
    assert digests(filled) == before
    assert rows(filled, "SELECT version_num FROM alembic_version") == [(step.down_revision,)]
    run(filled, f"DROP TRIGGER spoil ON {step.NEXT}.sale")
    migrate(filled)
    assert digests(filled) == before
