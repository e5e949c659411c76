"""The promotions of a case as offers: the whole vocabulary of `promo-cases/1`. Pure.

A case is read more liberally than an offer document: a missing target means all goods, because
cases come from many engines and none of them ends up on a shelf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from cloud.price.case_times import validity_of
from cloud.price.case_words import CaseError, Words
from shared.price.condition import (
    ALL,
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
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
)
from shared.price.reward import (
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
    Reward,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)

T = TypeVar("T")
NOTHING = Selector(exclude=ALL)


def offer_of(words: Words, percent_base: PercentBase) -> Offer:
    """Read one promotion; `percent_base` holds where it states none of its own."""
    return Offer(
        id=words.text("id") or words.place,
        level=_level_of(words),
        target=selector_of(words.object("target")),
        when=words.each("when", condition_of),
        reward=reward_of(words.object("reward")),
        priority=words.whole("priority", 0),
        coupon=words.text("coupon") or None,
        stack=_stack_of(words.object("stack")),
        limits=_limits_of(words.object("limits")),
        valid=validity_of(words.object("valid")),
        percent_base=words.choice("percent_base", PercentBase, percent_base),
        ignores_floor=words.flag("ignores_floor"),
        names=_names_of(words.get("name")),
    )


def _names_of(raw: object) -> dict[str, str]:
    """Names are for people only: one text is the Chinese name, anything odd is left out."""
    if isinstance(raw, str):
        return {"zh-CN": raw}
    if isinstance(raw, dict):
        return {str(language): name for language, name in raw.items() if isinstance(name, str)}
    return {}


_SELECTOR_WORDS = frozenset(
    {"all", "sku", "category", "tag", "unit_price_min", "unit_price_max", "undiscounted", "not"}
)


def selector_of(words: Words) -> Selector:
    """Read which goods are meant; no words mean all goods, an empty list means none."""
    kinds = ("sku", "category", "tag")
    unknown = sorted(words.raw.keys() - _SELECTOR_WORDS)
    if unknown:
        # Left aside, a misspelt word would mean all goods.
        raise CaseError(f"{words.at(unknown[0])} is no word of a selector")
    if any(words.get(kind) == [] for kind in kinds):
        return NOTHING
    return Selector(
        skus=words.names("sku"),
        categories=words.names("category"),
        tags=words.names("tag"),
        unit_price_min=words.maybe_whole("unit_price_min"),
        unit_price_max=words.maybe_whole("unit_price_max"),
        undiscounted=words.flag("undiscounted"),
        exclude=selector_of(words.object("not")) if words.has("not") else None,
    )


def condition_of(words: Words) -> Condition:
    """Read one condition; CaseError when its type is unknown."""
    return _known(_CONDITIONS, words, "condition")(words)


def reward_of(words: Words) -> Reward:
    """Read a reward; CaseError when its type is unknown."""
    return _known(_REWARDS, words, "reward")(words)


def _known(
    table: Mapping[str, Callable[[Words], T]], words: Words, what: str
) -> Callable[[Words], T]:
    kind = words.text("type")
    if kind not in table:
        raise CaseError(
            f"{words.at('type')}: unknown {what} {kind!r}, known are {', '.join(table)}"
        )
    return table[kind]


def _level_of(words: Words) -> Level:
    name = words.text("level")
    try:
        return Level[name.upper()]
    except KeyError:
        raise CaseError(f"{words.at('level')} is {name!r}, known are price, line, basket") from None


def _scope_of(words: Words) -> Selector:
    return selector_of(words.object("scope"))


def _min_spend(words: Words) -> MinSpend:
    op = words.text("op", "gte")
    if op not in {"gte", "gt"}:
        raise CaseError(f"{words.at('op')} is {op!r}, known are gte, gt")
    basis = words.choice("basis", SpendBasis, SpendBasis.CURRENT)
    return MinSpend(_scope_of(words), words.whole("amount"), op == "gt", basis)


_CONDITIONS: Mapping[str, Callable[[Words], Condition]] = MappingProxyType(
    {
        "min_spend": _min_spend,
        "min_qty": lambda words: MinQty(_scope_of(words), words.milli("qty"), words.text("uom")),
        "distinct": lambda words: Distinct(_scope_of(words), words.whole("count")),
        "contains": lambda words: Contains(_scope_of(words)),
        "member": lambda words: ForMember(words.names("tiers"), words.names("groups")),
        "order_no": lambda words: OrderNo(words.whole("n")),
    }
)


def _percent_off(words: Words) -> PercentOff:
    return PercentOff(
        words.whole("bp"),
        cap=words.maybe_whole("cap"),
        max_units=words.maybe_whole("max_units"),
        max_units_per_line=words.maybe_whole("max_units_per_line"),
        pick=words.choice("pick", Pick, Pick.CHEAPEST),
    )


def _amount_off(words: Words) -> AmountOff:
    pick = words.choice("pick", Pick, Pick.CHEAPEST)
    return AmountOff(words.whole("amount"), words.maybe_whole("max_units"), pick)


def _amount_off_each(words: Words) -> AmountOffEach:
    return AmountOffEach(
        words.whole("amount"),
        max_units=words.maybe_whole("max_units"),
        max_units_per_line=words.maybe_whole("max_units_per_line"),
        pick=words.choice("pick", Pick, Pick.CHEAPEST),
    )


def _slot_of(words: Words) -> Slot:
    if not words.has("select"):
        raise CaseError(f"{words.at('select')} is missing")
    return Slot(selector_of(words.object("select")), words.whole("qty", 1))


def _bundle_price(words: Words) -> BundlePrice:
    slots = words.each("slots", _slot_of)
    if not slots:
        raise CaseError(f"{words.at('slots')} is missing")
    return BundlePrice(words.whole("amount"), slots)


def _buy_get(words: Words) -> BuyGet:
    bp, amount_each = _one_of(words, "bp", "amount_each")
    return BuyGet(
        _slot_of(words.object("buy")),
        _slot_of(words.object("get")),
        bp=bp,
        amount_each=amount_each,
        max_get_units=words.maybe_whole("max_get_units"),
        get_pick=words.choice("get_pick", Pick, Pick.CHEAPEST),
    )


def _tiers(words: Words) -> Tiers:
    steps = words.each("steps", _step_of)
    if not steps:
        raise CaseError(f"{words.at('steps')} is missing")
    return Tiers(words.choice("by", TierBy, TierBy.SPEND), steps)


def _step_of(words: Words) -> Step:
    bp, amount = _one_of(words, "bp", "amount")
    return Step(words.whole("at"), bp=bp, amount=amount)


def _group_each(words: Words) -> GroupEach:
    bp, amount = _one_of(words, "bp", "amount")
    order = words.choice("order", GroupOrder, GroupOrder.DEAREST_FIRST)
    return GroupEach(words.whole("size"), amount=amount, bp=bp, order=order)


def _one_of(words: Words, one: str, other: str) -> tuple[int | None, int | None]:
    if words.has(one) == words.has(other):
        raise CaseError(f"{words.place} needs exactly one of {one} and {other}")
    return words.maybe_whole(one), words.maybe_whole(other)


_REWARDS: Mapping[str, Callable[[Words], Reward]] = MappingProxyType(
    {
        "percent_off": _percent_off,
        "amount_off": _amount_off,
        "amount_off_each": _amount_off_each,
        "amount_off_line": lambda words: AmountOffLine(words.whole("amount")),
        "price_each": lambda words: PriceEach(
            words.whole("amount"), words.maybe_whole("max_units")
        ),
        "set_price": lambda words: SetPrice(
            words.whole("size"),
            words.whole("amount"),
            words.choice("pick", Pick, Pick.DEAREST),
        ),
        "bundle_price": _bundle_price,
        "nth_unit": lambda words: NthUnit(
            words.whole("n"),
            words.whole("bp"),
            words.choice("pairing", Pairing, Pairing.CHEAPEST_FIRST),
        ),
        "buy_get": _buy_get,
        "tiers": _tiers,
        "every": lambda words: Every(
            words.whole("spend"), words.whole("amount"), words.maybe_whole("max_times")
        ),
        "group_each": _group_each,
        "gift": lambda words: Gift(words.whole("max_units", 1)),
        "add_on": lambda words: AddOn(words.whole("amount"), words.whole("max_units", 1)),
    }
)


def _stack_of(words: Words) -> Stack:
    mode = words.choice("mode", StackMode, StackMode.STACK)
    return Stack(
        mode,
        # Offers of which the best acts belong together, also where nobody named their group.
        group=words.text("group") or ("best_of" if mode is StackMode.BEST_OF else ""),
        scope=words.choice("scope", StackScope, StackScope.BASKET),
        choose=words.choice("choose", ExclusiveChoice, ExclusiveChoice.BEST),
    )


def _limits_of(words: Words) -> Limits:
    return Limits(
        max_times=words.maybe_whole("max_times"),
        per_member=words.maybe_whole("per_member"),
        per_member_units=words.maybe_whole("per_member_units"),
        budget_left=words.maybe_whole("budget_left"),
        budget_policy=words.choice("budget_policy", BudgetPolicy, BudgetPolicy.SKIP),
    )
