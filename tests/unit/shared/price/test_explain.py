from __future__ import annotations

import json
from pathlib import Path

import pytest

import shared
from shared.kernel.money import currency_of
from shared.price.condition import (
    ALL,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
)
from shared.price.context import CouponState, MemberStanding, PriceContext
from shared.price.eligibility import Reason
from shared.price.explain import Hint, WhyNot, hints
from shared.price.offer import (
    ExclusiveChoice,
    Level,
    Limits,
    Offer,
    Stack,
    StackMode,
    StackScope,
    Validity,
)
from shared.price.offer_book import OfferBook
from shared.price.reward import (
    AddOn,
    AmountOff,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    NthUnit,
    PercentOff,
    PriceEach,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)
from shared.price.wording import hint_text, name_of, why_not_text
from tests.unit.shared.price.pricing import (
    NOON,
    explained,
    given,
    hinted,
    in_group,
    line,
    offer,
    refused,
    skus,
)

TEN_OFF = AmountOff(1000)
MEMBER = PriceContext(member=MemberStanding("m", "silver", frozenset({"staff"})))


def basket_offer(name: str, *when: object, **more: object) -> Offer:
    return offer(name, TEN_OFF, *when, level=Level.BASKET, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            basket_offer("o", MinSpend(ALL, 3800)),
            ("spend", {"short_minor": 800, "amount_minor": 3800}),
        ),
        (
            basket_offer("o", MinSpend(ALL, 3000, is_strict=True)),
            ("spend", {"short_minor": 1, "amount_minor": 3000}),
        ),
        (basket_offer("o", MinQty(ALL, 5000)), ("qty", {"missing": 2})),
        (
            basket_offer("o", MinQty(ALL, 2500, "kg")),
            ("weight", {"short_milli": 2500, "uom": "kg"}),
        ),
        (basket_offer("o", Distinct(ALL, 3)), ("distinct", {"missing": 1})),
        (basket_offer("o", Contains(skus("x"))), ("missing_goods", {})),
        (basket_offer("o", ForMember()), ("member_only", {})),
        (basket_offer("o", OrderNo(1)), ("order_no", {"n": 1})),
        (basket_offer("o", coupon="C"), ("coupon_missing", {"coupon": "C"})),
        (basket_offer("o", valid=Validity(to_at_ms=5)), ("over", {})),
        (basket_offer("o", valid=Validity(daily=((0, 5),))), ("not_now", {})),
        (
            basket_offer("o", limits=Limits(budget_left=999)),
            ("budget", {"left_minor": 999, "amount_minor": 1000}),
        ),
        (offer("o", TEN_OFF, target=skus("x")), ("no_goods", {})),
        (offer("o", PriceEach(1000)), ("not_cheaper", {"amount_minor": 1000})),
        (offer("o", SetPrice(4, 100)), ("incomplete", {"missing": 1})),
        (offer("o", SetPrice(3, 3000)), ("not_cheaper", {"amount_minor": 3000})),
        (offer("o", NthUnit(4, 5000)), ("incomplete", {"missing": 1})),
        (offer("o", GroupEach(5, amount=5)), ("incomplete", {"missing": 2})),
        (
            offer("o", BundlePrice(5, (Slot(skus("s1"), 3), Slot(skus("s2"))))),
            ("incomplete", {"missing": 1}),
        ),
        (
            offer("o", BuyGet(Slot(skus("s1"), 3), Slot(skus("s2")), bp=10_000)),
            ("incomplete", {"missing": 1}),
        ),
        (
            offer("o", BuyGet(Slot(skus("s1")), Slot(skus("x")), bp=10_000)),
            ("get_missing", {"missing": 1}),
        ),
        (
            offer("o", BuyGet(Slot(ALL, 3), Slot(ALL, 2), bp=10_000)),
            ("get_missing", {"missing": 2}),
        ),
        (
            offer("o", Tiers(TierBy.SPEND, (Step(9000, bp=1), Step(5000, amount=5)))),
            ("spend", {"short_minor": 2000, "amount_minor": 5000}),
        ),
        (offer("o", Tiers(TierBy.QTY, (Step(7, bp=1),))), ("qty", {"missing": 4})),
        (offer("o", Every(4000, 100)), ("spend", {"short_minor": 1000, "amount_minor": 4000})),
    ],
)
def test_an_offer_that_gave_nothing_says_why(
    found: Offer, why: tuple[str, dict[str, object]]
) -> None:
    assert refused(explained([line(1, 1000, 2), line(2, 1000)], found)) == {"o": why}


