"""Price baskets with django-oscar: run by an interpreter that has it, never imported.

Reads goods, offers and baskets as JSON from standard input and answers with CPU milliseconds,
SQL statements and totals as JSON.  Everything is in memory: SQLite too.

Before the clock starts, all that Oscar lets one load is loaded: the offers with condition,
benefit, both ranges and combinations, each basket with its lines, products and prices.  Only
`Applicator.apply_offers` and the basket's total are timed.  Oscar asks the database whether a
range contains a product; the second run replaces its ranges by sets in memory, through the hook
that Oscar has for ranges of one's own.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal

import django
import oscar
from django.conf import settings


class NoMigrations:
    """Tables as the models are now: a hundred migrations on an empty database only take time."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


settings.configure(
    **{
        name: value
        for name, value in vars(__import__("oscar.defaults", fromlist=["*"])).items()
        if name.isupper()
    },
    SECRET_KEY="bench",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    SITE_ID=1,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=oscar.INSTALLED_APPS,
    HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
    MIDDLEWARE=[],
    MIGRATION_MODULES=NoMigrations(),
    ROOT_URLCONF=__name__,
    STATIC_URL="/static/",
)
urlpatterns: list[object] = []
django.setup()

# Oscar's models exist only from here on.
from django.core.management import call_command  # noqa: E402
from django.db import connection, reset_queries  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from oscar.core.loading import get_class, get_model  # noqa: E402

Product, ProductClass = (get_model("catalogue", name) for name in ("Product", "ProductClass"))
Partner, StockRecord = get_model("partner", "Partner"), get_model("partner", "StockRecord")
Basket = get_model("basket", "Basket")
Range, RangeProduct = get_model("offer", "Range"), get_model("offer", "RangeProduct")
Condition, Benefit = get_model("offer", "Condition"), get_model("offer", "Benefit")
ConditionalOffer = get_model("offer", "ConditionalOffer")
Applicator = get_class("offer.applicator", "Applicator")
Selector = get_class("partner.strategy", "Selector")
KINDS = {
    "percent": (Condition.COUNT, Benefit.PERCENTAGE),
    "unit_off": (Condition.COUNT, Benefit.FIXED_UNIT),
    "cheapest_free": (Condition.COUNT, Benefit.MULTIBUY),
    "set_price": (Condition.COUNT, Benefit.FIXED_PRICE),
    "spend_off": (Condition.VALUE, Benefit.FIXED),
}


class RangeInMemory:
    """A range of one's own, as Oscar's `Range.proxy_class` wants it: a set of product ids."""

    def __init__(self, ids: frozenset[int] | None) -> None:
        self.ids = ids

    def contains_product(self, product: Product) -> bool:
        return self.ids is None or product.id in self.ids


