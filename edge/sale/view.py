"""From a lane's state to what its screen shows: pure, JSON-able, whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edge.desk.state import DoneSale, LaneState, LastScan, Weighing
from edge.sale.offers import coupons_shown, price_and_hint
from edge.sale.pricing import Catalogue, PriceSources, offers_of
from edge.texts import FALLBACK_LOCALE
from shared.kernel.money import Currency, quick_cash
from shared.kernel.quantity import ONE_MILLI
from shared.kernel.rounding import NO_ROUNDING, CashRounding
from shared.price.wording import name_of
from shared.sale.basket import Basket
from shared.sale.line_price import OFFER, PriceModifier
from shared.sale.pricing import PricedBasket, PricedLine
from shared.sale.settle import asked_minor, remaining_minor
from shared.sale.tender import TenderKind

NOTHING_PROMOTED: dict[str, Any] = {
    "has_offers": False,
    "offers": [],
    "coupons": [],
    "hints": [],
}
LaneCondition = str
"""locked, day_closed, selling or done."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every lane of the store shows beside its own state."""

    store_id: str
    store_name: str
    currency: Currency
    business_date: str | None
    revision: int
    price_changes: Sequence[dict[str, Any]]
    language: str = FALLBACK_LOCALE
    tenders: Collection[str] = tuple(kind.value for kind in TenderKind)
    """The ways to pay that the store takes now."""
    rounding: CashRounding = NO_ROUNDING


def present(state: LaneState, around: Surroundings, sources: PriceSources) -> dict[str, Any]:
    """The LaneView that is pushed to the screens of a lane."""
    basket = state.basket or Basket("", 0)
    priced, hints = price_and_hint(basket, sources, around.language)
    blocked_by = "weighing" if state.weighing else _blocked_by(basket, priced, around)
    remaining = remaining_minor(priced.due_minor, basket.tenders)
    rule = around.rounding if TenderKind.CASH.value in around.tenders else NO_ROUNDING
    cash = asked_minor(priced.due_minor, basket.tenders, TenderKind.CASH, rule)
    operator = state.operator
    return {
        "seq": state.seq,
        "lane": state.lane,
        "lane_name": str(state.lane),
        "store": {"id": around.store_id, "name": around.store_name},
        "business_date": around.business_date,
        "currency": around.currency.code,
        "state": _condition(state, around),
        "operator": operator and {"id": operator.id, "name": operator.name, "role": operator.role},
        "permissions": list(operator.permissions) if operator else [],
        "approvable": list(operator.approvable) if operator else [],
        "approval": None,
        "badge": None,
        "basket": _basket(basket, priced, remaining, around.language)
        | _promoted(basket, priced, sources.catalogue, around)
        | {"hints": [asdict(each) for each in hints]},
        "weighing": _weighing(state.weighing),
        "touched_line": state.touched_line,
        "scans": state.scans,
        "last_scan": _last_scan(state.last_scan),
        "cash_due_minor": cash,
        "quick_cash": _quick_cash(cash, around),
        "tenders": sorted(around.tenders),
        "can_pay": blocked_by is None,
        "pay_blocked_by": blocked_by,
        "age_asked": basket.age_asked,
        "can_undo": state.can_undo,
        "done": _done(state.done),
        "doubtful": state.doubtful,
        "revision": basket.revision or around.revision,
        "price_changes": list(around.price_changes),
    }


def _quick_cash(cash_due: int, around: Surroundings) -> list[int]:
    takes_cash = TenderKind.CASH.value in around.tenders
    return list(quick_cash(cash_due, around.currency)) if takes_cash else []


def locked(view: dict[str, Any]) -> dict[str, Any]:
    """The same lane for a screen that nobody has signed in at: neither goods nor people."""
    return {
        **view,
        "state": "locked",
        "operator": None,
        "permissions": [],
        "approvable": [],
        "approval": None,
        "basket": _basket(Basket("", 0), PricedBasket((), 0, 0, 0, 0), 0) | NOTHING_PROMOTED,
        "member_digits": "",
        "weighing": None,
        "touched_line": None,
        "last_scan": None,
        "cash_due_minor": 0,
        "quick_cash": [],
        "can_pay": False,
        "pay_blocked_by": "empty",
        "age_asked": 0,
        "can_undo": False,
        "done": None,
        "doubtful": "",
    }


def _condition(state: LaneState, around: Surroundings) -> LaneCondition:
    if state.operator is None:
        return "locked"
    if around.business_date is None:
        return "day_closed"
    return "selling" if state.done is None else "done"


