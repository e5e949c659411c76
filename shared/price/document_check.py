"""What the words of an offer must not say together; called with what was read without error."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from shared.price.condition import ALL
from shared.price.document_error import Place
from shared.price.document_record import Raw, Values
from shared.price.offer import Level
from shared.price.reward import (
    AddOn,
    BundlePrice,
    BuyGet,
    Gift,
    GroupEach,
    NthUnit,
    SetPrice,
    Step,
)

LINE_ONLY = (AddOn, BundlePrice, BuyGet, Gift, GroupEach, NthUnit, SetPrice)
SLOTTED = (BundlePrice, BuyGet)


def check_selector(values: Values, raw: Raw, place: Place) -> None:
    """A selector says what it means: `{}` might be a slip, and must not mean all goods."""
    if not raw or raw == {"undiscounted": False}:
        place.wrong("ambiguous")
    if values.get("exclude") == ALL:
        place.wrong("nothing")
    least, most = values.get("unit_price_min"), values.get("unit_price_max")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        place.wrong("price_range", least=least, most=most)


def check_steps(values: Values, _raw: Raw, place: Place) -> None:
    """Each step starts higher and gives more than the one before."""
    steps = cast("tuple[Step, ...]", values.get("steps", ()))
    for number, (lower, higher) in enumerate(pairwise(steps), start=1):
        here = place.at("steps").item(number)
        if higher.at <= lower.at:
            here.at("at").wrong("steps_order", at=higher.at, before=lower.at)
        _check_gain("amount", lower.amount, higher.amount, here)
        _check_gain("bp", lower.bp, higher.bp, here)


def _check_gain(word: str, lower: int | None, higher: int | None, place: Place) -> None:
    if lower is not None and higher is not None and higher <= lower:
        place.at(word).wrong("steps_gain", value=higher, before=lower)


def check_validity(values: Values, _raw: Raw, place: Place) -> None:
    """An offer opens before it closes; with one end on the store's clock nobody can say."""
    start, end = values.get("start"), values.get("end")
    if (isinstance(start, int) and isinstance(end, int) and start >= end) or (
        isinstance(start, tuple) and isinstance(end, tuple) and start >= end
    ):
        place.wrong("time_order")
    if start is not None and end is not None and type(start) is not type(end):
        place.wrong("time_mixed")


def check_offer(values: Values, raw: Raw, place: Place) -> None:
    """A reward has its level, and goods to act on."""
    reward, level = values.get("reward"), values.get("level")
    if isinstance(reward, LINE_ONLY) and level is not None and level != Level.LINE:
        place.at("level").wrong("level")
    if reward is not None and "target" not in raw and not isinstance(reward, SLOTTED):
        place.wrong("required", word="target")
