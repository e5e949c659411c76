"""From an item's old and new dated prices to the labels that must change. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.price.price_book import DatedPrice, price_at

Prices = tuple[DatedPrice, ...]
LIST_MAX = 2_000
"""Labels that are shown or printed at a time."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """From `from_at_ms` (UTC) on the label says `new_minor` instead of `old_minor`.

    Minor units; None where it says nothing: no price before, none after, or no member price.
    """

    from_at_ms: int
    old_minor: int | None
    new_minor: int | None
    member_minor: int | None
    old_member_minor: int | None = None


def changes_of(before: Prices, after: Prices, now_ms: int) -> Iterator[LabelChange]:
    """What has to change now, and at each later instant at which the new prices switch.

    Both ascend by time.  What is printed today is what the old prices say now.
    """
    shown = price_at(before, now_ms)
    instants = [now_ms, *(each.from_at_ms for each in after if each.from_at_ms > now_ms)]
    for at_ms in instants:
        price = price_at(after, at_ms)
        if says(price) != says(shown):
            old_minor, old_member_minor = says(shown)
            yield LabelChange(at_ms, old_minor, *says(price), old_member_minor)
        shown = price


def says(price: DatedPrice | None) -> tuple[int | None, int | None]:
    """What a label says of a price: regular and member price; None where there is none."""
    return (None, None) if price is None else (price.regular_minor, price.member_minor)
