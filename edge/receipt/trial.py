"""A printer tried by a page: one at a time at each, on a thread that nobody else needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from edge.device.ports import PrintOutcome


class Trials:
    """Whoever asks while a printer is being tried gets that trial's outcome, and no second page."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._under_way: dict[str, Future[PrintOutcome]] = {}

    def begin(self, printer_id: str, work: Callable[[], PrintOutcome]) -> Future[PrintOutcome]:
        """Begin `work`, or join the one that is under way; a stalled printer takes its time."""
        with self._asking:
            found = self._under_way.get(printer_id)
            if found is None or found.done():
                found = self._under_way[printer_id] = Future[PrintOutcome]()
                threading.Thread(
                    target=_finish, args=(found, work), name=f"try-{printer_id}", daemon=True
                ).start()
            return found


def _finish(done: Future[PrintOutcome], work: Callable[[], PrintOutcome]) -> None:
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001 - told to who asked
        done.set_exception(error)
