"""Receipts and slips as bytes for printers of several kinds, and as they stand on paper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from pathlib import Path

from edge.device.escpos import NO_ARTWORK, Artwork
from edge.device.escpos_grammar import Charset, next_token
from edge.device.escpos_profile import PrinterProfile
from edge.device.paper import Paper
from edge.device.paper_drawing import logo_of
from edge.device.paper_reader import PaperInterpreter
from edge.receipt.layout import PrintedSale, ReceiptLayout
from edge.receipt.slips import ClosedDay
from shared.item.item import Item
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import CURRENCIES
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SaleHeader
from shared.till.z_report import ZReport
from tests.builders import PRICED_AT_MS, a_basket, a_price_book, a_sale

FOLDER = Path(__file__).parent
LOGO = FOLDER / "paper_logo.png"
_I18N = FOLDER.parents[1] / "shared" / "i18n"
_HASH = bytes(range(32))

_CODES = (
    "6901234567892",
    "6954767423579",
    "96385074",
    "6920459950180",
    "6902088113112",
    "4006381333931",
    "036000291452",
    "5000159484695",
)
_PRICES_MINOR = (1850, 200, 1290, 4990, 2170, 3290, 2500, 699)
_NAMES = {
    "zh-CN": (
        "康师傅红烧牛肉面五连包",
        "农夫山泉饮用天然水 550ml",
        "鲜牛奶 1L（低温）",
        "五常大米 5kg",
        "舒肤佳香皂 纯白清香 125g×3",
        "Black Forest ham, sliced",
        "绿萝 ①号盆",
        "Crème brûlée & Smörgåsbord café 2×90g",
    ),
    "zh-TW": (
        "康師傅紅燒牛肉麵五連包",
        "農夫山泉飲用天然水 550ml",
        "鮮牛奶 1L（低溫）",
        "五常大米 5kg",
        "舒膚佳香皂 純白清香 125g×3",
        "Black Forest ham, sliced",
        "綠蘿 1號盆 😀",
        "Crème brûlée café 2×90g",
    ),
    "en": (
        "Instant noodles, 5 pack",
        "Spring water 550 ml",
        "Milk 1 l – fresh",
        "Jasmine rice “Golden” 5 kg",
        "Soap 125 g ×3",
        "Jamón ibérico / Äpfel",
        "Devil’s ivy № 2",
        "Crème brûlée & Smörgåsbord café 2×90g",
    ),
}


@dataclass(frozen=True, slots=True)
class PaperCase:
    """One print-out: `language` of the texts, the printer, and the double-byte set it knows."""

    language: str
    profile: PrinterProfile
    own_set: Charset = "gb18030"
    lines: int = 4
    has_logo: bool = False
    is_z_slip: bool = False


CASES = {
    "paper_zh-CN_80": PaperCase("zh-CN", PrinterProfile(), lines=8),
    "paper_zh-CN_80_40_lines": PaperCase("zh-CN", PrinterProfile(), lines=40),
    "paper_zh-CN_58": PaperCase("zh-CN", PrinterProfile(32, cut="none")),
    "paper_zh-CN_80_logo": PaperCase("zh-CN", PrinterProfile(), has_logo=True),
    "paper_zh-TW_80": PaperCase("zh-TW", PrinterProfile(encoding="big5"), "big5", lines=8),
    "paper_zh-CN_80_pages": PaperCase("zh-CN", PrinterProfile(pages=(("cp858", 19),)), lines=8),
    "paper_en_cp858_42": PaperCase("en", PrinterProfile(42, "cp858", dots=512), lines=8),
    "paper_en_cp437_58": PaperCase("en", PrinterProfile(32, "cp437", has_native_qr=False), lines=8),
    "paper_en_small_font": PaperCase("en", PrinterProfile(64, "cp858", font="b", dots=576)),
    "paper_z_slip_zh-CN_80": PaperCase("zh-CN", PrinterProfile(), is_z_slip=True),
    "paper_z_slip_en_58": PaperCase("en", PrinterProfile(32, "cp437"), is_z_slip=True),
}


def paper_goldens() -> Iterator[tuple[str, str]]:
    """File name and content of each: the commands one by one, then the paper."""
    for name, case in CASES.items():
        data = payload_of(case)
        yield f"{name}.txt", f"{_listing(data, case)}\n\n{paper_of(case).text}\n"


@lru_cache(maxsize=32)
def payload_of(case: PaperCase) -> bytes:
    """The bytes that go to the printer."""
    layout = layout_of(case)
    if case.is_z_slip:
        return layout.z_slip(ClosedDay(_z(), PRICED_AT_MS, "1001", "7K3M-90XQ-H2VD-4T8A"))
    printed = PrintedSale(sale_of(case.language, case.lines), PRICED_AT_MS, 0, "2017-08-07", _HASH)
    return layout.payload(printed)


@lru_cache(maxsize=32)
def paper_of(case: PaperCase) -> Paper:
    """What a printer of that kind makes of them."""
    reader = PaperInterpreter(case.profile.paper_dots // 12, case.own_set)
    papers = [each for each in reader.feed(payload_of(case)) if isinstance(each, Paper)]
    assert not reader.unknown
    paper = papers[0] if papers else reader.tear_off()
    assert paper is not None
    return paper


def layout_of(case: PaperCase) -> ReceiptLayout:
    """A store's layout in the language of the case."""
    is_chinese = case.language.startswith("zh")
    texts = json.loads((_I18N / f"{case.language}.json").read_text(encoding="utf-8"))
    artwork = Artwork(logo_of(LOGO, case.profile.paper_dots)) if case.has_logo else NO_ARTWORK
    return ReceiptLayout(
        store_name="惠民超市中山路店" if is_chinese else "Corner Shop, 12 Main Street",
        zone=UTC,
        currency=CURRENCIES["CNY" if is_chinese else "EUR"],
        texts=texts,
        profile=case.profile,
        operator_name=lambda _: "王小明" if is_chinese else "Zoë",
        language=case.language,
        store_id="343",
        public_url="https://receipts.example",
        artwork=lambda _: artwork,
    )


