"""The price table of a CSV file: columns, and each row's checks. Pure.

`effective_at` is the store's own wall-clock time, or ISO 8601 with an offset. A local time that
occurs twice (clocks go back) means the earlier instant; one that does not exist (clocks go
forward) means the instant as if they had not, as in PEP 495: 02:30 is what the clock on the wall
then calls 03:30.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import IO

from cloud.csv_table import Row, RowErrors, read_table
from shared.kernel.errors import RefusedError, RetailError
from shared.kernel.gtin import parse_gtin
from shared.kernel.money import PRICE_MINOR_MAX

COLUMNS = ("store_id", "ean13", "effective_at", "regular_price_cents", "member_price_cents")
FROM_YEAR, TO_YEAR = 2000, 2099
DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One dated price; `member_minor` None means that members pay the regular price."""

    store_id: str
    gtin: str
    from_at_ms: int
    regular_minor: int
    member_minor: int | None


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
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("import.time", value=text[:40]) from None
    if not FROM_YEAR <= found.year <= TO_YEAR:
        raise RefusedError("import.time_range", from_year=FROM_YEAR, to_year=TO_YEAR)
    placed = found if found.tzinfo else found.replace(tzinfo=zone)
    since = placed.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def read_prices(
    stream: IO[bytes], zones: Mapping[str, tzinfo], errors: RowErrors
) -> list[tuple[int, PriceRow]]:
    """Every good row as (line, price); what is wrong with the others is in `errors`.

    `zones` holds the time zone of each known store.
    """
    found: list[tuple[int, PriceRow]] = []
    first_lines: dict[tuple[str, str, int], int] = {}
    for row in read_table(stream, COLUMNS, errors):
        price = _price(row, zones, errors)
        if price is None:
            continue
        key = (price.store_id, price.gtin, price.from_at_ms)
        first = first_lines.setdefault(key, row.line)
        if first != row.line:
            errors.add(row.line, None, "import.duplicate", value=price.gtin, first=first)
        found.append((row.line, price))
    return found


def _price(row: Row, zones: Mapping[str, tzinfo], errors: RowErrors) -> PriceRow | None:
    cells, before = row.cells, len(errors.found)
    store_id = cells["store_id"]
    zone = zones.get(store_id)
    if zone is None:
        errors.add(row.line, "store_id", "store.unknown", store_id=store_id)
    gtin, from_at_ms = "", 0
    try:
        gtin = parse_gtin(cells["ean13"])
    except RetailError as error:
        errors.add_error(row.line, "ean13", error)
    try:
        from_at_ms = instant_ms(cells["effective_at"], zone or UTC)
    except RetailError as error:
        errors.add_error(row.line, "effective_at", error)
    regular = _amount(row, "regular_price_cents", errors)
    member = _amount(row, "member_price_cents", errors) if cells["member_price_cents"] else None
    if regular is None or len(errors.found) > before:
        return None
    try:
        check_amounts(regular, member)
    except RetailError as error:
        errors.add_error(row.line, "regular_price_cents", error)
        return None
    return PriceRow(store_id, gtin, from_at_ms, regular, member)


def _amount(row: Row, column: str, errors: RowErrors) -> int | None:
    text = row.cells[column]
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        errors.add(row.line, column, "import.whole_number", value=text)
        return None
    return int(text)
