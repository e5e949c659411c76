"""GS1 Application Identifiers: look one up, and what its data must look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from shared.item.gs1_table import TABLE

_COMPONENT = re.compile(r"(\[)?([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)", re.ASCII)
AI_LENGTHS = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an identifier's data: character set (N, X, Y or Z), length and rules."""

    characters: str
    length_min: int
    length_max: int
    rules: tuple[str, ...]
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Identifier:
    """One Application Identifier.

    `needs` are alternatives, each a group of identifiers (`n` stands for any digit) that must all
    be there; every entry of `needs` must be met. `bars` must not be there. `qualifiers` are the
    orders in which qualifiers may follow a Digital Link key; None for one that is no key.
    """

    ai: str
    components: tuple[Component, ...]
    is_fixed: bool
    is_link_attribute: bool
    needs: tuple[tuple[tuple[str, ...], ...], ...] = ()
    bars: tuple[str, ...] = ()
    qualifiers: tuple[tuple[str, ...], ...] | None = None

    @property
    def length_max(self) -> int:
        """Characters at most."""
        return sum(component.length_max for component in self.components)


def find_identifier(data: str, start: int = 0) -> Identifier | None:
    """The identifier that the data begins with at `start`; no identifier begins another."""
    table = identifiers()
    for length in AI_LENGTHS:
        found = table.get(data[start : start + length])
        if found is not None:
            return found
    return None


@cache
def identifiers() -> dict[str, Identifier]:
    """All of them by their digits."""
    return {
        identifier.ai: identifier for row in TABLE.splitlines() for identifier in _identifiers(row)
    }


def matches(ai: str, pattern: str) -> bool:
    """Whether an identifier is the one that a pairing names; `n` stands for a digit."""
    return len(ai) == len(pattern) and all(
        wanted in ("n", digit) for digit, wanted in zip(ai, pattern, strict=True)
    )


def _identifiers(row: str) -> Iterator[Identifier]:
    facts, _, pairings = row.partition("|")
    names, flags, *parts = facts.split()
    first, _, last = names.partition("-")
    words = [word.partition("=") for word in pairings.split()]
    keys = [value for name, _, value in words if name == "dlpkey"]
    for number in range(int(first), int(last or first) + 1):
        yield Identifier(
            ai=f"{number:0{len(first)}d}",
            components=tuple(_component(part) for part in parts),
            is_fixed="F" in flags,
            is_link_attribute="D" in flags,
            needs=tuple(
                tuple(tuple(group.split("+")) for group in value.split(","))
                for name, _, value in words
                if name == "req"
            ),
            bars=tuple(bar for name, _, value in words if name == "ex" for bar in value.split(",")),
            qualifiers=tuple(_order(order) for order in keys[0].split("|")) if keys else None,
        )


def _order(order: str) -> tuple[str, ...]:
    return tuple(order.split(",")) if order else ()


def _component(part: str) -> Component:
    found = _COMPONENT.fullmatch(part)
    assert found is not None, part
    optional, characters, up_to, length, rules = found.groups()
    return Component(
        characters,
        1 if up_to else int(length),
        int(length),
        tuple(rules.split(",")[1:]),
        optional is not None,
    )
