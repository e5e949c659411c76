"""Five-line sales for measuring, made by the product's own functions."""

from __future__ import annotations

from datetime import date

from shared.item.item import Item
from shared.price.context import PricingInstant
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket
from shared.sale.pricing import context_of, price_basket
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader, complete
from tests.bench.catalogue import WORDS, gtin_of

LINES = 5
AT_MS = 1_795_290_000_000
DAY = date(2026, 11, 22)
NOTE_MINOR = 10_000


def sale_of(number: int, lane: int = 1) -> RetailTransaction:
    """Sale `number` of a lane: five items, member prices, cash."""
    basket = Basket(f"basket-{number}", AT_MS, 1, member=str(number))
    prices = {}
    for line in range(LINES):
        gtin = gtin_of(number * LINES + line)
        item = Item(gtin, f"{WORDS[line % len(WORDS)]} {number} 500g")
        basket = basket.with_item(item, gtin)
        prices[gtin] = (DatedPrice(0, 199 + number % 700 + line, 150 + line),)
    context = context_of(basket.member, basket.coupons)
    priced = price_basket(basket, PriceBook(1, prices), context, PricingInstant(AT_MS, DAY, 0))
    settlement = settle(priced.due_minor, (Tender(TenderKind.CASH, NOTE_MINOR),))
    header = SaleHeader(f"{lane}-{number + 1:06d}", lane, "1001")
    return complete(header, basket, priced, settlement)
