"""The words of offer documents: selectors, conditions, rewards, and the offer around them.

They are those of `promo-cases/1`. Each table serves reading, writing and the JSON Schema alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.price.condition import (
    ALL,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.document_check import check_selector, check_steps
from shared.price.document_record import Field, ListOf, Named, Record, Tagged, Values, attributes
from shared.price.document_value import (
    Flag,
    Money,
    OnlyTrue,
    Percent,
    Quantity,
    Shape,
    Text,
    Whole,
    Words,
)
from shared.price.reward import (
    FULL_BP,
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    GroupOrder,
    NthUnit,
    Pairing,
    PercentOff,
    Pick,
    PriceEach,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)

SELECTOR_DEPTH_MAX = 4
AMOUNT, PRICE, COUNT = Money(), Money(least=0), Whole()
TEXTS = ListOf(Text(), is_set=True)
PICK = Words({each.value: each for each in Pick})
SELECTOR = Named("selector", lambda: _SELECTOR, "not", SELECTOR_DEPTH_MAX)
MAX_UNITS = Field("max_units", "max_units", COUNT)
MAX_PER_LINE = Field("max_units_per_line", "max_units_per_line", COUNT)
PICKED = Field("pick", "pick", PICK)


def _bp(*, is_required: bool) -> Field:
    alias = ("percent", Percent())
    return Field("bp", "bp", Whole(1, FULL_BP), is_required=is_required, alias=alias)


def _amount(shape: Money, *, is_required: bool = True) -> Field:
    return Field("amount", "amount", shape, is_required=is_required)


BP, OPTIONAL_BP = _bp(is_required=True), _bp(is_required=False)
OPTIONAL_AMOUNT = _amount(AMOUNT, is_required=False)


def _selector(**values: object) -> Selector:
    values.pop("all", None)
    made: Selector = Selector(**values)  # type: ignore[arg-type]
    return made


def _selector_parts(value: object, table: Iterable[Field]) -> Values:
    selected = attributes(value, [each for each in table if each.attr != "all"])
    return {"all": True if value == ALL else None, **selected}


_SELECTOR: Record = Record(
    Selector,
    (
        Field("all", "all", OnlyTrue()),
        Field("sku", "skus", TEXTS),
        Field("category", "categories", TEXTS),
        Field("tag", "tags", TEXTS),
        Field("unit_price_min", "unit_price_min", PRICE),
        Field("unit_price_max", "unit_price_max", PRICE),
        Field("undiscounted", "undiscounted", Flag()),
        Field("not", "exclude", SELECTOR),
    ),
    check=check_selector,
    make=_selector,
    parts=_selector_parts,
)
SCOPE = Field("scope", "scope", SELECTOR, is_required=True)

_CONDITIONS: tuple[Record, ...] = (
    Record(
        MinSpend,
        (
            SCOPE,
            _amount(PRICE),
            Field("op", "is_strict", Words({"gte": False, "gt": True})),
            Field("basis", "basis", Words({each.value: each for each in SpendBasis})),
        ),
        tag=("type", "min_spend"),
    ),
    Record(
        MinQty,
        (
            SCOPE,
            Field("qty", "qty_milli", Quantity(), is_required=True),
            Field("uom", "uom", Text()),
        ),
        tag=("type", "min_qty"),
    ),
    Record(
        Distinct,
        (SCOPE, Field("count", "count", COUNT, is_required=True)),
        tag=("type", "distinct"),
    ),
    Record(Contains, (SCOPE,), tag=("type", "contains")),
    Record(
        ForMember,
        (Field("tiers", "tiers", TEXTS), Field("groups", "groups", TEXTS)),
        tag=("type", "member"),
    ),
    Record(OrderNo, (Field("n", "n", COUNT, is_required=True),), tag=("type", "order_no")),
)

_SLOT = Record(
    Slot, (Field("select", "select", SELECTOR, is_required=True), Field("qty", "qty", COUNT))
)


def _tiers(by: TierBy, at: Shape) -> Record:
    step = Record(
        Step,
        (Field("at", "at", at, is_required=True), OPTIONAL_BP, OPTIONAL_AMOUNT),
        one_of=("bp", "amount"),
    )
    table = (
        Field("by", "by", Words({by.value: by}), is_required=True),
        Field("steps", "steps", ListOf(step), is_required=True),
    )
    return Record(Tiers, table, check=check_steps, tag=("type", "tiers"))


_TIERS = Tagged(
    "by",
    {"spend": _tiers(TierBy.SPEND, AMOUNT), "qty": _tiers(TierBy.QTY, COUNT)},
    lambda value: value.by.value if isinstance(value, Tiers) else "",
)

_REWARDS: tuple[Record, ...] = (
    Record(
        PercentOff,
        (BP, Field("cap", "cap", AMOUNT), MAX_UNITS, MAX_PER_LINE, PICKED),
        tag=("type", "percent_off"),
    ),
    Record(AmountOff, (_amount(AMOUNT), MAX_UNITS, PICKED), tag=("type", "amount_off")),
    Record(
        AmountOffEach,
        (_amount(AMOUNT), MAX_UNITS, MAX_PER_LINE, PICKED),
        tag=("type", "amount_off_each"),
    ),
    Record(AmountOffLine, (_amount(AMOUNT),), tag=("type", "amount_off_line")),
    Record(PriceEach, (_amount(PRICE), MAX_UNITS), tag=("type", "price_each")),
    Record(
        SetPrice,
        (Field("size", "size", COUNT, is_required=True), _amount(PRICE), PICKED),
        tag=("type", "set_price"),
    ),
    Record(
        BundlePrice,
        (_amount(PRICE), Field("slots", "slots", ListOf(_SLOT), is_required=True)),
        tag=("type", "bundle_price"),
    ),
    Record(
        NthUnit,
        (
            Field("n", "n", Whole(least=2), is_required=True),
            BP,
            Field("pairing", "pairing", Words({each.value: each for each in Pairing})),
        ),
        tag=("type", "nth_unit"),
    ),
    Record(
        BuyGet,
        (
            Field("buy", "buy", _SLOT, is_required=True),
            Field("get", "get", _SLOT, is_required=True),
            OPTIONAL_BP,
            Field("amount_each", "amount_each", AMOUNT),
            Field("max_get_units", "max_get_units", COUNT),
            Field("get_pick", "get_pick", PICK),
        ),
        one_of=("bp", "amount_each"),
        tag=("type", "buy_get"),
    ),
    Record(
        Every,
        (
            Field("spend", "spend", AMOUNT, is_required=True),
            _amount(AMOUNT),
            Field("max_times", "max_times", COUNT),
        ),
        tag=("type", "every"),
    ),
    Record(
        GroupEach,
        (
            Field("size", "size", COUNT, is_required=True),
            OPTIONAL_AMOUNT,
            OPTIONAL_BP,
            Field("order", "order", Words({each.value: each for each in GroupOrder})),
        ),
        one_of=("amount", "bp"),
        tag=("type", "group_each"),
    ),
    Record(Gift, (MAX_UNITS,), tag=("type", "gift")),
    Record(AddOn, (_amount(PRICE), MAX_UNITS), tag=("type", "add_on")),
)


def _word_of(records: Iterable[Record]) -> Mapping[type, str]:
    return {each.kind: each.tag[1] for each in records if each.tag is not None}


CONDITION_WORDS = _word_of(_CONDITIONS)
REWARD_WORDS = {**_word_of(_REWARDS), Tiers: "tiers"}
"""The `type` of each kind of reward."""

CONDITION = Tagged(
    "type",
    {CONDITION_WORDS[each.kind]: each for each in _CONDITIONS},
    lambda value: CONDITION_WORDS[type(value)],
)
REWARD = Tagged(
    "type",
    {**{REWARD_WORDS[each.kind]: each for each in _REWARDS}, "tiers": _TIERS},
    lambda value: REWARD_WORDS[type(value)],
)
