"""Facts lie with their store: what concerns one store reads one partition of each table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from cloud.archive import segment_store
from cloud.archive.objects import FileObjects
from cloud.archive.seal import Sealer
from cloud.db import Database
from cloud.export import store as export_store
from cloud.fleet import device_store, standing_store
from cloud.ingest.repost import repost
from cloud.posters import POSTERS
from cloud.receipt.service import Standing, look_up
from cloud.recovery.digest import digest_of, tables_of
from cloud.recovery.rebuild import rebuild
from cloud.report.queries import CloseFilter, daily_close
from cloud.shelf import store as shelf_store
from cloud.simulation import store as simulation_store
from shared.journal.device_event import DeviceFaulted
from shared.journal.event import SaleCompleted
from shared.sale.receipt_code import ReceiptLink, receipt_code
from shared.wire.message import AckCode
from tests.fakes.box_stream import DAY, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.integration.cloud.archives import HQ, Office

NewBox = Callable[[], BoxStream]
DATE = date.fromisoformat(DAY)
LOCKED = text(r"""
    SELECT DISTINCT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND c.relname ~ '^(entry|sale|posting)_\d+$'""")
FOREVER_MS = 1 << 53


class Watch:
    """Which partitions the transactions of a database have locked, and so looked at."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.touched: set[str] = set()
        event.listen(database.engine, "commit", self._note)

    def _note(self, connection: Connection) -> None:
        self.touched |= {str(row[0]) for row in connection.execute(LOCKED)}

    def taken(self) -> set[str]:
        """What was touched since the last call."""
        touched, self.touched = self.touched, set()
        return touched


@pytest.fixture
def watch(database: Database) -> Iterator[Watch]:
    opened = Database(database.url)
    yield Watch(opened)
    opened.close()


@pytest.fixture
def office(watch: Watch, tmp_path: Path) -> Office:
    return Office(watch.database, FileObjects(tmp_path / "objects"))


@pytest.fixture
def box(office: Office, new_box: NewBox) -> BoxStream:
    made = new_box()
    made.append_sales(4)
    made.append(DeviceFaulted("printer-1", "printer", 0, "printer.paper_out", "failed"))
    office.send(made, 0, 4)
    return made


def own(database: Database, box: BoxStream) -> set[str]:
    """The one partition of each table that has the rows of a box's store."""
    with database.begin() as connection:
        return {
            f"{table}_{where.rsplit('_', 1)[1]}"
            for table in ("entry", "sale", "posting")
            for (where,) in connection.execute(
                text(
                    "SELECT DISTINCT tableoid::regclass::text FROM entry"
                    " WHERE store_id = :s AND stream_id = :stream"
                ),
                {"s": box.store_id, "stream": box.stream_id},
            )
        }


def test_a_batch_is_stored_in_the_partitions_of_its_store(
    watch: Watch, office: Office, box: BoxStream
) -> None:
    mine = own(watch.database, box)
    assert watch.taken() == mine
    box.append_sales(2)
    assert office.send(box, 2, 6).stored == 2
    assert watch.taken() == mine


def test_what_comes_again_or_was_booked_looks_at_its_own_store_alone(
    watch: Watch, office: Office, box: BoxStream, database: Database
) -> None:
    mine = own(database, box)
    second = BoxStream(box.dev, box.store_id, ordinal=2)
    enrol(database, second)
    second.append(SaleCompleted(a_sale(99)), entry_id=box.id_at(1))
    second.append_sales(1)
    watch.taken()
    assert office.send(box, 0, 3).code is AckCode.DUP
    assert office.send(second, 0, 1).flagged == 1
    assert watch.taken() == mine
    with watch.database.begin() as connection:
        connection.execute(
            text("DELETE FROM sale WHERE store_id = :s AND entry_id = CAST(:id AS uuid)"),
            {"s": box.store_id, "id": box.id_at(1)},
        )
    with watch.database.begin() as connection:
        assert repost(connection, POSTERS, second.stream_id, 0) == "ingest.unpostable"
    assert watch.taken() <= mine


