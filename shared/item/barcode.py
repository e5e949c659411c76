"""What a scanned code means: an item, a price or weight label, a member card, or nothing.

Restricted-circulation prefixes (GS1 General Specifications 2.1.11.1) are given out by each
chain, so which prefix means what is data (`BarcodeScheme`), not code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, check_digit, parse_gtin

LABEL_LENGTH = 13
PLU_DIGITS = 5
MEMBER_DIGITS = 10
LABEL_MINOR_MAX = 99_999


class LabelKind(StrEnum):
    """What the digits behind a chain's own two-digit prefix carry."""

    PRICE = "price"
    WEIGHT = "weight"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class BarcodeScheme:
    """Prefix (two digits of an EAN-13) -> what the label carries."""

    prefixes: tuple[tuple[str, LabelKind], ...] = (
        ("21", LabelKind.WEIGHT),
        ("22", LabelKind.PRICE),
        ("29", LabelKind.MEMBER),
    )


@dataclass(frozen=True, slots=True)
class ItemBarcode:
    """A plain GTIN."""

    gtin: Gtin


@dataclass(frozen=True, slots=True)
class PriceBarcode:
    """A label with the price of this very pack, in minor units."""

    plu: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class WeightBarcode:
    """A label with the weight of this very pack, in grams (thousandths of a kilogram)."""

    plu: str
    weight_milli: int


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member's card; `number` has no leading zeros."""

    number: str


@dataclass(frozen=True, slots=True)
class BadBarcode:
    """A text that is no code of ours; `because` is an error code such as `barcode.check_digit`."""

    text: str
    because: str


Barcode = ItemBarcode | PriceBarcode | WeightBarcode | MemberCard | BadBarcode
DEFAULT_SCHEME = BarcodeScheme()


def parse_barcode(text: str, scheme: BarcodeScheme = DEFAULT_SCHEME) -> Barcode:
    """Read one scan. Never guesses: a text that does not check is `BadBarcode`."""
    try:
        gtin = parse_gtin(text)
    except RefusedError as error:
        return BadBarcode(text, error.code)
    # Some scanners send an EAN-13 as fourteen digits, so the canonical form decides.
    if len(gtin) == LABEL_LENGTH:
        for prefix, kind in scheme.prefixes:
            if gtin.startswith(prefix):
                return _parse_label(gtin, kind)
    return ItemBarcode(gtin)


def _parse_label(label: Gtin, kind: LabelKind) -> Barcode:
    plu, value = label[2 : 2 + PLU_DIGITS], int(label[2 + PLU_DIGITS : -1])
    match kind:
        case LabelKind.PRICE:
            return PriceBarcode(plu, value)
        case LabelKind.WEIGHT:
            return WeightBarcode(plu, value)
        case LabelKind.MEMBER:
            return MemberCard(label[2:-1].lstrip("0") or "0")


def price_label_code(plu: str, amount_minor: int, prefix: str = "22") -> str:
    """The EAN-13 that a label printer puts on a pack: prefix, PLU, price, check digit.

    RefusedError `barcode.label_plu` or `barcode.label_price` when one does not fit its digits.
    """
    if not _is_number(plu, PLU_DIGITS):
        raise RefusedError("barcode.label_plu", plu=plu[:40])
    if not 0 <= amount_minor <= LABEL_MINOR_MAX:
        raise RefusedError("barcode.label_price", amount_minor=amount_minor)
    body = f"{prefix}{plu.zfill(PLU_DIGITS)}{amount_minor:05d}"
    return body + check_digit(body)


def member_card_code(number: str, prefix: str = "29") -> str:
    """The EAN-13 on a member's card: prefix, ten-digit number, check digit.

    RefusedError `barcode.member_number` when the number does not fit.
    """
    if not _is_number(number, MEMBER_DIGITS):
        raise RefusedError("barcode.member_number", code=number[:40])
    body = prefix + number.zfill(MEMBER_DIGITS)
    return body + check_digit(body)


def _is_number(text: str, digits_max: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max
