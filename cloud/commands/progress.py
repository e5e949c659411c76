"""A progress bar for a person at a terminal; a pipe or a log gets none."""

from __future__ import annotations

from typing import TextIO

WIDTH = 30


class ProgressBar:
    """Redraws one line as work gets done; `close` clears it."""

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._is_shown = stream.isatty()
        self._drawn = ""

    def show(self, done: int, total: int) -> None:
        """Draw the bar, unless it would look the same as before."""
        filled = WIDTH * done // total if total else WIDTH
        bar = "#" * filled + "." * (WIDTH - filled)
        self._draw(f"[{bar}] {done:,} of {total:,} {self._what}")

    def close(self) -> None:
        """Leave an empty line behind."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if not self._is_shown or text == self._drawn:
            return
        self._stream.write("\r" + text.ljust(len(self._drawn)) + ("" if text else "\r"))
        self._stream.flush()
        self._drawn = text
