"""What a weighed shelf holds, and whether the book agrees: steady values out of noisy ones.

All pure: weights in grams, quantities in thousandths, times in milliseconds of a clock that never
goes back.  A hand in the shelf, a jar put down hard and a scale that wobbles between two pieces
must not make a task; goods that are gone must.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from shared.kernel.quantity import ONE_MILLI, round_half_up

Verdict = Literal["differs", "agrees"]
_STICK_PERCENT = 70
"""A count changes only when the weight is this part of a piece away from it, not half of one."""


@dataclass(frozen=True, slots=True)
class ShelfRule:
    """How a shelf is read.  `piece_g` 0: the item is sold by weight, one gram is one thousandth.

    `tare_g` is what lies there besides the goods; `hold_ms` is how long a value must stand to
    count; book and shelf differ from `threshold_milli` on, for `debounce_ms`.
    """

    piece_g: int
    tare_g: int
    hold_ms: int
    threshold_milli: int
    debounce_ms: int


@dataclass(frozen=True, slots=True)
class ShelfSignal:
    """`settled_milli` is what the shelf holds, None until it is known.

    `candidate_milli` is another value that has stood since `since_ms`.
    """

    settled_milli: int | None = None
    candidate_milli: int | None = None
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether book and shelf agree; `since_ms` is when they began to say otherwise.

    `accepted_milli` is a difference that a person has settled: it is no news until it changes by
    the threshold.  Once book and shelf agree by themselves it is forgotten.
    """

    is_differing: bool = False
    since_ms: int | None = None
    accepted_milli: int = 0


def quantity_on(grams: int, rule: ShelfRule, before_milli: int | None) -> int:
    """Thousandths of a piece or kilogram on the shelf, never below nought.

    A piece count sticks to `before_milli` while the weight is near it.
    """
    net_g = max(0, grams - rule.tare_g)
    if rule.piece_g == 0:
        return net_g
    if before_milli is not None:
        expected_g = before_milli * rule.piece_g // ONE_MILLI
        if abs(net_g - expected_g) * 100 <= rule.piece_g * _STICK_PERCENT:
            return before_milli
    return round_half_up(net_g, rule.piece_g) * ONE_MILLI


def step_signal(before: ShelfSignal, grams: int, rule: ShelfRule, now_ms: int) -> ShelfSignal:
    """The signal after a reading: a new value counts once it has stood for `hold_ms`."""
    found = quantity_on(grams, rule, before.settled_milli)
    if found == before.settled_milli:
        return ShelfSignal(found)
    candidate = before.candidate_milli
    if candidate is None or not _is_near(found, candidate, rule):
        return replace(before, candidate_milli=found, since_ms=now_ms)
    if now_ms - before.since_ms >= rule.hold_ms:
        return ShelfSignal(found)
    return before


def step_agreement(
    before: Agreement, book_milli: int, shelf_milli: int, rule: ShelfRule, now_ms: int
) -> tuple[Agreement, Verdict | None]:
    """How book and shelf stand now, and the verdict where it has just changed.

    Both ways take `debounce_ms`; between "differs" and "agrees" lies half the threshold, so a
    value at the edge does not flap.  A shelf that holds more than it did when the difference was
    settled was filled up from the back room: the smaller difference is settled then.
    """
    gap = book_milli - shelf_milli
    if 2 * abs(gap) < rule.threshold_milli and before.accepted_milli and not before.is_differing:
        before = Agreement()
    news = gap - before.accepted_milli
    is_turning = (
        2 * abs(news) < rule.threshold_milli
        if before.is_differing
        else abs(news) >= rule.threshold_milli
    )
    if not is_turning:
        return replace(before, since_ms=None), None
    since_ms = now_ms if before.since_ms is None else before.since_ms
    if now_ms - since_ms < rule.debounce_ms:
        return replace(before, since_ms=since_ms), None
    if before.is_differing:
        return Agreement(), "agrees"
    if 0 <= gap < before.accepted_milli:
        return Agreement(accepted_milli=gap), None
    return Agreement(is_differing=True), "differs"


def accepted(book_milli: int, shelf_milli: int) -> Agreement:
    """A person has looked: what differs now is no news."""
    return Agreement(accepted_milli=book_milli - shelf_milli)


def _is_near(found: int, candidate: int, rule: ShelfRule) -> bool:
    """Whether two values are the same for a shelf: equal counts, or weights half a step apart."""
    if rule.piece_g:
        return found == candidate
    return 2 * abs(found - candidate) < rule.threshold_milli
