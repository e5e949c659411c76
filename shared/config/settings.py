"""The settings that there are: tax rates by class, ways to pay, cash rounding, receipt texts."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.config.box import BOX, parse_box
from shared.config.dated import Value
from shared.config.value import only, text_lines, wrong
from shared.kernel.errors import RefusedError
from shared.kernel.rounding import STEPS_MINOR, CashRounding, RoundingMode

PAYMENT, RECEIPT, ROUNDING, TAX, LOGO = "payment", "receipt", "rounding", "tax/", "logo"
LOGO_BYTES_MAX = 24 * 1024
"""Of a logo in black and white: it comes to each store with its other settings."""
_PNG = b"\x89PNG\r\n\x1a\n"
TENDERS = ("cash", "card", "manufacturer_coupon")
"""Ways to pay that a store may switch off; `shared.sale.tender` has the same."""
MONEY = frozenset({"cash", "card"})
"""One of these has to be among them: with makers' coupons alone no sale could be paid."""
RATE_BP_MAX = 10_000
CLASS_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Payment:
    """What a store takes: {"tenders": ["cash", ...]} of TENDERS, at least one of MONEY."""

    tenders: frozenset[str] = frozenset(TENDERS)


@dataclass(frozen=True, slots=True)
class ReceiptTexts:
    """Lines of receipts by language: {"header": {"en": [...]}, "footer": {...}, "returns": {...}}.

    `header` stands under the store's name, `returns` (how goods may be brought back) and then
    `footer` above the receipt's thanks.
    """

    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    returns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    footer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def tax_name(tax_class: str) -> str:
    """The name of a tax class's setting; RefusedError `config.name`."""
    if CLASS_NAME.fullmatch(tax_class) is None:
        raise RefusedError("config.name", name=tax_class[:60])
    return TAX + tax_class


def parse_tax(value: Value) -> int:
    """The rate of {"rate_bp": 1300} in basis points; RefusedError `config.value`."""
    only(value, "rate_bp")
    rate_bp = value.get("rate_bp")
    if not isinstance(rate_bp, int) or isinstance(rate_bp, bool):
        raise wrong("rate_bp")
    if not 0 <= rate_bp <= RATE_BP_MAX:
        raise wrong("rate_bp")
    return rate_bp


def parse_payment(value: Value) -> Payment:
    """What a store takes; RefusedError `config.value`.

    A way to pay that this software does not know is left out: newer software may.
    """
    only(value, "tenders")
    tenders = value.get("tenders")
    if not isinstance(tenders, list | tuple):
        raise wrong("tenders")
    known = frozenset(each for each in tenders if each in TENDERS)
    if not known & MONEY:
        raise wrong("tenders")
    return Payment(known)


def parse_receipt(value: Value) -> ReceiptTexts:
    """The lines of receipts; RefusedError `config.value`."""
    only(value, "header", "returns", "footer")
    return ReceiptTexts(*(text_lines(value, name) for name in ("header", "returns", "footer")))


def parse_logo(value: Value) -> bytes:
    """The PNG of {"png": base64} that heads receipts, b"" for none; RefusedError `config.value`."""
    only(value, "png")
    text = value.get("png")
    try:
        found = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or len(found) > LOGO_BYTES_MAX or (found and not found.startswith(_PNG)):
        raise wrong("png")
    return found


def parse_rounding(value: Value) -> CashRounding:
    """The rule of {"step_minor": 5, "mode": "nearest"}; RefusedError `config.value`."""
    only(value, "step_minor", "mode")
    step_minor, mode = value.get("step_minor"), value.get("mode", RoundingMode.NEAREST)
    if type(step_minor) is not int or step_minor not in STEPS_MINOR:
        raise wrong("step_minor")
    if mode not in tuple(RoundingMode):
        raise wrong("mode")
    return CashRounding(step_minor, RoundingMode(mode))


def check_setting(name: str, value: Value) -> None:
    """RefusedError `config.name` or `config.value` for what no till would understand."""
    if name.startswith(TAX):
        tax_name(name.removeprefix(TAX))
        parse_tax(value)
    elif name.startswith(BOX):
        parse_box(name.removeprefix(BOX), value)
    elif name == PAYMENT:
        parse_payment(value)
        _only_known(value)
    elif name == RECEIPT:
        parse_receipt(value)
    elif name == LOGO:
        parse_logo(value)
    elif name == ROUNDING:
        parse_rounding(value)
    else:
        raise RefusedError("config.name", name=name[:60])


def in_language(lines: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    """The lines in a language; where there are none, in the first that there is."""
    return lines.get(language) or next((lines[each] for each in sorted(lines) if lines[each]), ())


def _only_known(value: Mapping[str, Any]) -> None:
    for each in value.get("tenders", ()):
        if each not in TENDERS:
            raise wrong("tenders")
