"""The table of a whole offer: its limits, its window, its name, its stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from shared.price.document_check import check_offer, check_validity
from shared.price.document_error import Place, shown_as
from shared.price.document_record import Field, ListOf, Record, Tagged, Values
from shared.price.document_table import CONDITION, COUNT, PRICE, REWARD, SELECTOR
from shared.price.document_time import DateShape, Moment, MomentShape, WindowShape
from shared.price.document_value import (
    NAME_LENGTH_MAX,
    Flag,
    JsonSchema,
    Text,
    Whole,
    Words,
)
from shared.price.offer import (
    BudgetPolicy,
    ExclusiveChoice,
    Level,
    Limits,
    Offer,
    PercentBase,
    Stack,
    StackMode,
    StackScope,
    Validity,
)

LANGUAGES = ("zh-CN", "zh-TW", "en")
PRIORITY_MAX = 1_000_000
_NAME = Text(NAME_LENGTH_MAX)


@dataclass(frozen=True, slots=True)
class OfferEntry:
    """An offer with the stores it is for; None means every store of the chain."""

    offer: Offer
    stores: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NameShape:
    """One name for all languages, or names by language."""

    def read(self, raw: object, place: Place) -> object:
        """Names by language."""
        if isinstance(raw, str):
            name = _NAME.read(raw, place)
            return dict.fromkeys(LANGUAGES, name)
        if not isinstance(raw, Mapping) or not raw:
            return place.wrong("name", value=shown_as(raw))
        for language in raw:
            if language not in LANGUAGES:
                place.unknown(shown_as(language), LANGUAGES)
        return {
            language: _NAME.read(raw[language], place.at(language))
            for language in LANGUAGES
            if language in raw
        }

    def dump(self, value: object) -> object:
        """One text where all languages have the same."""
        names = cast("Mapping[str, str]", value)
        if set(names) == set(LANGUAGES) and len(set(names.values())) == 1:
            return names[LANGUAGES[0]]
        return dict(sorted(names.items()))

    def schema(self) -> JsonSchema:
        """Both spellings."""
        by_language: JsonSchema = {
            "type": "object",
            "properties": {language: _NAME.schema() for language in LANGUAGES},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"anyOf": [_NAME.schema(), by_language]}


def _validity(
    *, start: Moment | None = None, end: Moment | None = None, **rest: object
) -> Validity:
    made: Validity = Validity(
        from_at_ms=start if isinstance(start, int) else None,
        to_at_ms=end if isinstance(end, int) else None,
        from_local=start if isinstance(start, tuple) else None,
        to_local=end if isinstance(end, tuple) else None,
        **rest,  # type: ignore[arg-type]
    )
    return made


def _validity_parts(value: object, _table: Iterable[Field]) -> Values:
    assert isinstance(value, Validity)
    return {
        "start": value.from_at_ms if value.from_at_ms is not None else value.from_local,
        "end": value.to_at_ms if value.to_at_ms is not None else value.to_local,
        "dates": value.dates,
        "weekdays": value.weekdays,
        "daily": value.daily,
    }


VALIDITY = Record(
    Validity,
    (
        Field("from", "start", MomentShape()),
        Field("to", "end", MomentShape()),
        Field("dates", "dates", ListOf(DateShape(), is_set=True)),
        Field("weekdays", "weekdays", ListOf(Whole(1, 7), is_set=True)),
        Field("daily", "daily", ListOf(WindowShape(), is_sorted=True)),
    ),
    check=check_validity,
    make=_validity,
    parts=_validity_parts,
)


def _mode(mode: StackMode) -> Field:
    return Field("mode", "mode", Words({mode.value: mode}), is_required=True)


STACK = Tagged(
    "mode",
    {
        "stack": Record(Stack, (_mode(StackMode.STACK),)),
        "best_of": Record(
            Stack,
            (
                _mode(StackMode.BEST_OF),
                Field("group", "group", Text(), is_required=True),
                Field("scope", "scope", Words({each.value: each for each in StackScope})),
            ),
        ),
        "exclusive": Record(
            Stack,
            (
                _mode(StackMode.EXCLUSIVE),
                Field("choose", "choose", Words({each.value: each for each in ExclusiveChoice})),
            ),
        ),
    },
    lambda value: value.mode.value if isinstance(value, Stack) else "",
)

LIMITS = Record(
    Limits,
    (
        Field("max_times", "max_times", COUNT),
        Field("per_member", "per_member", COUNT),
        Field("per_member_units", "per_member_units", COUNT),
        Field("budget_left", "budget_left", PRICE),
        Field("budget_policy", "budget_policy", Words({each.value: each for each in BudgetPolicy})),
    ),
)

_TABLE = (
    Field("id", "id", Text(), is_required=True),
    Field("name", "names", NameShape()),
    Field("level", "level", Words({each.name.lower(): each for each in Level}), is_required=True),
    Field("target", "target", SELECTOR, is_kept=True),
    Field("when", "when", ListOf(CONDITION, may_be_empty=True)),
    Field("reward", "reward", REWARD, is_required=True),
    Field("priority", "priority", Whole(-PRIORITY_MAX, PRIORITY_MAX)),
    Field("coupon", "coupon", Text()),
    Field("stack", "stack", STACK),
    Field("limits", "limits", LIMITS),
    Field("valid", "valid", VALIDITY),
    Field("percent_base", "percent_base", Words({each.value: each for each in PercentBase})),
    Field("ignores_floor", "ignores_floor", Flag()),
    Field("version", "version", Whole()),
)
OFFER = Record(Offer, _TABLE, check=check_offer)
_STORES = Field("stores", "stores", ListOf(Text(), is_sorted=True))


def _entry(*, stores: tuple[str, ...] | None = None, **values: object) -> OfferEntry:
    return OfferEntry(Offer(**values), stores)  # type: ignore[arg-type]


ENTRY = Record(OfferEntry, (*_TABLE, _STORES), check=check_offer, make=_entry)
"""Only read; `dump_document` writes the offer and its stores."""
