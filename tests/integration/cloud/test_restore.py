"""A database that is put back to the past: it says so, and the boxes bring what it lost."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.db import Database, incarnation
from cloud.deployment import bump_incarnation
from cloud.ingest.journals import Journals
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from shared.journal.event import EntrySalvaged, StreamOpened
from shared.kernel.errors import UnavailableError
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import SettableClock
from tests.lab.postgres import PostgresServer

BATCH = 20
SECOND_LIFE = 2


class Chain:
    """Some boxes and a database of one's own, whose folder can be copied and put back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = PostgresServer(folder / "server", durable=False).start()
        self.database = Database(self._server.create_database("chain"))
        migrate(self.database)
        self._journals = Journals(self.database, POSTERS, SettableClock())
        self.boxes = [BoxStream(f"d-{letter * 16}", f"s-{letter}") for letter in "abc"]
        for box in self.boxes:
            enrol(self.database, box)

    @property
    def data(self) -> Path:
        return self._folder / "server" / "pg"

    def bring(self, box: BoxStream) -> list[Ack]:
        """Bring a whole journal as a box does: from where the cloud says that it stands."""
        dev, answers = DeviceId(box.dev), []
        head = self._journals.stand(dev, box.stream_id.hex()).head
        while head < len(box.bodies) - 1:
            last = min(head + BATCH, len(box.bodies) - 1)
            answers.append(self._journals.take(dev, box.batch(head + 1, last)))
            assert (answers[-1].code, answers[-1].hh) == ("ok", box.hashes[last].hex())
            head = answers[-1].head
        return answers

    def copy(self) -> None:
        self._stop()
        shutil.copytree(self.data, self._folder / "copy")
        self._server.start()

    def put_back(self, *, is_recovery: bool) -> None:
        """Put the copy back; as an archive recovery PostgreSQL begins a new timeline."""
        self._stop()
        shutil.rmtree(self.data)
        shutil.copytree(self._folder / "copy", self.data)
        if is_recovery:
            (self.data / "recovery.signal").touch()
            with (self.data / "postgresql.auto.conf").open("a") as settings:
                settings.write("restore_command = 'false'\n")
        self._server.start()
        self._wait_writable()

    def stop(self) -> None:
        self._stop()

    def incarnation(self) -> str:
        with self.database.begin() as connection:
            return incarnation(connection)

    def digests(self) -> dict[str, str]:
        """What the journal and the books hold, each in one hash."""
        with self.database.begin() as connection:
            return {
                table: connection.execute(
                    text(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")  # noqa: S608
                ).scalar_one()
                for table in ("entry", "sale", "posting", "day_close")
            }

    def _wait_writable(self) -> None:
        """A recovering server answers before it may be written to, and says so."""
        for _ in range(500):
            try:
                self.incarnation()
            except UnavailableError as error:
                assert error.code == "database.recovering"  # noqa: PT017 - most runs see none
                time.sleep(0.02)
            else:
                return
        pytest.fail("it never came out of recovery")

    def _stop(self) -> None:
        self.database.close()
        self._server.stop()


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    if PostgresServer(tmp_path).given_url is not None:
        pytest.skip("needs the data folder of a PostgreSQL of its own, not that of DATABASE_URL")
    made = Chain(tmp_path)
    yield made
    made.stop()


def second_life(box: BoxStream) -> BoxStream:
    """The box found itself cloned after the copy was made: its tail goes along."""
    life = BoxStream(box.dev, box.store_id, SECOND_LIFE)
    life.append(
        StreamOpened(box.dev, box.store_id, "f", "clone", box.journal_pub.hex(), series="K7QM")
    )
    for seq in range(50, len(box.bodies)):
        salvaged = EntrySalvaged(
            box.stream_id.hex(), seq, box.hashes[seq].hex(), box.bodies[seq].decode()
        )
        life.append(salvaged, entry_id=box.id_at(seq))
    life.append_sales(10)
    return life


@pytest.mark.parametrize("is_recovery", [True, False], ids=["recovery", "copied folder"])
def test_after_a_restore_the_boxes_bring_everything_again(
    chain: Chain, *, is_recovery: bool
) -> None:
    for box in chain.boxes:
        box.append_sales(40)
        chain.bring(box)
    chain.copy()
    first = chain.incarnation()
    for box in chain.boxes:
        box.append_sales(30)
    journals = [*chain.boxes, second_life(chain.boxes[0])]
    for journal in journals:
        chain.bring(journal)
    before = chain.digests()

    chain.put_back(is_recovery=is_recovery)
    if not is_recovery:  # the server cannot know: a person says so
        assert chain.incarnation() == first
        bump_incarnation(chain.database)
    assert chain.incarnation() != first
    assert chain.digests() != before
    told = {ack.inc for journal in journals for ack in chain.bring(journal)}
    assert told == {chain.incarnation()}
    assert chain.digests() == before
