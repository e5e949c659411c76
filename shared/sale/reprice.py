"""From a recorded sale back to its goods, so that other offers can be tried on it.

What a person or a label said about a price stays as it was recorded; only offers act anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.item.barcode import PriceBarcode, parse_barcode
from shared.item.item import Item
from shared.kernel.gtin import Gtin
from shared.price.context import PriceLine, PricePolicy, PricingInstant
from shared.price.derivation import AppliedOffer
from shared.price.derive import derive
from shared.price.offer_book import OfferBook
from shared.sale.line_price import MEMBER_PRICE, STORE_COUPON
from shared.sale.pricing import context_of, tags_of
from shared.sale.transaction import RetailTransaction, SoldLine


@dataclass(frozen=True, slots=True)
class Repriced:
    """Net amounts in the order of the lines, store coupons taken off, and what acted."""

    nets: tuple[int, ...]
    applied: tuple[AppliedOffer, ...]

    @property
    def due_minor(self) -> int:
        """What the customer would owe."""
        return sum(self.nets)


def is_label_pack(code: str, *, is_weighed: bool, is_priced: bool = False) -> bool:
    """Whether a weighed item was sold as packs by the price on a label: then they are pieces.

    `is_priced` is what the sale says of its pack; the chain's own labels show it in their code.
    """
    return is_weighed and (is_priced or isinstance(parse_barcode(code), PriceBarcode))


def is_by_weight(line: SoldLine) -> bool:
    """Whether a line was sold by its weight."""
    if line.weighed is not None:
        return True
    is_priced = line.pack is not None and line.pack.is_priced
    is_weighed = line.is_weighed
    return is_weighed and not is_label_pack(line.code, is_weighed=True, is_priced=is_priced)


def lines_of(sale: RetailTransaction, items: Mapping[str, Item]) -> tuple[PriceLine, ...]:
    """The sale's lines as offers met them. An item that is not known any more has no category."""
    return tuple(
        _goods(line, items.get(line.gtin) or Item(Gtin(line.gtin), line.name))
        for line in sale.lines
    )


def reprice(
    sale: RetailTransaction,
    items: Mapping[str, Item],
    offers: OfferBook,
    at: PricingInstant,
    policy: PricePolicy | None = None,
) -> Repriced:
    """Price a sale under other offers, for the same customer with the same coupons."""
    context = context_of(sale.member, sale.coupons)
    lines = lines_of(sale, items)
    derivation = derive(lines, offers, context, at, policy or PricePolicy())
    nets = tuple(
        net - min(net, -_modified(line, STORE_COUPON))
        for net, line in zip(derivation.nets, sale.lines, strict=True)
    )
    return Repriced(nets, derivation.applied)


def _goods(line: SoldLine, item: Item) -> PriceLine:
    member = _modified(line, MEMBER_PRICE)
    return PriceLine(
        key=line.n,
        sku=line.gtin,
        qty_milli=line.qty_milli,
        unit_minor=line.gross_minor if line.unit_minor is None else line.unit_minor,
        category=item.category,
        tags=tags_of(item.tags, item.department, item.brand),
        is_weighed=is_by_weight(line),
        uom=item.uom,
        is_promotable=item.is_promotable and line.override is None,
        floor_unit_minor=item.floor_minor,
        tax_bp=line.tax_bp,
        list_minor=line.gross_minor,
        start_minor=line.gross_minor + member if member else None,
    )


def _modified(line: SoldLine, kind: str) -> int:
    return sum(each.amount_minor for each in line.modifiers if each.kind == kind)
