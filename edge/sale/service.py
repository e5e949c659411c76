"""What happens at a lane while it sells: one function per command, each from state to turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from edge.desk.state import (
    Command,
    DoneSale,
    DoneTender,
    Handler,
    LaneState,
    LastScan,
    Operator,
    ScanKind,
    Turn,
)
from edge.ids import Ids
from edge.journal.store import EntryDraft, Journal
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.sale.commands import (
    DismissUnknown,
    GiveBackCoupon,
    HandInCoupon,
    HandInStoreCoupon,
    NotePrint,
    OpenDrawer,
    OverridePrice,
    RemoveLine,
    ReprintReceipt,
    ScanCode,
    SetQuantity,
    TakeTender,
    Undo,
    VoidBasket,
)
from edge.sale.pricing import Catalogue, book_of, price_open_basket
from edge.sale.recorded import recorded_sale
from edge.texts import storable
from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    MemberCard,
    PriceBarcode,
    WeightBarcode,
    parse_barcode,
)
from shared.item.item import Item
from shared.journal.event import BasketVoided, DrawerOpened, Event, ReceiptReprinted, SaleCompleted
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.price.offer_book import EMPTY_BOOK
from shared.sale.basket import (
    Basket,
    BasketLine,
    LineCoupon,
    PriceOverride,
    VoidedLine,
    find_coupon,
)
from shared.sale.pricing import PricedBasket, listed_lines
from shared.sale.settle import Settlement, check_tender, remaining_minor, settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader, complete, refuse_unsellable

UNKNOWN_MAX = 99
CODE_SHOWN_MAX = 64
REASON_UNDO = "undo"


class Effects(Protocol):
    """What follows a fact once it is durable; returns at once."""

    def sale_done(self, lane: int, printed: PrintedSale) -> None:
        """Print the receipt, open the drawer for cash, tell the uplink."""
        ...

    def waits_for_original(self, receipt_no: str) -> bool:
        """Whether it is known that the receipt itself has not come out yet."""
        ...

    def reprint(self, lane: int, printed: PrintedSale) -> None:
        """Print a marked copy, or with `copy` 0 the receipt that never came out."""
        ...

    def open_drawer(self) -> None:
        """Open the drawer."""
        ...


@dataclass(frozen=True, slots=True)
class Shop:
    """What selling works with."""

    journal: Journal
    catalogue: Catalogue
    clock: Clock
    ids: Ids
    layout: ReceiptLayout
    effects: Effects

    def price(self, basket: Basket) -> PricedBasket:
        """What an open basket costs."""
        return price_open_basket(basket, self.catalogue, self.layout.zone)


def sale_handlers(shop: Shop) -> dict[type[Command], Handler]:
    """The function for each command of this room."""
    functions: dict[type[Command], Callable[..., Turn]] = {
        ScanCode: scan_code,
        SetQuantity: set_quantity,
        RemoveLine: remove_line,
        OverridePrice: override_price,
        HandInStoreCoupon: hand_in_store_coupon,
        HandInCoupon: hand_in_coupon,
        GiveBackCoupon: give_back_coupon,
        DismissUnknown: dismiss_unknown,
        Undo: undo,
        TakeTender: take_tender,
        VoidBasket: void_basket,
        ReprintReceipt: reprint_receipt,
        OpenDrawer: open_drawer,
        NotePrint: note_print,
    }
    return {kind: partial(_call, function, shop) for kind, function in functions.items()}


def scan_code(*, shop: Shop, state: LaneState, command: ScanCode) -> Turn:
    """Do what the code says: sell, name the member, take a coupon, or list it as unknown.

    Never guess; the code of an item stays one, whatever coupons there are.
    """
    _refuse_unready(shop, state)
    now_ms = shop.clock.now_ms()
    basket = state.basket or Basket(shop.ids.entry_id(), now_ms)
    code = storable(command.code)[:CODE_SHOWN_MAX]
    match parse_barcode(command.code):
        case ItemBarcode(gtin):
            revision = _revision(shop, basket)
            item = shop.catalogue.find_item(gtin, revision) if revision else None
            return _with_item(shop, state, basket, Scanned(code, item))
        case PriceBarcode(plu, amount_minor):
            item = _find_plu(shop, basket, plu)
            return _with_item(shop, state, basket, Scanned(code, item, label_minor=amount_minor))
        case WeightBarcode(plu, weight_milli):
            item = _find_plu(shop, basket, plu)
            return _with_item(shop, state, basket, Scanned(code, item, qty_milli=weight_milli))
        case MemberCard(number):
            scan = _scan(state, "member", number, None, code)
            return Turn(_changed(state, basket.with_member(number), None, scan))
        case BadBarcode(_, because):
            return _with_other(shop, state, basket, Unknown(code, because, now_ms))


def set_quantity(*, shop: Shop, state: LaneState, command: SetQuantity) -> Turn:
    """Change a line's quantity."""
    basket = _open_basket(shop, state).with_quantity(command.line, command.qty_milli)
    return Turn(_changed(state, basket, command.line))


