"""What a code means, as one JSON object: `tillbox-edge barcode`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from edge.texts import sentence
from shared.item.barcode import (
    BarcodeScheme,
    ItemBarcode,
    MemberCard,
    OtherData,
    PriceBarcode,
    Reading,
    TextCode,
    WeightBarcode,
    read_barcode,
)
from shared.item.element_string import FNC1
from shared.item.restricted import Scaled
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, parse_gtin

STDIN = "-"
HELP = """\
One JSON object is printed for each CODE:

  {"code": ..., "ok": true, "kind": ..., "symbology": ..., "gtin": ..., "elements": {...},
   "data": ...}
  {"code": ..., "ok": false, "error": "barcode.check_digit", "message": ...}

  kind       item, weight, price or count (goods and what their code says of this pack), member,
             gs1 (GS1 data that names no goods: a pallet, a place, a coupon) or text
  symbology  what the scanner said by its AIM identifier, such as ]E0 or ]C1
  gtin       the item's number; with --country the digits of weight, price or count are noughts
  elements   GS1 Application Identifiers and their data
  data       what the symbol holds; FNC1 is written ^
  weight     kilograms; price, currency and money; count: decimal numbers as texts
  plu, price_minor, member: from the chain's own labels and cards
  details    of an error: which identifier, and which rule it broke

A separator (GS, 0x1D) in a CODE may be typed as {GS}. CODE - reads codes from standard input, one
in each line. The exit status is 0 when every code could be read, else 1."""
_SEPARATORS = ("{GS}", "\\x1d", "\\u001d")


def codes_of(arguments: Iterable[str], lines: TextIO) -> Iterator[str]:
    """The codes that were asked for, with separators as scanners send them."""
    for argument in arguments:
        for code in (line.rstrip("\r\n") for line in lines) if argument == STDIN else (argument,):
            yield _with_separators(code)


def explained(code: str, scheme: BarcodeScheme) -> tuple[str, bool]:
    """One line of JSON about a code, and whether the code could be read."""
    facts = _facts(code, scheme)
    return json.dumps({"code": code, **facts}), facts["ok"]


def _with_separators(code: str) -> str:
    for spelling in _SEPARATORS:
        code = code.replace(spelling, FNC1)
    return code


def _facts(code: str, scheme: BarcodeScheme) -> dict[str, Any]:
    try:
        reading = read_barcode(code, scheme)
    except RefusedError as error:
        facts = {"ok": False, "error": error.code, "message": sentence(error)}
        return facts | ({"details": error.params} if error.params else {})
    facts = {"ok": True, **_meaning(reading)}
    if reading.symbology:
        facts["symbology"] = reading.symbology
    if reading.elements:
        facts["elements"] = dict(reading.elements)
    return facts | {"data": reading.data}


def _meaning(reading: Reading) -> dict[str, Any]:
    match reading.meaning:
        case ItemBarcode() as item:
            return _item(item)
        case PriceBarcode(plu, amount_minor):
            label = {"kind": "price", "plu": plu, "price_minor": amount_minor}
            return label | {"gtin": _as_scanned(reading)}
        case WeightBarcode(plu, weight_milli):
            label = {"kind": "weight", "plu": plu, "weight": str(Scaled(weight_milli, 3))}
            return label | {"gtin": _as_scanned(reading)}
        case MemberCard(number):
            return {"kind": "member", "member": number, "gtin": _as_scanned(reading)}
        case OtherData():
            return {"kind": "gs1"}
        case TextCode():
            return {"kind": "text"}


def _item(item: ItemBarcode) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": "item", "gtin": item.gtin}
    if item.count is not None:
        facts |= {"kind": "count", "count": str(item.count)}
    if item.weight is not None:
        facts |= {"kind": "weight", "weight": str(item.weight)}
    if item.price is not None:
        facts |= {"kind": "price", "price": str(item.price)}
        if item.currency:
            facts |= {"currency": item.currency, "money": f"{item.price}, {item.currency}"}
    for name in ("lot", "serial", "expiry"):
        if value := getattr(item, name):
            facts[name] = value
    return facts


def _as_scanned(reading: Reading) -> Gtin:
    return parse_gtin(reading.digits or reading.data)