def main() -> None:
    """Build the shop, price each basket in both ways, print the answer."""
    shop = json.load(sys.stdin)
    call_command("migrate", verbosity=0, run_syncdb=True)
    products = build_goods(shop["items"])
    ranges = build_offers(shop["offers"], products)
    baskets = [build_basket(lines, products) for lines in shop["baskets"]]
    in_memory = offers_in_memory(ranges)
    answer = {
        "oscar": oscar.get_version(),
        "django": django.get_version(),
        "as_shipped": [price(basket, loaded_offers(), shop["rounds"]) for basket in baskets],
        "in_memory": [price(basket, in_memory, shop["rounds_in_memory"]) for basket in baskets],
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def build_goods(items: list[list]) -> dict[str, Product]:
    """Products with one price each, by SKU."""
    kind = ProductClass.objects.create(name="goods", requires_shipping=False, track_stock=False)
    partner = Partner.objects.create(name="store")
    products = {}
    for sku, minor in items:
        product = Product.objects.create(
            title=sku, upc=sku, product_class=kind, structure=Product.STANDALONE
        )
        StockRecord.objects.create(
            product=product, partner=partner, partner_sku=sku, price=money(minor)
        )
        products[sku] = product
    return products


def build_offers(offers: list[dict], products: dict[str, Product]) -> dict[int, RangeInMemory]:
    """Oscar's three rows per offer; answers what each range contains."""
    contents = {}
    for offer in offers:
        skus = offer["skus"]
        goods = Range.objects.create(name=offer["id"], includes_all_products=skus is None)
        RangeProduct.objects.bulk_create(
            RangeProduct(range=goods, product=products[sku]) for sku in skus or ()
        )
        ids = None if skus is None else frozenset(products[sku].id for sku in skus)
        contents[goods.id] = RangeInMemory(ids)
        build_offer(offer, goods)
    return contents


def build_offer(offer: dict, goods: Range) -> None:
    condition, benefit = KINDS[offer["kind"]]
    least = money(offer["spend"]) if condition == Condition.VALUE else offer.get("count", 1)
    ConditionalOffer.objects.create(
        name=offer["id"],
        condition=Condition.objects.create(range=goods, type=condition, value=least),
        benefit=Benefit.objects.create(
            # The goods of a fixed price are those of its condition.
            range=None if benefit == Benefit.FIXED_PRICE else goods,
            type=benefit,
            value=benefit_value(offer),
        ),
        priority=offer["priority"],
        max_basket_applications=1,
    )


def benefit_value(offer: dict) -> Decimal | None:
    if offer["kind"] == "percent":
        return Decimal(offer["bp"]) / 100
    return money(offer["amount"]) if "amount" in offer else None


def build_basket(lines: list[list], products: dict[str, Product]) -> Basket:
    """A saved basket without an owner."""
    basket = Basket.objects.create()
    basket.strategy = Selector().strategy()
    for sku, pieces in lines:
        basket.add_product(products[sku], quantity=pieces)
    return basket


def loaded_offers() -> list[ConditionalOffer]:
    """Offers in order of action, with all that they refer to."""
    found = (
        ConditionalOffer.active.filter(offer_type=ConditionalOffer.SITE)
        .select_related("condition__range", "benefit__range")
        .prefetch_related("combinations", "in_combination")
    )
    return sorted(found, key=lambda offer: offer.priority, reverse=True)


def offers_in_memory(contents: dict[int, RangeInMemory]) -> list[ConditionalOffer]:
    """The same with condition and benefit made once, over ranges that ask no database."""
    offers = loaded_offers()
    for offer in offers:
        ranges = (offer.condition.range, offer.benefit.range)
        offer.condition, offer.benefit = offer.condition.proxy(), offer.benefit.proxy()
        offer.condition.range, offer.benefit.range = ranges
        for goods in filter(None, ranges):
            goods.proxy = contents[goods.id]
    return offers


def price(basket: Basket, offers: list[ConditionalOffer], rounds: int) -> dict[str, object]:
    """SQL statements of a first round, CPU milliseconds of each further one, what came out."""
    load_lines(basket)
    reset_queries()  # Django stops counting at some thousands
    with CaptureQueriesContext(connection) as statements:
        Applicator().apply_offers(basket, offers)
    took = []
    for _ in range(rounds):
        load_lines(basket)
        began = time.process_time()
        Applicator().apply_offers(basket, offers)
        total = basket.total_incl_tax
        took.append(1_000 * (time.process_time() - began))
    gave = {use["name"]: minor(use["discount"]) for use in basket.offer_applications}
    return {"took_ms": took, "sql": len(statements), "total": minor(total), "gave": gave}


def load_lines(basket: Basket) -> None:
    """Fresh lines without discounts, and every price looked up."""
    basket.reset_offer_applications()
    for line in basket.all_lines():
        assert line.unit_effective_price


def money(minor_units: int) -> Decimal:
    return Decimal(minor_units) / 100


def minor(amount: Decimal) -> int:
    """Whole minor units; fails where Oscar kept fractions of one."""
    scaled = amount * 100
    assert scaled == int(scaled), amount
    return int(scaled)


if __name__ == "__main__":
    main()
