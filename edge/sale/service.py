"""What happens at a lane while it sells: one function per command, each from state to turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from edge.desk.state import (
    Command,
    DoneSale,
    DoneTender,
    Handler,
    LaneState,
    Turn,
)
from edge.journal.store import EntryDraft
from edge.receipt.layout import PrintedSale
from edge.receipt.pool import SALE
from edge.sale.by_hand import (
    coupon_measure,
    override_measure,
    taken_by_hand,
    to_count,
    with_totals,
)
from edge.sale.commands import (
    ConfirmAge,
    DismissUnknown,
    GiveBackCoupon,
    GiveUpWeighing,
    HandInCoupon,
    HandInStoreCoupon,
    NotePrint,
    NoteTrouble,
    OpenDrawer,
    OverridePrice,
    RemoveLine,
    ReprintReceipt,
    ScanCode,
    SetQuantity,
    SetTare,
    TakeTender,
    Undo,
    VoidBasket,
    WeighByHand,
    WeighItem,
)
from edge.sale.members import member_handlers
from edge.sale.recorded import printed_sale
from edge.sale.scan import give_back_coupon, hand_in_coupon, scan_code
from edge.sale.scan_trouble import note_trouble
from edge.sale.shop import (
    Shop,
    changed,
    emptied,
    open_basket,
    operator_of,
    refuse_unready,
)
from edge.sale.weigh import give_up_weighing, set_tare, weigh_by_hand, weigh_item
from shared.journal.entry import JournalEntry
from shared.journal.event import (
    AgeConfirmed,
    AgedGoods,
    BasketVoided,
    DrawerOpened,
    Event,
    ReceiptReprinted,
    SaleCompleted,
)
from shared.kernel.errors import CorruptError, RefusedError
from shared.sale.basket import (
    Basket,
    LineCoupon,
    PriceOverride,
    VoidedLine,
)
from shared.sale.pricing import PricedBasket
from shared.sale.settle import Settlement, asked_minor, check_tender, remaining_minor, settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import (
    RetailTransaction,
    SaleHeader,
    complete,
    refuse_unsellable,
    settlement_of,
)
from shared.staff.permission import DRAWER_NO_SALE, SALE_COUPON, SALE_OVERRIDE
from shared.staff.role import Measure

REASON_UNDO = "undo"


def sale_handlers(shop: Shop) -> dict[type[Command], Handler]:
    """The function for each command of this room."""
    functions: dict[type[Command], Callable[..., Turn]] = {
        ScanCode: scan_code,
        NoteTrouble: note_trouble,
        SetQuantity: set_quantity,
        RemoveLine: remove_line,
        OverridePrice: override_price,
        HandInStoreCoupon: hand_in_store_coupon,
        HandInCoupon: hand_in_coupon,
        GiveBackCoupon: give_back_coupon,
        ConfirmAge: confirm_age,
        DismissUnknown: dismiss_unknown,
        Undo: undo,
        TakeTender: take_tender,
        VoidBasket: void_basket,
        ReprintReceipt: reprint_receipt,
        OpenDrawer: open_drawer,
        NotePrint: note_print,
        WeighItem: weigh_item,
        WeighByHand: weigh_by_hand,
        SetTare: set_tare,
        GiveUpWeighing: give_up_weighing,
        **member_handlers(_append),
    }
    return {kind: partial(_call, function, shop) for kind, function in functions.items()}


def set_quantity(*, shop: Shop, state: LaneState, command: SetQuantity) -> Turn:
    """Change a line's quantity."""
    basket = open_basket(shop, state).with_quantity(command.line, command.qty_milli)
    return Turn(changed(state, basket, command.line))


def remove_line(*, shop: Shop, state: LaneState, command: RemoveLine) -> Turn:
    """Take a line out; it stays recorded with the reason."""
    now_ms = shop.clock.now_ms()
    basket = open_basket(shop, state).without_line(command.line, command.reason, now_ms)
    return Turn(changed(state, basket, None))


def override_price(*, shop: Shop, state: LaneState, command: OverridePrice) -> Turn:
    """Give a line its whole amount by hand."""
    basket = open_basket(shop, state)
    regular, member = command.regular_minor, command.member_minor
    operator = operator_of(state).id
    override = PriceOverride(regular, member, command.reason, operator)
    alone = basket.with_override(command.line, override)  # nobody is asked for what cannot be
    measure = override_measure(shop, basket, basket.line(command.line), regular, member)
    with shop.tally.turn:
        measure = with_totals(shop, SALE_OVERRIDE, operator, alone, measure)
        approver = command.authority(SALE_OVERRIDE, measure)
        if approver:
            override = replace(override, approved_by=approver)
        after = basket.with_override(command.line, override)
        shop.tally.put(after.id, to_count(shop, basket, after))
    return Turn(changed(state, after, command.line))


