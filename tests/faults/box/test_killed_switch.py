"""The process is killed while revisions come and begin: the next start goes on by itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.replica.pointers import Pointers
from edge.replica.schema import TABLES
from edge.replica.store import Replica
from shared.publication.manifest import parse_manifest
from shared.publication.revision import DIGEST_MODULUS, digest_hex
from shared.wire.message import DesiredCatalog
from tests.fakes.cloud import FakeObjects, FakePublisher
from tests.faults.site import HOUR, NOON, SECRET, HandClock, Site, costs
from tests.integration.edge.boxes import ZONE, an_identity, item_record

KILLED = -signal.SIGKILL


@pytest.fixture
def objects() -> Iterator[FakeObjects]:
    server = FakeObjects()
    yield server
    server.stop()


def in_a_process(work: Callable[[], None]) -> int:
    """Run it in a process of its own; how that ended, as a child's return code."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent hears of it by the code
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_at(owner: type, name: str, call: int, *, before: bool) -> None:
    """Let this process die at the n-th call of a durable step."""
    real, calls = getattr(owner, name), [0]

    def step(*args: Any) -> Any:
        calls[0] += 1
        if before and calls[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*args)
        if calls[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, step)


@pytest.mark.parametrize(
    ("owner", "name", "call", "before"),
    [
        (Pointers, "put_desired", 2, False),
        (Pointers, "put_stored", 3, True),
        (Pointers, "put_stored", 3, False),
        (Pointers, "put_active", 3, True),
        (Pointers, "put_active", 3, False),
        (Replica, "release", 2, True),
    ],
)
def test_a_killed_box_goes_on_where_it_was_without_being_told_again(
    tmp_path: Path,
    objects: FakeObjects,
    owner: type,
    name: str,
    call: int,
    *,
    before: bool,
) -> None:
    office = FakePublisher(ZONE, objects)
    objects.token = f"{an_identity().dev}.{SECRET}"
    first = office.publish([item_record(1), costs(100)])
    second = office.publish([costs(120)])
    third = office.publish([item_record(2), costs(150)], NOON + HOUR)

    def live() -> None:
        kill_at(owner, name, call, before=before)
        clock = HandClock()
        site = Site(tmp_path, clock, objects, office).start()
        site.hear(first)
        site.sells_by(1)
        site.hear(second, third)
        site.sells_by(2)
        site.stages(3)
        clock.passes(HOUR)
        site.sync._activator.wake()
        site.sells_by(3)
        site.sync.stop()
        raise AssertionError("nobody killed it")

    def go_on() -> None:
        site = Site(tmp_path, HandClock(NOON + HOUR, 100_000 + HOUR), objects, office).start()
        site.sells_by(3)
        assert site.price() == 150
        site.stop()
        assert_whole(tmp_path / "replica", third, objects)

    assert in_a_process(live) == KILLED
    assert in_a_process(go_on) == 0


def assert_whole(folder: Path, head: DesiredCatalog, objects: FakeObjects) -> None:
    """The file holds what was published, and nothing else."""
    manifest = parse_manifest(objects.objects[head.sha256])
    with closing(sqlite3.connect(folder / "replica.db")) as connection:
        query = "SELECT rev, file FROM pointer WHERE name='active'"
        [(rev, file)] = connection.execute(query).fetchall()
    assert rev == head.rev
    with closing(sqlite3.connect(folder / file)) as connection:
        hashes = [
            row[0]
            for table in TABLES.values()
            for row in connection.execute(
                f"SELECT hash FROM {table.name} WHERE rev_from<=? AND rev_to>?",  # noqa: S608
                (rev, rev),
            )
        ]
    total = sum(int.from_bytes(each, "big") for each in hashes)
    assert (digest_hex(total % DIGEST_MODULUS), len(hashes)) == (manifest.digest, manifest.records)
