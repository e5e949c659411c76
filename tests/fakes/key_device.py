"""An input device without a kernel: the same `struct input_event` bytes, through a pipe."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_EVENT = struct.Struct("llHHi")
_EV_SYN, _EV_KEY, _SYN_DROPPED = 0, 1, 3
_SHIFT, _ENTER = 42, 28
KEYS = {character: 2 + n for n, character in enumerate("1234567890-=")} | {
    character: first + n
    for first, row in ((16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (43, "\\zxcvbnm,./"))
    for n, character in enumerate(row)
}


class Event(NamedTuple):
    sec: int
    usec: int
    type: int
    code: int
    value: int


@dataclass
class KeyDevice:
    """What is plugged in: type on it, pull it out, plug it in again."""

    phys: str = ""
    is_plugged: bool = True
    held: list[int] = field(default_factory=list)
    _sources: list[KeySource] = field(default_factory=list)

    def open(self, path: str) -> KeySource:
        if not self.is_plugged:
            raise FileNotFoundError(errno.ENOENT, path)
        source = KeySource(self)
        self._sources.append(source)
        return source

    @property
    def opened(self) -> int:
        """How often somebody has opened it."""
        return len(self._sources)

    def scan(self, code: str) -> None:
        """Type a code and Enter as a scanner does."""
        self.write(*(event for each in code for event in stroke(each)), *stroke("\r"))

    def type(self, text: str) -> None:
        self.write(*(event for each in text for event in stroke(each)))

    def lose_keys(self) -> None:
        """What the kernel says when nobody took its events in time."""
        self.write((_EV_SYN, _SYN_DROPPED, 0), (_EV_SYN, 0, 0))

    def write(self, *events: tuple[int, int, int]) -> None:
        now_us = time.monotonic_ns() // 1000
        stamp = divmod(now_us, 1_000_000)
        data = b"".join(_EVENT.pack(*stamp, *event) for event in events)
        for source in self._takers():
            os.write(source.to, data)

    def pull_out(self) -> None:
        self.is_plugged = False
        for source in self._sources:
            source.hang_up()

    def is_grabbed_by_other(self, source: KeySource) -> bool:
        return any(each.is_grabbed and each is not source for each in self._sources)

    def _takers(self) -> list[KeySource]:
        alive = [each for each in self._sources if not each.is_closed]
        return [each for each in alive if each.is_grabbed] or alive


class KeySource:
    """One opening of the device, with the methods of `evdev.InputDevice` that are used."""

    def __init__(self, device: KeyDevice) -> None:
        self._device = device
        self.phys = device.phys
        self.fd, self.to = os.pipe()
        self.is_grabbed = False
        self.is_closed = False

    def grab(self) -> None:
        if self._device.is_grabbed_by_other(self):
            raise OSError(errno.EBUSY, "grabbed")
        self.is_grabbed = True

    def read(self) -> Iterator[Event]:
        data = os.read(self.fd, _EVENT.size * 64)
        if not data:
            raise OSError(errno.ENODEV, "no such device")
        yield from (Event(*each) for each in _EVENT.iter_unpack(data))

    def active_keys(self) -> list[int]:
        return list(self._device.held)

    def hang_up(self) -> None:
        if self.to >= 0:
            os.close(self.to)
            self.to = -1

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed, self.is_grabbed = True, False
            os.close(self.fd)
            self.hang_up()


def stroke(character: str) -> list[tuple[int, int, int]]:
    """Key down and up with reports between, on a US keyboard."""
    code = _ENTER if character == "\r" else KEYS[character.lower()]
    key = [(_EV_KEY, code, 1), (_EV_SYN, 0, 0), (_EV_KEY, code, 0), (_EV_SYN, 0, 0)]
    if not character.isupper():
        return key
    return [(_EV_KEY, _SHIFT, 1), *key, (_EV_KEY, _SHIFT, 0), (_EV_SYN, 0, 0)]
