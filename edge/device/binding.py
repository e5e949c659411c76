"""Which scanner belongs to which lane, and which plugged-in device that is now. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Literal

from edge.device.found import Found, interface_of, plug_of
from edge.device.ports import Connection

Match = Literal["same", "moved", "replaced"]
SCANNERS_PER_LANE_MAX = 4
"""More at one counter are more likely bindings that nobody took back."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A lane's scanner: its id in reports, and by what it is known again."""

    id: str
    lane: int
    connection: Connection
    port: str
    serial: str
    model: str
    name: str = ""

    @property
    def address(self) -> str:
        """Where a person finds it: port and serial number."""
        return f"{self.port} {self.serial}".strip()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A binding and the device that it stands for now; `how` says what that rests on."""

    binding: Binding
    found: Found
    how: Match


def match(bindings: Sequence[Binding], founds: Sequence[Found]) -> tuple[Assigned, ...]:
    """Give each binding its device, each device to one binding at most.

    First port and serial number, then the serial number (the scanner was plugged in elsewhere),
    then the port (another of the same model took its place).  A serial number that two devices
    bear says nothing.
    """
    twice = _worn_twice(bindings) | _worn_twice(founds)

    def is_same(binding: Binding, found: Found) -> bool:
        return binding.port == found.port and binding.serial == found.serial

    def has_moved(binding: Binding, found: Found) -> bool:
        known = bool(found.serial) and (found.model, found.serial) not in twice
        is_alike = interface_of(binding.port) == interface_of(found.port)
        return known and is_alike and binding.serial == found.serial

    def was_replaced(binding: Binding, found: Found) -> bool:
        return binding.port == found.port

    assigned: list[Assigned] = []
    rules: tuple[tuple[Match, Callable[[Binding, Found], bool]], ...] = (
        ("same", is_same),
        ("moved", has_moved),
        ("replaced", was_replaced),
    )
    for how, rule in rules:
        for binding in bindings:
            found = next((each for each in founds if _fits(binding, each, rule, assigned)), None)
            if found is not None:
                assigned.append(Assigned(binding, found, how))
    return tuple(assigned)


def bind(bindings: Sequence[Binding], found: Found, lane: int) -> Binding:
    """A binding of `found` to `lane` under the first id that the lane has free."""
    taken = {each.id for each in bindings}
    return Binding(
        next(name for name in _ids(lane) if name not in taken),
        lane,
        found.connection,
        found.port,
        found.serial,
        found.model,
        found.name,
    )


def followed(binding: Binding, found: Found) -> Binding:
    """The binding after its device moved, or another took its place."""
    return replace(binding, port=found.port, serial=found.serial, name=found.name)


def without(bindings: Iterable[Binding], lane: int, present: frozenset[str]) -> tuple[Binding, ...]:
    """Bindings without those of `lane` whose device is not there (ids in `present` are)."""
    return tuple(each for each in bindings if each.lane != lane or each.id in present)


def _fits(
    binding: Binding,
    found: Found,
    rule: Callable[[Binding, Found], bool],
    assigned: Iterable[Assigned],
) -> bool:
    is_alike = binding.connection == found.connection and binding.model == found.model
    is_free = not any(each.binding is binding or each.found is found for each in assigned)
    return is_alike and is_free and rule(binding, found)


def _worn_twice(devices: Iterable[Binding] | Iterable[Found]) -> set[tuple[str, str]]:
    """Numbers on two plugs; a device with two keyboards wears its own on one."""
    worn = {(each.model, each.serial, plug_of(each.port)) for each in devices}
    numbers = Counter((model, serial) for model, serial, _ in worn)
    return {number for number, times in numbers.items() if times > 1}


def _ids(lane: int) -> Iterable[str]:
    yield f"scanner-{lane}"
    yield from (f"scanner-{lane}{letter}" for letter in ascii_lowercase[1:])
