"""Restricted circulation numbers: GTIN-13s that carry the price, weight or count of one pack.

Each country's GS1 organisation gives meanings to the prefixes 20-29, so the meanings are data.
Norway publishes none; packs there follow Sweden's. For China and Taiwan no prefix has one meaning
in all chains: there a chain's own scheme decides (`shared/item/barcode.py`).

Sources: gs1.se, gs1.fi, gs1.dk, gs1lv.org (for the Baltic states), gs1uk.org, gs1-germany.de.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.kernel.errors import RefusedError
from shared.kernel.gtin import EAN_13, Gtin, check_digit

PREFIX_DIGITS = 2
_BODY = EAN_13 - 1
_MINUS, _PLUS = -1, 1


class Measure(StrEnum):
    """What a pack differs in."""

    PRICE = "price"
    WEIGHT = "weight"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Scaled:
    """A decimal number as whole `units` of `digits` decimal places: (12340, 3) is 12.340."""

    units: int
    digits: int

    def __str__(self) -> str:
        """All decimal places, also noughts."""
        if not self.digits:
            return str(self.units)
        whole, rest = divmod(self.units, 10**self.digits)
        return f"{whole}.{rest:0{self.digits}d}"

    def at(self, digits: int) -> int | None:
        """The same number in units of so many places; None when that would not be exact."""
        if digits >= self.digits:
            return int(self.units * 10 ** (digits - self.digits))
        whole, rest = divmod(self.units, 10 ** (self.digits - digits))
        return None if rest else int(whole)


@dataclass(frozen=True, slots=True)
class PackRule:
    """Where a prefix keeps the measure: its last `value_digits`, with `decimals` places.

    With `is_checked` the digit before the measure is the measure's own check digit.
    """

    prefix: str
    measure: Measure
    value_digits: int
    decimals: int
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class PackRules:
    """A country's rules, and the currency of its prices ("": none agreed upon)."""

    rules: tuple[PackRule, ...]
    currency: str = ""


@dataclass(frozen=True, slots=True)
class VariablePack:
    """What such a number says: the item's GTIN, with noughts for the measure, and the measure.

    Weights are kilograms; prices are of `currency`, in its major unit.
    """

    gtin: Gtin
    measure: Measure
    value: Scaled
    currency: str = ""


def read_pack(gtin: Gtin, country: PackRules) -> VariablePack | None:
    """What a GTIN-13 means in a country; None when it is a plain item there.

    RefusedError `barcode.label_check` when the measure's own check digit is wrong.
    """
    if len(gtin) != EAN_13:
        return None
    rule = next((each for each in country.rules if gtin.startswith(each.prefix)), None)
    if rule is None:
        return None
    start = _BODY - rule.value_digits
    value = gtin[start:_BODY]
    if rule.is_checked and measure_check_digit(value) != gtin[start - 1]:
        raise RefusedError("barcode.label_check", code=gtin)
    currency = country.currency if rule.measure is Measure.PRICE else ""
    number = Scaled(int(value), rule.decimals)
    return VariablePack(_without_measure(gtin, rule), rule.measure, number, currency)


def measure_check_digit(value: str) -> str:
    """The check digit of a measure of four or five digits (GS1 General Specifications 7.9)."""
    if len(value) == len(_WEIGHTS_4):
        return str(3 * _weighted(value, _WEIGHTS_4) % 10)
    wanted = -_weighted(value, _WEIGHTS_5) % 10
    return next(str(digit) for digit in range(10) if _times(digit, 5, _MINUS) % 10 == wanted)


_WEIGHTS_4 = ((2, _MINUS), (2, _MINUS), (3, _PLUS), (5, _MINUS))
_WEIGHTS_5 = ((5, _PLUS), (2, _MINUS), (5, _MINUS), (5, _PLUS), (2, _MINUS))


def _weighted(value: str, weights: tuple[tuple[int, int], ...]) -> int:
    return sum(
        digit * factor if factor == 3 else _times(digit, factor, sign)  # noqa: PLR2004
        for digit, (factor, sign) in zip(map(int, value), weights, strict=True)
    )


def _times(digit: int, factor: int, sign: int) -> int:
    """The units of a product with its tens added or taken off."""
    tens, units = divmod(digit * factor, 10)
    return units + sign * tens


def _without_measure(gtin: Gtin, rule: PackRule) -> Gtin:
    noughts = "0" * rule.value_digits
    check = measure_check_digit(noughts) if rule.is_checked else ""
    body = gtin[: _BODY - rule.value_digits - len(check)] + check + noughts
    return Gtin(body + check_digit(body))


def _rules(
    measure: Measure, value_digits: int, decimals: dict[str, int], *, is_checked: bool = False
) -> tuple[PackRule, ...]:
    return tuple(
        PackRule(prefix, measure, value_digits, places, is_checked)
        for prefix, places in decimals.items()
    )


_WEIGHTS_BY_PLACES = _rules(Measure.WEIGHT, 4, {"23": 3, "24": 2, "25": 1})
_PRICES_BY_PLACES = _rules(Measure.PRICE, 4, {"20": 2, "21": 1, "22": 0})
_BALTIC = PackRules(_WEIGHTS_BY_PLACES)
COUNTRIES: dict[str, PackRules] = {
    "DE": PackRules(
        (
            *_rules(Measure.PRICE, 5, {"22": 2, "23": 2}, is_checked=True),
            *_rules(Measure.COUNT, 5, {"25": 0, "26": 0}, is_checked=True),
            *_rules(Measure.WEIGHT, 5, {"28": 3, "29": 3}, is_checked=True),
        ),
        "EUR",
    ),
    "DK": PackRules(
        (
            *_rules(Measure.PRICE, 6, {"21": 2, "22": 2, "23": 2, "24": 2}),
            *_rules(Measure.WEIGHT, 6, {"26": 3, "28": 3}),
            *_rules(Measure.WEIGHT, 5, {"27": 3}),
        ),
        "DKK",
    ),
    "EE": _BALTIC,
    "FI": PackRules(_WEIGHTS_BY_PLACES),
    "GB": PackRules(_rules(Measure.PRICE, 4, {"20": 2}, is_checked=True), "GBP"),
    "LT": _BALTIC,
    "LV": _BALTIC,
    "NO": PackRules((*_PRICES_BY_PLACES, *_WEIGHTS_BY_PLACES), "NOK"),
    "SE": PackRules((*_PRICES_BY_PLACES, *_WEIGHTS_BY_PLACES), "SEK"),
}
"""Rules by country (ISO 3166-1 alpha-2)."""
