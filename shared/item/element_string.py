"""GS1 element strings: identifiers with their data, as a GS1 symbol carries them.

`FNC1` is the separator that ends an element of variable length; a scanner sends it as GS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from shared.item.gs1_ai import Component, Identifier, find_identifier, matches
from shared.item.gs1_rules import CHARACTERS, RULES
from shared.kernel.errors import RefusedError

FNC1 = "\x1d"
_AI_SHOWN = 4


class Element(NamedTuple):
    """One Application Identifier with its data."""

    ai: str
    data: str


def read_elements(text: str) -> tuple[Element, ...]:
    """Take element strings apart and check each one by the rules of its identifier.

    Whether they may stand together is `check_pairings`'s matter. RefusedError: `barcode.empty`,
    `barcode.ai_unknown`, `barcode.ai_data`, `barcode.ai_twice` (with other data than before).
    """
    if not text:
        raise RefusedError("barcode.empty")
    found: dict[str, Element] = {}
    for identifier, data in _split(text):
        check_data(identifier, data)
        known = found.setdefault(identifier.ai, Element(identifier.ai, data))
        if known.data != data:
            raise RefusedError("barcode.ai_twice", ai=identifier.ai)
    return tuple(found.values())


def write_elements(elements: Iterable[Element]) -> str:
    """The text that a GS1 symbol carries for elements, without the FNC1 that starts it."""
    pieces: list[str] = []
    is_open = False
    for ai, data in elements:
        pieces.append(f"{FNC1 if is_open else ''}{ai}{data}")
        identifier = find_identifier(ai)
        is_open = identifier is None or not identifier.is_fixed
    return "".join(pieces)


def check_data(identifier: Identifier, data: str) -> None:
    """RefusedError `barcode.ai_data` unless the data follows the rules of its identifier.

    `because` names the rule as the dictionary does: `length`, a character set, or for example
    `csum`, the check digit.
    """
    rest = data
    for component in identifier.components:
        if not rest and component.is_optional:
            return
        part, rest = rest[: component.length_max], rest[component.length_max :]
        broken = _broken_rule(component, part)
        if broken:
            raise _bad_data(identifier.ai, broken)
    if rest:
        raise _bad_data(identifier.ai, "length")


def check_pairings(elements: Collection[Element]) -> None:
    """RefusedError `barcode.ai_alone` or `barcode.ai_together` when a pairing rule is broken."""
    present = [element.ai for element in elements]
    for ai in present:
        identifier = find_identifier(ai)
        assert identifier is not None, ai
        for other in present:
            if other != ai and any(matches(other, bar) for bar in identifier.bars):
                raise RefusedError("barcode.ai_together", ai=ai, other=other)
        for alternatives in identifier.needs:
            if not any(_has_all(present, group) for group in alternatives):
                needed = " / ".join("+".join(group) for group in alternatives)
                raise RefusedError("barcode.ai_alone", ai=ai, needs=needed)


def _has_all(present: list[str], group: Iterable[str]) -> bool:
    return all(any(matches(ai, pattern) for ai in present) for pattern in group)


def _split(text: str) -> Iterator[tuple[Identifier, str]]:
    at = 0
    while at < len(text):
        identifier = find_identifier(text, at)
        if identifier is None:
            raise RefusedError("barcode.ai_unknown", ai=text[at : at + _AI_SHOWN])
        at += len(identifier.ai)
        end = text.find(FNC1, at)
        end = len(text) if end < 0 else end
        if identifier.is_fixed:
            end = min(end, at + identifier.length_max)
        yield identifier, text[at:end]
        # A separator after an element of fixed length is needless, but printers do put it.
        at = end + 1 if text[end : end + 1] == FNC1 else end


def _broken_rule(component: Component, part: str) -> str:
    """The name of the first rule that is broken, "" when all are followed."""
    if not component.length_min <= len(part) <= component.length_max:
        return "length"
    if not CHARACTERS[component.characters].fullmatch(part):
        return component.characters
    broken = (name for name in component.rules if name in RULES and not RULES[name](part))
    return next(broken, "")


def _bad_data(ai: str, because: str) -> RefusedError:
    return RefusedError("barcode.ai_data", ai=ai, because=because)
