"""Where a code begins and ends, and what may be wrong with it: the same for every scanner.

Characters come in one by one with the time of each; a `Heard` comes out for every code, and for
every trouble that a cashier must know of, since a code that is lost in silence is a free item.
"""

from __future__ import annotations

from dataclasses import dataclass

CODE_CHARACTERS_MAX = 256
STALE_MS = 500
"""No scanner pauses so long within a code: what came before was never ended."""
KEYS_LOST, TOO_LONG, PARTIAL, REPEATED, TYPED = (
    "scanner.keys_lost",
    "scanner.too_long",
    "scanner.partial",
    "scanner.repeated",
    "scanner.typed",
)
ENDS: dict[str, frozenset[str]] = {
    "enter": frozenset("\r\n"),
    "tab": frozenset("\t"),
    "etx": frozenset("\x03"),
    "none": frozenset(),
}
_STX = "\x02"
_AROUND = " \t\r\n\v\f"
"""What is cut off at both ends; not FS, GS, RS and US, which belong to the code."""


@dataclass(frozen=True, slots=True)
class ScannerLayout:
    """How a scanner was set up.

    `prefix` and `suffix` are text around each code, `terminator` is what ends it: enter, tab, etx
    (STX before and ETX after it) or none, where a pause of `gap_ms` does.  `keyboard` is the
    country of its key map, `separator` the text and `separator_key` the function key that it sends
    for GS (FNC1), which also comes as Ctrl+].  With `aim` each code begins with its symbology.
    The same code again within `repeat_ms` is dropped, and a code that takes longer than `within_ms`
    from its first character to its end; 0 takes every one.
    """

    prefix: str = ""
    suffix: str = ""
    terminator: str = "enter"
    gap_ms: int = 60
    keyboard: str = "us"
    separator: str = ""
    separator_key: str = ""
    aim: bool = False
    repeat_ms: int = 0
    within_ms: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A code, or in `trouble` the reason why there is none."""

    code: str = ""
    trouble: str = ""


class Framer:
    """Cuts the characters of one scanner into codes; times are `mono_ms` of any one clock."""

    def __init__(self, layout: ScannerLayout) -> None:
        self._layout = layout
        self._ends = ENDS[layout.terminator]
        self._text = ""
        self._is_spoilt = False
        self._began_ms = 0
        self._at_ms = 0
        self._last = ("", 0)

    @property
    def is_partial(self) -> bool:
        """Whether a code has begun that has not ended."""
        return bool(self._text)

    def feed(self, character: str, at_ms: int, *, is_exact: bool = True) -> list[Heard]:
        """Take a character or a few that came together; what is heard by them, mostly nothing.

        `at_ms` not `is_exact` is when they were read, perhaps long after they came: a gap before
        them means nothing then, and taking it for a pause would make two codes out of one.
        """
        before = self._pause(at_ms) if is_exact else None
        self._at_ms = at_ms
        heard = (before, *map(self._take, character))
        return [each for each in heard if each is not None]

    def pause(self, at_ms: int) -> list[Heard]:
        """Note that nothing has come until now, and nothing waits to be read."""
        heard = self._pause(at_ms)
        return [] if heard is None else [heard]

    def spoil(self, at_ms: int) -> list[Heard]:
        """Characters were lost: nothing counts until the end of this code."""
        self._at_ms = at_ms
        return self._spoilt(KEYS_LOST)

    def cut_off(self) -> list[Heard]:
        """The scanner is gone: an unfinished code is dropped, and told."""
        was_partial, self._text, self._is_spoilt = self.is_partial, "", False
        return [Heard(trouble=PARTIAL)] if was_partial else []

    def _take(self, character: str) -> Heard | None:
        if character in self._ends:
            return self._finish()
        if character == _STX and self._layout.terminator == "etx":
            return self._begin_anew()
        if not self._is_spoilt:
            self._began_ms = self._began_ms if self._text else self._at_ms
            self._text += character
            if len(self._text) > CODE_CHARACTERS_MAX:
                return self._spoilt(TOO_LONG)[0]
        return None

    def _pause(self, at_ms: int) -> Heard | None:
        if not self._text and not self._is_spoilt:
            return None
        quiet_ms = at_ms - self._at_ms
        if not self._ends:
            return self._finish() if quiet_ms >= self._layout.gap_ms else None
        return self._begin_anew() if quiet_ms >= STALE_MS else None

    def _begin_anew(self) -> Heard | None:
        was_partial, self._text, self._is_spoilt = self.is_partial, "", False
        return Heard(trouble=PARTIAL) if was_partial else None

    def _spoilt(self, why: str) -> list[Heard]:
        was_told, self._is_spoilt, self._text = self._is_spoilt, True, ""
        return [] if was_told else [Heard(trouble=why)]

    def _finish(self) -> Heard | None:
        text, self._text = self._text, ""
        was_spoilt, self._is_spoilt = self._is_spoilt, False
        code = self._cleaned(text)
        if was_spoilt or not code:
            return None
        last, last_at_ms = self._last
        self._last = (code, self._at_ms)
        if code == last and self._at_ms - last_at_ms < self._layout.repeat_ms:
            return Heard(trouble=REPEATED)
        took_ms, limit_ms = self._at_ms - self._began_ms, self._layout.within_ms
        return Heard(trouble=TYPED) if limit_ms and took_ms > limit_ms else Heard(code)

    def _cleaned(self, text: str) -> str:
        layout = self._layout
        text = text.strip(_AROUND).removeprefix(layout.prefix).removesuffix(layout.suffix)
        if layout.separator:
            text = text.replace(layout.separator, "\x1d")
        return text.strip(_AROUND)