@pytest.mark.parametrize(
    ("context", "found", "why"),
    [
        (
            MEMBER,
            basket_offer("o", ForMember(frozenset({"gold", "diamond"}))),
            ("member_tier", {"tiers": "diamond, gold"}),
        ),
        (
            MEMBER,
            basket_offer("o", ForMember(groups=frozenset({"student"}))),
            ("member_group", {"groups": "student"}),
        ),
        (
            PriceContext(member_uses={"o": 2}),
            basket_offer("o", limits=Limits(per_member=2)),
            ("member_uses", {"limit": 2}),
        ),
        (
            PriceContext(member_units={"o": 3}),
            basket_offer("o", limits=Limits(per_member_units=3)),
            ("member_units", {"limit": 3}),
        ),
        (PriceContext(orders_before=1), basket_offer("o", OrderNo(1)), ("order_no", {"n": 1})),
        *(
            (
                PriceContext(coupons={"C": state}),
                basket_offer("o", coupon="C"),
                (f"coupon_{state}", {"coupon": "C"}),
            )
            for state in (CouponState.REDEEMED, CouponState.EXPIRED, CouponState.RESERVED)
        ),
    ],
)
def test_a_customer_who_does_not_qualify_is_told_why(
    context: PriceContext, found: Offer, why: tuple[str, dict[str, object]]
) -> None:
    assert refused(explained([line(1, 3000)], found, context=context)) == {"o": why}


def test_the_loser_of_a_group_names_the_winner_and_by_how_much() -> None:
    found = explained(
        [line(1, 10_000)],
        offer("five", PercentOff(500), stack=in_group("g")),
        offer("eight", PercentOff(800), stack=in_group("g")),
        offer("also", PercentOff(800), stack=in_group("g"), priority=-1),
    )
    assert given(found.derivation) == {"eight": 800}
    assert refused(found) == {
        "five": ("beaten", {"offer": "eight", "more_minor": 300}),
        "also": ("beaten_even", {"offer": "eight"}),
    }


def test_a_group_member_that_could_not_act_tells_its_own_reason() -> None:
    found = explained(
        [line(1, 10_000)],
        offer("five", PercentOff(500), stack=in_group("g")),
        basket_offer("much", MinSpend(ALL, 20_000), stack=in_group("g")),
    )
    assert refused(found) == {"much": ("spend", {"short_minor": 10_000, "amount_minor": 20_000})}


def test_what_an_exclusive_offer_beats_or_shuts_out_is_told() -> None:
    alone = Stack(StackMode.EXCLUSIVE)
    found = explained(
        [line(1, 10_000)], offer("a", PercentOff(500)), offer("x", PercentOff(800), stack=alone)
    )
    assert refused(found) == {"a": ("beaten", {"offer": "x", "more_minor": 300})}
    found = explained(
        [line(1, 10_000)], offer("a", PercentOff(900)), offer("x", PercentOff(800), stack=alone)
    )
    assert refused(found) == {"x": ("beaten", {"offer": "a", "more_minor": 100})}
    forced = Stack(StackMode.EXCLUSIVE, choose=ExclusiveChoice.ALWAYS)
    found = explained(
        [line(1, 10_000)], offer("a", PercentOff(900)), offer("x", PercentOff(800), stack=forced)
    )
    assert refused(found) == {"a": ("excluded", {"offer": "x"})}


