"""The price table of a CSV file: columns, and each row's checks. Pure.

`store_id` is a store, `zone:<id>` for a price zone or `chain`. `effective_at`, and `until` where a
price ends, is a time on the store's own clock, or ISO 8601 with an offset. A local time that occurs
twice (clocks go back) means the earlier instant; one that does not exist (clocks go forward) means
the first instant after the gap. Prices of a zone or the chain keep their local times: each store
reads them on its own clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import IO, NamedTuple

from cloud.csv_table import Row, RowErrors, read_table
from cloud.records import CHAIN, STORE_PREFIX, ZONE_PREFIX, zone_of
from shared.kernel.errors import RefusedError, RetailError
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import PRICE_MINOR_MAX
from shared.kernel.wall_clock import first_instant, ms_of

COLUMNS = ("store_id", "ean13", "effective_at", "regular_price_cents", "member_price_cents")
UNTIL = "until"
CHAIN_CELL = "chain"
END_CELL = "-"
"""Instead of a regular price: from then on the place says nothing."""
FROM_YEAR, TO_YEAR = 2000, 2099
DIGITS_MAX = 18


class PriceRow(NamedTuple):
    """One dated price; `member_minor` None means that members pay the regular price.

    `scope` as in `cloud.records`. `regular_minor` None: from then on the scope says nothing. It
    holds until `to_at_ms`, exclusive (None: until another begins). `from_local` and `to_local` are
    times on each store's own clock; the instant beside one is that time read as UTC, to order by.
    """

    scope: str
    gtin: str
    from_at_ms: int
    regular_minor: int | None
    member_minor: int | None
    from_local: str | None = None
    to_at_ms: int | None = None
    to_local: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """UTC milliseconds; with `local` a time on each store's own clock, read as UTC."""

    at_ms: int
    local: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Who may have prices: the time zone of each store, and the price zones."""

    stores: Mapping[str, tzinfo]
    zones: Collection[str] = ()

    def scope_of(self, cell: str) -> str:
        """The scope that a cell names; RefusedError `store.unknown` or `zone.unknown`."""
        if cell == CHAIN_CELL:
            return CHAIN
        if cell.startswith(ZONE_PREFIX):
            zone_id = cell.removeprefix(ZONE_PREFIX)
            if zone_id not in self.zones:
                raise RefusedError("zone.unknown", zone_id=zone_id[:40])
        elif cell not in self.stores:
            raise RefusedError("store.unknown", store_id=cell[:40])
        return cell if cell.startswith(ZONE_PREFIX) else zone_of(cell)

    def moment(self, text: str, scope: str) -> Moment:
        """When a cell means in a scope; RefusedError `import.time` or `import.time_range`."""
        zone = self.stores.get(scope.removeprefix(STORE_PREFIX)) if scope else None
        at = _datetime_of(text)
        if zone is not None or at.tzinfo is not None:
            return Moment(instant_ms(text, zone or UTC))
        local = at.isoformat(timespec="seconds" if at.second else "minutes")
        return Moment(ms_of(at.replace(tzinfo=UTC, microsecond=0)), local)


def place_cell(scope: str) -> str:
    """How a table names a scope."""
    return scope.removeprefix(STORE_PREFIX) or CHAIN_CELL


def check_amounts(regular_minor: int, member_minor: int | None) -> None:
    """Refuse what can only be a mistake.

    Raises RefusedError `price.negative`, `price.zero`, `price.absurd` or
    `price.member_above_regular`. A member price of nothing is a real thing (a free gift).
    """
    if regular_minor < 0 or (member_minor is not None and member_minor < 0):
        raise RefusedError("price.negative")
    if regular_minor == 0:
        raise RefusedError("price.zero")
    if max(regular_minor, member_minor or 0) > PRICE_MINOR_MAX:
        raise absurd(max(regular_minor, member_minor or 0), 1, PRICE_MINOR_MAX, can_confirm=False)
    if member_minor is not None and member_minor > regular_minor:
        raise RefusedError(
            "price.member_above_regular", regular_minor=regular_minor, member_minor=member_minor
        )


def absurd(minor: int, low_minor: int, high_minor: int, *, can_confirm: bool) -> RefusedError:
    """The error for a price outside the range that makes sense (inclusive, minor units)."""
    return RefusedError(
        "price.absurd",
        new_minor=minor,
        low_minor=low_minor,
        high_minor=high_minor,
        can_confirm=int(can_confirm),
    )


def instant_ms(text: str, zone: tzinfo) -> int:
    """UTC milliseconds of a store-local or offset-bearing ISO time.

    Raises RefusedError `import.time` or `import.time_range`.
    """
    at = _datetime_of(text)
    return ms_of(at if at.tzinfo else first_instant(at, zone))


def _datetime_of(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("import.time", value=text[:40]) from None
    if not FROM_YEAR <= found.year <= TO_YEAR:
        raise RefusedError("import.time_range", from_year=FROM_YEAR, to_year=TO_YEAR)
    return found


def read_prices(stream: IO[bytes], places: Places, errors: RowErrors) -> list[tuple[int, PriceRow]]:
    """Every good row as (line, price); what is wrong with the others is in `errors`."""
    found: list[tuple[int, PriceRow]] = []
    first_lines: dict[tuple[str, str, int, str | None], int] = {}
    for row in read_table(stream, COLUMNS, errors, (UNTIL,)):
        price = _price(row, places, errors)
        if price is None:
            continue
        key = (price.scope, price.gtin, price.from_at_ms, price.from_local)
        first = first_lines.setdefault(key, row.line)
        if first != row.line:
            errors.add(row.line, None, "import.duplicate", value=price.gtin, first=first)
        found.append((row.line, price))
    return found


def _price(row: Row, places: Places, errors: RowErrors) -> PriceRow | None:
    cells, before = row.cells, len(errors.found)
    gtin = ""
    try:
        gtin = parse_gtin(cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
    scope, begin, end = _period(row, places, errors)
    ends = cells["regular_price_cents"] == END_CELL
    regular = None if ends else _amount(row, "regular_price_cents", errors)
    member = _amount(row, "member_price_cents", errors) if cells["member_price_cents"] else None
    if ends and member is not None:
        errors.add(row.line, "member_price_cents", "price.member_without_regular")
    if len(errors.found) > before:
        return None
    try:
        if regular is not None:
            check_amounts(regular, member)
    except RetailError as error:
        errors.add_error(row.line, "regular_price_cents", error)
        return None
    until = (None, None) if end is None else (end.at_ms, end.local)
    return PriceRow(scope, gtin, begin.at_ms, regular, member, begin.local, *until)


def _period(row: Row, places: Places, errors: RowErrors) -> tuple[str, Moment, Moment | None]:
    """Scope, beginning and end; what is wrong is noted."""
    scope, begin, end = CHAIN, Moment(0), None
    column = "store_id"
    try:
        scope = places.scope_of(row.cells["store_id"])
        column = "effective_at"
        begin = places.moment(row.cells[column], scope)
        column = UNTIL
        end = places.moment(row.cells[UNTIL], scope) if row.cells.get(UNTIL) else None
        check_period(begin, end)
    except RetailError as error:
        errors.add_error(row.line, column, error)
    return scope, begin, end


def check_period(begin: Moment, end: Moment | None) -> None:
    """RefusedError `price.period` unless a period ends after it begins, on the same clock."""
    if end is None:
        return
    if (begin.local is None) != (end.local is None) or end.at_ms <= begin.at_ms:
        raise RefusedError("price.period")


def _amount(row: Row, column: str, errors: RowErrors) -> int | None:
    text = row.cells[column]
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        errors.add(row.line, column, "import.whole_number", value=text)
        return None
    return int(text)