def remove_line(*, shop: Shop, state: LaneState, command: RemoveLine) -> Turn:
    """Take a line out; it stays recorded with the reason."""
    now_ms = shop.clock.now_ms()
    basket = _open_basket(shop, state).without_line(command.line, command.reason, now_ms)
    return Turn(_changed(state, basket, None))


def override_price(*, shop: Shop, state: LaneState, command: OverridePrice) -> Turn:
    """Give a line its whole amount by hand."""
    override = PriceOverride(
        command.regular_minor, command.member_minor, command.reason, command.approved_by
    )
    basket = _open_basket(shop, state).with_override(command.line, override)
    return Turn(_changed(state, basket, command.line))


def hand_in_store_coupon(*, shop: Shop, state: LaneState, command: HandInStoreCoupon) -> Turn:
    """Take a store coupon for a line."""
    coupon = LineCoupon(command.amount_minor, command.reference)
    basket = _open_basket(shop, state).with_coupon(command.line, coupon)
    return Turn(_changed(state, basket, command.line))


def hand_in_coupon(*, shop: Shop, state: LaneState, command: HandInCoupon) -> Turn:
    """Take the code of an offer; it may come before the first item."""
    _refuse_unready(shop, state)
    basket = state.basket or Basket(shop.ids.entry_id(), shop.clock.now_ms())
    return Turn(_changed(state, _with_coupon(shop, basket, command.code), None))


def give_back_coupon(*, shop: Shop, state: LaneState, command: GiveBackCoupon) -> Turn:
    """Take an offer's code out again."""
    basket = _open_basket(shop, state).without_coupon_code(command.code)
    return Turn(_changed(state, basket, None))


def dismiss_unknown(*, shop: Shop, state: LaneState, command: DismissUnknown) -> Turn:
    """Strike a code off the list of unknown ones; who looks later finds it with the reason."""
    basket = _open_basket(shop, state)
    struck = basket.without_unknown(command.number)
    code = next(each.code for each in basket.unknown if each.number == command.number)
    gone = VoidedLine(command.number, code, "", 0, command.reason, shop.clock.now_ms())
    return Turn(_changed(state, replace(struck, voided=(*struck.voided, gone)), None))


def undo(*, shop: Shop, state: LaneState, command: Undo) -> Turn:
    """Bring back the basket as it was one command ago; what vanishes by it stays recorded."""
    del command
    _refuse_unready(shop, state)
    current = state.basket
    if current is None or not state.can_undo:
        raise RefusedError("basket.nothing_to_undo")
    before = state.before or Basket(current.id, current.opened_at_ms)
    gone = _vanished(current, before, shop.clock.now_ms())
    basket = replace(before, voided=(*current.voided, *gone), last_number=current.last_number)
    return Turn(
        replace(state, basket=basket, before=None, can_undo=False, touched_line=None, done=None)
    )


def take_tender(*, shop: Shop, state: LaneState, command: TakeTender) -> Turn:
    """Record a payment; complete the sale when nothing is left to pay."""
    basket = _open_basket(shop, state)
    priced = shop.price(basket)
    refuse_unsellable(basket, priced)
    tender = Tender(command.kind, command.amount_minor, command.reference)
    left = remaining_minor(priced.due_minor, basket.tenders)
    is_free = left == 0 and command.kind is TenderKind.CASH and command.amount_minor == 0
    if not is_free:
        check_tender(priced.due_minor, basket.tenders, tender)
        basket = basket.with_tender(tender)
    if remaining_minor(priced.due_minor, basket.tenders):
        return Turn(_changed(state, basket, None))
    return _complete(shop, state, basket, priced)


