"""Make each golden file's content anew from the code; `__main__` writes, the tests compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from shared.item.item import Item
from shared.journal.chain import chain_hashes, genesis_hash, head_statement
from shared.journal.entry import body_bytes
from shared.journal.event import DayOpened, Event, SaleCompleted, UnknownEvent
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import CURRENCIES
from shared.price.condition import Selector
from shared.price.document import offer_schema
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import NthUnit, PriceEach, Step, TierBy, Tiers
from shared.publication.manifest import Manifest, Piece, manifest_bytes, signing_statement
from shared.publication.revision import Record, RecordKind, digest_add, digest_hex, record_hash
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.receipt import ReceiptHead, receipt_lines, receipt_text
from shared.sale.receipt_code import ReceiptLink
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader
from shared.wire.codec import event_data, event_schemas
from shared.wire.shelf_sensor import sensor_schema
from tests.builders import (
    PRICED_AT_MS,
    STREAM,
    STREAM_ID,
    a_basket,
    a_price_book,
    a_sale,
    an_entry_header,
)
from tests.golden.made_export import export_goldens
from tests.golden.made_paper import paper_goldens

FOLDER = Path(__file__).parent
I18N = FOLDER.parents[1] / "shared" / "i18n"

NOODLES = Item(parse_gtin("6901234567892"), "康师傅红烧牛肉面五连包 Instant Noodles", "杂货")
MILK = Item(parse_gtin("96385074"), "鲜牛奶 1L", "乳品")
HAM = Item(parse_gtin("4006381333931"), "Black Forest ham, sliced", "熟食", is_weighed=True)
PLANT = Item(parse_gtin("036000291452"), "绿萝", "花卉")


def goldens() -> Iterator[tuple[str, str]]:
    """File name and content of each golden file."""
    yield "event_schemas.json", _json(event_schemas())
    yield "shelf_sensor_schema.json", _json(sensor_schema())
    yield "offer_schema.json", _json(offer_schema())
    yield "protocol.json", _json(protocol())
    for language in ("zh-CN", "en"):
        for columns in (48, 32):
            yield f"receipt_{language}_{columns}.txt", receipt(golden_sale(), language, columns)
            sale = sale_with_offers(language)
            yield f"receipt_offers_{language}_{columns}.txt", receipt(sale, language, columns)
    yield from paper_goldens()
    yield from export_goldens([golden_sale(), sale_with_offers("en")])


def golden_sale() -> RetailTransaction:
    """One sale with everything that a receipt can show."""
    book = a_price_book({NOODLES: (1850, 1690), MILK: 1290, HAM: (12990, None), PLANT: 2500})
    basket = a_basket((NOODLES, 2), MILK, PLANT, member="13800012479")
    basket = basket.with_item(HAM, HAM.gtin, 355).with_item(HAM, "2200123015901", label_minor=1590)
    basket = basket.with_coupon(2, LineCoupon(200, "c-2017-08"))
    basket = basket.with_override(3, PriceOverride(1500, None, "花盆破损", "manager-1"))
    tenders = [
        Tender(TenderKind.MANUFACTURER_COUPON, 300, "m-77"),
        Tender(TenderKind.CARD, 4000, "auth-90210"),
        Tender(TenderKind.CASH, 10_000),
    ]
    return a_sale(basket, book, tenders, SaleHeader("343-1-000128", 1, "cashier-1"))


def sale_with_offers(language: str) -> RetailTransaction:
    """Offers of all three levels on one receipt, one by coupon, and goods of two tax rates."""
    water = Item(parse_gtin("6954767423579"), "矿泉水 550ml", "饮料", tax_bp=1300)
    rice = Item(parse_gtin("6920459950180"), "东北大米 5kg", "粮油", tax_bp=900)
    soap = Item(parse_gtin("6902088113112"), "香皂 125g", "日化", tax_bp=1300)
    offers = OfferBook.of(
        [
            Offer(
                "rice-week",
                Level.PRICE,
                PriceEach(3990),
                Selector(skus=frozenset({rice.gtin})),
                names={"zh-CN": "大米特价", "en": "Rice week"},
            ),
            Offer(
                "water-3-for-2",
                Level.LINE,
                NthUnit(3, 10_000),
                Selector(tags=frozenset({"department:饮料"})),
                names={"zh-CN": "饮料第三件免费", "en": "Third drink free"},
            ),
            Offer(
                "save-60",
                Level.BASKET,
                Tiers(TierBy.SPEND, (Step(6000, amount=500), Step(20_000, amount=2000))),
                coupon="SAVE60",
                names={"zh-CN": "满60减5", "en": "5 off from 60"},
            ),
        ]
    )
    book = replace(a_price_book({water: 200, rice: (4990, 4690), soap: 690}), offers=offers)
    basket = a_basket((water, 3), rice, (soap, 4), member="13800012479")
    basket = basket.with_coupon_code("save60", offers).with_coupon(3, LineCoupon(100, "c-9"))
    header = SaleHeader("343-1-000129", 1, "cashier-1", language)
    return a_sale(basket, book, [Tender(TenderKind.CASH, 10_000)], header)


def receipt(sale: RetailTransaction, language: str, columns: int) -> str:
    """A sale as text in one language for one width of paper."""
    texts = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    is_chinese = language.startswith("zh")
    head = ReceiptHead(
        store_name="惠民超市中山路店" if is_chinese else "Corner Shop, 12 Main Street",
        at_text="2017-08-07 15:20",
        operator_name="王小明" if is_chinese else "Ann",
        currency=CURRENCIES["CNY" if is_chinese else "USD"],
        is_training=columns == 32,
        copy=2 if columns == 32 else 0,
        link=ReceiptLink("343", "2017-08-07", sale.receipt_no, "7K3M-90XQ-H2VD-4T8A"),
        public_url="https://receipts.example",
    )
    lines = receipt_lines(sale, head, texts, columns)
    rows = receipt_text(lines, columns).split("\n")
    return "\n".join(row.rstrip() for row in rows) + "\n"


def protocol() -> dict[str, object]:
    """Bytes and hashes that boxes in the field already rely on."""
    events: tuple[Event, ...] = (
        DayOpened("2017-08-07"),
        SaleCompleted(golden_sale()),
        UnknownEvent("till.counted", {"note": "cafe\u0301\n", "minor": -5, "nested": [None, True]}),
    )
    bodies = [
        body_bytes(an_entry_header(seq, type=event.type), event_data(event))
        for seq, event in enumerate(events)
    ]
    hashes = chain_hashes(STREAM_ID, 0, genesis_hash(STREAM_ID), bodies)
    return {
        "stream": STREAM,
        "genesis": genesis_hash(STREAM_ID).hex(),
        "bodies": [body.decode() for body in bodies],
        "hashes": [each.hex() for each in hashes],
        "head_statement": head_statement(STREAM_ID, 2, hashes[-1], PRICED_AT_MS).hex(),
        **_publication(),
    }


def _publication() -> dict[str, object]:
    records = (
        Record(RecordKind.ITEM, MILK.gtin, {"name": MILK.name, "is_weighed": False}),
        Record(RecordKind.PRICE, MILK.gtin, {"prices": [[0, 1290, None], [9, 1350, 1250]]}),
        Record(RecordKind.STAFF, "cashier-9", None),
    )
    digest = 0
    for record in records[:2]:
        digest = digest_add(digest, record_hash(record))
    snapshots = (Piece(0, 4, "ab" * 32, 9, 2),)
    deltas = (Piece(4, 5, "cd" * 32, 90, 1),)
    manifest = Manifest("z", 5, "i-1", digest_hex(digest), 2, snapshots, deltas)
    return {
        "record_hashes": [record_hash(record).hex() for record in records],
        "digest": digest_hex(digest),
        "manifest": manifest_bytes(manifest).decode(),
        "signing_statement": signing_statement(bytes(32)).hex(),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
