"""What may be charged of what a scale says, and what the screen shows of it."""

from __future__ import annotations

from typing import Any

import pytest

from edge.desk.state import Weighing
from edge.device.ports import DeviceState, Weight, WeightCondition
from edge.sale.weigh import net_weight, scale_shown
from shared.kernel.errors import RefusedError
from tests.builders import an_item

HAM = an_item(3, name="Ham", is_weighed=True)


class Scale:
    unit = "kg"

    def __init__(self, weight: Weight | None) -> None:
        self._weight = weight

    def start(self) -> None:
        raise AssertionError

    def stop(self) -> None:
        raise AssertionError

    def state(self) -> DeviceState:
        raise AssertionError

    def weight(self) -> Weight | None:
        return self._weight

    def zero(self) -> bool:
        raise AssertionError


def weight(condition: WeightCondition, milli: int = 0, *, is_net: bool = False) -> Weight:
    return Weight(condition, milli, 0, is_net)


@pytest.mark.parametrize(
    ("told", "tare", "code"),
    [
        (None, 0, "scale.absent"),
        (weight("moving"), 0, "scale.moving"),
        (weight("unknown"), 0, "scale.moving"),
        (weight("zero"), 0, "scale.empty"),
        (weight("under"), 0, "scale.under"),
        (weight("over"), 0, "scale.over"),
        (weight("stable", 500, is_net=True), 20, "scale.own_tare"),
        (weight("stable", 20), 20, "scale.tare_above"),
    ],
)
def test_what_is_no_weight_is_refused_with_its_reason(
    told: Weight | None, tare: int, code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        net_weight(told, tare)
    assert refused.value.code == code


def test_the_tare_is_taken_off_once() -> None:
    assert net_weight(weight("stable", 500), 20) == 480
    assert net_weight(weight("stable", 500, is_net=True), 0) == 500


@pytest.mark.parametrize(
    ("told", "tare", "unit", "shown"),
    [
        (None, 0, 1299, ("absent", 0, None)),
        (weight("moving"), 0, 1299, ("moving", 0, None)),
        (weight("stable", 500), 20, 1299, ("stable", 480, 624)),
        (weight("stable", 500), 0, None, ("stable", 500, None)),
        (weight("stable", 20), 20, 1299, ("tare_above", 0, None)),
        (weight("stable", 500, is_net=True), 20, 1299, ("own_tare", 0, None)),
    ],
)
def test_the_screen_shows_net_weight_and_amount(
    told: Weight | None, tare: int, unit: int | None, shown: tuple[Any, ...]
) -> None:
    found = scale_shown(Scale(told), Weighing(HAM, HAM.gtin, unit, tare))
    assert (found["condition"], found["net_milli"], found["amount_minor"]) == shown


def test_without_goods_that_wait_the_screen_only_hears_that_the_scale_is_there() -> None:
    assert scale_shown(Scale(weight("stable", 500)), None) == {"condition": "ready"}
    assert scale_shown(Scale(None), None) == {"condition": "absent"}
