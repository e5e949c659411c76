"""Golden baskets (`promo-cases/1`): a file of worked cases as values of the pricing engine.

A case says what is in the basket, which promotions run, who buys and when, and what it must
cost. Only the shape of the file is checked here; a case that cannot be understood raises
CaseError when it is read, so that one of them never hides the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cloud.price.case_offers import offer_of
from cloud.price.case_times import epoch_ms, parse_time, second_of
from cloud.price.case_words import CaseError, Words, decimal_of, milli_of, words_of
from shared.kernel.errors import RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.price.context import (
    Allocation,
    CouponState,
    MemberStanding,
    PriceContext,
    PriceLine,
    PricePolicy,
    PricingInstant,
    Rounding,
)
from shared.price.offer import Offer, PercentBase

FORMAT = "promo-cases/1"
MUST, POLICY = "must", "policy"
UNDATED = "2026-06-17T12:00:00+08:00"
"""When a case happens that does not say: any instant does, its offers ask for none."""
WEIGHT_UOM = "kg"
REPRICE = "reprice"
MODES = frozenset({"percent_base", "op", "basis", "pairing", "pick", "order", "choose"})
"""Words of promotions that choose among ways of counting, each with a default."""


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of one line that come back, in thousandths."""

    line: int
    qty_milli: int


@dataclass(frozen=True, slots=True)
class Case:
    """One basket with all that its price depends on; `names[n]` is the name of line n."""

    names: tuple[str, ...]
    lines: tuple[PriceLine, ...]
    offers: tuple[Offer, ...]
    context: PriceContext
    at: PricingInstant
    policy: PricePolicy
    is_repriced: bool
    """Returns give back what the kept goods no longer cost, not the paid share."""
    returns: tuple[Return, ...]


def read_cases(path: Path) -> tuple[Mapping[str, Any], ...]:
    """Read the cases of a file as they stand, in order.

    Raises OSError when there is no such file, RefusedError `price.cases_json` when it is not
    JSON and `price.cases_format` when it is not `promo-cases/1`.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise RefusedError("price.cases_json", path=str(path), because=str(error)) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise RefusedError("price.cases_format", path=str(path), format=FORMAT)
    cases = found.get("cases")
    if not isinstance(cases, list):
        raise RefusedError("price.cases_format", path=str(path), format=FORMAT)
    return tuple(each if isinstance(each, dict) else {"basket": each} for each in cases)


def case_of(raw: Mapping[str, Any], *, by_default_rules: bool = False) -> Case:
    """Read one case; CaseError says what cannot be understood.

    By default rules the case's options are left aside, except that its prices include tax or
    not: that is a fact about the prices, not a rule.
    """
    words = words_of(raw, "")
    stated = words.object("options")
    is_gross = stated.flag("prices_include_tax", default=True)
    options = Words("options", {}) if by_default_rules else stated
    basket = words.each("basket", lambda line: line)
    lines = tuple(_line_of(line, index) for index, line in enumerate(basket))
    names = tuple(_name_of(line, index) for index, line in enumerate(basket))
    base = options.choice("percent_base", PercentBase, PercentBase.CURRENT)
    return Case(
        names=names,
        lines=lines,
        offers=_offers_of(words, base),
        context=_context_of(words),
        at=_instant_of(words),
        policy=replace(_policy_of(options), prices_include_tax=is_gross),
        is_repriced=_is_repriced(options),
        returns=words.each("returns", lambda back: _return_of(back, names, lines)),
    )


def _offers_of(words: Words, base: PercentBase) -> tuple[Offer, ...]:
    offers = words.each("promotions", lambda promotion: offer_of(promotion, base))
    if len({offer.id for offer in offers}) < len(offers):
        raise CaseError("two promotions have one id")
    return offers


def without_modes(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the case with every mode that its promotions choose left to its default."""
    promotions = raw.get("promotions")
    if not isinstance(promotions, list):
        return raw
    return {**raw, "promotions": [_without(each, MODES) for each in promotions]}


def _without(raw: Any, modes: frozenset[str]) -> Any:  # noqa: ANN401 - JSON is anything
    if isinstance(raw, list):
        return [_without(each, modes) for each in raw]
    if not isinstance(raw, dict):
        return raw
    return {name: _without(each, modes) for name, each in raw.items() if name not in modes}


