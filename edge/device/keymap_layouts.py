"""Which character is printed where: the keyboards that scanners are set up for.

Rows are the physical rows of a keyboard, left to right, by Linux key code; a character is what
the key types on a PC set to that country.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_NUMBERS, _TOP, _HOME, _BOTTOM = range(2, 14), range(16, 28), range(30, 41), range(44, 54)
_LEFT_OF_1, _BESIDE_ENTER, _BESIDE_SHIFT, _SPACE = 41, 43, 86, 57


@dataclass(frozen=True, slots=True)
class KeyboardLayout:
    """Characters by key code: plain, with Shift, and with AltGr; `dead` wait for a letter."""

    plain: dict[int, str]
    shifted: dict[int, str]
    third: dict[int, str] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()


def _level(*rows: str) -> dict[int, str]:
    """Number row, three letter rows, then the keys left of 1, beside Enter and beside Shift."""
    keys = (_NUMBERS, _TOP, _HOME, _BOTTOM, (_LEFT_OF_1, _BESIDE_ENTER, _BESIDE_SHIFT))
    level = {_SPACE: " "}
    for codes, characters in zip(keys, rows, strict=True):
        level.update(zip(codes, characters, strict=True))
    return level


_US = KeyboardLayout(
    _level("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "`\\<"),
    _level("!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"', "ZXCVBNM<>?", "~|>"),
)
_DE = KeyboardLayout(
    _level("1234567890ß´", "qwertzuiopü+", "asdfghjklöä", "yxcvbnm,.-", "^#<"),
    _level('!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ", "YXCVBNM;:_", "°'>"),
    {8: "{", 9: "[", 10: "]", 11: "}", 12: "\\", 16: "@", 18: "€", 27: "~", 50: "µ", 86: "|"}
    | {3: "²", 4: "³"},
    frozenset("^´`"),
)
_FR = KeyboardLayout(
    _level("&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù", "wxcvbn,;:!", "²*<"),
    _level("1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%", "WXCVBN?./§", "²µ>"),
    {3: "~", 4: "#", 5: "{", 6: "[", 7: "|", 8: "`", 9: "\\", 10: "^", 11: "@", 12: "]"}
    | {13: "}", 18: "€", 27: "¤"},
    frozenset("^¨"),
)
LAYOUTS: dict[str, KeyboardLayout] = {"us": _US, "de": _DE, "fr": _FR}
