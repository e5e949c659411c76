"""The same baskets under the same 200 offers in django-oscar and here, CPU time side by side.

Only what both can say is compared: a percentage, an amount off each unit, the cheapest of two
free, three for one price and an amount off from a spend on, each on five items of its own, and
满减 on what no other offer discounted.  Each acts once in a basket.  So both must find the same
total and the same amount per offer, which is checked.  Kept out is what they define differently:
two offers on one item (Oscar gives each unit to one offer and takes percentages of the list
price), percentages that need rounding (it rounds down), weighed goods (it has none).

Oscar lives in an environment of its own and is run as a program: see `oscar_shop.py` for what is
loaded before its clock starts.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from shared.kernel.quantity import ONE_MILLI
from shared.price.condition import MinSpend, Selector
from shared.price.context import PriceContext, PriceLine
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.offer import Level, Limits, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import (
    AmountOff,
    AmountOffEach,
    NthUnit,
    PercentOff,
    Pick,
    Reward,
    SetPrice,
)
from tests.bench.figure import Figure
from tests.bench.offers import AT, SEED
from tests.lab.python_env import BENCH_LOCK, install_apart

ITEMS, RANGE, OFFERS = 1_000, 5, 200
LINES, BASKETS = 20, 3
ROUNDS, ROUNDS_IN_MEMORY, ROUNDS_HERE = 2, 20, 400
GOAL = 100
# The first is reached by every basket: how much of a line is left to count, the two see
# differently (Oscar unit by unit), so near a threshold they may disagree.
SPENDS = ((5_000, 1_000), (4_000, 800), (3_000, 500), (2_000, 300))
KINDS = ("percent", "cheapest_free", "unit_off", "set_price", "spend_off")
NOBODY = PriceContext()

Shop = dict[str, list]


def measure() -> list[Figure]:
    """Two figures: against Oscar as it ships, and with its ranges taken from the database."""
    shop = _shop()
    theirs = _run_oscar(shop)
    book = OfferBook.of(_offer(raw) for raw in shop["offers"])
    baskets = [_lines(shop, lines) for lines in shop["baskets"]]
    for way in ("as_shipped", "in_memory"):
        for lines, answer in zip(baskets, theirs[way], strict=True):
            _compare(derive(lines, book, NOBODY, AT), answer)
    ours = statistics.median(ms for lines in baskets for ms in _took(lines, book))
    return [
        _figure("as it ships, in-memory SQLite", ours, theirs, "as_shipped", GOAL),
        _figure("with its ranges as sets in memory", ours, theirs, "in_memory", 1),
    ]


def _figure(how: str, ours: float, theirs: dict, way: str, goal: float) -> Figure:
    answers = theirs[way]
    took = statistics.median(ms for answer in answers for ms in answer["took_ms"])
    sql = statistics.mean(answer["sql"] for answer in answers)
    acted = statistics.mean(len(answer["gave"]) for answer in answers)
    return Figure(
        f"django-oscar {theirs['oscar']} {how} / ours: {LINES} lines, {OFFERS} offers, CPU",
        "x",
        took / ours,
        goal,
        1.0,
        "django-oscar",
        f"{took:.1f} ms and {sql:.0f} SQL statements against {ours:.3f} ms;"
        f" totals and all {acted:.0f} acting offers agree on {BASKETS} baskets",
        higher_is_better=True,
    )


def _shop() -> Shop:
    """Goods, offers and baskets in words that both sides read."""
    dice = random.Random(SEED)  # noqa: S311 - a made-up shop
    # Twenty fen times whole twentieths: no percentage needs rounding.
    items = [[f"i{number:04d}", 20 * dice.randint(15, 400)] for number in range(ITEMS)]
    offers = list(_raw_offers(items))
    return {
        "items": items,
        "offers": offers,
        "baskets": [_raw_basket(items, offers, seed) for seed in range(BASKETS)],
        "rounds": ROUNDS,
        "rounds_in_memory": ROUNDS_IN_MEMORY,
    }


def _raw_offers(items: list[list]) -> Iterator[dict]:
    ranges = OFFERS - len(SPENDS)
    for number in range(ranges):
        own = items[number * RANGE : (number + 1) * RANGE]
        kind = KINDS[number % len(KINDS)]
        cheapest = min(price for _, price in own)
        yield {
            "id": f"o{number:03d}",
            "kind": kind,
            "skus": [sku for sku, _ in own],
            "priority": OFFERS - number,
            **_terms(kind, cheapest),
        }
    for number, (spend, amount) in enumerate(SPENDS):
        name = f"o{ranges + number:03d}"
        terms = {"skus": None, "spend": spend, "amount": amount, "priority": -number - 1}
        yield {"id": name, "kind": "spend_off", **terms}


def _terms(kind: str, cheapest: int) -> dict:
    match kind:
        case "percent":
            return {"bp": 1_500}
        case "cheapest_free":
            return {"count": 2}
        case "unit_off":
            return {"amount": cheapest // 4}
        case "set_price":
            return {"count": 3, "amount": 2 * cheapest}
        case _:
            return {"spend": 2 * cheapest, "amount": cheapest // 2}


def _raw_basket(items: list[list], offers: list[dict], seed: int) -> list[list]:
    """Half of the lines in pairs from one range each, so that sets come together."""
    dice = random.Random(SEED + seed)  # noqa: S311 - a made-up shop
    ranged = [offer["skus"] for offer in offers if offer["skus"]]
    skus = [sku for own in dice.sample(ranged, LINES // 4) for sku in dice.sample(own, 2)]
    others = dice.sample([sku for sku, _ in items if sku not in skus], LINES - len(skus))
    return [[sku, dice.choice((1, 1, 2))] for sku in skus + others]


def _run_oscar(shop: Shop) -> dict:
    python = install_apart(BENCH_LOCK)
    program = Path(__file__).with_name("oscar_shop.py")
    done = subprocess.run(
        [python, "-I", "-W", "ignore", program],
        input=json.dumps(shop),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _offer(raw: dict) -> Offer:
    """The same offer in our words; 满减 on what no earlier offer touched."""
    own = Selector(skus=frozenset(raw["skus"])) if raw["skus"] else Selector(undiscounted=True)
    return Offer(
        raw["id"],
        Level.LINE if raw["skus"] else Level.BASKET,
        _reward(raw),
        own,
        (MinSpend(own, raw["spend"]),) if "spend" in raw else (),
        raw["priority"],
        limits=Limits(max_times=1),
    )


def _reward(raw: dict) -> Reward:
    match raw["kind"]:
        case "percent":
            return PercentOff(raw["bp"])
        case "cheapest_free":
            return NthUnit(raw["count"], 10_000)
        case "unit_off":
            return AmountOffEach(raw["amount"])
        case "set_price":
            return SetPrice(raw["count"], raw["amount"], Pick.CHEAPEST)
        case _:
            return AmountOff(raw["amount"])


def _lines(shop: Shop, lines: list[list]) -> list[PriceLine]:
    prices = dict(shop["items"])
    return [
        PriceLine(key, sku, pieces * ONE_MILLI, prices[sku])
        for key, (sku, pieces) in enumerate(lines)
    ]


def _took(lines: list[PriceLine], book: OfferBook) -> list[float]:
    took = []
    for _ in range(ROUNDS_HERE):
        began = time.process_time()
        total = sum(derive(lines, book, NOBODY, AT).nets)
        took.append(1_000 * (time.process_time() - began))
        assert total
    return took


def _compare(found: Derivation, answer: dict) -> None:
    """Both engines gave the same: in all, and offer by offer."""
    gave = {applied.offer.id: applied.amount_minor for applied in found.applied}
    assert gave == answer["gave"]
    assert sum(found.nets) == answer["total"]
