"""Prices of three levels become one: what the store says, else its zone, else the chain.

A price record is keyed `<gtin>` (the store's own), `<gtin>/z` (its price zone's) or `<gtin>/c`
(the chain's). Its body is {"prices": [[from, regular_minor, member_minor], ...]}, where a period
that ends has a fourth value, `to`. `from` and `to` are UTC milliseconds, or times on the store's
own clock such as "2026-11-27T00:00". Periods are half-open, [from, to); of those that cover an
instant the one that begins last counts. Where it has null for `regular_minor`, or none covers the
instant, the level says nothing and the next one counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from operator import attrgetter

from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import instant_ms
from shared.price.price_book import NO_PRICE_MINOR, DatedPrice, PriceLevel

SUFFIX = {PriceLevel.STORE: "", PriceLevel.ZONE: "/z", PriceLevel.CHAIN: "/c"}
"""What follows the GTIN in the key of a record, the level that counts first coming first."""
_LEVEL_OF = {suffix: level for level, suffix in SUFFIX.items()}
_PARTS, _PARTS_WITH_END = 3, 4

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
    if len(raw) == 1 and len(raw[0]) == _PARTS:  # most prices: one for ever, made by the million
        return (_period(raw[0], zone).price,)
    periods = sorted((_period(row, zone) for row in raw), key=_began)
    ends = {period.to_at_ms for period in periods if period.to_at_ms is not None}
    if not ends:
        return tuple({period.price.from_at_ms: period.price for period in periods}.values())
    instants = sorted(ends | {period.price.from_at_ms for period in periods})
    return tuple(_covering(periods, at_ms) for at_ms in instants)


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


@dataclass(frozen=True, slots=True)
class _Period:
    price: LevelPrice
    to_at_ms: int | None


def _began(period: _Period) -> int:
    return period.price.from_at_ms


def _period(row: Sequence[int | str | None], zone: tzinfo) -> _Period:
    if len(row) not in (_PARTS, _PARTS_WITH_END):
        raise _unreadable(row)
    start, regular, member = row[:_PARTS]
    at_ms = _at_ms(start, zone)
    if at_ms is None or isinstance(regular, str) or isinstance(member, str):
        raise _unreadable(row)
    price = LevelPrice(at_ms, regular, None if regular is None else member)
    return _Period(price, _at_ms(row[_PARTS], zone) if len(row) > _PARTS else None)


def _at_ms(moment: int | str | None, zone: tzinfo) -> int | None:
    return instant_ms(moment, zone) if isinstance(moment, str) else moment


def _covering(periods: Sequence[_Period], at_ms: int) -> LevelPrice:
    """What the periods, by their beginnings, say at an instant."""
    for period in reversed(periods):
        is_over = period.to_at_ms is not None and period.to_at_ms <= at_ms
        if period.price.from_at_ms <= at_ms and not is_over:
            return replace(period.price, from_at_ms=at_ms)
    return LevelPrice(at_ms, None)


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
