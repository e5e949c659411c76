"""Key presses of a barcode scanner in keyboard mode, as text.

Numbers are Linux input event codes (`linux/input-event-codes.h`), the layout is a US keyboard:
scanners leave the factory with it, and it is the only one they all share.
"""

from __future__ import annotations

from dataclasses import dataclass

CODE_CHARACTERS_MAX = 256
PRESSED = 1
_KEY_ENTER, _KEY_KEYPAD_ENTER, _KEY_TAB = 28, 96, 15
_SHIFTS = frozenset({42, 54})
_CAPS_LOCK = 58

_PLAIN: dict[int, str] = {
    **dict(zip(range(2, 14), "1234567890-=", strict=True)),
    **dict(zip(range(16, 28), "qwertyuiop[]", strict=True)),
    **dict(zip(range(30, 42), "asdfghjkl;'`", strict=True)),
    **dict(zip(range(43, 54), "\\zxcvbnm,./", strict=True)),
    **dict(zip(range(71, 84), "789-456+1230.", strict=True)),
    55: "*",
    57: " ",
    98: "/",
}
_SHIFTED: dict[str, str] = dict(zip("1234567890-=[];'`\\,./", '!@#$%^&*()_+{}:"~|<>?', strict=True))
_KEYPAD = frozenset({*range(71, 84), 55, 98})

TERMINATORS: dict[str, frozenset[int]] = {
    "enter": frozenset({_KEY_ENTER, _KEY_KEYPAD_ENTER}),
    "tab": frozenset({_KEY_TAB}),
}


@dataclass(frozen=True, slots=True)
class ScannerLayout:
    """How a scanner was set up: text it sends before each code, and the key that ends it."""

    prefix: str = ""
    terminator: str = "enter"


class KeyDecoder:
    """Turns key events of one scanner into codes; keeps the unfinished code between events."""

    def __init__(self, layout: ScannerLayout) -> None:
        self._layout = layout
        self._ends = TERMINATORS[layout.terminator]
        self._shifts: set[int] = set()
        self._has_caps_lock = False
        self._text = ""
        self._is_spoilt = False

    def key(self, code: int, value: int) -> str | None:
        """Take one EV_KEY event (`value` 0 up, 1 down, 2 repeat); a finished code, or None."""
        if code in _SHIFTS:
            (self._shifts.add if value else self._shifts.discard)(code)
        elif value == PRESSED:
            return self._press(code)
        return None

    def spoil(self) -> None:
        """Drop what was typed up to the next terminator: events were lost (SYN_DROPPED)."""
        self._is_spoilt = True
        self._shifts.clear()

    def _press(self, code: int) -> str | None:
        if code in self._ends:
            return self._finish()
        if code == _CAPS_LOCK:
            self._has_caps_lock = not self._has_caps_lock
        elif code in _PLAIN:
            self._text += self._character(code)
            self._is_spoilt |= len(self._text) > CODE_CHARACTERS_MAX
            self._text = self._text[:CODE_CHARACTERS_MAX]
        return None

    def _character(self, code: int) -> str:
        plain = _PLAIN[code]
        if code in _KEYPAD:
            return plain
        if plain.isalpha():
            is_upper = bool(self._shifts) != self._has_caps_lock
            return plain.upper() if is_upper else plain
        return _SHIFTED.get(plain, plain) if self._shifts else plain

    def _finish(self) -> str | None:
        text, self._text = self._text, ""
        is_spoilt, self._is_spoilt = self._is_spoilt, False
        text = text.removeprefix(self._layout.prefix).strip()
        return None if is_spoilt or not text else text