def void_basket(*, shop: Shop, state: LaneState, command: VoidBasket) -> Turn:
    """Give the basket up; the journal keeps that it was."""
    basket = _open_basket(shop, state)
    priced = shop.price(basket)
    event = BasketVoided(state.lane, len(basket.lines), priced.due_minor, command.reason)
    _append(shop, state, event, basket.id)
    return Turn(_empty(state))


def reprint_receipt(*, shop: Shop, state: LaneState, command: ReprintReceipt) -> Turn:
    """Print a marked copy of a receipt of any lane; what never came out is printed itself."""
    receipt_no = command.receipt_no or shop.journal.last_receipt_no(state.lane)
    if receipt_no is None:
        raise RefusedError("receipt.none_yet")
    sale, at_ms = recorded_sale(shop.journal.sale_by_receipt(receipt_no))
    copy = 0
    if not shop.effects.waits_for_original(sale.receipt_no):
        copy = shop.journal.copies_of(sale.receipt_no) + 1
        event = ReceiptReprinted(state.lane, sale.receipt_no, copy)
        _append(shop, state, event, shop.ids.entry_id())
    printed = PrintedSale(sale, at_ms, copy)
    return Turn(state, sale.receipt_no, (partial(shop.effects.reprint, state.lane, printed),))


def open_drawer(*, shop: Shop, state: LaneState, command: OpenDrawer) -> Turn:
    """Open the drawer without a sale; the journal keeps why."""
    _append(shop, state, DrawerOpened(state.lane, command.reason), shop.ids.entry_id())
    return Turn(state, None, (shop.effects.open_drawer,))


def note_print(*, shop: Shop, state: LaneState, command: NotePrint) -> Turn:
    """Show how far the receipt on the screen is; older receipts are the receipt list's matter."""
    del shop
    if state.done is None or state.done.receipt_no != command.receipt_no:
        return Turn(state)
    return Turn(replace(state, done=replace(state.done, print=command.print)))


@dataclass(frozen=True, slots=True)
class Scanned:
    """A code that names an item, with what its label embeds."""

    code: str
    item: Item | None
    qty_milli: int = ONE_MILLI
    label_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A code that names nothing, and why."""

    code: str
    because: str
    at_ms: int


def _call(function: Callable[..., Turn], shop: Shop, state: LaneState, command: Command) -> Turn:
    return function(shop=shop, state=state, command=command)


def _complete(shop: Shop, state: LaneState, basket: Basket, priced: PricedBasket) -> Turn:
    settlement = settle(priced.due_minor, basket.tenders)
    operator = _operator(state)
    receipt_no = shop.journal.next_receipt_no(state.lane)
    header = SaleHeader(receipt_no, state.lane, operator.id, shop.layout.language)
    sale = complete(header, basket, priced, settlement)
    at_ms = _append(shop, state, SaleCompleted(sale), basket.id)
    printed = PrintedSale(sale, at_ms)
    done = done_sale(sale, settlement, shop.layout.text(printed))
    after = partial(shop.effects.sale_done, state.lane, printed)
    return Turn(replace(_empty(state), done=done), receipt_no, (after,))


def done_sale(sale: RetailTransaction, settlement: Settlement, text: str) -> DoneSale:
    """What the screen shows of a completed sale."""
    return DoneSale(
        receipt_no=sale.receipt_no,
        due_minor=settlement.due_minor,
        tendered_minor=sum(tender.amount_minor for tender in settlement.tenders),
        change_minor=settlement.change_minor,
        tenders=tuple(
            DoneTender(tender.kind.value, tender.amount_minor) for tender in settlement.tenders
        ),
        receipt_text=text,
        print="queued",
    )


def _append(shop: Shop, state: LaneState, event: Event, entry_id: str) -> int:
    """Write a fact; gives its time, which is also the receipt's."""
    day, at_ms = shop.journal.day(), shop.clock.now_ms()
    shop.journal.append(
        EntryDraft(
            id=entry_id,
            event=event,
            actor=_operator(state).id,
            till=str(state.lane),
            biz=day.biz if day is not None and day.is_open else "",
            at_ms=at_ms,
            cat=state.basket.revision if state.basket else shop.catalogue.active_revision(),
        )
    )
    return at_ms


