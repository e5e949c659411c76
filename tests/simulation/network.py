"""Broker and lines: they lose, double, delay and reorder, and the broker forgets on restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.wire.message import Ack
from tests.simulation.agenda import Agenda
from tests.simulation.cloud import Batch, Workers
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.box import Box
    from tests.simulation.weather import Weather

USUAL_MS = (20, 200)
LATE_MS = (1_000, 120_000)


class Network:
    """Carries messages between boxes and workers."""

    def __init__(self, agenda: Agenda, weather: Weather, workers: Workers, wire: Wire) -> None:
        self._agenda = agenda
        self._weather = weather
        self._workers = workers
        self._wire = wire
        self._linked: dict[str, Box] = {}
        self._life_no = 0
        self.is_broker_up = True

    def accept(self, box: Box) -> bool:
        """A box connects; another one of the same name is thrown out."""
        if not self.is_broker_up:
            return False
        other = self._linked.get(box.dev)
        self._linked[box.dev] = box
        if other is not None and other is not box and other.is_linked:
            self._agenda.counts["thrown out by a namesake"] += 1
            other.link_down()
        box.link_up()
        return True

    def stop_broker(self, boxes: list[Box]) -> None:
        """The broker dies with everything that it holds."""
        self.is_broker_up = False
        self._life_no += 1
        self._linked.clear()
        for box in boxes:
            box.link_down()

    def start_broker(self) -> None:
        """It is back, and empty."""
        self.is_broker_up = True

    def up_hello(self, box: Box, stream: bytes) -> None:
        """A hello leaves a box."""
        if not box.is_parted:
            self._carry(self._hello_came, box.dev, stream)

    def up_batch(self, box: Box, batch: Batch) -> None:
        """A batch leaves a box."""
        if not box.is_parted:
            self._carry(self._batch_came, batch.dev, self._wire.sent(batch))

    def _hello_came(self, life_no: int, dev: str, stream: bytes) -> None:
        if life_no == self._life_no:
            self._answer(dev, self._workers.hello(dev, stream))

    def _batch_came(self, life_no: int, dev: str, carried: Batch | bytes) -> None:
        if life_no == self._life_no:
            self._answer(dev, self._workers.batch(self._wire.received(dev, carried)))

    def _answer(self, dev: str, ack: Ack | None) -> None:
        if ack is not None:
            self._carry(self._ack_came, dev, self._wire.answered(ack))

    def _ack_came(self, life_no: int, dev: str, carried: Ack | bytes) -> None:
        box = self._linked.get(dev)
        if life_no == self._life_no and box is not None and not box.is_parted:
            box.hear(self._wire.heard(carried))

    def _carry(self, deliver: object, *what: object) -> None:
        agenda, weather = self._agenda, self._weather
        rng = agenda.rng
        if rng.random() < weather.loss:
            agenda.counts["message lost"] += 1
            return
        copies = 1
        if rng.random() < weather.doubling:
            agenda.counts["message doubled"] += 1
            copies = 2
        for _ in range(copies):
            span = USUAL_MS
            if rng.random() < weather.lateness:
                agenda.counts["message late"] += 1
                span = LATE_MS
            agenda.after(agenda.between(*span), deliver, self._life_no, *what)  # type: ignore[arg-type]
