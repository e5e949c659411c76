"""What selling works with, and the steps that every command of a lane shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from edge.desk.state import LaneState, LastScan, Operator, PrintState
from edge.device.ports import PrintOutcome, ScalePort
from edge.ids import Ids
from edge.journal.store import Journal
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.sale.pricing import (
    Catalogue,
    PriceSources,
    book_of,
    history_for,
    price_open_basket,
)
from shared.item.labels import DEFAULT_SCHEME, BarcodeScheme
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, UnavailableError
from shared.kernel.rounding import NO_ROUNDING, CashRounding
from shared.member.consent import Consent
from shared.member.feed import Joining
from shared.sale.basket import Basket
from shared.sale.pricing import PricedBasket

Sums = Mapping[tuple[str, str], int]
"""Minor units, by permission and who answers for them."""


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

    def shown(self, receipt_no: str) -> PrintState | None:
        """What became of a receipt's newest print-out; None when nothing is known of it."""
        ...

    def open_drawer(self, lane: int) -> None:
        """Open the lane's drawer."""
        ...

    def print_test_page(self, printer_id: str) -> Future[PrintOutcome]:
        """Begin to print a test page, or join one under way; MissingError `printer.unknown`."""
        ...


class Tally(Protocol):
    """How often, and for how much, an operator did something on this business day.

    Under `turn` a measure is taken, judged and counted: at two lanes at once nobody gets more.
    """

    @property
    def turn(self) -> AbstractContextManager[object]:
        """For one after the other."""
        ...

    def times(self, permission: str, operator: str) -> int:
        """How often so far."""
        ...

    def add(self, permission: str, operator: str) -> None:
        """Once more."""
        ...

    def minor(self, permission: str, operator: str, but: str) -> int:
        """Minor units so far, of all baskets but one."""
        ...

    def put(self, basket: str, sums: Sums) -> None:
        """What was taken off a basket is that now, whatever it was before."""
        ...


class NoTally:
    """Counts nothing: no ceiling on how often something is done can be held."""

    turn: AbstractContextManager[object] = nullcontext()

    def times(self, permission: str, operator: str) -> int:
        """Never so far."""
        del permission, operator
        return 0

    def minor(self, permission: str, operator: str, but: str) -> int:
        """Nothing so far."""
        del permission, operator, but
        return 0

    def put(self, basket: str, sums: Sums) -> None:
        """Keep nothing."""

    def add(self, permission: str, operator: str) -> None:
        """Keep nothing."""


class Members(Protocol):
    """Who members are, as far as this box may know."""

    def of_card(self, number: str) -> str:
        """What names the holder of a card in a sale; at once."""
        ...

    def shown(self, ref: str) -> str:
        """The last digits of whoever a basket names, "" where there are none to show."""
        ...

    def find(self, typed: str) -> str:
        """The id of who has this phone number; takes a moment.

        Raises RefusedError `member.phone`, MissingError `member.unknown`, UnavailableError
        `member.not_ready` or `member.office_away`.
        """
        ...

    def prepare(self, typed: str, consents: tuple[Consent, ...], operator: str) -> Joining:
        """Make ready to let somebody join; takes a moment, raises as `find`."""
        ...

    def join(self, joining: Joining) -> None:
        """Know them from now on."""
        ...


class NoMembers:
    """A box without a register: cards stand for themselves, and nobody is found or taken in."""

    def of_card(self, number: str) -> str:
        """The number."""
        return number

    def shown(self, ref: str) -> str:
        """Nothing."""
        del ref
        return ""

    def find(self, typed: str) -> str:
        """See `Members`."""
        del typed
        raise UnavailableError("member.not_ready")

    def prepare(self, typed: str, consents: tuple[Consent, ...], operator: str) -> Joining:
        """See `Members`."""
        del typed, consents, operator
        raise UnavailableError("member.not_ready")

    def join(self, joining: Joining) -> None:
        """See `Members`."""
        del joining
        raise UnavailableError("member.not_ready")


@dataclass(frozen=True, slots=True)
class Shop:
    """What selling works with."""

    journal: Journal
    catalogue: Catalogue
    clock: Clock
    ids: Ids
    layout: ReceiptLayout
    effects: Effects
    is_retiring: Callable[[], bool] = lambda: False
    """Whether another box has taken this one's place."""
    scales: Mapping[int, ScalePort] = field(default_factory=dict)
    """The scale of each lane that has one."""
    scheme: BarcodeScheme = DEFAULT_SCHEME
    """What the digits of labels and members' cards mean."""
    prices_at: Clock | None = None
    """What prices go by, where that is another clock than the one that facts are dated by."""

    takes: Callable[[str], bool] = lambda _: True
    """Whether the store takes a way to pay (the value of a TenderKind)."""

    tally: Tally = field(default_factory=NoTally)
    """What is done so many times a day."""

    rounding: Callable[[], CashRounding] = lambda: NO_ROUNDING
    """How the store rounds what is paid in cash."""

    members: Members = field(default_factory=NoMembers)
    """Who members are."""

    @property
    def sources(self) -> PriceSources:
        """What pricing asks of the box."""
        return PriceSources(self.catalogue, self.journal.member_history, self.layout.zone)

    def now_ms(self) -> int:
        """The present instant for prices, UTC ms."""
        return (self.prices_at or self.clock).now_ms()

    def new_basket(self) -> Basket:
        """A basket for the next customer, priced at this instant."""
        return Basket(self.ids.entry_id(), self.now_ms())

    def price(self, basket: Basket) -> PricedBasket:
        """What an open basket costs."""
        return price_open_basket(basket, self.sources)

    def settled(self, basket: Basket) -> Basket:
        """The basket with what its member bought before, as it stays from the first tender on."""
        if basket.history is not None:
            return basket
        book = book_of(basket, self.catalogue)
        return replace(basket, history=history_for(basket, book.offers, self.sources))


def changed(
    state: LaneState, basket: Basket, touched: int | None, scan: LastScan | None = None
) -> LaneState:
    """The lane with its next basket; undo brings the present one back."""
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


def emptied(state: LaneState) -> LaneState:
    """The lane before the next customer."""
    return replace(
        state,
        basket=None,
        before=None,
        can_undo=False,
        touched_line=None,
        last_scan=None,
        done=None,
        weighing=None,
    )


def open_basket(shop: Shop, state: LaneState) -> Basket:
    """The basket that the lane works on; RefusedError `basket.empty` when there is none."""
    refuse_unready(shop, state)
    if state.basket is None:
        raise RefusedError("basket.empty")
    return state.basket


def refuse_unready(shop: Shop, state: LaneState) -> None:
    """Refuse to sell while nobody is signed in (`lane.locked`) or no day is open (`day.closed`).

    A box that was replaced (`box.retiring`) lets the customer who is under way finish.
    """
    operator_of(state)
    if state.basket is None and shop.is_retiring():
        raise RefusedError("box.retiring")
    day = shop.journal.day()
    if day is None or not day.is_open:
        raise RefusedError("day.closed")


def operator_of(state: LaneState) -> Operator:
    """Who has the lane; RefusedError `lane.locked` when nobody has."""
    if state.operator is None:
        raise RefusedError("lane.locked", lane=state.lane)
    return state.operator


def revision_of(shop: Shop, basket: Basket) -> int:
    """The revision that a basket has pinned, or would pin now; 0 before anything was published."""
    return basket.revision or shop.catalogue.active_revision()