def hand_in_store_coupon(*, shop: Shop, state: LaneState, command: HandInStoreCoupon) -> Turn:
    """Take a store coupon for a line."""
    basket = open_basket(shop, state)
    operator = operator_of(state).id
    coupon = LineCoupon(command.amount_minor, command.reference, operator)
    alone = basket.with_coupon(command.line, coupon)
    measure = coupon_measure(shop, basket, basket.line(command.line), command.amount_minor)
    with shop.tally.turn:
        measure = with_totals(shop, SALE_COUPON, operator, alone, measure)
        approver = command.authority(SALE_COUPON, measure)
        after = basket.with_coupon(command.line, replace(coupon, approved_by=approver or operator))
        shop.tally.put(after.id, to_count(shop, basket, after))
    return Turn(changed(state, after, command.line))


def dismiss_unknown(*, shop: Shop, state: LaneState, command: DismissUnknown) -> Turn:
    """Strike a code off the list of unknown ones; who looks later finds it with the reason."""
    basket = open_basket(shop, state)
    struck = basket.without_unknown(command.number)
    code = next(each.code for each in basket.unknown if each.number == command.number)
    gone = VoidedLine(command.number, code, "", 0, command.reason, shop.clock.now_ms())
    return Turn(changed(state, replace(struck, voided=(*struck.voided, gone)), None))


def confirm_age(*, shop: Shop, state: LaneState, command: ConfirmAge) -> Turn:
    """Note that the customer is old enough, and who said so; RefusedError `basket.age`."""
    basket = open_basket(shop, state)
    confirmed = basket.with_age(command.years)
    goods = tuple(
        AgedGoods(line.item.gtin, line.item.name, line.item.age_limit)
        for line in basket.lines
        if line.item.age_limit > basket.age_confirmed
    )
    event = AgeConfirmed(state.lane, command.years, goods, basket.id)
    _append(shop, state, event, shop.ids.entry_id())
    return Turn(changed(state, confirmed, None))


def undo(*, shop: Shop, state: LaneState, command: Undo) -> Turn:
    """Bring back the basket as it was one command ago; what vanishes by it stays recorded."""
    del command
    refuse_unready(shop, state)
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
    basket = shop.settled(open_basket(shop, state))
    priced = shop.price(basket)
    refuse_unsellable(basket, priced)
    if state.weighing is not None:
        raise RefusedError("weigh.waiting", item=state.weighing.item.name)
    shop.journal.refuse_if_full()
    tender = Tender(command.kind, command.amount_minor, command.reference)
    due, taken, rule = priced.due_minor, basket.tenders, shop.rounding()
    asked = asked_minor(due, taken, command.kind, rule)
    left = remaining_minor(due, taken)
    if (left or command.amount_minor) and not shop.takes(command.kind.value):
        raise RefusedError("tender.off")  # nor is the rest rounded away as if it were cash
    if asked or command.amount_minor or command.kind is not TenderKind.CASH:
        check_tender(due, taken, tender, rule)
        basket = basket.with_tender(tender)
    if command.amount_minor < asked:
        return Turn(changed(state, basket, None))
    settlement = settle(due, basket.tenders, asked - left)
    return _complete(shop, state, basket, priced, settlement)


def void_basket(*, shop: Shop, state: LaneState, command: VoidBasket) -> Turn:
    """Give the basket up; the journal keeps that it was."""
    basket = open_basket(shop, state)
    priced = shop.price(basket)
    due_minor, approver = priced.due_minor, command.approved_by
    event = BasketVoided(state.lane, len(basket.lines), due_minor, command.reason, approver)
    _append(shop, state, event, basket.id)
    shop.tally.put(basket.id, {})
    return Turn(emptied(state))


def reprint_receipt(*, shop: Shop, state: LaneState, command: ReprintReceipt) -> Turn:
    """Print a marked copy of a receipt of any lane; what never came out is printed itself."""
    receipt_no = command.receipt_no or shop.journal.last_receipt_no(state.lane)
    if receipt_no is None:
        raise RefusedError("receipt.none_yet")
    printed = printed_sale(shop.journal.sale_by_receipt(receipt_no))
    found_no = printed.sale.receipt_no
    if not shop.effects.waits_for_original(found_no):
        with shop.journal.exclusive():  # another lane may ask for the same receipt
            printed = replace(printed, copy=shop.journal.copies_of(found_no) + 1)
            event = ReceiptReprinted(state.lane, found_no, printed.copy, command.approved_by)
            _append(shop, state, event, shop.ids.entry_id())
    if state.doubtful == found_no:
        state = replace(state, doubtful="")
    return Turn(state, found_no, (partial(shop.effects.reprint, state.lane, printed),))