def sale_of(language: str, lines: int) -> RetailTransaction:
    """A sale of so many lines, paid in cash."""
    names = _NAMES[language]
    items = [
        Item(parse_gtin(_code(number)), names[number % len(names)], "杂货")
        for number in range(lines)
    ]
    prices = {item: _PRICES_MINOR[n % len(_PRICES_MINOR)] for n, item in enumerate(items)}
    basket = a_basket(*((item, n % 3 + 1) for n, item in enumerate(items)), member="13800012479")
    tender = Tender(TenderKind.CASH, 500_000)
    return a_sale(basket, a_price_book(prices), [tender], SaleHeader("343-1-000128", 1, "1001"))


def _code(number: int) -> str:
    if number < len(_CODES):
        return _CODES[number]
    body = f"69{number:010}"
    odd, even = sum(map(int, body[::2])), sum(map(int, body[1::2]))
    return f"{body}{-(odd + 3 * even) % 10}"


def _z() -> ZReport:
    return ZReport(
        "2017-08-07",
        receipts=412,
        lines=3127,
        units=4410,
        gross_minor=5_012_345,
        member_disc_minor=120_045,
        store_coupon_minor=3_000,
        net_minor=4_801_300,
        mfr_coupon_minor=1_200,
        tender_minor=4_800_100,
        cash_minor=1_900_100,
        card_minor=2_900_000,
        voided_baskets=3,
        voided_lines=17,
        overrides=4,
        no_sales=2,
        reprints=5,
        offer_disc_minor=88_000,
    )


def _listing(data: bytes, case: PaperCase) -> str:
    """Each command on a row: its letters, its arguments in hex; text as the bytes it is."""
    rows, at = [f"{len(data)} bytes"], 0
    charset: Charset = case.own_set if case.profile.is_wide else "single"
    while at < len(data):
        token = next_token(data, at, charset)
        assert token is not None
        at += token.size
        rows.append(_token_text(token.name, token.data))
    return "\n".join(rows)


_LEADS = {0x1B: "ESC", 0x1D: "GS", 0x1C: "FS"}
_SHOWN_BYTES = 60


def _token_text(name: bytes, data: bytes) -> str:
    if name == b"":
        return repr(data)[1:]
    if len(name) == 1:
        return "LF" if name == b"\n" else name.hex()
    shown = data[:_SHOWN_BYTES].hex()
    rest = f" and {len(data) - _SHOWN_BYTES} more" if len(data) > _SHOWN_BYTES else ""
    return f"{_LEADS[name[0]]} {chr(name[1])} {shown}{rest}".rstrip()
