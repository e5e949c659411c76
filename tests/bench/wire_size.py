"""Bytes per sale on the wire: real five-line sales of members with offers, 200 to a batch.

python -m tests.bench.wire_size
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from edge.clock import SystemClock
from edge.ids import Ids
from edge.journal.signer import load_or_create
from edge.journal.store import EntryDraft, Journal
from edge.sync.batches import Batch, BatchMaker
from shared.item.item import Item
from shared.journal.event import DayOpened, SaleCompleted
from shared.price.condition import ALL, Selector
from shared.price.context import PricingInstant
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice, PriceBook
from shared.price.reward import NthUnit, PercentOff, Step, TierBy, Tiers
from shared.sale.basket import Basket
from shared.sale.pricing import context_of, price_basket
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader, complete
from shared.wire.batch import BATCH_ENTRIES_MAX
from tests.bench.catalogue import WORDS, gtin_of
from tests.bench.figure import Figure
from tests.bench.lab_box import BUSINESS_DATE, identity_of_lab
from tests.bench.sales import AT_MS, DAY

GOAL_BYTES = 260
SALES = 1_000
SECONDS_APART = 40
LINES = 5
ITEMS = 2_000
MEMBERS = 20_000
SEED = 20261121


def measure(folder: Path) -> Figure:
    """Sell through a real journal, pack its batches, count."""
    batches, body_bytes = _batches(folder)
    sales = sum(batch.count for batch in batches)
    return Figure(
        "bytes on the wire per five-line sale of a member with offers, in full batches",
        "B",
        sum(len(batch.payload) for batch in batches) / sales,
        GOAL_BYTES,
        body_bytes,
        "canonical JSON of the sale",
        f"{sales} sales in batches of {batches[0].count} (200 entries or 256 KiB, whichever comes"
        " first), header and signature included",
    )


def _batches(folder: Path) -> tuple[list[Batch], float]:
    """Full batches, and the mean bytes of a sale's body."""
    clock, ids = SystemClock(), Ids(SystemClock())
    signer = load_or_create(folder / "journal.key")
    journal = Journal(folder / "journal.db", identity_of_lab(), clock, signer)
    journal.open()
    opened = DayOpened(BUSINESS_DATE)
    draft = EntryDraft(ids.entry_id(), opened, "1001", "", BUSINESS_DATE, AT_MS, 1)
    seq = journal.append(draft).seq + 1
    shop, size = MixedShop(), 0
    for number in range(SALES):
        id_, at_ms = ids.entry_id(), AT_MS + number * SECONDS_APART * 1_000
        event = SaleCompleted(shop.sale(number, id_))
        size += len(
            journal.append(EntryDraft(id_, event, "1001", "1", BUSINESS_DATE, at_ms, 1)).body
        )
    maker, batches = BatchMaker(journal, clock), []
    while seq + BATCH_ENTRIES_MAX <= journal.head()[0]:
        batches.append(maker.make(seq))
        seq = batches[-1].to_seq + 1
    journal.close()
    return batches, size / SALES


class MixedShop:
    """Customers who buy more of some goods than of others, half of them by card."""

    def __init__(self, seed: int = SEED) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - a made-up shop
        self._goods = [
            Item(gtin_of(n), f"{WORDS[n % len(WORDS)]} {n} 500g", f"部门 {n % 20}")
            for n in range(ITEMS)
        ]
        prices = {
            item.gtin: (DatedPrice(0, 199 + n * 7 % 5000, 189 + n * 7 % 5000 if n % 2 else None),)
            for n, item in enumerate(self._goods)
        }
        drinks = Selector(tags=frozenset({"department:部门 3"}))
        snacks = Selector(tags=frozenset({"department:部门 7", "department:部门 8"}))
        offers = OfferBook.of(
            [
                Offer("drinks-3-for-2", Level.LINE, NthUnit(3, 10_000), drinks),
                Offer("snacks-10", Level.LINE, PercentOff(1000), snacks),
                Offer(
                    "save-50",
                    Level.BASKET,
                    Tiers(TierBy.SPEND, (Step(5_000, amount=300), Step(10_000, amount=1_000))),
                    ALL,
                ),
            ]
        )
        self._book = PriceBook(1, prices, offers=offers)

    def sale(self, number: int, basket_id: str) -> RetailTransaction:
        """Sale `number`: five different items, a member, one tender."""
        dice = self._dice
        at_ms = AT_MS + number * SECONDS_APART * 1_000
        member = f"138{dice.randrange(MEMBERS):08d}"
        basket = Basket(basket_id, at_ms - dice.randrange(20_000, 90_000), 1, member=member)
        picked: set[int] = set()
        while len(picked) < LINES:
            picked.add(int(ITEMS * dice.random() ** 3))
        for n in sorted(picked, key=lambda _: dice.random()):
            item = self._goods[n]
            basket = basket.with_item(item, item.gtin, 1_000 * (1 + (dice.random() < 0.2)))
        instant = PricingInstant(at_ms, DAY, number * SECONDS_APART % 86_400)
        found = price_basket(basket, self._book, context_of(member, ()), instant)
        if dice.random() < 0.5:
            tender = Tender(TenderKind.CARD, found.due_minor, f"{dice.randrange(10**20):020d}")
        else:
            tender = Tender(TenderKind.CASH, found.due_minor + -found.due_minor % 500)
        header = SaleHeader(f"1-{number + 1:06d}", 1, "1001", "zh-CN")
        return complete(header, basket, found, settle(found.due_minor, (tender,)))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder)))  # noqa: T201


if __name__ == "__main__":
    main()
