"""Key presses of a barcode scanner in keyboard mode, as characters.

Numbers are Linux input event codes (`linux/input-event-codes.h`).  What characters mean, where a
code ends and what is wrong with it is `framing.py`'s matter, the same as for serial scanners.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.device.keymap_layouts import LAYOUTS

RELEASED, PRESSED = 0, 1
_KEY_ENTER, _KEY_KEYPAD_ENTER, _KEY_TAB, _KEY_CAPS_LOCK = 28, 96, 15, 58
_SHIFTS, _CTRLS = frozenset({42, 54}), frozenset({29, 97})
_KEY_ALT, _KEY_ALT_GR = 56, 100
_MODIFIERS = _SHIFTS | _CTRLS | {_KEY_ALT, _KEY_ALT_GR}
_KEYPAD: dict[int, str] = {
    **dict(zip(range(71, 84), "789-456+1230.", strict=True)),
    55: "*",
    98: "/",
    117: "=",
}
_FUNCTION_KEYS = {**{f"f{n}": 58 + n for n in range(1, 11)}, "f11": 87, "f12": 88}
_CONTROL_BY_PLACE = {26: "\x1b", 43: "\x1c", 27: "\x1d", 7: "\x1e", 12: "\x1f"}
"""Ctrl with the keys that carry [ \\ ] 6 - on a US keyboard, whatever is printed on them."""
_ALT_DIGITS_MAX = 7
GROUP_SEPARATOR = "\x1d"


class KeyDecoder:
    """Turns key events of one scanner into characters; keeps which keys are held."""

    def __init__(self, keyboard: str = "us", separator_key: str = "") -> None:
        self._layout = LAYOUTS[keyboard]
        self._separator_key = _FUNCTION_KEYS.get(separator_key, 0)
        self._held: set[int] = set()
        self._has_caps_lock = False
        self._alt_digits = ""
        self._dead = ""

    def key(self, code: int, value: int) -> str:
        """Take one EV_KEY event (`value` 0 up, 1 down, 2 repeat); its character, "" for none.

        Enter is CR, Tab is HT.  Alt with keypad digits gives its character when Alt is let go.
        """
        if code in _MODIFIERS:
            return self._modifier(code, value)
        if value != PRESSED:
            return ""
        if code == _KEY_CAPS_LOCK:
            self._has_caps_lock = not self._has_caps_lock
            return ""
        if code in {_KEY_ENTER, _KEY_KEYPAD_ENTER}:
            return self._plain("\r")
        if code == _KEY_TAB:
            return self._plain("\t")
        return self._character(code)

    def resume(self, held: Iterable[int]) -> None:
        """Begin anew after lost events, with the keys that the device says are held."""
        self._held = set(held) & _MODIFIERS
        self._alt_digits = self._dead = ""

    def _modifier(self, code: int, value: int) -> str:
        if value != RELEASED:
            self._held.add(code)
            return ""
        self._held.discard(code)
        digits = ""
        if code == _KEY_ALT:
            digits, self._alt_digits = self._alt_digits, ""
        return _by_number(digits) if digits else ""

    def _character(self, code: int) -> str:
        if code == self._separator_key:
            return GROUP_SEPARATOR
        if code in _KEYPAD:
            return self._keypad(_KEYPAD[code])
        if self._held & _CTRLS and _KEY_ALT not in self._held:
            return self._control(code)
        if self._is_third_level():
            return self._plain(self._layout.third.get(code, ""))
        return self._combined(self._printed(code))

    def _keypad(self, character: str) -> str:
        if _KEY_ALT in self._held and character.isdigit():
            self._alt_digits = (self._alt_digits + character)[:_ALT_DIGITS_MAX]
            return ""
        return self._plain(character)

    def _control(self, code: int) -> str:
        letter = self._layout.plain.get(code, "")
        if letter.isascii() and letter.isalpha():
            return chr(ord(letter.upper()) & 0x1F)
        return _CONTROL_BY_PLACE.get(code, "")

    def _is_third_level(self) -> bool:
        """AltGr, or Ctrl and Alt together, which is the same on a PC."""
        return _KEY_ALT_GR in self._held or (
            _KEY_ALT in self._held and not self._held.isdisjoint(_CTRLS)
        )

    def _printed(self, code: int) -> str:
        plain = self._layout.plain.get(code, "")
        shifted = self._layout.shifted.get(code, plain)
        is_shifted = bool(self._held & _SHIFTS)
        if plain.isalpha() and plain.upper() == shifted:
            is_shifted = is_shifted != self._has_caps_lock
        return shifted if is_shifted else plain

    def _combined(self, character: str) -> str:
        """An accent that waits for its letter is typed with a space when it stands alone."""
        dead, self._dead = self._dead, ""
        if dead and character:
            return dead if character == " " else dead + character
        if character in self._layout.dead:
            self._dead = character
            return ""
        return character

    def _plain(self, character: str) -> str:
        dead, self._dead = self._dead, ""
        return dead + character


def _by_number(digits: str) -> str:
    """What Windows types for Alt and these keypad digits; a leading 0 means its own code page."""
    number = int(digits)
    if number <= 0xFF:  # noqa: PLR2004 - one byte
        page = "cp1252" if digits.startswith("0") else "cp437"
        return bytes((number,)).decode(page, errors="ignore")
    is_character = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF  # noqa: PLR2004 - Unicode
    return chr(number) if is_character else ""
