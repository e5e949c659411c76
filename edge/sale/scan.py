"""What a code does that was scanned or typed: an item, a member, a coupon, or unknown."""

from __future__ import annotations

from dataclasses import replace

from edge.desk.state import LaneState, LastScan, ScanKind, Turn
from edge.device.pairing import PAIRING_CODE, is_pairing_code
from edge.sale.commands import GiveBackCoupon, HandInCoupon, ScanCode
from edge.sale.goods import Scanned, Unknown, named_by
from edge.sale.members import shown_card
from edge.sale.pricing import book_of, offers_of
from edge.sale.shop import Shop, changed, open_basket, refuse_unready, revision_of
from edge.sale.weigh import begin_weighing, waits_for_other
from edge.texts import storable
from shared.item.barcode import MemberCard, shown_code
from shared.item.item import Item
from shared.kernel.errors import RefusedError
from shared.sale.basket import Basket, BasketLine, Weighed, find_coupon
from shared.sale.pricing import listed_lines

UNKNOWN_MAX = 99
CODE_SHOWN_MAX = 64


def scan_code(*, shop: Shop, state: LaneState, command: ScanCode) -> Turn:
    """Do what the code says: sell, name the member, take a coupon, or list it as unknown.

    Never guess; the code of an item stays one, whatever coupons there are.
    """
    refuse_unready(shop, state)
    if is_pairing_code(command.code):
        raise RefusedError(PAIRING_CODE)
    basket = state.basket or shop.new_basket()
    code = storable(shown_code(command.code))[:CODE_SHOWN_MAX]
    match named_by(shop, basket, command, code):
        case Scanned() as scanned:
            return _with_item(shop, state, basket, scanned)
        case MemberCard(number):
            # The card's number is kept nowhere: neither on the screen nor in the sale.
            scan = _scan(state, "member", shown_card(number), None, "")
            member = shop.members.of_card(number)
            return Turn(changed(state, basket.with_member(member), None, scan))
        case Unknown() as unknown if unknown.is_goods:
            return _with_unknown(state, basket, unknown)
        case unknown:
            return _with_other(shop, state, basket, unknown)


def hand_in_coupon(*, shop: Shop, state: LaneState, command: HandInCoupon) -> Turn:
    """Take the code of an offer; it may come before the first item."""
    refuse_unready(shop, state)
    basket = state.basket or shop.new_basket()
    return Turn(changed(state, _with_coupon(shop, basket, command.code), None))


def give_back_coupon(*, shop: Shop, state: LaneState, command: GiveBackCoupon) -> Turn:
    """Take an offer's code out again."""
    basket = open_basket(shop, state).without_coupon_code(command.code)
    return Turn(changed(state, basket, None))


def _with_item(shop: Shop, state: LaneState, basket: Basket, scanned: Scanned) -> Turn:
    item = scanned.item
    if item is None:
        now_ms = shop.clock.now_ms()
        return _with_other(shop, state, basket, Unknown(scanned.code, "item.unknown", now_ms))
    if scanned.has_weight and not item.is_weighed:
        # Two kilograms are not two pieces: label or item master are wrong.
        raise RefusedError("quantity.whole", qty_milli=scanned.qty_milli)
    if item.is_weighed and scanned.is_bare and state.lane in shop.scales:
        return _to_scale(shop, state, basket, scanned, item)
    pinned = replace(basket, revision=revision_of(shop, basket))
    if item.is_weighed and scanned.has_weight:
        label = Weighed("label")
        after = pinned.with_weighed(item, scanned.code, scanned.qty_milli, label)
        after = after.with_pack(after.last_number, scanned.pack)
    else:
        after = pinned.with_item(
            item, scanned.code, scanned.qty_milli, scanned.label_minor, scanned.pack
        )
    kind: ScanKind = "repeat" if len(after.lines) == len(basket.lines) else "item"
    line = next(each for each in after.lines if each not in basket.lines)
    unit_minor = _unit_minor(shop, after, line)
    scan = _scan(state, kind, item.name, unit_minor, scanned.code)
    return Turn(changed(state, after, line.number, scan))


def _to_scale(shop: Shop, state: LaneState, basket: Basket, scanned: Scanned, item: Item) -> Turn:
    """One pan weighs one thing: other goods are listed, so that they are not forgotten."""
    code = scanned.code
    if basket.tenders:
        raise RefusedError("basket.tender_taken")
    if waits_for_other(state, item):
        unknown = Unknown(code, "weigh.other", shop.clock.now_ms())
        return _with_unknown(state, basket, unknown)
    after = begin_weighing(shop=shop, state=state, basket=basket, item=item, code=code)
    assert after.weighing is not None
    return Turn(replace(after, weighing=replace(after.weighing, pack=scanned.pack)))


def _unit_minor(shop: Shop, basket: Basket, line: BasketLine) -> int | None:
    """The line's regular unit price; the basket itself is priced when it is shown."""
    book = book_of(replace(basket, lines=(line,)), shop.catalogue)
    return listed_lines(replace(basket, lines=(line,)), book, basket.opened_at_ms)[0].unit_minor


def _with_other(shop: Shop, state: LaneState, basket: Basket, unknown: Unknown) -> Turn:
    """A code that is no item's: a coupon, or unknown. The same coupon again changes nothing."""
    offers = offers_of(revision_of(shop, basket), shop.catalogue)
    coupon = find_coupon(offers, unknown.code)
    if coupon is None:
        return _with_unknown(state, basket, unknown)
    after = basket if coupon in basket.coupons else _with_coupon(shop, basket, coupon)
    return Turn(changed(state, after, None, _scan(state, "coupon", None, None, coupon)))


def _with_coupon(shop: Shop, basket: Basket, code: str) -> Basket:
    revision = revision_of(shop, basket)
    offers = offers_of(revision, shop.catalogue)
    return replace(basket, revision=revision).with_coupon_code(code, offers)


def _with_unknown(state: LaneState, basket: Basket, unknown: Unknown) -> Turn:
    if len(basket.unknown) >= UNKNOWN_MAX:
        raise RefusedError("basket.full", lines=UNKNOWN_MAX)
    after = basket.with_unknown(unknown.code, unknown.because, unknown.at_ms)
    scan = _scan(state, "unknown", None, None, unknown.code)
    return Turn(changed(state, after, None, scan))


def _scan(
    state: LaneState, kind: ScanKind, name: str | None, price_minor: int | None, code: str
) -> LastScan:
    return LastScan(state.scans + 1, kind, name, price_minor, code)