def test_archiving_and_proving_a_store_s_receipt_reads_its_partitions_alone(
    watch: Watch, office: Office, box: BoxStream
) -> None:
    mine = own(watch.database, box)
    watch.taken()
    sealer = Sealer(office.database, office.objects, office.terms)
    with watch.database.begin() as connection:
        due = segment_store.due_streams(connection, 1, office.clock.at_ms)
    [mine_due] = [each for each in due if each.stream_id == box.stream_id]
    assert len(list(sealer.seal(mine_due, office.clock.at_ms))) == 1
    assert sealer.check_new(office.clock.at_ms) == (1, 0)
    link = ReceiptLink(box.store_id, DAY, "1-000002", receipt_code(box.hashes[2]))
    with watch.database.begin() as connection:
        found = look_up(connection, link, bytes.fromhex(HQ.public_hex))
    assert found.standing is Standing.PENDING
    touched = watch.taken()
    assert touched
    assert touched <= mine


READS: dict[str, Callable[[Connection, BoxStream], object]] = {
    "digests": lambda c, box: [digest_of(c, t, box.store_id) for t in tables_of(POSTERS)],
    "the daily close": lambda c, box: daily_close(c, CloseFilter(store_id=box.store_id)),
    "days to simulate": lambda c, box: simulation_store.store_days(c, DATE, DATE, [box.store_id]),
    "baskets to simulate": lambda c, box: list(simulation_store.sale_bodies(c, box.store_id, DATE)),
    "an export": lambda c, box: list(
        export_store.entries(c, box.store_id, export_store.spans(c, box.store_id, DATE, DATE))
    ),
    "what an export told": lambda c, box: export_store.told_ids(
        c, box.store_id, export_store.spans(c, box.store_id, DATE, DATE), [box.id_at(0)]
    ),
    "how large an export is": lambda c, box: export_store.count_sales(
        c, DATE, DATE, [box.store_id]
    ),
    "device history": lambda c, box: device_store.facts(c, box.store_id, FOREVER_MS, 9),
    "shelf history": lambda c, box: shelf_store.facts(c, box.store_id, FOREVER_MS, 9),
    "the newest day": lambda c, box: standing_store.newest_day(c, box.store_id),
}


@pytest.mark.parametrize("what", READS)
def test_a_question_about_one_store_reads_its_partitions_alone(
    watch: Watch, box: BoxStream, what: str
) -> None:
    mine = own(watch.database, box)
    watch.taken()
    with watch.database.begin() as connection:
        READS[what](connection, box)
    touched = watch.taken()
    assert touched
    assert touched <= mine


def test_a_rebuild_of_one_store_reads_its_partitions_alone(
    watch: Watch, office: Office, box: BoxStream
) -> None:
    mine = own(watch.database, box)
    office.run("UPDATE sale SET net_minor = 0 WHERE store_id = :s", s=box.store_id)
    watch.taken()
    fresh = Watch(Database(watch.database.url))
    try:
        changes = rebuild(fresh.database, POSTERS, store_id=box.store_id)
    finally:
        fresh.database.close()
    assert [change.table for change in changes if not change.is_same] == ["sale"]
    assert fresh.taken() <= mine


def test_a_day_s_tree_has_the_tables_looked_at_as_wholes(office: Office, box: BoxStream) -> None:
    known = "SELECT count(*) FROM pg_stats WHERE tablename = 'sale' AND inherited"
    office.run("DELETE FROM pg_statistic WHERE starelid = 'sale'::regclass")
    assert office.rows(known) == [(0,)]
    office.archive(wants_tree=True)
    ((columns,),) = office.rows(known)
    assert int(columns) > 1


GENERIC = """
    SET LOCAL plan_cache_mode = force_generic_plan;
    PREPARE hashes (bytea, text, bigint) AS
        SELECT hash FROM entry WHERE stream_id = $1 AND store_id = $2 AND seq <= $3"""


def test_a_plan_for_any_store_still_leaves_the_other_partitions_out(
    watch: Watch, box: BoxStream
) -> None:
    with watch.database.begin() as connection:
        for statement in GENERIC.split(";"):
            connection.exec_driver_sql(statement)
        explain = f"EXPLAIN EXECUTE hashes ('\\x{box.stream_id.hex()}', '{box.store_id}', 9)"
        plan = [str(row[0]) for row in connection.exec_driver_sql(explain)]
        connection.exec_driver_sql("DEALLOCATE hashes")
    assert sum(" on entry_" in line for line in plan) == 1
    assert any("Subplans Removed: 15" in line for line in plan)
