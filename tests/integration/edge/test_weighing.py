"""Goods sold by weight at a lane: named, weighed by the box, recorded with the weight's source."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.desk.store import _STATE
from edge.device.ports import DeviceState, Weight, WeightCondition
from edge.sale.commands import (
    GiveUpWeighing,
    ScanCode,
    SetQuantity,
    SetTare,
    Undo,
    WeighByHand,
    WeighItem,
)
from edge.sale.recorded import recorded_sale
from shared.item.barcode import price_label_code
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import check_digit
from shared.sale.basket import Weighed
from shared.sale.pack import PackFacts
from tests.builders import a_gtin
from tests.integration.edge.boxes import WEIGHED_NUMBER, WEIGHED_PLU, item_record, price_record
from tests.integration.edge.lanes import Lane, a_lane

BANANAS = a_gtin(WEIGHED_NUMBER)
WEIGHT_LABEL = "210004200500" + check_digit("210004200500")


class Scale:
    """A scale on which a test lays things."""

    unit = "kg"
    reading: Weight | None = None

    def start(self) -> None:
        raise AssertionError

    def stop(self) -> None:
        raise AssertionError

    def state(self) -> DeviceState:
        raise AssertionError

    def weight(self) -> Weight | None:
        return self.reading

    def zero(self) -> bool:
        raise AssertionError

    def shows(self, milli: int, condition: WeightCondition = "stable") -> None:
        self.reading = Weight(condition, milli, 0)


@pytest.fixture
def scale() -> Scale:
    return Scale()


@pytest.fixture
def lane(tmp_path: Path, scale: Scale) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        made.shop = replace(made.shop, scales={1: scale})
        made.publish(price_record(WEIGHED_NUMBER, 1000, 900))
        yield made


def refusal(lane: Lane, command: object) -> str:
    with pytest.raises(RefusedError) as refused:
        lane.do(command)
    return refused.value.code


def test_weighed_goods_wait_for_the_scale_and_then_stand_in_the_basket(
    lane: Lane, scale: Scale
) -> None:
    lane.scan(BANANAS)
    assert lane.state.basket is None
    assert lane.state.last_scan is not None
    assert (lane.state.last_scan.kind, lane.state.last_scan.price_minor) == ("weigh", 1000)
    assert refusal(lane, WeighItem()) == "scale.absent"
    scale.shows(0, "moving")
    assert refusal(lane, WeighItem()) == "scale.moving"
    for _ in range(2):  # the same weight twice is two packs of the same weight
        scale.shows(355)
        lane.do(WeighItem())
        assert lane.state.weighing is None
        lane.scan(BANANAS)
    lane.do(GiveUpWeighing())
    assert [line.qty_milli for line in lane.basket().lines] == [355, 355]
    lane.pay(2 * 355)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert [line.weighed for line in sale.lines] == [Weighed("scale")] * 2
    assert sale.totals.net_minor == 710


def test_a_container_is_taken_off(lane: Lane, scale: Scale) -> None:
    lane.scan(BANANAS)
    scale.shows(20)
    lane.do(SetTare(None))
    scale.shows(520)
    lane.do(WeighItem())
    lane.scan(BANANAS)
    lane.do(SetTare(35))
    assert refusal(lane, SetTare(10_000)) == "scale.tare_range"
    lane.do(WeighItem())
    lines = lane.basket().lines
    assert [(line.qty_milli, line.weighed.tare_milli) for line in lines] == [(500, 20), (485, 35)]


def test_a_weight_keyed_in_is_marked_and_none_is_typed_over(lane: Lane, scale: Scale) -> None:
    lane.scan(BANANAS)
    assert refusal(lane, WeighByHand(100_000)) == "quantity.range"
    lane.do(WeighByHand(1250))
    assert lane.basket().lines[0].weighed == Weighed("manual")
    assert refusal(lane, SetQuantity(1, 900)) == "quantity.weighed"
    lane.do(Undo())
    assert lane.basket().lines == ()
    assert refusal(lane, WeighItem()) == "weigh.nothing_waits"


def test_nothing_is_paid_while_goods_wait_and_other_weighed_goods_are_listed(lane: Lane) -> None:
    lane.publish(item_record(43, "Pears", is_weighed=True, plu="00043"), price_record(43, 800))
    lane.scan(a_gtin(3), BANANAS, BANANAS, a_gtin(4), a_gtin(43))
    assert lane.state.weighing is not None
    assert lane.state.weighing.item.name == "Bananas"
    assert [line.item.name for line in lane.basket().lines] == ["Item 3", "Item 4"]
    with pytest.raises(RefusedError):
        lane.pay(700)
    [unknown] = lane.basket().unknown
    assert (unknown.code, unknown.because) == (a_gtin(43), "weigh.other")


def test_a_short_number_names_weighed_goods_only_where_a_person_typed_it(lane: Lane) -> None:
    lane.do(ScanCode("42", is_typed=True))
    assert lane.state.weighing is not None
    lane.do(GiveUpWeighing())
    lane.scan(WEIGHED_PLU)
    assert lane.state.weighing is None
    assert [each.code for each in lane.basket().unknown] == [WEIGHED_PLU]


def test_a_label_with_a_weight_needs_no_scale(lane: Lane) -> None:
    lane.scan(WEIGHT_LABEL)
    [line] = lane.basket().lines
    assert (line.qty_milli, line.weighed) == (500, Weighed("label"))


def test_what_waits_is_still_there_after_a_restart(lane: Lane) -> None:
    lane.scan(BANANAS)
    assert _STATE.validate_json(_STATE.dump_json(lane.state)) == lane.state


def test_a_lane_without_a_scale_sells_a_bare_code_as_before(lane: Lane) -> None:
    lane.shop = replace(lane.shop, scales={})
    lane.scan(BANANAS)
    assert [line.qty_milli for line in lane.basket().lines] == [1000]


def test_the_lot_of_weighed_goods_is_kept_while_they_wait(lane: Lane, scale: Scale) -> None:
    lane.scan(f"]d201{BANANAS.zfill(14)}10L7")
    lane.state = _STATE.validate_json(_STATE.dump_json(lane.state))
    scale.shows(355)
    lane.do(WeighItem())
    (line,) = lane.basket().lines
    assert line.pack == PackFacts(lot="L7")


def test_nothing_is_put_on_the_scale_once_money_was_taken(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.pay(1)
    assert refusal(lane, ScanCode(BANANAS)) == "basket.tender_taken"
    assert lane.state.weighing is None


def test_two_kilograms_are_not_two_pieces(lane: Lane) -> None:
    lane.publish(item_record(44, "Melon", plu="00044"), price_record(44, 300))
    label = "210004402000"
    assert refusal(lane, ScanCode(label + check_digit(label))) == "quantity.whole"


def test_a_label_that_says_nothing_to_pay_is_not_sold(lane: Lane) -> None:
    lane.scan(price_label_code(WEIGHED_PLU, 0))
    assert lane.basket().lines == ()
    assert [each.because for each in lane.basket().unknown] == ["barcode.price_range"]


def test_goods_that_wait_at_a_box_that_was_replaced_can_be_given_up(lane: Lane) -> None:
    lane.scan(BANANAS)
    lane.shop = replace(lane.shop, is_retiring=lambda: True)
    assert refusal(lane, WeighItem()) == "box.retiring"
    lane.do(GiveUpWeighing())
    assert lane.state.weighing is None
