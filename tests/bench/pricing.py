"""Offers: CPU time of pricing one basket, in this process alone.

The limit beside each figure is bare Python doing the sums that the answer itself states: every
share of every offer taken off its line, nothing looked up and nothing chosen.

    python -m tests.bench --only pricing
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shared.item.item import Item
from shared.kernel.gtin import Gtin
from shared.kernel.quantity import ONE_MILLI
from shared.price.context import PriceLine
from shared.price.derivation import Derivation
from shared.price.derive import candidates_of, derive
from shared.price.goods import Goods
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket
from shared.sale.pricing import price_basket
from tests.bench import oscar
from tests.bench.figure import Figure, percentile, spread
from tests.bench.offers import AT, CONTEXT, World, a_world, everywhere

ITEMS, MANY_ITEMS = 1_000, 100_000
FEW, SOME, MANY = 20, 200, 5_000
LINES, FULL = 20, 100
BASKETS, ROUNDS = 120, 5
WARM_UP = 1
GROWTH_GOAL = 1.5


@dataclass(frozen=True, slots=True)
class Taken:
    """CPU milliseconds of each pricing, and of bare Python doing the sums of its answer."""

    ms: list[float]
    sums_ms: list[float]
    candidates: float
    applied: float

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def detail(self) -> str:
        return (
            f"{spread(self.ms, 'ms')}; a basket meets {self.candidates:.0f} offers that may act,"
            f" {self.applied:.0f} do"
        )


def measure() -> list[Figure]:
    """All figures of pricing; the last one beside another engine."""
    some, few = a_world(ITEMS, SOME), a_world(ITEMS, FEW)
    return [
        *_beside_goals(f"{SOME} offers on {ITEMS:,} items", _time(some), 3.0, 10.0),
        *_beside_goals(f"{FEW} offers on {ITEMS:,} items", _time(few), 0.3, None),
        _harsh(everywhere(some)),
        _growth(),
        *_one_more_scan(some),
        *oscar.measure(),
    ]


def _beside_goals(what: str, took: Taken, median: float, p99: float | None) -> Iterator[Figure]:
    limit = statistics.median(took.sums_ms)
    name = f"pricing of {LINES} lines, {what}, CPU"
    yield Figure(f"{name}, median", "ms", took.median, median, limit, "its sums", took.detail)
    if p99 is not None:
        high = percentile(took.ms, 0.99)
        yield Figure(f"{name}, p99", "ms", high, p99, limit, "its sums, median")


def _harsh(world: World) -> Figure:
    """What no index can help: it shall stay within what one scan may take."""
    took = _time(world, baskets=20)
    return Figure(
        f"pricing of {LINES} lines where each of {SOME} offers means everything, median",
        "ms",
        took.median,
        10.0,
        statistics.median(took.sums_ms),
        "its sums",
        took.detail,
    )


def _growth() -> Figure:
    """How much dearer a basket gets when the chain runs 25 times as many offers."""
    few, many = (_time(a_world(MANY_ITEMS, count)) for count in (SOME, MANY))
    return Figure(
        f"{MANY:,} offers instead of {SOME} on {MANY_ITEMS:,} items, ratio of medians",
        "x",
        many.median / few.median,
        GROWTH_GOAL,
        many.candidates / few.candidates,
        "offers met",
        f"{few.median:.2f} ms with {few.candidates:.0f} offers that may act,"
        f" {many.median:.2f} ms with {many.candidates:.0f}",
    )


def _one_more_scan(world: World) -> Iterator[Figure]:
    """The whole basket is priced anew with each scan."""
    took = _time(world, lines=FULL, baskets=20)
    name = f"one more scan into a basket of {FULL} lines, {SOME} offers"
    limit = statistics.median(took.sums_ms)
    yield Figure(f"{name}, derive, median", "ms", took.median, 5.0, limit, "its sums", took.detail)
    book = OfferBook.of(world.offers)
    ms = []
    for seed in range(20):
        basket, prices = _scanned(world.basket(FULL, seed), book)
        ms += _cpu_ms(lambda b=basket, p=prices: price_basket(b, p, CONTEXT, AT), ROUNDS)
    middle = statistics.median(ms)
    yield Figure(
        f"{name}, price_basket, median", "ms", middle, 5.0, took.median, "derive", spread(ms, "ms")
    )


def _time(world: World, lines: int = LINES, baskets: int = BASKETS) -> Taken:
    book = OfferBook.of(world.offers)
    ms: list[float] = []
    sums: list[float] = []
    met, acted = [], []
    for seed in range(baskets):
        basket = world.basket(lines, seed)
        found = derive(basket, book, CONTEXT, AT)
        _check(basket, found)
        met.append(sum(map(len, candidates_of(Goods(basket), book, CONTEXT, AT))))
        acted.append(len(found.applied))
        ms += _cpu_ms(lambda b=basket: derive(b, book, CONTEXT, AT), ROUNDS)
        sums += _cpu_ms(lambda b=basket, f=found: _nets_by_sums(b, f), ROUNDS)
    return Taken(ms, sums, statistics.mean(met), statistics.mean(acted))


def _cpu_ms(work: Callable[[], object], rounds: int) -> list[float]:
    for _ in range(WARM_UP):
        work()
    gc.collect()
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(1_000 * (time.process_time() - began))
    return took


def _nets_by_sums(basket: Sequence[PriceLine], found: Derivation) -> list[int]:
    nets = {line.key: line.unit_minor * line.qty_milli // ONE_MILLI for line in basket}
    for applied in found.applied:
        for share in applied.shares:
            nets[share.line] -= share.amount_minor
    return list(nets.values())


def _check(basket: Sequence[PriceLine], found: Derivation) -> None:
    assert found.applied
    assert _nets_by_sums(basket, found) == list(found.nets)


def _scanned(goods: Sequence[PriceLine], offers: OfferBook) -> tuple[Basket, PriceBook]:
    """The same goods as a till has them."""
    basket = Basket("basket-1", AT.at_ms, 1)
    prices = {}
    for line in goods:
        # The till knows an item by its GTIN; the offers of this world by their own words.
        gtin = Gtin(line.sku)
        item = Item(gtin, line.sku, category=line.category, tags=tuple(sorted(line.tags)))
        basket = basket.with_item(item, gtin, line.qty_milli)
        prices[gtin] = (DatedPrice(0, line.unit_minor),)
    return basket, PriceBook(1, prices, offers=offers)
