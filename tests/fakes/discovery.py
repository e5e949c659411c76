"""Discovery without udev: what is plugged in is said by the test, at once or by and by."""

from __future__ import annotations

import threading

from edge.device.found import Found
from edge.device.udev import OnFound

_TICK_S = 0.05


class FakeDiscovery:
    """Tells what it was given, at each change and twenty times a second."""

    def __init__(self, founds: tuple[Found, ...] = (), *, is_available: bool = True) -> None:
        self._founds = founds
        self._is_available = is_available
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def is_available(self) -> bool:
        return self._is_available

    def start(self, on_found: OnFound) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._tell, args=(on_found,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(3)

    def plug(self, *founds: Found) -> None:
        """These are plugged in now, and nothing else."""
        self._founds = founds
        self._changed.set()

    def _tell(self, on_found: OnFound) -> None:
        while not self._stopped.is_set():
            on_found(self._founds)
            self._changed.wait(_TICK_S)
            self._changed.clear()
