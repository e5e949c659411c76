"""How far a long command is: one line for a person at a terminal, nothing for a pipe or a log."""

from __future__ import annotations

from typing import TextIO

WIDTH = 30


class ProgressLine:
    """Say `show` as work gets done, `close` at the end."""

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._shown = ""

    def show(self, done: int, total: int) -> None:
        """So much of so much."""
        filled = WIDTH if not total else WIDTH * done // total
        self._put(f"[{'#' * filled:.<{WIDTH}}] {done:,} of {total:,} {self._what}")

    def close(self) -> None:
        """Clear the line."""
        self._put("")

    def _put(self, text: str) -> None:
        if self._stream.isatty() and text != self._shown:
            self._stream.write(f"\r{text:{len(self._shown)}}")
            self._stream.write("" if text else "\r")
            self._stream.flush()
            self._shown = text