def _name_of(words: Words, index: int) -> str:
    return words.text("line") or words.text("sku") or str(index)


def _line_of(words: Words, index: int) -> PriceLine:
    qty = decimal_of(words.get("qty") if words.has("qty") else 1, words.at("qty"))
    is_weighed = words.flag("weighed", default=_looks_weighed(words.get("qty"), qty))
    unit_minor = words.whole("unit_price")
    return PriceLine(
        key=index,
        sku=words.text("sku") or _name_of(words, index),
        qty_milli=milli_of(qty),
        unit_minor=unit_minor,
        category=words.text("category"),
        tags=words.names("tags"),
        is_weighed=is_weighed,
        uom=words.text("uom", WEIGHT_UOM if is_weighed else ""),
        # A line that was counted down to nothing is no goods, and no unit of any set.
        is_promotable=words.flag("promotable", default=True) and qty != 0,
        floor_unit_minor=words.whole("min_unit_price", 0),
        tax_bp=words.whole("tax_bp", 0),
        list_minor=_list_minor(qty, unit_minor),
    )


def _looks_weighed(raw: object, qty: Decimal) -> bool:
    return isinstance(raw, str) or qty != qty.to_integral_value()


def _list_minor(qty: Decimal, unit_minor: int) -> int | None:
    """Return the line's amount where thousandths are too coarse to give it."""
    if qty * ONE_MILLI == milli_of(qty):
        return None
    return int((qty * unit_minor).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _return_of(words: Words, names: tuple[str, ...], lines: tuple[PriceLine, ...]) -> Return:
    name = words.text("line")
    if name not in names:
        raise CaseError(f"{words.at('line')}: no line {name!r} in the basket")
    line = names.index(name)
    return Return(line, words.milli("qty") if words.has("qty") else lines[line].qty_milli)


def _policy_of(options: Words) -> PricePolicy:
    return PricePolicy(
        rounding=options.choice("rounding", Rounding, Rounding.HALF_UP),
        allocation=options.choice("allocation", Allocation, Allocation.LARGEST_REMAINDER),
    )


def _is_repriced(options: Words) -> bool:
    policy = options.text("return_policy", "paid_share")
    if policy not in {"paid_share", REPRICE}:
        place = options.at("return_policy")
        raise CaseError(f"{place} is {policy!r}, known are paid_share, {REPRICE}")
    return policy == REPRICE


def _context_of(words: Words) -> PriceContext:
    history = words.object("history")
    return PriceContext(
        member=_member_of(words),
        coupons=_coupons_of(words),
        orders_before=history.whole("orders_before", 0),  # a case without history starts one
        member_uses=_counts_of(history.object("member_uses")),
        member_units=_counts_of(history.object("member_units")),
    )


def _member_of(words: Words) -> MemberStanding | None:
    if not words.has("member"):
        return None
    member = words.object("member")
    return MemberStanding(member.text("id"), member.text("tier"), member.names("groups"))


def _counts_of(words: Words) -> Mapping[str, int]:
    return {offer: words.whole(offer, 0) for offer in words.raw}


def _coupons_of(words: Words) -> Mapping[str, CouponState]:
    """Read the coupons; a code given twice is one coupon, valid when either is."""
    found: dict[str, CouponState] = {}
    for code, state in words.each("coupons", _coupon_of):
        if found.get(code) is not CouponState.VALID:
            found[code] = state
    return found


def _coupon_of(words: Words) -> tuple[str, CouponState]:
    state = words.text("state", CouponState.VALID.value).lower()
    # Whatever else has become of a coupon, it is not valid any more.
    known = state in CouponState.__members__.values()
    return words.text("code"), CouponState(state) if known else CouponState.EXPIRED


def _instant_of(words: Words) -> PricingInstant:
    at = parse_time(words.text("at", UNDATED), "at")
    zone = _zone_of(words) or at.tzinfo or ZoneInfo("UTC")
    local = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    return PricingInstant(epoch_ms(local), local.date(), second_of(local))


def _zone_of(words: Words) -> tzinfo | None:
    name = words.text("tz")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise CaseError(f"tz: unknown time zone {name!r}") from None
