"""Which PINs are worth having, when they run out, and what a check may cost.

The cost: a store box is a Raspberry Pi 4 or better, and a check may take 150 ms of one of its
cores. Such a core takes about four times as long as the one this was measured on (argon2id,
version 1.3, one lane): 19 MiB in two passes, which is also OWASP's smallest recommended setting,
took 19-21 ms here, so about 85 ms there, and leaves room for a box that is busy selling. Three
passes took 30 ms (120 ms there), 46 MiB in one pass 54-63 ms (about 240 ms there, too much).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta

from shared.kernel.errors import RefusedError
from shared.staff.role import PIN_DIGITS_MAX, PIN_DIGITS_MIN

HASH_PASSES = 2
HASH_KIB = 19_456
HASH_LANES = 1
NONCE_BYTES = 12
CHECK_MS_MAX = 150
"""On a core of a Raspberry Pi 4."""

# fmt: off
_FAVOURITES = frozenset([
    "1004", "1010", "1122", "1212", "1313", "1314", "1342", "1357", "1472", "1478", "1590",
    "1593", "2468", "2580", "3690", "3698", "5200", "5201", "5211", "5683", "6669", "6868",
    "7410", "7412", "7777", "8520", "8888", "9630", "9632", "112233", "123123", "131420",
    "147258", "159357", "159753", "258369", "520131", "520520", "521521", "789456", "963852",
    "11223344", "12341234", "52013140",
])
# fmt: on
_YEARS = (1900, 2099)
_RUN_UP, _RUN_DOWN = "01234567890", "09876543210"


def check_pin_form(pin: str, digits: int = PIN_DIGITS_MIN) -> None:
    """RefusedError `pin.digits` for anything but so many digits, at most eight."""
    is_digits = pin.isascii() and pin.isdecimal()
    if not is_digits or not digits <= len(pin) <= PIN_DIGITS_MAX:
        raise RefusedError("pin.digits", least=digits, most=PIN_DIGITS_MAX)


def check_new_pin(pin: str, operator: str, digits: int = PIN_DIGITS_MIN) -> None:
    """RefusedError `pin.digits`, or `pin.weak` for one that is guessed within a few tries."""
    check_pin_form(pin, digits)
    if is_weak(pin, operator):
        raise RefusedError("pin.weak")


def is_weak(pin: str, operator: str = "") -> bool:
    """Whether people guess it: a run, a pattern, a date of somebody's life, their own number."""
    is_run = pin in _RUN_UP or pin in _RUN_DOWN
    is_own = bool(operator) and (pin in operator or operator in pin)
    return is_run or is_own or pin in _FAVOURITES or _repeats(pin) or _is_date(pin)


def hash_name(pin_hash: str) -> str:
    """What names a PIN's hash without telling it: SHA-256, hex; its salt is not to be guessed."""
    return hashlib.sha256(pin_hash.encode()).hexdigest()


def sealing_key(replaced_hash: str, pin_hash: str = "") -> tuple[bytes, bytes]:
    """Key and nonce (AES-256-GCM) under which a new PIN's hash travels in the journal.

    A hash of four digits is found out in minutes, and journals are copied to tablets and exported.
    The hash that it replaces is known to the box and to head office alone, and has more random
    bits than the key: so the key follows from it. The nonce follows from what is sealed.
    """
    key = hmac.new(replaced_hash.encode(), b"tillbox new pin", hashlib.sha256).digest()
    return key, hmac.new(key, pin_hash.encode(), hashlib.sha256).digest()[:NONCE_BYTES]


def is_expired(pin_day: str, pin_days: int, today: str) -> bool:
    """Whether a PIN set on a day (ISO) has run out on another; "" for a day nobody knows."""
    if not pin_days or not pin_day or not today:
        return False
    return date.fromisoformat(today) > date.fromisoformat(pin_day) + timedelta(days=pin_days)


def _repeats(pin: str) -> bool:
    """1111, 121212, 123123, and mirrors such as 1221."""
    halves = any(pin == pin[:size] * (len(pin) // size) for size in (1, 2, 3, 4) if size < len(pin))
    return halves or len(set(pin)) <= 1 or (pin == pin[::-1] and len(set(pin)) <= 2)  # noqa: PLR2004


def _is_date(pin: str) -> bool:
    """A year, or a day as people write it; four digits may be day and month as well."""
    first, last = _YEARS
    match len(pin):
        case 4:
            either = _is_day(2000, pin[:2], pin[2:]) or _is_day(2000, pin[2:], pin[:2])
            return either or first <= int(pin) <= last
        case 6:
            return _is_day(2000, pin[2:4], pin[4:]) or _is_day(2000, pin[2:4], pin[:2])
        case 8:
            year_first = first <= int(pin[:4]) <= last and _is_day(2000, pin[4:6], pin[6:])
            return year_first or (
                first <= int(pin[4:]) <= last and _is_day(2000, pin[2:4], pin[:2])
            )
        case _:
            return False


def _is_day(leap_year: int, month: str, day: str) -> bool:
    try:
        date(leap_year, int(month), int(day))
    except ValueError:
        return False
    return True
