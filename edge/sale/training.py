"""A sale that tries whether the box can sell: priced, settled, in the journal and on paper.

It uses what a real sale uses, but no lane, no drawer and no receipt number, and its entry is
`training.sold`: nothing that counts sales sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edge.device.ports import PrintJob
from edge.device.printer import AbsentPrinter
from edge.device.store_printer import StorePrinter, StorePrinters
from edge.journal.store import EntryDraft
from edge.receipt.layout import PrintedSale
from edge.sale.shop import Shop
from shared.item.item import Item
from shared.journal.training_event import TrainingSold
from shared.kernel.errors import RefusedError, RetailError
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader, complete

PASSED, NO_PRINTER = "passed", "printer.none"
RECEIPT_NO = "TRAINING"
ITEMS_LOOKED_AT = 500
"""Not every item of a chain's catalogue has a price in every store."""


@dataclass(frozen=True, slots=True)
class TrainingParts:
    """What a training sale uses.

    `examples` gives some items of a revision, `open_baskets` how many customers are served now.
    """

    shop: Shop
    printers: StorePrinters
    examples: Callable[[int, int], list[Item]]
    open_baskets: Callable[[], int]
    lane: int


def sell(parts: TrainingParts) -> Mapping[str, str]:
    """Sell one item in training and print its receipt and a test page.

    By step `sale`, and by printer's id: "passed" or the code of why not.  `printer.none` where
    the store has no printer, which is no fault.
    """
    try:
        sale = _kept(parts)
    except RetailError as error:
        return {"sale": error.code}
    return {"sale": PASSED} | _on_paper(parts, sale)


def _kept(parts: TrainingParts) -> PrintedSale:
    """Make the sale and write it down; RefusedError `training.busy`, `training.no_goods`."""
    shop = parts.shop
    if parts.open_baskets():
        raise RefusedError("training.busy")
    at_ms, sale = shop.clock.now_ms(), _sold(parts)
    with shop.journal.exclusive():  # the day must not close between asking for it and the entry
        day = shop.journal.day()
        shop.journal.append(
            EntryDraft(
                id=shop.ids.entry_id(),
                event=TrainingSold(parts.lane, sale),
                actor="",
                till=str(parts.lane),
                biz=day.biz if day is not None and day.is_open else "",
                at_ms=at_ms,
                cat=sale.revision,
            )
        )
    # No code on the paper: head office would vouch for a receipt of nothing.
    return PrintedSale(sale, at_ms)


def _sold(parts: TrainingParts) -> RetailTransaction:
    shop = parts.shop
    revision = shop.catalogue.active_revision()
    for item in parts.examples(ITEMS_LOOKED_AT, revision) if revision else []:
        if item.is_weighed or item.age_limit:
            continue
        basket = replace(shop.new_basket(), revision=revision).with_item(item, item.gtin)
        priced = shop.price(basket)
        if not priced.needs_price and priced.due_minor > 0:
            header = SaleHeader(RECEIPT_NO, parts.lane, "", shop.layout.language)
            paid = Tender(TenderKind.CASH, priced.due_minor)
            return complete(header, basket, priced, settle(priced.due_minor, (paid,)))
    raise RefusedError("training.no_goods")


def _on_paper(parts: TrainingParts, sale: PrintedSale) -> dict[str, str]:
    layout = replace(parts.shop.layout, is_training=True)
    own, found = parts.printers.of(parts.lane), {}
    for each in parts.printers.every:
        if isinstance(each.port, AbsentPrinter):
            return {each.id: NO_PRINTER}
        page = layout.test_page(each.id, sale.at_ms, each.profile)
        receipt = layout.payload(sale, each.profile) if each is own else b""
        found[each.id] = _printed(each, receipt + page)
    return found


def _printed(printer: StorePrinter, payload: bytes) -> str:
    outcome = printer.port.print(PrintJob(f"training-{printer.id}", payload))
    if outcome == "printed":
        return PASSED
    condition = printer.port.status().state
    return f"printer.{condition}" if condition != "ok" else f"printer.{outcome}"
