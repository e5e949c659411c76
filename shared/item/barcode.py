"""What a scanned code means: an item, a price or weight label, a member card, or nothing.

Read are EAN, UPC and ITF-14 numbers, GS1 element strings (GS1-128, DataBar, DataMatrix, QR,
DotCode, composite components) and GS1 Digital Links, with or without the scanner's AIM
identifier.  Without one, element strings are known by their separator alone: digits that merely
look like them are refused, because they may be anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.item.aim import Carries, split_aim
from shared.item.digital_link import is_web_address, read_digital_link
from shared.item.element_string import FNC1, Element, check_pairings, read_elements
from shared.item.item_barcode import ItemBarcode, OtherData, goods_of
from shared.item.labels import (
    DEFAULT_SCHEME,
    PLU_DIGITS,
    BarcodeScheme,
    LabelKind,
    MemberCard,
    PriceBarcode,
    WeightBarcode,
    member_card_code,
    price_label_code,
    read_label,
    scheme_of,
)
from shared.item.restricted import read_pack
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import (
    EAN_8,
    EAN_13,
    GTIN_14,
    check_digit,
    expand_upc_e,
    parse_gtin,
)

__all__ = [
    "DEFAULT_SCHEME",
    "PLU_DIGITS",
    "BadBarcode",
    "Barcode",
    "BarcodeScheme",
    "ItemBarcode",
    "LabelKind",
    "MemberCard",
    "OtherData",
    "PriceBarcode",
    "Reading",
    "TextCode",
    "WeightBarcode",
    "member_card_code",
    "parse_barcode",
    "price_label_code",
    "read_barcode",
    "scheme_of",
    "shown_code",
]
_COMPOSITE = "|]e0"
_ADD_ONS = (2, 5)
_ESCAPED = re.compile(r"\\*\^")


@dataclass(frozen=True, slots=True)
class TextCode:
    """A two-dimensional symbol with words of its own: a coupon, a badge, or not ours."""

    text: str


@dataclass(frozen=True, slots=True)
class BadBarcode:
    """A text that is no code of ours; `because` is an error code such as `barcode.check_digit`.

    `text` is without the scanner's AIM identifier.
    """

    text: str
    because: str


Meaning = ItemBarcode | PriceBarcode | WeightBarcode | MemberCard | OtherData | TextCode
Barcode = Meaning | BadBarcode


@dataclass(frozen=True, slots=True)
class Reading:
    """A scan taken apart.

    `symbology` is "" when the scanner did not tell. `data` is what was transmitted, without the
    AIM identifier; each FNC1 is written `^` (then a text that begins with a caret has a backslash
    before it), as GS1's syntax engine does. `digits` are those of a plain number.
    """

    meaning: Meaning
    data: str
    symbology: str = ""
    elements: tuple[Element, ...] = ()
    digits: str = ""


def parse_barcode(text: str, scheme: BarcodeScheme = DEFAULT_SCHEME) -> Barcode:
    """Read one scan. Never guesses: a text that does not check is `BadBarcode`."""
    try:
        return read_barcode(text, scheme).meaning
    except RefusedError as error:
        try:
            return BadBarcode(split_aim(text)[1], error.code)
        except RefusedError:
            return BadBarcode(text, error.code)


def shown_code(text: str) -> str:
    """A scan as people know it: without the AIM identifier and component, separators as `^`."""
    try:
        data = split_aim(text)[1]
    except RefusedError:
        data = text
    return data.partition(_COMPOSITE)[0].replace(FNC1, "^")


def read_barcode(text: str, scheme: BarcodeScheme = DEFAULT_SCHEME) -> Reading:
    """Read one scan and tell how; RefusedError `barcode.*` when it is no code."""
    symbology, data = split_aim(text)
    if symbology is None:
        return _read_unnamed(data, scheme)
    match symbology.carries:
        case Carries.ELEMENTS:
            return _read_elements(data, symbology.name)
        case Carries.MESSAGE:
            return _read_message(data, symbology.name, scheme)
        case Carries.DIGITS:
            return _read_number(data, symbology.name, scheme)
        case Carries.EAN_13_ADD_ON:
            return _read_with_add_on(data, symbology.name, scheme)
        case Carries.EAN_13 | Carries.EAN_8:
            length = EAN_13 if symbology.carries is Carries.EAN_13 else EAN_8
            return _read_ean(data, length, symbology.name, scheme)


def _read_unnamed(data: str, scheme: BarcodeScheme) -> Reading:
    if FNC1 in data:
        return _read_elements(data, "")
    if is_web_address(data):
        return _read_link(data, "")
    if _looks_like_elements(data):
        raise RefusedError("barcode.needs_symbology")
    return _read_number(data, "", scheme)


def _looks_like_elements(data: str) -> bool:
    """A GTIN behind its identifier: likely GS1 data from a scanner that was not set up."""
    gtin = data[2 : 2 + GTIN_14]
    is_gtin = gtin.isascii() and gtin.isdigit() and len(gtin) == GTIN_14
    return data.startswith("01") and is_gtin and check_digit(gtin[:-1]) == gtin[-1]


def _read_number(data: str, symbology: str, scheme: BarcodeScheme) -> Reading:
    """A GTIN by itself, which a scheme may give a meaning."""
    gtin = parse_gtin(data)
    pack = read_pack(gtin, scheme.packs)
    if pack is not None:
        return Reading(ItemBarcode.of_pack(pack), data, symbology, digits=data)
    # Some scanners send an EAN-13 as fourteen digits, so the canonical form decides.
    return Reading(read_label(gtin, scheme) or ItemBarcode(gtin), data, symbology, digits=data)


def _read_ean(data: str, length: int, symbology: str, scheme: BarcodeScheme) -> Reading:
    """An EAN or UPC symbol, perhaps with a composite component printed above it."""
    primary, mark, component = data.partition(_COMPOSITE)
    number = expand_upc_e(primary) if length == EAN_13 and len(primary) == EAN_8 else primary
    if number == primary and len(primary) != length:
        raise RefusedError("barcode.length", code=primary[:40], length=len(primary))
    read = _read_number(number, symbology, scheme)
    if not mark:
        return Reading(read.meaning, primary, symbology, digits=number)
    return _read_composite(read, read_elements(component), f"{primary}|{_carets(component)}")


def _read_composite(read: Reading, component: tuple[Element, ...], data: str) -> Reading:
    gtin = Element("01", read.digits.zfill(GTIN_14))
    if any(each.ai == gtin.ai and each != gtin for each in component):
        raise RefusedError("barcode.ai_twice", ai=gtin.ai)
    elements = (gtin, *(each for each in component if each != gtin))
    check_pairings(elements)
    is_item = isinstance(read.meaning, ItemBarcode) and not read.meaning.is_measured
    meaning = goods_of(elements) if is_item else read.meaning
    return Reading(meaning, data, read.symbology, elements, read.digits)


def _read_with_add_on(data: str, symbology: str, scheme: BarcodeScheme) -> Reading:
    """A magazine's number; which issue it is makes no other item of it."""
    number, add_on = data[:EAN_13], data[EAN_13:]
    if len(add_on) not in _ADD_ONS:
        raise RefusedError("barcode.length", code=data[:40], length=len(data))
    if not (add_on.isascii() and add_on.isdigit()):
        raise RefusedError("barcode.characters", code=data[:40])
    read = _read_number(number, symbology, scheme)
    return Reading(read.meaning, data, symbology, digits=number)


def _read_elements(data: str, symbology: str) -> Reading:
    # A few scanners also send the FNC1 that starts the symbol.
    elements = read_elements(data.removeprefix(FNC1))
    check_pairings(elements)
    return Reading(goods_of(elements), _carets(data.removeprefix(FNC1)), symbology, elements)


def _read_message(data: str, symbology: str, scheme: BarcodeScheme) -> Reading:
    if is_web_address(data):
        return _read_link(data, symbology)
    shown = f"\\{data}" if _ESCAPED.match(data) else data
    member = _member_in(data, scheme)
    return Reading(member or TextCode(data), shown, symbology)


def _member_in(data: str, scheme: BarcodeScheme) -> MemberCard | None:
    """Members' phones show their card as a square code."""
    try:
        label = read_label(parse_gtin(data), scheme) if len(data) == EAN_13 else None
    except RefusedError:
        return None
    return label if isinstance(label, MemberCard) else None


def _read_link(data: str, symbology: str) -> Reading:
    elements = read_digital_link(data)
    return Reading(goods_of(elements), data, symbology, elements)


def _carets(data: str) -> str:
    return "^" + data.replace(FNC1, "^")