def _blocked_by(basket: Basket, priced: PricedBasket, around: Surroundings) -> str | None:
    if around.business_date is None:
        return "day_closed"
    if basket.unknown:
        return "unknown_codes"
    if not basket.lines:
        return "empty"
    if priced.needs_price:
        return "needs_price"
    return "age" if basket.age_asked else None


def _basket(
    basket: Basket, priced: PricedBasket, remaining: int, language: str = FALLBACK_LOCALE
) -> dict[str, Any]:
    names = {each.offer.id: name_of(each.offer, language) for each in priced.applied}
    return {
        "id": basket.id,
        "opened_at_ms": basket.opened_at_ms,
        "revision": basket.revision,
        "member": basket.member,
        "lines": [_line(line, names) for line in priced.lines],
        "unknown": [
            {"n": each.number, "code": each.code, "because": each.because, "at_ms": each.at_ms}
            for each in basket.unknown
        ],
        "count": sum(max(1, line.qty_milli // ONE_MILLI) for line in basket.lines),
        "gross_minor": priced.gross_minor,
        "savings": _savings(priced),
        "due_minor": priced.due_minor,
        "tenders": [
            {"kind": tender.kind.value, "amount_minor": tender.amount_minor}
            for tender in basket.tenders
        ],
        "remaining_minor": remaining,
    }


def _promoted(
    basket: Basket, priced: PricedBasket, catalogue: Catalogue, around: Surroundings
) -> dict[str, Any]:
    """What offers did to the basket, by name; amounts are negative."""
    return {
        # Whether to keep room for what offers say: the revision has some.
        "has_offers": bool(offers_of(basket.revision or around.revision, catalogue).rules),
        "offers": [
            {
                "id": each.offer.id,
                "name": name_of(each.offer, around.language),
                "amount_minor": -each.amount_minor,
                "times": each.times,
            }
            for each in priced.applied
        ],
        "coupons": coupons_shown(basket, priced, catalogue, around.language),
    }


def _line(priced: PricedLine, names: Mapping[str, str]) -> dict[str, Any]:
    line = priced.line
    return {
        "n": line.number,
        "gtin": line.item.gtin,
        "name": line.item.name,
        "qty_milli": line.qty_milli,
        "is_weighed": line.item.is_weighed,
        "unit_minor": priced.unit_minor,
        "gross_minor": priced.gross_minor,
        "net_minor": priced.net_minor,
        "needs_price": priced.needs_price,
        "is_overridden": line.override is not None,
        "weighed": line.weighed and asdict(line.weighed),
        "modifiers": [
            {
                "kind": modifier.kind,
                "amount_minor": modifier.amount_minor,
                "because": modifier.because,
                "params": _params(modifier, names),
            }
            for modifier in priced.modifiers
        ],
    }


def _weighing(weighing: Weighing | None) -> dict[str, Any] | None:
    if weighing is None:
        return None
    return {
        "gtin": weighing.item.gtin,
        "name": weighing.item.name,
        "unit_minor": weighing.unit_minor,
        "tare_milli": weighing.tare_milli,
    }


def _params(modifier: PriceModifier, names: Mapping[str, str]) -> dict[str, str]:
    if not modifier.reference:
        return {}
    name = {"name": names[modifier.reference]} if modifier.kind == OFFER else {}
    return {"reference": modifier.reference, **name}


def _savings(priced: PricedBasket) -> list[dict[str, Any]]:
    sums: dict[str, int] = {}
    for line in priced.lines:
        for modifier in line.modifiers:
            sums[modifier.kind] = sums.get(modifier.kind, 0) + modifier.amount_minor
    return [{"kind": kind, "amount_minor": amount} for kind, amount in sums.items()]


def _last_scan(scan: LastScan | None) -> dict[str, Any] | None:
    if scan is None:
        return None
    return {
        "no": scan.no,
        "kind": scan.kind,
        "name": scan.name,
        "price_minor": scan.price_minor,
        "code": scan.code,
    }


def _done(done: DoneSale | None) -> dict[str, Any] | None:
    if done is None:
        return None
    return {
        "receipt_no": done.receipt_no,
        "due_minor": done.due_minor,
        "tendered_minor": done.tendered_minor,
        "change_minor": done.change_minor,
        "rounding_minor": done.rounding_minor,
        "tenders": [
            {"kind": tender.kind, "amount_minor": tender.amount_minor} for tender in done.tenders
        ],
        "receipt_text": done.receipt_text,
        "print": done.print,
        "printer": done.printer,
    }
