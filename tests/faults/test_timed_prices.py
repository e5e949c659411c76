"""Prices that wait for their instant: on time, offline, after a restart, by no wrong clock."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.sync.ask_time import TimeKeeper
from shared.kernel.errors import CorruptError, UnavailableError
from shared.publication.manifest import Manifest, parse_manifest, pieces_needed
from shared.wire.frames import FrameKind, frame_header
from shared.wire.message import DesiredCatalog
from tests.fakes.cloud import INC, FakeObjects, FakePublisher
from tests.faults.site import HOUR, NOON, YEAR, HandClock, NtpClock, Site, costs, until
from tests.integration.edge.boxes import ZONE, an_identity, item_record


@pytest.fixture
def objects() -> Iterator[FakeObjects]:
    server = FakeObjects()
    yield server
    server.stop()


@pytest.fixture
def office(objects: FakeObjects) -> FakePublisher:
    return FakePublisher(ZONE, objects)


@pytest.fixture
def site(tmp_path: Path, objects: FakeObjects, office: FakePublisher) -> Iterator[Site]:
    running = Site(tmp_path, HandClock(), objects, office).start()
    running.hear(office.publish([item_record(1), costs(100)]))
    running.sells_by(1)
    yield running
    running.stop()


def hand(site: Site) -> HandClock:
    assert isinstance(site.clock, HandClock)
    return site.clock


def holding(site: Site, *after_hours: int) -> list[DesiredCatalog]:
    """Revisions 2, 3, ... are there and wait for their instants."""
    first = site.office._signed(0)
    later = [
        site.office.publish([costs(100 + hours)], NOON + hours * HOUR) for hours in after_hours
    ]
    site.hear(first, *later)
    site.stages(*(each.rev for each in later))
    return later


def look(site: Site) -> None:
    site.sync._activator.wake()


def stays(site: Site, revision: int) -> None:
    """It was looked at, and nothing was done."""
    site.sync._activator._turn()
    assert site.replica.active_revision() == revision


def test_a_price_begins_within_a_second_of_its_instant_without_any_network(
    tmp_path: Path, objects: FakeObjects, office: FakePublisher
) -> None:
    site = Site(tmp_path, NtpClock(), objects, office).start()
    site.hear(office.publish([item_record(1), costs(100)]))
    site.sells_by(1)
    first, at_ms = office._signed(0), site.clock.now_ms() + 700
    site.hear(first, office.publish([costs(150)], at_ms))
    site.stages(2)
    objects.stop()
    assert (site.price(), site.report()[:2]) == (100, (2, at_ms))
    site.sells_by(2)
    assert 0 <= site.replica.active().at_ms - at_ms < 1000
    assert [change.new_minor for change in site.activated[-1].changes] == [150]
    site.stop()


def test_each_of_several_waits_for_its_own_instant(site: Site) -> None:
    holding(site, 1, 2)
    assert site.report() == (2, NOON + HOUR, 2, None)
    for hours in (1, 2):
        hand(site).passes(HOUR - 1)
        stays(site, hours)
        hand(site).passes(1)
        look(site)
        site.sells_by(hours + 1)
        assert site.price() == 100 + hours
    assert site.report() == (0, 0, 2, None)


def test_the_schedule_is_on_the_disk(site: Site, objects: FakeObjects) -> None:
    holding(site, 1, 2)
    objects.stop()
    hand(site).passes(10)
    site.restart()
    assert site.replica.active_revision() == 1
    assert site.report() == (2, NOON + HOUR, 2, None)
    site.stop()
    hand(site).passes(HOUR)
    site.start()
    assert site.replica.active_revision() == 2, "what fell due meanwhile comes before customers"
    hand(site).passes(HOUR)
    look(site)
    site.sells_by(3)


def test_what_head_office_takes_back_does_not_come(site: Site) -> None:
    first = site.office._signed(0)
    later = holding(site, 1)
    site.hear(first)
    site.hear(first, *later, gen=site.gen - 1)  # the one before comes once more, late
    hand(site).passes(2 * HOUR)
    stays(site, 1)
    site.hear(site.office.publish([costs(120)]))
    site.sells_by(3)
    assert site.price() == 120


def test_the_broker_cannot_make_a_price_begin_early(site: Site) -> None:
    [later] = holding(site, 1)
    site.hear(DesiredCatalog(later.zone, later.rev, later.sha256, later.sig))
    stays(site, 1)
    assert site.report()[:2] == (2, NOON + HOUR)


@pytest.mark.parametrize(
    "wall_ms",
    [
        pytest.param(0, id="1970"),
        pytest.param(NOON + 10 * YEAR, id="ten-years"),
        pytest.param(NOON + 25 * HOUR, id="more-than-a-day"),
    ],
)
def test_a_clock_that_nobody_vouches_for_switches_nothing(
    site: Site, objects: FakeObjects, wall_ms: int
) -> None:
    holding(site, 1)
    hand(site).wall_ms, hand(site).is_ntp = wall_ms, False
    site.restart("boot-2")
    stays(site, 1)
    assert site.report() == (2, NOON + HOUR, 0, "clock.untrusted")
    assert site.time.now_ms() == NOON, "an offer that is over stays over, one that runs runs on"
    objects.time_ms = lambda: NOON + HOUR - 500
    objects.signer = site.office.key
    site.sync._time.ask()
    stays(site, 1)
    assert site.report() == (2, NOON + HOUR, 2, None)
    hand(site).since_boot_ms += 500
    look(site)
    site.sells_by(2)


@pytest.mark.parametrize("off_ms", [3 * HOUR, -NOON])
def test_a_clock_that_is_set_on_a_running_box_switches_nothing(site: Site, off_ms: int) -> None:
    holding(site, 1)
    hand(site).is_ntp = False
    hand(site).wall_ms += off_ms
    stays(site, 1)
    hand(site).passes(HOUR - 1)
    stays(site, 1)
    hand(site).passes(1)
    look(site)
    site.sells_by(2)
    hand(site).wall_ms = NOON - YEAR
    stays(site, 2)


def test_a_restart_with_a_plausible_clock_keeps_the_schedule(site: Site) -> None:
    holding(site, 5)
    hand(site).is_ntp = False
    hand(site).passes(6 * HOUR)
    site.restart("boot-2")
    assert (site.replica.active_revision(), site.report()[2]) == (2, 1)


def test_only_head_office_says_what_time_it_is(site: Site, objects: FakeObjects) -> None:
    forger = FakePublisher(ZONE, objects)
    keeper = site.sync._time
    with pytest.raises(UnavailableError, match=r"time\.unreachable"):
        keeper.ask()
    objects.time_ms, objects.signer = (lambda: NOON + YEAR), forger.key
    with pytest.raises(CorruptError, match=r"time\.signature"):
        keeper.ask()
    assert site.time.now_ms() == NOON
    objects.signer = site.office.key
    keeper.ask()
    assert (site.time.now_ms(), site.time.status().source) == (NOON + YEAR, "signed")


def test_an_answer_to_another_question_and_a_late_one_are_not_believed(
    site: Site, objects: FakeObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.signer, objects.time_ms = site.office.key, lambda: NOON + YEAR
    url = an_identity(cloud_url=objects.url, hq_pub=site.office.public_hex)
    nonces = iter([bytes(16), bytes(range(16))])
    keeper = TimeKeeper(url, site.time, lambda: 0.0, lambda _: next(nonces))
    recorded = keeper._post(bytes(16))
    monkeypatch.setattr(keeper, "_post", lambda _: recorded)
    keeper._nonce(16)
    with pytest.raises(CorruptError, match=r"time\.signature"):
        keeper.ask()

    def slowly() -> int:
        hand(site).passes(2001)
        return NOON + YEAR

    objects.time_ms = slowly
    with pytest.raises(UnavailableError, match=r"time\.slow"):
        TimeKeeper(url, site.time, lambda: 0.0, bytes).ask()
    assert site.time.now_ms() == NOON + 2001


def test_an_acknowledgement_that_contradicts_the_clock_makes_the_box_ask(
    site: Site, objects: FakeObjects
) -> None:
    objects.time_ms, objects.signer = (lambda: NOON - HOUR), site.office.key
    keeper = site.sync._time
    keeper._asked_at_ms = hand(site).mono_ms()
    keeper.told(NOON + 60_000)
    assert keeper._asked_at_ms is not None, "a minute is no contradiction"
    keeper.told(NOON - HOUR)
    until(lambda: keeper._asked_at_ms is not None)
    assert site.time.now_ms() == NOON - HOUR
    keeper.told(NOON)
    assert keeper._asked_at_ms is not None, "not at every acknowledgement"


def bundle(objects: FakeObjects, head: DesiredCatalog, have_rev: int) -> list[tuple[bytes, bytes]]:
    """What the cloud sends for a revision: frames of the manifest and all that it takes."""
    manifest: Manifest = parse_manifest(objects.objects[head.sha256])
    names = [(FrameKind.MANIFEST, head.sha256)]
    names += [(FrameKind.PIECE, piece.sha256) for piece in pieces_needed(manifest, have_rev, INC)]
    frames = []
    for kind, name in names:
        data = objects.objects[name]
        frames.append((frame_header(kind, bytes.fromhex(name), len(data)), data))
    return [*frames, (frame_header(FrameKind.END), b"")]


def joined(frames: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(head + data for head, data in frames)


def test_one_request_brings_all_that_a_revision_takes(site: Site, objects: FakeObjects) -> None:
    head = site.office.publish([costs(130)])
    objects.bundles[head.sha256] = joined(bundle(objects, head, 1))
    singly = objects.requests
    site.sync._fetcher._is_catalog_known = True
    site.hear(head)
    site.sells_by(2)
    assert (objects.requests, len(objects.asked)) == (singly, 1)
    asked = {"manifest": head.sha256, "have_rev": 1, "have_inc": INC, "take": "urls"}
    assert objects.asked == [asked]
    assert site.error() is None


def cut(frames: list[tuple[bytes, bytes]]) -> bytes:
    return joined(frames)[:-60]


def tampered(frames: list[tuple[bytes, bytes]]) -> bytes:
    head, data = frames[1]
    return joined([frames[0], (head, b"\x00" + data[1:]), *frames[2:]])


def expired(frames: list[tuple[bytes, bytes]]) -> bytes:
    """The piece is elsewhere, and nobody is let in there any more."""
    name = frames[1][0][1:33]
    url = f"{SITE_URL[0]}/v1/objects/{'00' * 32}".encode()
    return joined([frames[0], (frame_header(FrameKind.URL, name, len(url)), url), frames[2]])


def nonsense(frames: list[tuple[bytes, bytes]]) -> bytes:
    return b"<html>" + joined(frames)


SITE_URL = [""]


@pytest.mark.parametrize("spoilt", [cut, tampered, expired, nonsense])
def test_what_does_not_come_whole_that_way_comes_singly(
    site: Site,
    objects: FakeObjects,
    spoilt: Callable[[list[tuple[bytes, bytes]]], bytes],
) -> None:
    SITE_URL[0] = objects.url
    head = site.office.publish([costs(130)])
    objects.bundles[head.sha256] = spoilt(bundle(objects, head, 1))
    site.sync._fetcher._is_catalog_known = True
    site.hear(head)
    site.sells_by(2)
    assert (site.price(), len(objects.asked)) == (130, 1)
    assert list((site.folder / "fetch").iterdir()) == []


def test_while_nothing_comes_whole_the_old_prices_stay_and_the_reason_is_told(
    site: Site, objects: FakeObjects
) -> None:
    head = site.office.publish([costs(130)])
    manifest = parse_manifest(objects.objects[head.sha256])
    good = objects.objects[manifest.deltas[-1].sha256]
    snapshot = objects.objects[manifest.snapshot.sha256]
    for spoilt in (good[:-3], b"\x00" + good[1:]):
        objects.objects[manifest.deltas[-1].sha256] = spoilt
        site.hear(head)
        until(lambda: site.error() == "object.hash")
        assert (site.price(), site.replica.stored_revision()) == (100, 1)
    objects.objects[manifest.deltas[-1].sha256] = good
    assert snapshot, "after damage the whole is taken anew"
    site.sells_by(2)
    until(lambda: site.error() is None)


def test_a_wrong_signature_is_told_and_changes_nothing(site: Site, objects: FakeObjects) -> None:
    forged = FakePublisher(ZONE, objects)
    forged.publish([item_record(1), costs(1)])
    first = site.office._signed(0)
    site.hear(first, forged.publish([costs(2)], NOON + HOUR))
    until(lambda: site.error() == "publication.signature")
    hand(site).passes(2 * HOUR)
    stays(site, 1)
    site.hear(site.office.publish([costs(140)]))
    site.sells_by(2)
    until(lambda: site.error() is None)
