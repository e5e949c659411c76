"""The goods that a code names: which item, how much of it, and whether it may be sold today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edge.sale.commands import ScanCode
from edge.sale.shop import Shop, revision_of
from shared.item.barcode import (
    DEFAULT_SCHEME,
    PLU_DIGITS,
    BadBarcode,
    ItemBarcode,
    MemberCard,
    OtherData,
    PriceBarcode,
    TextCode,
    WeightBarcode,
    parse_barcode,
)
from shared.item.gs1_date import date_of
from shared.item.item import Item
from shared.kernel.money import PRICE_MINOR_MAX
from shared.kernel.quantity import ONE_MILLI
from shared.sale.basket import Basket
from shared.sale.pack import PackFacts


@dataclass(frozen=True, slots=True)
class Scanned:
    """A code that names an item, with what its label embeds; `item` None: nobody knows it."""

    code: str
    item: Item | None
    qty_milli: int = ONE_MILLI
    label_minor: int | None = None
    has_weight: bool = False
    pack: PackFacts | None = None

    @property
    def is_bare(self) -> bool:
        """Whether the label says neither weight nor price."""
        return self.label_minor is None and not self.has_weight


@dataclass(frozen=True, slots=True)
class Unknown:
    """A code that names nothing that can be sold, and why."""

    code: str
    because: str
    at_ms: int
    is_goods: bool = False
    """Whether it names an item nevertheless, so that it is no coupon."""


def named_by(
    shop: Shop, basket: Basket, command: ScanCode, code: str
) -> Scanned | MemberCard | Unknown:
    """What a code names; `code` is how it is shown and kept."""
    named = parse_barcode(command.code, shop.scheme)
    match named:
        case ItemBarcode():
            return _goods(shop, basket, code, named)
        case PriceBarcode():
            return _at_label_price(shop, basket, code, named)
        case WeightBarcode(plu, weight_milli):
            return Scanned(code, _find_plu(shop, basket, plu), weight_milli, has_weight=True)
        case MemberCard():
            return named
        case TextCode() | OtherData() | BadBarcode():
            item = _typed_plu(shop, basket, command)
            if item is not None:
                return Scanned(code, item)
            return Unknown(code, _because(named), shop.clock.now_ms())


def _at_label_price(
    shop: Shop, basket: Basket, code: str, label: PriceBarcode
) -> Scanned | Unknown:
    if not label.amount_minor:
        return Unknown(code, "barcode.price_range", shop.clock.now_ms(), is_goods=True)
    # The code alone tells the price where the scheme is the usual one.
    pack = None if shop.scheme == DEFAULT_SCHEME else PackFacts(is_priced=True)
    item = _find_plu(shop, basket, label.plu)
    return Scanned(code, item, label_minor=label.amount_minor, pack=pack)


def _because(named: TextCode | OtherData | BadBarcode) -> str:
    if isinstance(named, BadBarcode):
        return named.because
    return "barcode.text" if isinstance(named, TextCode) else "barcode.not_an_item"


def _find_plu(shop: Shop, basket: Basket, plu: str) -> Item | None:
    revision = revision_of(shop, basket)
    return shop.catalogue.find_plu(plu, revision) if revision else None


def _typed_plu(shop: Shop, basket: Basket, command: ScanCode) -> Item | None:
    """The weighed item of a short number; only a person types one, a scanner's is a misread."""
    text = command.code.strip()
    is_plu = command.is_typed and text.isascii() and text.isdigit() and len(text) <= PLU_DIGITS
    return _find_plu(shop, basket, text.zfill(PLU_DIGITS)) if is_plu else None


def _goods(shop: Shop, basket: Basket, code: str, barcode: ItemBarcode) -> Scanned | Unknown:
    """The item of a GTIN with what its code adds, or why this very pack is not sold.

    `item.expired` and `item.serial_twice` (the piece is in the basket already), and for a price
    `barcode.currency`, `barcode.price_fraction` (finer than the store's money) and
    `barcode.price_range` (nothing, or absurd).
    """
    expiry = _expiry(shop, barcode)
    because = _unsellable(shop, basket, barcode, expiry)
    if because:
        return Unknown(code, because, shop.clock.now_ms(), is_goods=True)
    revision = revision_of(shop, basket)
    item = shop.catalogue.find_item(barcode.gtin, revision) if revision else None
    is_priced = barcode.price is not None
    pack = PackFacts(
        barcode.lot, barcode.serial, expiry.isoformat() if expiry else "", is_priced=is_priced
    )
    return Scanned(
        code,
        item,
        _qty_milli(barcode, item, is_priced=is_priced),
        _label_minor(shop, barcode),
        has_weight=barcode.weight is not None and not is_priced,
        pack=pack if pack != PackFacts() else None,
    )


def _expiry(shop: Shop, barcode: ItemBarcode) -> date | None:
    return date_of(barcode.expiry, _business_date(shop)) if barcode.expiry else None


def _unsellable(shop: Shop, basket: Basket, barcode: ItemBarcode, expiry: date | None) -> str:
    if expiry is not None and expiry < _business_date(shop):
        return "item.expired"
    if barcode.serial and any(
        line.pack and line.pack.serial == barcode.serial and _bears(line.item, barcode.gtin)
        for line in basket.lines
    ):
        return "item.serial_twice"
    if barcode.price is None:
        return ""
    if barcode.currency not in ("", shop.layout.currency.code):
        return "barcode.currency"
    label_minor = _label_minor(shop, barcode)
    if label_minor is None:
        return "barcode.price_fraction"
    return "" if 0 < label_minor <= PRICE_MINOR_MAX else "barcode.price_range"


def _bears(item: Item, code: str) -> bool:
    return item.gtin == code or any(each.gtin == code for each in item.codes)


def _business_date(shop: Shop) -> date:
    day = shop.journal.day()
    assert day is not None  # selling was refused before the day was opened
    return date.fromisoformat(day.biz)


def _label_minor(shop: Shop, barcode: ItemBarcode) -> int | None:
    return None if barcode.price is None else barcode.price.at(shop.layout.currency.digits)


def _qty_milli(barcode: ItemBarcode, item: Item | None, *, is_priced: bool) -> int:
    """Thousandths of a kilogram, or whole pieces; a weight finer than a gram is rounded.

    A code of several units sells them all, unless it says itself how much it holds.
    """
    if is_priced:
        return ONE_MILLI
    if barcode.weight is None:
        if barcode.count is not None:
            return barcode.count * ONE_MILLI
        return ONE_MILLI if item is None else item.qty_milli_of(barcode.gtin)
    kilogram = 10**barcode.weight.digits
    return int((2 * barcode.weight.units * ONE_MILLI + kilogram) // (2 * kilogram))
