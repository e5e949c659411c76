"""Money is a whole number of minor units (cents, fen); it is never a float."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.errors import RefusedError

PRICE_MINOR_MAX = 99_999_999
"""Above this a price is taken for a typing error (999,999.99 in a two-digit currency)."""

QUICK_CASH_BUTTONS = 4


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency and the notes that a customer may hand over.

    `digits` is the number of minor digits; `notes_minor` ascends, in minor units.
    """

    code: str
    digits: int
    symbol: str
    notes_minor: tuple[int, ...]


CURRENCIES: dict[str, Currency] = {
    "CNY": Currency("CNY", 2, "¥", (100, 500, 1000, 2000, 5000, 10000)),
    "HKD": Currency("HKD", 2, "HK$", (1000, 2000, 5000, 10000, 50000, 100000)),
    "TWD": Currency("TWD", 0, "NT$", (100, 200, 500, 1000, 2000)),
    "USD": Currency("USD", 2, "$", (100, 500, 1000, 2000, 5000, 10000)),
    "EUR": Currency("EUR", 2, "€", (500, 1000, 2000, 5000, 10000)),
}


def currency_of(code: str) -> Currency:
    """The currency with that ISO code; `currency.unknown` if the product has none."""
    try:
        return CURRENCIES[code]
    except KeyError:
        raise RefusedError("currency.unknown", currency=code) from None


def format_minor(minor: int, currency: Currency) -> str:
    """Plain digits without a symbol: -1250 in CNY is "-12.50"."""
    sign = "-" if minor < 0 else ""
    if currency.digits == 0:
        return f"{sign}{abs(minor)}"
    whole, rest = divmod(abs(minor), 10**currency.digits)
    return f"{sign}{whole}.{rest:0{currency.digits}d}"


def quick_cash(due_minor: int, currency: Currency) -> tuple[int, ...]:
    """Amounts that a customer is likely to hand over, ascending, the exact one first.

    Exact, then the due amount rounded up to each note, so that each is payable in real
    notes; never more than four, fewer when they fall together.
    """
    if due_minor <= 0:
        return ()
    found = [due_minor]
    for note in currency.notes_minor:
        handed = -(-due_minor // note) * note
        if handed not in found:
            found.append(handed)
    return tuple(sorted(found)[:QUICK_CASH_BUTTONS])