def open_drawer(*, shop: Shop, state: LaneState, command: OpenDrawer) -> Turn:
    """Open the drawer without a sale; the journal keeps why.

    Nobody says that it was one: it would not be counted as a no-sale.
    """
    if command.reason.strip().lower() == SALE:
        raise RefusedError("drawer.reason")
    operator = operator_of(state).id
    with shop.tally.turn:
        measure = Measure(times=shop.tally.times(DRAWER_NO_SALE, operator) + 1)
        approver = command.authority(DRAWER_NO_SALE, measure)
        opened = DrawerOpened(state.lane, command.reason, approved_by=approver)
        _append(shop, state, opened, shop.ids.entry_id())
        shop.tally.add(DRAWER_NO_SALE, operator)
    return Turn(state, None, (partial(shop.effects.open_drawer, state.lane),))


def note_print(*, shop: Shop, state: LaneState, command: NotePrint) -> Turn:
    """Show how far the receipt on the screen is.

    Of an earlier one only what somebody must look at, until the next sale is done; the receipt
    list has the rest.
    """
    del shop
    if state.done is None or state.done.receipt_no != command.receipt_no:
        if command.print == "unknown":
            return Turn(replace(state, doubtful=command.receipt_no))
        if command.print == "printed" and state.doubtful == command.receipt_no:
            return Turn(replace(state, doubtful=""))
        return Turn(state)
    return Turn(
        replace(state, done=replace(state.done, print=command.print, printer=command.printer))
    )


def _call(function: Callable[..., Turn], shop: Shop, state: LaneState, command: Command) -> Turn:
    return function(shop=shop, state=state, command=command)


def _complete(
    shop: Shop, state: LaneState, basket: Basket, priced: PricedBasket, settlement: Settlement
) -> Turn:
    operator = operator_of(state)
    with shop.journal.exclusive():  # a new life of the journal numbers its receipts anew
        receipt_no = shop.journal.next_receipt_no(state.lane)
        header = SaleHeader(receipt_no, state.lane, operator.id, shop.layout.language)
        sale = complete(header, basket, priced, settlement)
        kept = _append(shop, state, SaleCompleted(sale), basket.id)
    printed = PrintedSale(sale, kept.at_ms, biz=kept.biz, hash=kept.entry.hash)
    if receipt_no.encode() not in kept.entry.body:
        # The basket was sold before; a power cut took the lane's memory of it.
        printed = printed_sale(kept.entry)
        sale = printed.sale
        settlement = settlement_of(sale)
    shop.tally.put(basket.id, taken_by_hand(shop, basket))
    done = done_sale(sale, settlement, shop.layout.text(printed))
    after = partial(shop.effects.sale_done, state.lane, printed)
    return Turn(replace(emptied(state), done=done, doubtful=""), sale.receipt_no, (after,))


def done_sale(sale: RetailTransaction, settlement: Settlement, text: str) -> DoneSale:
    """What the screen shows of a completed sale."""
    return DoneSale(
        receipt_no=sale.receipt_no,
        due_minor=settlement.due_minor,
        tendered_minor=sum(tender.amount_minor for tender in settlement.tenders),
        change_minor=settlement.change_minor,
        rounding_minor=settlement.rounding_minor,
        tenders=tuple(
            DoneTender(tender.kind.value, tender.amount_minor) for tender in settlement.tenders
        ),
        receipt_text=text,
        print="queued",
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """An entry with what its draft said: its time (UTC ms) and its business date."""

    at_ms: int
    biz: str
    entry: JournalEntry


def _append(shop: Shop, state: LaneState, event: Event, entry_id: str) -> _Kept:
    """Write a fact."""
    day, at_ms = shop.journal.day(), shop.clock.now_ms()
    biz = day.biz if day is not None and day.is_open else ""
    entry = shop.journal.append(
        EntryDraft(
            id=entry_id,
            event=event,
            actor=operator_of(state).id,
            till=str(state.lane),
            biz=biz,
            at_ms=at_ms,
            cat=state.basket.revision if state.basket else shop.catalogue.active_revision(),
        )
    )
    if entry.type != event.type:
        # The id is another fact's: this one is not in the journal and must not be told as if.
        raise CorruptError("journal.projection", id=entry_id)
    return _Kept(at_ms, biz, entry)


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
