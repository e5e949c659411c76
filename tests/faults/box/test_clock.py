"""The box's clock is wrong: entries stay in order, and a basket keeps the instant it began at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.clock import VirtualClock
from edge.journal.reader import verify_file
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import Journal
from edge.trusted_time import TrustedTime
from shared.kernel.clock import ClockQuality
from shared.price.offer import Level, Offer, Validity
from shared.price.reward import PercentOff
from shared.publication.revision import Record, RecordKind
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import DAY, a_sale_draft, an_identity, offer_record, open_day
from tests.integration.edge.lanes import Lane, a_lane

HOUR_MS = 3_600_000
NEW_YORK = ZoneInfo("America/New_York")


def at_ms(text: str, zone: ZoneInfo | None = None, fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone or UTC, fold=fold)
    return int(moment.timestamp()) * 1000


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        yield made


def set_clock(lane: Lane, now_ms: int) -> None:
    assert isinstance(lane.shop.clock, VirtualClock)
    lane.shop.clock.set_ms(now_ms)


def bodies(lane: Lane) -> list[dict[str, object]]:
    return [json.loads(entry.body) for entry in lane.journal.read(0, 100, 1 << 30)]


@pytest.mark.parametrize(
    ("opened_ms", "paid_ms"),
    [
        (0, 0),
        (OPENED_AT_MS, OPENED_AT_MS - HOUR_MS),
        (OPENED_AT_MS, at_ms("2027-08-07T09:00")),
        (at_ms("2027-08-07T09:00"), OPENED_AT_MS),
        (at_ms("2017-11-05T01:59", NEW_YORK), at_ms("2017-11-05T01:01", NEW_YORK, fold=1)),
        (at_ms("2018-03-11T01:59", NEW_YORK), at_ms("2018-03-11T03:00", NEW_YORK)),
        (at_ms("2028-02-29T23:59", NEW_YORK), at_ms("2028-03-01T00:01", NEW_YORK)),
    ],
    ids=["1970", "hour-back", "ten-years", "and-back", "winter-time", "summer-time", "leap-day"],
)
def test_whatever_the_clock_says_sales_follow_each_other_on_the_open_day(
    lane: Lane, tmp_path: Path, opened_ms: int, paid_ms: int
) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    set_clock(lane, opened_ms)
    lane.scan(a_gtin(4))
    set_clock(lane, paid_ms)
    lane.scan(a_gtin(5))
    lane.pay(900)
    set_clock(lane, OPENED_AT_MS)
    lane.scan(a_gtin(6))
    lane.pay(600)
    found = bodies(lane)
    assert [body["seq"] for body in found] == [0, 1, 2, 3, 4]
    assert [body["biz"] for body in found[1:]] == [DAY] * 4
    assert [body["at"] for body in found[2:]] == [OPENED_AT_MS, paid_ms, OPENED_AT_MS]
    assert lane.journal.next_receipt_no(1) == "1-000004"
    assert lane.journal.z(DAY).receipts == 3
    lane.journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == 5


def test_an_hour_back_in_mid_basket_changes_no_price(lane: Lane) -> None:
    changes_at_ms = OPENED_AT_MS - HOUR_MS // 2
    prices = {"prices": [[0, 300, None], [changes_at_ms, 350, None]]}
    lane.publish(Record(RecordKind.PRICE, a_gtin(3), prices))
    lane.scan(a_gtin(3))
    set_clock(lane, OPENED_AT_MS - HOUR_MS)
    lane.scan(a_gtin(3))
    lane.pay(700)
    assert lane.state.done is not None
    assert (lane.state.done.due_minor, lane.state.done.change_minor) == (700, 0)


def test_a_price_of_tomorrow_waits_for_tomorrow(lane: Lane) -> None:
    midnight_ms = at_ms("2017-08-08T00:00", NEW_YORK)
    prices = {"prices": [[0, 300, None], [midnight_ms, 350, None]]}
    lane.publish(Record(RecordKind.PRICE, a_gtin(3), prices))
    for now_ms, due_minor in ((midnight_ms - 1, 300), (midnight_ms, 350), (midnight_ms - 1, 300)):
        set_clock(lane, now_ms)
        lane.scan(a_gtin(3))
        lane.pay(due_minor)
        assert lane.state.done is not None
        assert lane.state.done.due_minor == due_minor


@dataclass
class DriftingClock:
    """A clock that nobody has set."""

    at_ms: int = 0
    quality_now: ClockQuality = ClockQuality.UNSYNCED
    mono: int = 7

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.mono

    def quality(self) -> ClockQuality:
        return self.quality_now


def test_no_setting_of_the_clock_brings_an_expired_offer_back_or_a_price_forward(
    lane: Lane, tmp_path: Path
) -> None:
    clock = DriftingClock(OPENED_AT_MS, ClockQuality.NTP)
    trusted = TrustedTime(clock, tmp_path / "time.json", "boot-1")
    trusted.open()
    lane.shop = replace(lane.shop, clock=clock, prices_at=trusted)
    names = {"en": "Half", "zh-CN": "半价", "zh-TW": "半價"}
    an_hour = Validity(to_at_ms=OPENED_AT_MS + HOUR_MS)
    half = Offer("half", Level.BASKET, PercentOff(5000), names=names, valid=an_hour)
    dated = {"prices": [[0, 300, None], [OPENED_AT_MS + 2 * HOUR_MS, 400, None]]}
    lane.publish(offer_record(half), Record(RecordKind.PRICE, a_gtin(3), dated))

    def costs() -> int:
        lane.scan(a_gtin(3))
        due_minor = lane.shop.price(lane.basket()).due_minor
        lane.pay(due_minor)
        return due_minor

    assert costs() == 150
    clock.mono += HOUR_MS
    clock.at_ms += HOUR_MS
    assert costs() == 300
    clock.quality_now = ClockQuality.UNSYNCED
    for wrong_ms in (OPENED_AT_MS, 0, at_ms("2036-01-01T00:00")):
        clock.at_ms = wrong_ms
        assert costs() == 300
        trusted.keep()
        trusted = TrustedTime(clock, tmp_path / "time.json", f"boot-{wrong_ms}")
        trusted.open()
        lane.shop = replace(lane.shop, prices_at=trusted)
        assert costs() == 300, "nor does a restart"
    assert bodies(lane)[-1]["at"] == clock.at_ms, "the journal says what the clock shows"
    clock.mono += HOUR_MS
    assert costs() == 400, "time goes on, whatever the clock shows"


def test_an_entry_says_that_nobody_vouches_for_its_time(tmp_path: Path) -> None:
    signer = load_or_create(tmp_path / KEY_FILE)
    journal = Journal(tmp_path / "journal.db", an_identity(), DriftingClock(), signer)
    journal.open()
    open_day(journal)
    body = json.loads(journal.append(a_sale_draft(journal)).body)
    assert (body["clk"], body["mono"], body["boot"], body["seq"]) == (0, 7, 1, 2)
    journal.close()