def _with_item(shop: Shop, state: LaneState, basket: Basket, scanned: Scanned) -> Turn:
    item = scanned.item
    if item is None:
        now_ms = shop.clock.now_ms()
        return _with_other(shop, state, basket, Unknown(scanned.code, "item.unknown", now_ms))
    pinned = replace(basket, revision=_revision(shop, basket))
    after = pinned.with_item(item, scanned.code, scanned.qty_milli, scanned.label_minor)
    kind: ScanKind = "repeat" if len(after.lines) == len(basket.lines) else "item"
    line = next(each for each in after.lines if each not in basket.lines)
    unit_minor = _unit_minor(shop, after, line)
    scan = _scan(state, kind, item.name, unit_minor, scanned.code)
    return Turn(_changed(state, after, line.number, scan))


def _unit_minor(shop: Shop, basket: Basket, line: BasketLine) -> int | None:
    """The line's regular unit price; the basket itself is priced when it is shown."""
    book = book_of(replace(basket, lines=(line,)), shop.catalogue)
    return listed_lines(replace(basket, lines=(line,)), book, basket.opened_at_ms)[0].unit_minor


def _with_other(shop: Shop, state: LaneState, basket: Basket, unknown: Unknown) -> Turn:
    """A code that is no item's: a coupon, or unknown. The same coupon again changes nothing."""
    revision = _revision(shop, basket)
    coupon = find_coupon(shop.catalogue.offers(revision), unknown.code) if revision else None
    if coupon is None:
        return _with_unknown(state, basket, unknown)
    after = basket if coupon in basket.coupons else _with_coupon(shop, basket, coupon)
    return Turn(_changed(state, after, None, _scan(state, "coupon", None, None, coupon)))


def _with_coupon(shop: Shop, basket: Basket, code: str) -> Basket:
    revision = _revision(shop, basket)
    offers = shop.catalogue.offers(revision) if revision else EMPTY_BOOK
    return replace(basket, revision=revision).with_coupon_code(code, offers)


def _with_unknown(state: LaneState, basket: Basket, unknown: Unknown) -> Turn:
    if len(basket.unknown) >= UNKNOWN_MAX:
        raise RefusedError("basket.full", lines=UNKNOWN_MAX)
    after = basket.with_unknown(unknown.code, unknown.because, unknown.at_ms)
    scan = _scan(state, "unknown", None, None, unknown.code)
    return Turn(_changed(state, after, None, scan))


def _scan(
    state: LaneState, kind: ScanKind, name: str | None, price_minor: int | None, code: str
) -> LastScan:
    return LastScan(state.scans + 1, kind, name, price_minor, code)


def _changed(
    state: LaneState, basket: Basket, touched: int | None, scan: LastScan | None = None
) -> LaneState:
    return replace(
        state,
        basket=basket,
        before=state.basket,
        can_undo=True,
        touched_line=touched,
        scans=scan.no if scan else state.scans,
        last_scan=scan or state.last_scan,
        done=None,
    )


def _empty(state: LaneState) -> LaneState:
    return replace(
        state,
        basket=None,
        before=None,
        can_undo=False,
        touched_line=None,
        last_scan=None,
        done=None,
    )


def _find_plu(shop: Shop, basket: Basket, plu: str) -> Item | None:
    revision = _revision(shop, basket)
    return shop.catalogue.find_plu(plu, revision) if revision else None


def _revision(shop: Shop, basket: Basket) -> int:
    return basket.revision or shop.catalogue.active_revision()


def _open_basket(shop: Shop, state: LaneState) -> Basket:
    _refuse_unready(shop, state)
    if state.basket is None:
        raise RefusedError("basket.empty")
    return state.basket


def _refuse_unready(shop: Shop, state: LaneState) -> None:
    _operator(state)
    day = shop.journal.day()
    if day is None or not day.is_open:
        raise RefusedError("day.closed")


def _operator(state: LaneState) -> Operator:
    if state.operator is None:
        raise RefusedError("lane.locked", lane=state.lane)
    return state.operator


def _vanished(current: Basket, before: Basket, at_ms: int) -> tuple[VoidedLine, ...]:
    kept = {line.number: line.qty_milli for line in before.lines}
    return tuple(
        VoidedLine(
            line.number,
            line.code,
            line.item.name,
            line.qty_milli - kept.get(line.number, 0),
            REASON_UNDO,
            at_ms,
        )
        for line in current.lines
        if line.qty_milli > kept.get(line.number, 0)
    )
