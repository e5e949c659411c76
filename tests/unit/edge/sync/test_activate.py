"""What fell due while a box was off is active before it sells, and holds it up no longer."""

from __future__ import annotations

import threading

import pytest

from edge.replica.store import ActivationResult
from edge.sync.activate import ActivateParts, Activator
from shared.publication.activation import Activate, Still, Wait


class Due:
    """One revision that is due; plan, replica, time and reporter of it in one."""

    def __init__(self) -> None:
        self.active = 1

    def due(self) -> Activate | Wait | Still:
        return Activate(2, "1") if self.active == 1 else Still()

    def active_revision(self) -> int:
        return self.active

    def activate(self, rev: int, _at_ms: int, _inc: str) -> ActivationResult:
        old, self.active = self.active, rev
        return ActivationResult(old, rev, "", ())

    def now_ms(self) -> int:
        return 1_000_000

    def on_change(self, _: object) -> None:
        """Nobody says what time it is."""

    def failed(self, *_: object) -> None:
        """Nobody listens."""

    def send(self) -> bool:
        return False


def test_a_start_waits_for_the_prices_but_not_for_the_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.sync.activate.FIRST_TURN_S", 0.2)
    box, labels = Due(), threading.Event()

    def compare(_: ActivationResult) -> None:
        labels.wait(30)

    activator = Activator(
        ActivateParts(box, box, box, box, compare, lambda: None)  # type: ignore[arg-type]
    )
    starting = threading.Thread(target=activator.start, daemon=True)
    starting.start()
    starting.join(15)
    is_held_up = starting.is_alive()
    labels.set()
    starting.join()
    activator.stop()
    assert not is_held_up
    assert box.active == 2


def test_a_start_that_has_nothing_else_to_do_has_the_prices() -> None:
    box = Due()
    done = threading.Event()
    activator = Activator(
        ActivateParts(box, box, box, box, lambda _: None, done.set)  # type: ignore[arg-type]
    )
    activator.start()
    assert box.active == 2
    assert done.is_set()
    activator.stop()
