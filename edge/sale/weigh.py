"""Goods that are sold by weight: named first, then weighed, and only then in the basket.

The weight is taken from the scale by the box, at the instant of the cashier's word; a screen only
shows it.  Where a lane has no scale, nothing here happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge.desk.desk import Desk
from edge.desk.state import LaneState, LastScan, Turn, Weighing
from edge.device.ports import ScalePort, Weight
from edge.sale.commands import GiveUpWeighing, SetTare, WeighByHand, WeighItem
from edge.sale.shop import Shop, changed, operator_of, refuse_unready, revision_of
from shared.item.item import Item
from shared.kernel.errors import RefusedError
from shared.kernel.quantity import extended_minor
from shared.price.price_book import price_at
from shared.sale.basket import Basket, Weighed

TARE_MILLI_MAX = 9_999
BY_HAND_MILLI_MAX = 99_999
_REFUSED_AS = {
    "zero": "scale.empty",
    "under": "scale.under",
    "over": "scale.over",
    "stable": None,
}


def begin_weighing(
    *, shop: Shop, state: LaneState, basket: Basket, item: Item, code: str
) -> LaneState:
    """The lane with goods that wait for their weight; the same goods again change nothing else."""
    at_ms = basket.opened_at_ms
    price = price_at(shop.catalogue.dated_prices(item.gtin, revision_of(shop, basket)), at_ms)
    unit_minor = None if price is None else price.regular_minor
    before = state.weighing
    tare_milli = before.tare_milli if before is not None else 0
    scan = LastScan(state.scans + 1, "weigh", item.name, unit_minor, code)
    return replace(
        state,
        weighing=Weighing(item, code, unit_minor, tare_milli),
        scans=scan.no,
        last_scan=scan,
        touched_line=None,
        done=None,
    )


def waits_for_other(state: LaneState, item: Item) -> bool:
    """Whether other goods wait already: one pan weighs one thing."""
    return state.weighing is not None and state.weighing.item.gtin != item.gtin


def weigh_item(*, shop: Shop, state: LaneState, command: WeighItem) -> Turn:
    """Sell what waits with the scale's weight, or say why that weight is none."""
    del command
    weighing = _waiting(shop, state)
    net_milli = net_weight(_read(shop, state.lane), weighing.tare_milli)
    weighed = Weighed("scale", weighing.tare_milli, _unit(shop, state.lane))
    return _sell(shop, state, net_milli, weighed)


def weigh_by_hand(*, shop: Shop, state: LaneState, command: WeighByHand) -> Turn:
    """Sell what waits with a weight that somebody read elsewhere; the line says so for ever."""
    _waiting(shop, state)
    if not 0 < command.net_milli <= BY_HAND_MILLI_MAX:
        raise RefusedError("quantity.range", qty_milli=command.net_milli)
    return _sell(shop, state, command.net_milli, Weighed("manual", 0, _unit(shop, state.lane)))


def set_tare(*, shop: Shop, state: LaneState, command: SetTare) -> Turn:
    """Take a container off: its known weight, or the empty one on the scale."""
    weighing = _waiting(shop, state)
    tare_milli = command.tare_milli
    if tare_milli is None:
        tare_milli = net_weight(_read(shop, state.lane), 0)
    if not 0 <= tare_milli <= TARE_MILLI_MAX:
        raise RefusedError("scale.tare_range", tare_milli=tare_milli)
    return Turn(replace(state, weighing=replace(weighing, tare_milli=tare_milli)))


def give_up_weighing(*, shop: Shop, state: LaneState, command: GiveUpWeighing) -> Turn:
    """Forget the goods that wait, also where nothing may be sold: they were in no basket."""
    del shop, command
    operator_of(state)
    if state.weighing is None:
        raise RefusedError("weigh.nothing_waits")
    return Turn(replace(state, weighing=None))


def net_weight(weight: Weight | None, tare_milli: int) -> int:
    """What may be charged, in thousandths of the unit.

    Raises RefusedError `scale.absent`, `scale.moving`, `scale.empty`, `scale.under`,
    `scale.over`, `scale.own_tare` or `scale.tare_above`.
    """
    if weight is None:
        raise RefusedError("scale.absent")
    code = _REFUSED_AS.get(weight.condition, "scale.moving")
    if code is not None:
        raise RefusedError(code)
    if weight.is_net and tare_milli:
        raise RefusedError("scale.own_tare")
    if weight.weight_milli <= tare_milli:
        raise RefusedError("scale.tare_above", tare_milli=tare_milli)
    return weight.weight_milli - tare_milli


def scale_shown(scale: ScalePort, weighing: Weighing | None) -> dict[str, Any]:
    """What a screen shows of the lane's scale; `amount_minor` at the item's own price.

    While nothing waits it is only told how the scale is, not every gram.
    """
    weight = scale.weight()
    condition: str = "absent" if weight is None else weight.condition
    if weighing is None:
        return {"condition": "absent" if weight is None else "ready"}
    net_milli = 0
    if weight is not None and weight.condition == "stable":
        net_milli = weight.weight_milli - weighing.tare_milli
        if net_milli <= 0 or (weight.is_net and weighing.tare_milli):
            condition = "own_tare" if weight.is_net else "tare_above"
    is_good = condition == "stable"
    unit_minor = weighing.unit_minor
    return {
        "condition": condition,
        "net_milli": net_milli if is_good else 0,
        "amount_minor": extended_minor(unit_minor, net_milli)
        if is_good and unit_minor is not None
        else None,
    }


def scale_watch(
    shop: Shop, desk: Desk, *, is_automatic: bool
) -> Callable[[int], dict[str, Any] | None]:
    """How a lane's scale is, for its screens; None where it has none.  Answers from memory."""

    def shown(lane: int) -> dict[str, Any] | None:
        scale = shop.scales.get(lane)
        if scale is None:
            return None
        now = scale_shown(scale, desk.state(lane).weighing)
        return {**now, "unit": scale.unit, "is_automatic": is_automatic}

    return shown


def _waiting(shop: Shop, state: LaneState) -> Weighing:
    refuse_unready(shop, state)
    if state.weighing is None:
        raise RefusedError("weigh.nothing_waits")
    return state.weighing


def _unit(shop: Shop, lane: int) -> str:
    scale = shop.scales.get(lane)
    return "kg" if scale is None else scale.unit


def _read(shop: Shop, lane: int) -> Weight | None:
    scale = shop.scales.get(lane)
    return None if scale is None else scale.weight()


def _sell(shop: Shop, state: LaneState, net_milli: int, weighed: Weighed) -> Turn:
    weighing = _waiting(shop, state)
    basket = state.basket or shop.new_basket()
    revision = revision_of(shop, basket)
    item = shop.catalogue.find_item(weighing.item.gtin, revision) or weighing.item
    pinned = replace(basket, revision=revision)
    after = pinned.with_weighed(item, weighing.code, net_milli, weighed)
    after = after.with_pack(after.last_number, weighing.pack)
    turned = changed(replace(state, weighing=None), after, after.lines[-1].number)
    return Turn(turned)
