"""AIM symbology identifiers (ISO/IEC 15424): which symbol a scan was read from.

A scanner that is told to sends `]`, a letter for the symbology and a modifier before the data.
Only the ones that a shop meets are known; the others are refused, not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.kernel.errors import RefusedError

FLAG = "]"
_PREFIX_LENGTH = 3


class Carries(StrEnum):
    """What the data behind an identifier is."""

    EAN_13 = "ean_13"
    """13 digits, or the 8 of a UPC-E that the scanner did not spell out."""
    EAN_13_ADD_ON = "ean_13_add_on"
    """13 digits, then an add-on of 2 or 5 digits, as on magazines."""
    EAN_8 = "ean_8"
    ELEMENTS = "elements"
    """GS1 element strings."""
    MESSAGE = "message"
    """Any text, also none; one that is a web address must be a GS1 Digital Link."""
    DIGITS = "digits"
    """A linear symbol of no standard content: a GTIN, or not ours."""


@dataclass(frozen=True, slots=True)
class Symbology:
    """Name as GS1's syntax engine spells it where it has one, and what the data is."""

    name: str
    carries: Carries


_EAN_UPC = {
    "E0": Symbology("EAN13", Carries.EAN_13),
    "E3": Symbology("EAN13", Carries.EAN_13_ADD_ON),
    "E4": Symbology("EAN8", Carries.EAN_8),
}
_GS1 = {
    identifier: Symbology(name, Carries.ELEMENTS)
    for name, identifiers in (
        ("GS1_128_CCA", "C1"),
        ("DataBarExpanded", "e0"),
        ("DM", "d2 d5"),
        ("QR", "Q3 Q4"),
        ("DotCode", "J1 J4"),
    )
    for identifier in identifiers.split()
}
_MESSAGES = {
    identifier: Symbology(name, Carries.MESSAGE)
    for name, identifiers in (
        ("DM", "d0 d1 d4"),
        ("QR", "Q0 Q1 Q2"),
        ("DotCode", "J0 J3"),
        ("Aztec", "z0"),
        ("PDF417", "L0 L1 L2"),
    )
    for identifier in identifiers.split()
}
_LINEAR = {
    identifier: Symbology(name, Carries.DIGITS)
    for name, identifiers in (
        ("Code128", "C0"),
        ("ITF", "I0 I1"),
        ("Code39", "A0 A1 A2 A4 A5 A7"),
        ("Code93", "G0"),
        ("Codabar", "F0 F2"),
    )
    for identifier in identifiers.split()
}
SYMBOLOGIES = {**_EAN_UPC, **_GS1, **_MESSAGES, **_LINEAR}


def split_aim(text: str) -> tuple[Symbology | None, str]:
    """The symbology that the scanner named, if it did, and the data without the identifier.

    RefusedError `barcode.symbology` for an identifier that is cut off or not one we read.
    """
    if not text.startswith(FLAG):
        return None, text
    symbology = SYMBOLOGIES.get(text[1:_PREFIX_LENGTH])
    if symbology is None:
        raise RefusedError("barcode.symbology", symbology=text[:_PREFIX_LENGTH])
    return symbology, text[_PREFIX_LENGTH:]
