"""A lane under what head office set up: tax by class and date, ways to pay, lines of receipts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.fleet_settings import FleetParts, FleetSettings, FleetState, load_with_fleet
from edge.house_rules import HouseRules
from edge.receipt.layout import zone_of
from edge.sale.dated_catalogue import DatedCatalogue
from edge.sale.recorded import recorded_sale
from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, RecordKind
from shared.sale.tender import TenderKind
from tests.builders import a_gtin
from tests.integration.edge.boxes import item_record, price_record
from tests.integration.edge.lanes import Lane, a_lane

CARD = TenderKind.CARD


def setting(key: str, value: Any) -> Record:
    return Record(RecordKind.CONFIG, key, {"dated": [["", value]]})


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        shop, zone = made.shop, zone_of("America/New_York")
        rules = HouseRules(made.replica, zone, shop.clock)
        made.shop = replace(
            shop,
            catalogue=DatedCatalogue(made.replica, rules.dated),
            layout=replace(shop.layout, texts_at=rules.receipt_texts),
            takes=rules.takes,
            rounding=rules.rounding,
        )
        yield made


def test_a_way_to_pay_that_is_switched_off_is_refused(lane: Lane) -> None:
    lane.publish(setting("payment@c", {"tenders": ["card"]}))
    lane.scan(a_gtin(3))
    with pytest.raises(RefusedError, match=r"tender\.off"):
        lane.pay(300)
    lane.publish(setting("payment", {"tenders": ["cash"]}))
    with pytest.raises(RefusedError, match=r"tender\.off"):
        lane.pay(300, CARD)
    lane.pay(300)
    assert lane.state.done is not None


def test_cash_is_rounded_as_the_store_is_told(lane: Lane) -> None:
    lane.publish(price_record(3, 302), setting("rounding@c", {"step_minor": 5}))
    lane.scan(a_gtin(3))
    lane.pay(500)
    done = lane.state.done
    assert done is not None
    assert (done.due_minor, done.rounding_minor, done.change_minor) == (302, -2, 200)


def test_a_setting_of_the_box_comes_with_the_prices_and_counts_after_a_restart(
    lane: Lane, tmp_path: Path
) -> None:
    rules = HouseRules(lane.replica, zone_of("America/New_York"), lane.shop.clock)
    chain, store = {"value": "zh-TW"}, {"value": 90}
    lane.publish(setting("box/box.locale@c", chain), setting("box/drawer.left_open_s", store))
    told: list[int] = []
    box = FleetSettings(
        FleetParts(
            settings=load_with_fleet(tmp_path),
            wanted=rules.box_field,
            live={"drawer.left_open_s": told.append},
            clock=lane.shop.clock,
            may_restart=lambda: False,
            restart=lambda: None,
        )
    )
    assert box.look() == FleetState(pending=("box.locale",))
    assert told == [90]
    again = load_with_fleet(tmp_path)
    assert (again.box.locale, again.drawer.left_open_s) == ("zh-TW", 90)


def test_the_tax_of_a_class_is_that_of_the_receipt(lane: Lane) -> None:
    record = item_record(3)
    assert record.body is not None
    classed = Record(RecordKind.ITEM, record.key, {**record.body, "tax_class": "food"})
    lane.publish(classed, setting("tax/food@c", {"rate_bp": 900}))
    lane.scan(a_gtin(3))
    lane.pay(300)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert [(line.tax_bp, line.tax_minor) for line in sale.lines] == [(900, 25)]


def test_receipts_bear_the_lines_of_head_office(lane: Lane) -> None:
    texts = {
        "header": {"en": ["1 Main Street", "Open 7 to 23"]},
        "returns": {"en": ["Goods may be brought back within 7 days."]},
        "footer": {"zh-CN": ["欢迎再来"]},
    }
    lane.publish(setting("receipt@z", texts), price_record(3, 350))
    lane.scan(a_gtin(3))
    lane.pay(350)
    assert lane.state.done is not None
    rows = [row.strip() for row in lane.state.done.receipt_text.split("\n")]
    assert rows[1:3] == ["1 Main Street", "Open 7 to 23"]
    end = rows.index("Goods may be brought back within 7 days.")
    assert rows[end + 1] == "欢迎再来"
