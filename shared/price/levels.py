"""Prices of three levels become one: what the store says, else its zone, else the chain.

A price record is keyed `<gtin>` (the store's own), `<gtin>/z` (its price zone's) or `<gtin>/c`
(the chain's). Its body is {"prices": [[from, regular_minor, member_minor], ...]}, ascending:
`from` is UTC milliseconds, or a time on the store's own clock such as "2026-11-27T00:00";
`regular_minor` null ends what the level said before, and the next level counts again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from operator import attrgetter

from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import instant_ms
from shared.price.price_book import NO_PRICE_MINOR, DatedPrice, PriceLevel

SUFFIX = {PriceLevel.STORE: "", PriceLevel.ZONE: "/z", PriceLevel.CHAIN: "/c"}
"""What follows the GTIN in the key of a record, the level that counts first coming first."""
_LEVEL_OF = {suffix: level for level, suffix in SUFFIX.items()}
_PARTS = 3

RawPrices = Sequence[Sequence[int | str | None]]
"""`prices` of a record's body, as JSON gives it."""


@dataclass(frozen=True, slots=True)
class LevelPrice:
    """What one level says from an instant on; `regular_minor` None: from here on nothing."""

    from_at_ms: int
    regular_minor: int | None
    member_minor: int | None = None


_from_at = attrgetter("from_at_ms")


def record_key(gtin: str, level: PriceLevel) -> str:
    """The key of an item's price record on a level."""
    return gtin + SUFFIX[level]


def parse_record_key(key: str) -> tuple[str, PriceLevel]:
    """GTIN and level of a price record's key; RefusedError `publication.price`."""
    gtin, slash, suffix = key.partition("/")
    level = _LEVEL_OF.get(slash + suffix)
    if level is None or not gtin:
        raise RefusedError("publication.price", key=key[:40])
    return gtin, level


def record_keys(gtin: str) -> tuple[str, ...]:
    """The keys under which an item may have prices, the one that counts first coming first."""
    return tuple(gtin + suffix for suffix in SUFFIX.values())


def level_prices(raw: RawPrices, zone: tzinfo) -> tuple[LevelPrice, ...]:
    """The dated prices of one record, ascending; of two at one instant the later one counts.

    `zone` is the store's, for times on its own clock. Raises RefusedError `publication.price`.
    """
    dated = sorted((_level_price(row, zone) for row in raw), key=_from_at)
    last = {price.from_at_ms: price for price in dated}
    return tuple(last.values())


def merged_prices(levels: Mapping[PriceLevel, Sequence[LevelPrice]]) -> tuple[DatedPrice, ...]:
    """What an item costs from which instant on, ascending; `price_at` reads it.

    A stretch of which no level says anything begins with a price of NO_PRICE_MINOR.
    """
    said = [(level, tuple(levels.get(level, ()))) for level in SUFFIX]
    instants = sorted({price.from_at_ms for _, prices in said for price in prices})
    return tuple(_changes(_in_force(said, at_ms) for at_ms in instants))


def prices_of(records: Mapping[PriceLevel, RawPrices], zone: tzinfo) -> tuple[DatedPrice, ...]:
    """As `merged_prices`, of the bodies' `prices`. Raises RefusedError `publication.price`."""
    return merged_prices({level: level_prices(raw, zone) for level, raw in records.items()})


def _level_price(row: Sequence[int | str | None], zone: tzinfo) -> LevelPrice:
    if len(row) != _PARTS:
        raise _unreadable(row)
    start, regular, member = row
    at_ms = instant_ms(start, zone) if isinstance(start, str) else start
    if at_ms is None or isinstance(regular, str) or isinstance(member, str):
        raise _unreadable(row)
    return LevelPrice(at_ms, regular, None if regular is None else member)


def _in_force(said: Iterable[tuple[PriceLevel, tuple[LevelPrice, ...]]], at_ms: int) -> DatedPrice:
    for level, prices in said:
        place = bisect_right(prices, at_ms, key=_from_at)
        found = prices[place - 1] if place else None
        if found is not None and found.regular_minor is not None:
            return DatedPrice(at_ms, found.regular_minor, found.member_minor, level)
    return DatedPrice(at_ms, NO_PRICE_MINOR)


def _changes(prices: Iterable[DatedPrice]) -> Iterator[DatedPrice]:
    """Leave out what only repeats the price before it, and the silence before the first one."""
    before: tuple[int, int | None, PriceLevel] | None = None
    for price in prices:
        now = (price.regular_minor, price.member_minor, price.level)
        is_silence = price.regular_minor == NO_PRICE_MINOR
        if now != before and not (is_silence and before is None):
            before = now
            yield price


def _unreadable(row: object) -> RefusedError:
    return RefusedError("publication.price", key=str(row)[:40])
