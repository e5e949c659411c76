"""The way to the catalogue's objects: slow, cut, full of holes, gone; the old catalogue stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.sync import fetch
from edge.sync.fetch import ObjectFetcher
from shared.kernel.errors import CorruptError, UnavailableError
from tests.fakes.cloud import FakeObjects
from tests.integration.edge.boxes import an_identity
from tests.lab.fault_proxy import FaultProxy
from tests.lab.net import LOOPBACK

SECRET = "device-secret"
DATA = bytes(range(256)) * 2_000


@pytest.fixture
def objects() -> Iterator[FakeObjects]:
    server = FakeObjects()
    server.token = f"{an_identity().dev}.{SECRET}"
    yield server
    server.stop()


@pytest.fixture
def line(objects: FakeObjects) -> Iterator[FaultProxy]:
    running = FaultProxy(urlsplit(objects.url).port or 0).start()
    yield running
    running.stop()


@pytest.fixture
def fetcher(
    line: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObjectFetcher]:
    monkeypatch.setattr(fetch, "_TIMEOUT_S", 0.5)
    url = f"http://{LOOPBACK}:{line.port}"
    made = ObjectFetcher(an_identity(secret=SECRET, cloud_url=url), tmp_path / "got", lambda: 0.1)
    yield made
    made.close()


def test_an_object_that_is_cut_off_three_times_arrives_whole_at_the_fourth(
    fetcher: ObjectFetcher, objects: FakeObjects, line: FaultProxy
) -> None:
    name = objects.put(DATA)
    line.down.reset_after_bytes = 100_000
    saboteur = threading.Thread(target=cut_again, args=(line, 3))
    saboteur.start()
    path = fetcher.fetch(name)
    saboteur.join()
    assert path.read_bytes() == DATA
    assert (line.cuts, objects.requests) == (3, 4)
    assert [each.name for each in path.parent.iterdir()] == [name]


def cut_again(line: FaultProxy, times: int) -> None:
    while line.cuts < times:
        line.down.reset_after_bytes = line.down.reset_after_bytes or 100_000
        time.sleep(0.005)
    line.down.reset_after_bytes = 0


def test_a_slow_line_that_keeps_moving_is_waited_for(
    fetcher: ObjectFetcher, objects: FakeObjects, line: FaultProxy
) -> None:
    name = objects.put(DATA[:60_000])
    line.down.slice_bytes, line.down.bytes_per_s = 4_096, 60_000
    started = time.monotonic()
    assert fetcher.fetch(name).read_bytes() == DATA[:60_000]
    assert time.monotonic() - started > 0.9, "longer than the time-out"
    assert objects.requests == 1


def test_a_line_that_stops_moving_is_given_up_and_leaves_nothing(
    fetcher: ObjectFetcher, objects: FakeObjects, line: FaultProxy, tmp_path: Path
) -> None:
    name = objects.put(DATA)
    line.partition()
    with pytest.raises(UnavailableError, match=r"object\.unreachable"):
        fetcher.fetch(name)
    assert list((tmp_path / "got").iterdir()) == []
    line.heal()
    assert fetcher.fetch(name).read_bytes() == DATA


def test_an_object_whose_address_has_expired_is_asked_for_again_and_then_reported(
    fetcher: ObjectFetcher, objects: FakeObjects
) -> None:
    name = objects.put(DATA)
    objects.token = "another"
    with pytest.raises(UnavailableError, match=r"object\.refused.*401"):
        fetcher.fetch(name)
    assert objects.requests == 4
    objects.token = f"{an_identity().dev}.{SECRET}"
    assert fetcher.fetch(name).read_bytes() == DATA


def test_bytes_that_are_not_what_their_name_says_never_become_a_catalogue(
    fetcher: ObjectFetcher, objects: FakeObjects, tmp_path: Path
) -> None:
    name = objects.put(DATA)
    objects.objects[name] = DATA[:-1]
    with pytest.raises(CorruptError, match=r"object\.hash"):
        fetcher.fetch(name)
    assert list((tmp_path / "got").iterdir()) == []