def test_an_offer_whose_lines_all_went_to_another_of_its_group_says_so() -> None:
    by_line = in_group("g", StackScope.LINE)
    found = explained(
        [line(1, 10_000)],
        offer("five", PercentOff(500), stack=by_line),
        offer("eight", PercentOff(800), stack=by_line),
    )
    assert given(found.derivation) == {"eight": 800}
    assert refused(found)["five"][0] in {"beaten", "beaten_by_line"}


def test_units_that_another_offer_used_up_are_named_with_it() -> None:
    found = explained(
        [line(1, 1000, 2)],
        offer("pair", NthUnit(2, 5000), priority=1),
        offer("set", SetPrice(2, 1000)),
        offer("group", GroupEach(3, amount=1)),
    )
    assert refused(found) == {
        "set": ("used_up", {"offer": "pair"}),
        "group": ("incomplete", {"missing": 3}),
    }


def test_nothing_left_to_take_is_told() -> None:
    found = explained(
        [line(1, 1000)],
        offer("free", PercentOff(10_000), priority=1),
        basket_offer("ten"),
        offer("half", PercentOff(5000)),
    )
    assert refused(found) == {"half": ("no_room", {}), "ten": ("no_room", {})}


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (
            basket_offer("o", MinSpend(ALL, 4500)),
            ("spend", {"short_minor": 1500, "amount_minor": 4500}),
        ),
        (basket_offer("o", MinSpend(ALL, 4501)), None),
        (basket_offer("o", MinQty(ALL, 5000)), ("qty", {"missing": 2})),
        (basket_offer("o", MinQty(ALL, 6000)), None),
        (basket_offer("o", ForMember()), ("member", {})),
        (offer("o", NthUnit(4, 5000)), ("set", {"missing": 1})),
        (offer("o", NthUnit(5, 5000)), None),
        (offer("o", BuyGet(Slot(skus("s1")), Slot(skus("x")), bp=10_000)), ("get", {"missing": 1})),
        (offer("o", BuyGet(Slot(skus("s1"), 4), Slot(skus("x")), bp=10_000)), None),
        (offer("o", BuyGet(Slot(skus("x")), Slot(skus("s1")), bp=10_000)), ("set", {"missing": 1})),
        (offer("o", Gift(), MinSpend(ALL, 3000), target=skus("x")), ("gift", {})),
        (
            offer("o", Gift(), MinSpend(ALL, 3500), target=skus("x")),
            ("spend", {"short_minor": 500, "amount_minor": 3500}),
        ),
        (offer("o", Gift(), MinSpend(ALL, 9000), target=skus("x")), None),
        (
            offer("o", AddOn(100), MinSpend(ALL, 3000), target=skus("x")),
            ("add_on", {"amount_minor": 100}),
        ),
        (offer("o", Gift(), target=skus("x"), coupon="C"), None),
        (
            offer("o", Tiers(TierBy.SPEND, (Step(3000, amount=300), Step(4000, amount=900)))),
            ("next_spend", {"short_minor": 1000, "amount_minor": 4000}),
        ),
        (offer("o", Tiers(TierBy.SPEND, (Step(3000, amount=300), Step(9000, amount=900)))), None),
        (
            offer("o", Tiers(TierBy.QTY, (Step(3, bp=300), Step(5, bp=900)))),
            ("next_qty", {"missing": 2}),
        ),
        (offer("o", Tiers(TierBy.QTY, (Step(3, bp=300), Step(6, bp=900)))), None),
        (offer("o", Every(2000, 100)), ("next_spend", {"short_minor": 1000, "amount_minor": 4000})),
        (offer("o", Every(2900, 100)), None),
        (offer("o", Every(2000, 100, max_times=1)), None),
    ],
)
def test_what_is_nearly_reached_is_hinted(
    found: Offer, hint: tuple[str, dict[str, object]] | None
) -> None:
    wanted = [] if hint is None else [("o", *hint)]
    assert hinted(explained([line(1, 1000, 2), line(2, 1000)], found)) == wanted


