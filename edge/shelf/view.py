"""How shelves and their tasks are shown.  Pure but for the sensors' own memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.device.shelf_sensor import ShelfSensor
from edge.device.shelf_setup import SensorSetup
from edge.shelf.schemas import SensorBody, TaskBody
from edge.shelf.store import Task

ItemName = Callable[[str], str]
"""The name of an item by its GTIN; the GTIN itself where the catalogue has none."""


def sensor_body(
    sensor: ShelfSensor, quantities: tuple[int | None, int | None], name_of: ItemName
) -> SensorBody:
    """One sensor; `quantities` are what the shelf and the book say."""
    setup, state, reading = sensor.setup, sensor.state(), sensor.reading()
    is_usable = state.state == "ready"
    return SensorBody(
        name=setup.name,
        label=setup.label,
        kind=setup.kind,
        state=state.state,
        fault=None if is_usable else state.last_fault,
        gtin=setup.gtin,
        item=name_of(setup.gtin) if setup.gtin else "",
        is_pieces=setup.shelf is None or setup.shelf.piece_g > 0,
        qty_milli=quantities[0],
        book_milli=quantities[1],
        celsius_milli=None if reading is None else reading.celsius_milli,
        min_milli=None if setup.cold is None else setup.cold.min_milli,
        max_milli=None if setup.cold is None else setup.cold.max_milli,
        is_open=None if reading is None else reading.is_open,
    )


def task_bodies(
    tasks: Sequence[Task], setups: Mapping[str, SensorSetup], name_of: ItemName
) -> list[TaskBody]:
    """Tasks, also of sensors that are not set up any more."""
    return [_task_body(task, setups.get(task.sensor), name_of) for task in tasks]


def _task_body(task: Task, setup: SensorSetup | None, name_of: ItemName) -> TaskBody:
    return TaskBody(
        n=task.n,
        sensor=task.sensor,
        label=task.sensor if setup is None else setup.label,
        kind="cold" if task.kind == "cold" else "differs",
        gtin=task.gtin,
        item=name_of(task.gtin) if task.gtin else "",
        is_pieces=setup is None or setup.shelf is None or setup.shelf.piece_g > 0,
        at_ms=task.at_ms,
        book_milli=task.book_milli,
        shelf_milli=task.shelf_milli,
        celsius_milli=task.celsius_milli,
        limit_milli=task.limit_milli,
        seen_by=task.seen_by,
        settled_at_ms=task.settled_at_ms,
        how=task.how,
        by=task.by,
        reason=task.reason,
    )
