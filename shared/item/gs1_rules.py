"""The checks that GS1's syntax dictionary names for parts of an element's data.

Not checked, because they need lists that GS1 or the UN keep up: `packagetype` (UN/ECE
Recommendation 21), and whether a company prefix was ever given out (`gcppos1` and `gcppos2` look
only whether one can stand there).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from shared.item.gs1_coupon import is_coupon, is_positive_offer
from shared.item.gs1_date import is_hhmm, is_yymmdd, is_yyyymmdd
from shared.item.iso_codes import COUNTRIES, COUNTRY_LETTERS, CURRENCIES_BY_NUMBER
from shared.kernel.gtin import check_digit

CHARACTERS = {
    "N": re.compile(r"[0-9]+"),
    "X": re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+"),
    "Y": re.compile(r"[#\-/0-9A-Z]+"),
    "Z": re.compile(r"[A-Za-z0-9_\-]+={0,2}"),
}
"""Character sets of the dictionary: digits, GS1's sets 82 and 39, base64url."""

_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_SET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PAIR_MODULUS = 1021
_PAIR = 2
_PREFIX_MIN = 4
_LATITUDE_MAX, _LONGITUDE_MAX = 1_800_000_000, 3_600_000_000
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{1,30}")
_PERCENT = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")


def _has_prefix(data: str) -> bool:
    return len(data) >= _PREFIX_MIN and data[:_PREFIX_MIN].isdigit()


def _has_check_pair(data: str) -> bool:
    """The two check characters of a GMN: weights are primes from the right, modulo 1021."""
    body, pair = data[:-_PAIR], data[-_PAIR:]
    if not body or len(body) > len(_PRIMES):
        return False
    weights = _PRIMES[: len(body)][::-1]
    total = sum(_SET_82.index(char) * weight for char, weight in zip(body, weights, strict=True))
    high, low = divmod(total % _PAIR_MODULUS, len(_SET_32))
    return pair == _SET_32[high] + _SET_32[low]


def _is_piece_of_total(digits: str) -> bool:
    piece, total = int(digits[:2]), int(digits[2:])
    return 0 < piece <= total


def _is_iban(data: str) -> bool:
    if not _IBAN.fullmatch(data):
        return False
    turned = data[4:] + data[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _is_place_in_sequence(data: str) -> bool:
    """A slash between a place and how many there are, such as 1/3."""
    place, slash, total = data.partition("/")
    is_number = place.isdigit() and total.isdigit()
    return slash == "/" and is_number and 0 < int(place) <= int(total)


def _is_media_type(digits: str) -> bool:
    return 1 <= int(digits) <= 10 or 80 <= int(digits) <= 99  # noqa: PLR2004 - GS1's two ranges


RULES: dict[str, Callable[[str], bool]] = {
    "couponcode": is_coupon,
    "couponposoffer": is_positive_offer,
    "csum": lambda data: check_digit(data[:-1]) == data[-1],
    "csumalpha": _has_check_pair,
    "gcppos1": _has_prefix,
    "gcppos2": lambda data: _has_prefix(data[1:]),
    "hasnondigit": lambda data: not data.isdigit(),
    "hh": lambda data: is_hhmm(data + "00"),
    "hhmi": is_hhmm,
    "hyphen": lambda data: not data.strip("-"),
    "iban": _is_iban,
    "importeridx": lambda data: data.isalnum() or data in "-_",
    "iso3166": COUNTRIES.__contains__,
    "iso3166999": lambda data: data == "999" or data in COUNTRIES,
    "iso3166alpha2": COUNTRY_LETTERS.__contains__,
    "iso4217": CURRENCIES_BY_NUMBER.__contains__,
    "iso5218": "0129".__contains__,
    "latitude": lambda data: int(data) <= _LATITUDE_MAX,
    "longitude": lambda data: int(data) <= _LONGITUDE_MAX,
    "mediatype": _is_media_type,
    "mi": lambda data: is_hhmm("00" + data),
    "nonzero": lambda data: int(data) != 0,
    "nozeroprefix": lambda data: data == "0" or not data.startswith("0"),
    "pcenc": lambda data: _PERCENT.fullmatch(data) is not None,
    "pieceoftotal": _is_piece_of_total,
    "posinseqslash": _is_place_in_sequence,
    "ss": lambda data: is_hhmm("00" + data),
    "winding": "019".__contains__,
    "yesno": "01".__contains__,
    "yymmd0": lambda data: is_yymmdd(data, day_min=0),
    "yymmdd": is_yymmdd,
    "yyyymmdd": is_yyyymmdd,
    "zero": lambda data: int(data) == 0,
}
"""Name of a rule -> whether data, of the right characters and length, follows it."""

UNCHECKED_RULES = frozenset({"packagetype"})
