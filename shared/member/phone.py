"""Telephone numbers as people type them, brought into one form (E.164).

Two people who type one number in two ways must find one member.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from shared.kernel.errors import RefusedError

SHOWN_DIGITS = 4
"""So many last digits of a number are shown where the whole number is nobody's business."""
_TYPED_MAX = 40
# Dashes of all kinds are pasted.
_BETWEEN = re.compile(r"[\s().\-‐-―/]+")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """How mobile numbers of a country are written at home, and its country code.

    `home` matches what people type there; a leading `trunk` is left out abroad.
    """

    code: str
    home: re.Pattern[str]
    trunk: str = ""


PLANS = {
    "CNY": NumberPlan("86", re.compile(r"1[3-9][0-9]{9}")),
    "TWD": NumberPlan("886", re.compile(r"09[0-9]{8}"), "0"),
    "HKD": NumberPlan("852", re.compile(r"[4-9][0-9]{7}")),
    "USD": NumberPlan("1", re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")),
}
"""By the currency that a store takes: a box knows that of its store, and no country."""


def normal_phone(typed: str, currency: str) -> str:
    """A number in E.164 (`+8613800138000`); one without country code is of the store's country.

    RefusedError `member.phone` for what is none; the number itself is in no error.
    """
    # Full-width digits come out of Chinese keyboards.
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed[:_TYPED_MAX]).strip())
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    plan = PLANS.get(currency)
    if plan is not None and not plain.startswith("+"):
        if plan.home.fullmatch(plain) is None:
            raise RefusedError("member.phone")
        plain = f"+{plan.code}{plain.removeprefix(plan.trunk)}"
    if _E164.fullmatch(plain) is None:
        raise RefusedError("member.phone")
    _check_mobile(plain)
    return plain


def last_digits(phone: str) -> str:
    """The end of a number in E.164, which may be shown."""
    return phone[-SHOWN_DIGITS:]


def _check_mobile(phone: str) -> None:
    """A number with one of the known country codes has to be a mobile number there."""
    for plan in PLANS.values():
        rest = phone.removeprefix(f"+{plan.code}")
        if rest != phone and plan.home.fullmatch(plan.trunk + rest) is None:
            raise RefusedError("member.phone")
