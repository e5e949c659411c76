"""Receipt numbers: per lane, from 1, without gaps, never used twice.

The 17th receipt of lane 2 is "2-000017". A journal that had to begin anew cannot know which
numbers the lost one gave, so each later journal of a store has a series of its own:
"2-K7QM-000017".
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

NUMBER_DIGITS = 6
SERIES_CHARS = 4
FIRST_SERIES = ""
"""The series of a store's first journal."""
_FORM = re.compile(r"([1-9][0-9]{0,3})(?:-([A-Z2-7]{4}))?-([0-9]{6,12})")


class ReceiptNo(NamedTuple):
    """Lane, series ("" for a store's first journal) and number from 1."""

    lane: int
    series: str
    number: int

    def __str__(self) -> str:
        """As printed."""
        series = f"{self.series}-" if self.series else ""
        return f"{self.lane}-{series}{self.number:0{NUMBER_DIGITS}d}"


def parse_receipt_no(text: str) -> ReceiptNo | None:
    """Read a printed number; None when the text is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    return ReceiptNo(int(found[1]), found[2] or FIRST_SERIES, int(found[3]))


def series_of(stream: str) -> str:
    """The series of a later journal, from its stream id (hex): one in a million is like it."""
    digest = hashlib.sha256(b"tillbox series" + bytes.fromhex(stream)).digest()
    return base64.b32encode(digest).decode()[:SERIES_CHARS]