def test_hints_come_most_urgent_first_and_never_for_an_empty_basket() -> None:
    offers = [
        basket_offer("spend", MinSpend(ALL, 3100)),
        basket_offer("near", MinSpend(ALL, 3050)),
        basket_offer("member", ForMember()),
        offer("gift", Gift(), target=skus("x")),
        offer("set", NthUnit(4, 5000)),
    ]
    found = explained([line(1, 3000), line(2, 0, 2)], *offers)
    assert [name for name, _, _ in hinted(found)] == ["gift", "set", "near", "spend", "member"]
    assert hinted(explained([], *offers)) == []


def test_hints_alone_are_those_of_the_whole_explanation() -> None:
    offers = [basket_offer("spend", MinSpend(ALL, 3100)), offer("gift", Gift(), target=skus("x"))]
    lines = [line(1, 3000)]
    assert (
        hints(lines, OfferBook.of(offers), PriceContext(), NOON) == explained(lines, *offers).hints
    )


def test_a_sentence_shows_money_weights_and_names() -> None:
    one = Offer("o1", Level.LINE, TEN_OFF, names={"zh-CN": "满减", "en": "Ten off"})
    other = Offer("o2", Level.LINE, TEN_OFF, names={"en": "Five off"})
    book, yuan = OfferBook.of([one, other]), currency_of("CNY")
    texts = {
        "offer.why.beaten": "{offer}: {more_minor}",
        "offer.why.weight": "{short_milli} {uom}",
        "offer.hint.gift": "{name}!",
    }
    beaten = WhyNot(one, "beaten", {"offer": "o2", "more_minor": 300})
    assert why_not_text(beaten, texts, "en", yuan, book) == "Five off: ¥3.00"
    gone = WhyNot(one, "beaten", {"offer": "gone", "more_minor": 300})
    assert why_not_text(gone, texts, "en", yuan, book) == "gone: ¥3.00"
    heavy = WhyNot(one, "weight", {"short_milli": 2500, "uom": "kg"})
    assert why_not_text(heavy, texts, "en", yuan, book) == "2.5 kg"
    assert hint_text(Hint(one, "gift", {}), texts, "en", yuan, book) == "Ten off!"


def test_an_offer_is_called_by_the_name_that_it_has() -> None:
    assert name_of(Offer("o", Level.LINE, TEN_OFF), "en") == "o"
    assert name_of(Offer("o", Level.LINE, TEN_OFF, names={"zh-CN": "甲", "en": "A"}), "en") == "A"
    assert name_of(Offer("o", Level.LINE, TEN_OFF, names={"zh-CN": "甲"}), "en") == "甲"
    assert name_of(Offer("o", Level.LINE, TEN_OFF, names={"zh-TW": "乙"}), "en") == "乙"


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
def test_every_reason_and_hint_has_a_text(language: str) -> None:
    folder = Path(next(iter(shared.__path__)))
    texts = json.loads((folder / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    source = "".join(path.read_text(encoding="utf-8") for path in (folder / "price").glob("*.py"))
    reasons = [key.removeprefix("offer.why.") for key in texts if key.startswith("offer.why.")]
    unused = [code for code in reasons if f'"{code}"' not in source and "coupon_" not in code]
    assert unused == []
    assert Reason("x").params == {}


def test_a_selector_can_ask_for_goods_that_nothing_lowered_yet() -> None:
    found = explained(
        [line(1, 1000), line(2, 1000)],
        offer("first", PercentOff(1000), target=skus("s1"), priority=1),
        offer("rest", PercentOff(5000), target=Selector(undiscounted=True)),
    )
    assert given(found.derivation) == {"first": 100, "rest": 500}


def test_a_gift_is_earned_at_its_own_turn_not_after_later_offers() -> None:
    found = explained(
        [line(1, 1758)],
        offer("gift", Gift(), MinSpend(ALL, 1700), target=skus("bread")),
        basket_offer("ten", MinSpend(ALL, 1500)),
    )
    assert given(found.derivation) == {"ten": 1000}
    assert hinted(found) == [("gift", "gift", {})]
