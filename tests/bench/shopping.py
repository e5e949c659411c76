"""Baskets as people fill them, as sales of a journal.

Complete Journey's receipts (open weeks) where that data lies beside the repository; else made-up
ones of the same shape: as many lines per basket, few goods bought by most, half with a member
price.
"""

from __future__ import annotations

import csv
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from shared.kernel.gtin import canonical_gtin
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine, SoldModifier, totals_of
from tests.bench.catalogue import gtin_of
from tests.demo.pack.codes import ean13_of
from tests.fakes.box_stream import START_MS

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "completejourney"
PIECES_MAX = 100
"""Fuel counts in thousands of pieces: it is taken for one piece at the line's amount."""
NOT_PROMOTED = frozenset({"FUEL", "COUPON", "RESTAURANT"})
"""Departments of the real data that are no goods on a shelf."""
EACH = 20
"""Of the real baskets every twentieth is taken, so that all of the year's seasons are there."""
MADE_ITEMS = 14_000
# Lines per basket of the real data at each twentieth of all baskets.
MADE_LINES = (1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 8, 9, 11, 14, 17, 22, 30, 43)


@dataclass(frozen=True, slots=True)
class ShopItem:
    """An item as offers see it."""

    gtin: str
    category: str = ""
    department: str = ""
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Bought:
    """One line as recorded: pieces, unit list price, and what the member card saved."""

    item: ShopItem
    pieces: int
    unit_minor: int
    saved_minor: int


@dataclass(frozen=True, slots=True)
class Shopping:
    """Baskets in time order, and where they come from."""

    source: str
    baskets: tuple[tuple[Bought, ...], ...]

    @property
    def items(self) -> tuple[ShopItem, ...]:
        """Every item bought, the most frequent first."""
        counts: dict[ShopItem, int] = {}
        for basket in self.baskets:
            for line in basket:
                counts[line.item] = counts.get(line.item, 0) + 1
        return tuple(sorted(counts, key=lambda item: (-counts[item], item.gtin)))

    @property
    def mean_lines(self) -> float:
        """Lines per basket."""
        return sum(map(len, self.baskets)) / len(self.baskets)


def shopping(count: int) -> Shopping:
    """So many baskets, the same every time."""
    if (REAL / "products.csv.xz").is_file():
        return Shopping("Complete Journey", tuple(islice(_real(), 0, EACH * count, EACH)))
    return Shopping("made-up baskets of its shape", tuple(islice(_made(), count)))


def sale_of(number: int, basket: Sequence[Bought]) -> RetailTransaction:
    """Basket `number` as a finished sale at list and member prices, paid by card."""
    lines = tuple(_sold(place, line) for place, line in enumerate(basket, 1))
    due = sum(line.net_minor for line in lines)
    settlement = settle(due, (Tender(TenderKind.CARD, due, str(number)),))
    at_ms = START_MS + number * 1_000
    return RetailTransaction(
        receipt_no=f"1-{number:06d}",
        lane=1,
        operator="2041",
        opened_at_ms=at_ms - 45_000,
        priced_at_ms=at_ms,
        revision=7,
        member=str(number % 2_500),
        lines=lines,
        tenders=settlement.tenders,
        change_minor=0,
        totals=totals_of(lines, settlement),
    )


def _sold(place: int, line: Bought) -> SoldLine:
    gross = line.unit_minor * line.pieces
    saved = min(line.saved_minor, gross)
    modifiers = (SoldModifier("member_price", -saved, "price_book"),) if saved else ()
    return SoldLine(
        n=place,
        gtin=line.item.gtin,
        name=f"{line.item.category} {place}"[:60],
        code=line.item.gtin,
        qty_milli=line.pieces * 1_000,
        is_weighed=False,
        unit_minor=line.unit_minor,
        gross_minor=gross,
        net_minor=gross - saved,
        modifiers=modifiers,
    )


def _real() -> Iterator[tuple[Bought, ...]]:
    items = {
        row["product_id"]: ShopItem(
            canonical_gtin(ean13_of(int(row["product_id"]))),
            row["product_category"],
            row["department"],
            row["brand"],
        )
        for row in _table("products")
    }
    lines = _table("lines_w01_40")
    for _, rows in groupby(lines, key=itemgetter("basket_no")):
        found = [_real_line(items, row) for row in rows]
        basket = tuple(line for line in found if line is not None)
        if basket:
            yield basket


def _real_line(items: dict[str, ShopItem], row: dict[str, str]) -> Bought | None:
    number = row["product_id"]
    pieces, saved = int(row["quantity"]), int(row["retail_disc_cents"])
    gross = int(row["sales_value_cents"]) + saved + int(row["coupon_match_disc_cents"])
    if pieces > PIECES_MAX:
        pieces = 1
    if not 0 < pieces <= gross:
        return None
    gtin = canonical_gtin(ean13_of(int(number)))  # some that were sold are not in the table
    return Bought(items.get(number) or ShopItem(gtin), pieces, gross // pieces, saved)


def _table(name: str) -> Iterator[dict[str, str]]:
    with lzma.open(REAL / f"{name}.csv.xz", "rt", encoding="utf-8", newline="") as rows:
        yield from csv.DictReader(rows)


def _made() -> Iterator[tuple[Bought, ...]]:
    chance = random.Random(20261121)  # noqa: S311 - the same baskets every time
    items = [
        ShopItem(
            gtin_of(n),
            f"category {int(300 * chance.random() ** 2)}",
            f"department {n % 20}",
            f"brand {n % 500}",
        )
        for n in range(MADE_ITEMS)
    ]
    while True:
        places = {
            int(MADE_ITEMS * chance.random() ** 1.8) for _ in range(chance.choice(MADE_LINES))
        }
        yield tuple(
            Bought(
                items[place],
                1 if chance.random() < 0.8 else chance.randint(2, 4),
                149 + place * 37 % 900,
                50 if chance.random() < 0.5 else 0,
            )
            for place in sorted(places)
        )
