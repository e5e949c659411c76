"""Giving a scanner to a lane: the till shows a code, the scanner that reads it is the lane's. Pure.

The code is good for one lane, one scanner and one minute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

PAIRING_CODE = "scanner.pairing_code"
"""The trouble with a code that pairs and was read where nobody waits for it."""
PAIRING_MS = 60_000
TYPED_MS = 1500
"""A scanner is done with a pairing code by then; a person at a keyboard is not."""
LETTERS = "23456789BCDFGHJKLNPRSTVX"
"""Neither vowels nor what looks alike, nor what other countries' keyboards have elsewhere."""
TOKEN_LENGTH = 4
_CODE = re.compile(r"(?:\][A-Za-z][0-9A-Za-z])?TBPAIR-(\d{1,2})-([0-9A-Z]{4})", re.IGNORECASE)

PairingProgress = Literal["none", "waiting", "paired", "expired", "refused"]


@dataclass(frozen=True, slots=True)
class Pairing:
    """A lane that waits for its scanner until `until_ms` (machine clock, monotonic)."""

    lane: int
    code: str
    until_ms: int
    progress: PairingProgress = "waiting"
    device: str = ""
    address: str = ""
    name: str = ""

    def at(self, mono_ms: int) -> Pairing:
        """The same as of now."""
        is_over = self.progress == "waiting" and mono_ms >= self.until_ms
        return replace(self, progress="expired") if is_over else self

    def is_open(self, mono_ms: int) -> bool:
        """Whether a scanner may still be taken."""
        return self.at(mono_ms).progress == "waiting"


def new_pairing(lane: int, token: str, mono_ms: int) -> Pairing:
    """Begin; `token` are TOKEN_LENGTH characters that nobody can guess."""
    return Pairing(lane, f"TBPAIR-{lane}-{token}", mono_ms + PAIRING_MS)


def token_of(chances: tuple[float, ...]) -> str:
    """Characters for numbers in [0, 1)."""
    return "".join(LETTERS[int(chance * len(LETTERS))] for chance in chances)


def is_pairing_code(code: str) -> bool:
    """Whether this is somebody's pairing code, of today or of last year: never goods."""
    return _CODE.fullmatch(code.strip()) is not None


def matches(pairing: Pairing, code: str) -> bool:
    """Whether a scanned code is this pairing's; scanners may add AIM ids or turn letters."""
    found = _CODE.fullmatch(code.strip())
    wanted = _CODE.fullmatch(pairing.code)
    if found is None or wanted is None:
        return False
    return (int(found[1]), found[2].upper()) == (int(wanted[1]), wanted[2])
