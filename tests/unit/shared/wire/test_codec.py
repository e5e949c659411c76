from __future__ import annotations

import json

import pytest

from shared.journal.device_event import (
    ColdChainBroken,
    ColdChainRestored,
    DeviceBound,
    DeviceFaulted,
    DeviceRecovered,
    DevicesTested,
    ShelfDiffered,
    ShelfSettled,
    StockCounted,
)
from shared.journal.event import (
    KNOWN_EVENTS,
    AgeConfirmed,
    AgedGoods,
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    EntrySalvaged,
    Event,
    OperatorSignedOff,
    OperatorSignedOn,
    ReceiptReprinted,
    RevisionActivated,
    SaleCompleted,
    StreamOpened,
    UnknownEvent,
)
from shared.journal.member_event import MemberJoined
from shared.journal.software_event import SoftwareChanged
from shared.journal.staff_event import ApprovalGiven, PinChanged, PinGuessed
from shared.journal.training_event import TrainingSold
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.tender import Tender, TenderKind
from shared.wire.codec import (
    event_data,
    event_schemas,
    parse_body,
    parse_event,
)
from tests.builders import ENTRY_ID, a_basket, a_sale, an_item

BASKET = (
    a_basket(an_item(1, name="鲜牛奶"), an_item(2), an_item(3), member="2479")
    .with_override(1, PriceOverride(450, 400, "dented", "manager-1"))
    .with_coupon(2, LineCoupon(100, "c1"))
    .without_line(3, "changed mind", 7)
)
SALE = SaleCompleted(a_sale(BASKET, tenders=[Tender(TenderKind.CARD, 800, "auth-1")]))
EVENTS: list[Event] = [
    StreamOpened("d-1", "343", "fp", "swap", "ab" * 32, {"stream": "5eed", "seq": 9}),
    StreamOpened("d-1", "343", "fp", "enrol", "ab" * 32),
    StreamOpened("d-1", "343", "fp", "clone", "ab" * 32, series="K7QM"),
    EntrySalvaged("5eed" * 8, 9, "ab" * 32, '{"id":"1","v":1}'),
    DayOpened("2017-08-07"),
    DayClosed("2017-08-07", {"business_date": "2017-08-07", "net_minor": 5}, {"1": ["a", "b"]}),
    DayClosed("2017-08-07", {}, certificate='{"v":1}', certificate_sig="ab" * 64),
    SALE,
    SaleCompleted(a_sale()),
    AgeConfirmed(1, 18, (AgedGoods("0400000000017", "Beer", 18),), ENTRY_ID),
    BasketVoided(1, 3, 500, "left"),
    BasketVoided(1, 3, 500, "left", "manager-1"),
    RevisionActivated("store-343", 7, "ab" * 32),
    ReceiptReprinted(1, "343-1-000001", 2),
    ReceiptReprinted(1, "343-1-000001", 3, "manager-1"),
    DrawerOpened(1, "change"),
    DrawerOpened(1, "change", approved_by="manager-1"),
    DrawerOpened(1, "sale", "1-000017", pin=2, is_sent=False),
    DeviceFaulted("scanner-1", "scanner", 1, "scanner.unplugged", "absent"),
    DeviceRecovered("scanner-1", "scanner", 1, 7_000, 2),
    DeviceBound("scanner-1", "scanner", 1, "1-1.2 SCN0001"),
    DevicesTested({"printer-1": "passed", "scanner-1": "scanner.absent"}, is_passed=False),
    StockCounted("6901234567892", 12_000, "count", "shelf-7"),
    ShelfDiffered("shelf-7", "6901234567892", 12_000, 0),
    ShelfSettled("shelf-7", "6901234567892", "counted"),
    ColdChainBroken("fridge-1", 9_500, 8_000, 1_788_000_000_000),
    ColdChainRestored("fridge-1", 4_000, 11_250, 1_800_000),
    OperatorSignedOn(1, "cashier-1"),
    OperatorSignedOff(1, "cashier-1"),
    OperatorSignedOff(1, "cashier-1", "revoked"),
    ApprovalGiven(1, "sale.override", "cashier-1", "manager-1", "pin", 2_000, 450),
    ApprovalGiven(1, "drawer.no_sale", "cashier-1", "manager-1", "badge", times=4),
    PinChanged("cashier-1", "5ea1ed", "ab" * 32, "2026-11-22"),
    PinGuessed(0, "cashier-1", 10, 640),
    SoftwareChanged("1.0.0", "1.1.0", "update"),
    TrainingSold(1, a_sale()),
    MemberJoined(1, "m" + "0a" * 12, ("identify", "contact"), "1"),
    UnknownEvent("till.counted", {"minor": 5, "notes": [1, 2]}),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event.type))
def test_an_event_survives_the_journal(event: Event) -> None:
    data = json.loads(canonical_bytes({"data": event_data(event)}))["data"]
    assert parse_event(event.type, data) == event


def test_each_known_event_is_shown_above() -> None:
    assert {type(event) for event in EVENTS} == {*KNOWN_EVENTS, UnknownEvent}


def test_a_sale_of_before_offers_reads_as_one_without() -> None:
    data = event_data(SALE)
    assert {"offers", "coupons"}.isdisjoint(data["sale"])
    assert "offer_disc_minor" not in data["sale"]["totals"]
    assert {"tax_bp", "tax_minor"}.isdisjoint(data["sale"]["lines"][0])
    assert all(
        {"base_minor", "units"}.isdisjoint(modifier)
        for line in data["sale"]["lines"]
        for modifier in line.get("modifiers", ())
    )
    assert parse_event(SALE.type, data) == SALE


def test_fields_of_newer_software_are_ignored() -> None:
    data = event_data(SALE)
    data["later"] = data["sale"]["later"] = data["sale"]["lines"][0]["later"] = {"x": 1}
    assert parse_event("sale.completed", data) == SALE


def test_an_event_that_lacks_something_is_refused_with_the_place() -> None:
    data = event_data(SALE)
    del data["sale"]["lines"][1]["gross_minor"]
    with pytest.raises(RefusedError) as refused:
        parse_event("sale.completed", data)
    assert refused.value.code == "wire.event"
    assert refused.value.params == {"kind": "sale.completed", "field": "sale.lines.1.gross_minor"}


@pytest.mark.parametrize("data", [{}, {"sale": None}, {"sale": []}, {"sale": "x"}])
def test_what_is_no_sale_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match=r"wire\.event"):
        parse_event("sale.completed", data)


def test_a_body_reads_as_data() -> None:
    assert parse_body(b'{"a":[1,"x",null]}') == {"a": [1, "x", None]}
    assert parse_body(rb'{"a":"\ud83d\ude00 \\ud800"}') == {"a": "😀 \\ud800"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b"{",
        b"\xff",
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":["\\uDC00"]}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_no_body_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match=r"wire\.body"):
        parse_body(body)


def test_each_known_event_has_a_schema() -> None:
    schemas = event_schemas()
    assert set(schemas) == {kind.type for kind in KNOWN_EVENTS}
    assert all(schema["type"] == "object" for schema in schemas.values())
