"""A virtual scale: a pan that is loaded from the training page, and the real protocols around it.

It speaks Toledo 8217 over TCP, byte for byte with its parity bits, or one of the continuous ways;
the same `SerialScale` weighs with it as with a real one.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from dataclasses import dataclass

from edge.device.listener import TcpListener
from edge.device.scale_frames import ScaleProtocol, with_parity
from shared.kernel.clock import Clock

SETTLE_MS = 300
"""How long the pan swings after its load has changed."""
ZERO_RANGE_MILLI = 300
"""How far from its first zero the pan may be taken as empty: 2 % of 15 kg."""
_STREAM_S = 0.05
_CHUNK = 4096
_OVER_BY_MILLI = 45


@dataclass(frozen=True, slots=True)
class Pan:
    """What lies on it, and how it stands; thousandths of a kilogram."""

    load_milli: int
    shown_milli: int
    tare_milli: int
    is_moving: bool
    is_over: bool


class VirtualScale:
    """Listens on `host:port` (0 picks one); `load` puts goods on the pan."""

    def __init__(
        self,
        address: tuple[str, int],
        clock: Clock,
        *,
        protocol: ScaleProtocol = "toledo8217",
        max_milli: int = 15_000,
        settle_ms: int = SETTLE_MS,
    ) -> None:
        self._listener = TcpListener("virtual-scale", *address, self._serve)
        self._host = address[0]
        self._clock = clock
        self._protocol = protocol
        self._max_milli = max_milli
        self._lock = threading.Lock()
        self._load_milli = self._zero_milli = self._tare_milli = 0
        self._settle_ms = settle_ms
        self._moved_ms = clock.mono_ms() - settle_ms
        self._is_shaken = False

    @property
    def url(self) -> str:
        """Its address for a serial line; the port is known after `start`."""
        return f"socket://{self._host}:{self._listener.port}"

    def start(self) -> None:
        """Listen; raises UnavailableError `device.port_in_use`."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening; what lies on the pan stays."""
        self._listener.stop()

    def hang_up(self) -> None:
        """Pull the cable out and put it in again."""
        self._listener.hang_up()

    def load(self, milli: int, *, is_shaken: bool = False) -> None:
        """Put that much on the pan, instead of what lay there; it settles unless it is shaken."""
        with self._lock:
            self._load_milli, self._is_shaken = milli, is_shaken
            self._moved_ms = self._clock.mono_ms()

    def tare(self) -> None:
        """Press the key of the scale's own tare."""
        with self._lock:
            self._take_tare(self._load_milli - self._zero_milli)

    def pan(self) -> Pan:
        """How it stands."""
        with self._lock:
            gross = self._load_milli - self._zero_milli
            shown = gross - self._tare_milli
            return Pan(
                self._load_milli, shown, self._tare_milli, self._is_moving(), self._is_over()
            )

    def answer(self, commands: bytes) -> bytes:
        """What a Toledo 8217 sends to these commands; the parity bit may be there or not."""
        answers = b""
        commands = bytes(byte & 0x7F for byte in commands)
        with self._lock:
            while commands:
                answer, commands = self._obey(commands)
                answers += with_parity(answer)
        return answers

    def frame(self) -> bytes:
        """The next frame of a scale that speaks by itself."""
        with self._lock:
            return self._line() if self._protocol == "continuous" else self._mettler()

    def _serve(self, connection: socket.socket) -> None:
        if self._protocol == "toledo8217":
            while commands := connection.recv(_CHUNK):
                connection.sendall(self.answer(commands))
            return
        while True:
            readable, _, _ = select.select([connection], [], [], _STREAM_S)
            if readable:
                commands = connection.recv(_CHUNK)
                if not commands:
                    return
                with contextlib.suppress(ValueError):
                    self.answer(commands)
            connection.sendall(self.frame())

    def _obey(self, commands: bytes) -> tuple[bytes, bytes]:
        """The answer to the first command, and the rest of them."""
        name, rest = commands[:1], commands[1:]
        if name == b"W":
            return self._weigh(), rest
        if name == b"Z":
            self._take_zero()
        elif name == b"T":
            digits = rest[:5]
            if len(digits) == 5 and digits.isdigit():  # noqa: PLR2004 - a tare told by the till
                self._take_tare(int(digits))
                rest = rest[5:]
            else:
                self._take_tare(self._load_milli - self._zero_milli)
        elif name == b"C":
            self._tare_milli = 0
        elif name in b"\r\n":
            return b"", rest
        return self._status(), rest

    def _weigh(self) -> bytes:
        shown = self._load_milli - self._zero_milli - self._tare_milli
        if self._is_moving() or self._is_over() or shown < 0:
            return self._status()
        net = b"N" if self._tare_milli else b""
        return b"\x02%02d.%03d%s\r" % (*divmod(shown, 1000), net)

    def _status(self) -> bytes:
        gross = self._load_milli - self._zero_milli
        bits = (
            (self._is_moving(), 0b1),
            (self._is_over(), 0b10),
            (gross - self._tare_milli < 0, 0b100),
            (abs(self._load_milli) > ZERO_RANGE_MILLI, 0b1000),
            (gross == 0, 0b1_0000),
            (self._tare_milli > 0, 0b10_0000),
        )
        return b"\x02?%c\r" % (0b100_0000 | sum(bit for is_on, bit in bits if is_on))

    def _line(self) -> bytes:
        shown = self._load_milli - self._zero_milli - self._tare_milli
        header = b"OL" if self._is_over() else b"US" if self._is_moving() else b"ST"
        mode, sign = b"NT" if self._tare_milli else b"GS", b"-" if shown < 0 else b"+"
        whole, rest = divmod(abs(shown), 1000)
        return b"%s,%s,%s%3d.%03dkg\r\n" % (header, mode, sign, whole, rest)

    def _mettler(self) -> bytes:
        shown = self._load_milli - self._zero_milli - self._tare_milli
        bits = (
            (self._tare_milli > 0, 0b1),
            (shown < 0, 0b10),
            (self._is_over(), 0b100),
            (self._is_moving(), 0b1000),
        )
        status = 0b11_0000 | sum(bit for is_on, bit in bits if is_on)
        head = b"\x02\x2d%c\x20" % status
        frame = b"%s%6d%6d\r" % (head, abs(shown), self._tare_milli)
        return frame + bytes((-sum(frame) & 0x7F,))

    def _is_moving(self) -> bool:
        return self._is_shaken or self._clock.mono_ms() - self._moved_ms < self._settle_ms

    def _is_over(self) -> bool:
        return self._load_milli > self._max_milli + _OVER_BY_MILLI

    def _take_zero(self) -> None:
        is_able = not self._is_moving() and self._tare_milli == 0
        if is_able and abs(self._load_milli) <= ZERO_RANGE_MILLI:
            self._zero_milli = self._load_milli

    def _take_tare(self, milli: int) -> None:
        if not self._is_moving() and milli >= 0:
            self._tare_milli = milli
