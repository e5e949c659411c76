"""Small worlds for tests: say what matters, the rest is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.item.item import Item
from shared.journal.chain import chain_hashes, genesis_hash
from shared.journal.entry import EntryHeader
from shared.kernel.gtin import Gtin, check_digit, parse_gtin
from shared.kernel.quantity import ONE_MILLI
from shared.price.context import PricingInstant
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket
from shared.sale.pricing import PricedBasket, context_of, price_basket
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader, complete
from shared.wire.batch import BatchHeader

OPENED_AT_MS = 1_502_090_400_000
PRICED_AT_MS = OPENED_AT_MS + 30_000
STREAM = "5eed" * 8
STREAM_ID = bytes.fromhex(STREAM)
ENTRY_ID = "015dbb3c-9b00-7000-8000-000000000001"


def a_gtin(number: int = 1) -> Gtin:
    """The EAN-13 of the n-th item."""
    body = f"690{number:09d}"
    return parse_gtin(body + check_digit(body))


def an_item(
    number: int = 1, *, name: str = "", is_weighed: bool = False, plu: str | None = None
) -> Item:
    """The n-th item of a catalogue; two with one number have the same GTIN."""
    return Item(a_gtin(number), name or f"Item {number}", "Grocery", is_weighed=is_weighed, plu=plu)


def a_basket(*goods: Item | tuple[Item, int], member: str | None = None) -> Basket:
    """A basket with these scans: an item is one piece, (item, n) are n pieces."""
    basket = Basket(ENTRY_ID, OPENED_AT_MS, revision=7, member=member)
    for scan in goods:
        item, pieces = (scan, 1) if isinstance(scan, Item) else scan
        basket = basket.with_item(item, item.gtin, pieces * ONE_MILLI)
    return basket


def a_price_book(
    prices: Mapping[Item, int | tuple[int, int | None]], revision: int = 7
) -> PriceBook:
    """A book where each item costs `regular` or (`regular`, `member`) since ever."""
    pairs = {item: (p, None) if isinstance(p, int) else p for item, p in prices.items()}
    return PriceBook(revision, {item.gtin: (DatedPrice(0, *pair),) for item, pair in pairs.items()})


def an_instant(at_ms: int = PRICED_AT_MS) -> PricingInstant:
    """That instant in a store whose clock shows UTC."""
    local = datetime.fromtimestamp(at_ms // 1000, UTC)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return PricingInstant(at_ms, local.date(), second)


def priced(basket: Basket, book: PriceBook, at_ms: int = PRICED_AT_MS) -> PricedBasket:
    """A basket priced for its own member, coupons and history."""
    context = context_of(basket.member, basket.coupons, basket.history)
    return price_basket(basket, book, context, an_instant(at_ms))


def a_sale(
    basket: Basket | None = None,
    book: PriceBook | None = None,
    tenders: Sequence[Tender] | None = None,
    header: SaleHeader | None = None,
    rounding_minor: int = 0,
) -> RetailTransaction:
    """A finished sale: two pieces at 5.00 paid with 20.00 in cash unless told otherwise."""
    header = header or SaleHeader("343-1-000001", 1, "cashier-1")
    basket = basket or a_basket((an_item(), 2))
    book = book or a_price_book({line.item: 500 for line in basket.lines})
    found = priced(basket, book)
    paid = (Tender(TenderKind.CASH, 2000),) if tenders is None else tuple(tenders)
    return complete(header, basket, found, settle(found.due_minor, paid, rounding_minor))


def an_entry_header(seq: int = 0, **changed: object) -> EntryHeader:
    """The header of a sale's entry."""
    header = EntryHeader(
        id=ENTRY_ID,
        type="sale.completed",
        stream=STREAM,
        seq=seq,
        at=PRICED_AT_MS,
        boot=3,
        mono=120_000,
        clk=2,
        biz="2017-08-07",
        till="1",
        shift="",
        actor="cashier-1",
        sw="0.1.0",
        gt=(1000, 0),
        cat=7,
    )
    return replace(header, **changed)  # type: ignore[arg-type]


def a_batch_header(bodies: Sequence[bytes], from_seq: int = 0) -> BatchHeader:
    """The header that fits a stream's first entries."""
    genesis = genesis_hash(STREAM_ID)
    hashes = chain_hashes(STREAM_ID, from_seq, genesis, bodies)
    return BatchHeader(
        stream=STREAM,
        from_seq=from_seq,
        count=len(bodies),
        prev=genesis.hex(),
        head=(hashes[-1] if hashes else genesis).hex(),
        sig="00" * 64,
        edge_head=from_seq + len(bodies) - 1,
        boot=3,
        mono=120_000,
        t=PRICED_AT_MS,
        sw="0.1.0",
    )
