"""A chain's own codes: labels with a price or weight, and members' cards.

Restricted-circulation prefixes (GS1 General Specifications 2.1.11.1) are given out by each
chain, or by the GS1 organisation of its country, so which prefix means what is data
(`BarcodeScheme`), not code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.item.restricted import COUNTRIES, PackRules
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import EAN_13, Gtin, check_digit

PLU_DIGITS = 5
MEMBER_DIGITS = 10
LABEL_MINOR_MAX = 99_999
OWN_SCHEME_COUNTRIES = ("CN", "TW")
"""Where GS1 leaves the prefixes to the chains."""
LABEL_COUNTRIES = tuple(sorted({*COUNTRIES, *OWN_SCHEME_COUNTRIES}))
"""Countries whose rules are known."""


class LabelKind(StrEnum):
    """What the digits behind a chain's own two-digit prefix carry."""

    PRICE = "price"
    WEIGHT = "weight"
    MEMBER = "member"


_NO_PACKS = PackRules(())


@dataclass(frozen=True, slots=True)
class BarcodeScheme:
    """Prefix (two digits of an EAN-13) -> what the label carries, and a country's own rules.

    A country's meaning of a prefix goes before the chain's.
    """

    prefixes: tuple[tuple[str, LabelKind], ...] = (
        ("21", LabelKind.WEIGHT),
        ("22", LabelKind.PRICE),
        ("29", LabelKind.MEMBER),
    )
    packs: PackRules = _NO_PACKS


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


Label = PriceBarcode | WeightBarcode | MemberCard
DEFAULT_SCHEME = BarcodeScheme()


def own_scheme(
    weights: Iterable[int], prices: Iterable[int], members: Iterable[int]
) -> BarcodeScheme:
    """A chain's own scheme by the prefixes that it uses for each kind of label."""
    kinds = ((LabelKind.WEIGHT, weights), (LabelKind.PRICE, prices), (LabelKind.MEMBER, members))
    return BarcodeScheme(
        tuple((f"{prefix:02d}", kind) for kind, prefixes in kinds for prefix in prefixes)
    )


def scheme_of(country: str, own: BarcodeScheme = DEFAULT_SCHEME) -> BarcodeScheme:
    """The scheme of a country (ISO 3166-1 alpha-2); "" is the chain's own, as in China and Taiwan.

    Members keep their cards where the country leaves their prefix free. RefusedError
    `barcode.country` when its rules are not known.
    """
    if not country or country in OWN_SCHEME_COUNTRIES:
        return own
    if country not in COUNTRIES:
        known = ", ".join(LABEL_COUNTRIES)
        raise RefusedError("barcode.country", country=country[:40], known=known)
    members = tuple(pair for pair in own.prefixes if pair[1] is LabelKind.MEMBER)
    return BarcodeScheme(members, COUNTRIES[country])


def read_label(gtin: Gtin, scheme: BarcodeScheme) -> Label | None:
    """What a chain's own label says; None for any other GTIN."""
    if len(gtin) != EAN_13:
        return None
    for prefix, kind in scheme.prefixes:
        if gtin.startswith(prefix):
            return _label(gtin, kind)
    return None


def _label(label: Gtin, kind: LabelKind) -> Label:
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
