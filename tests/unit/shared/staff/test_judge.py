"""One judge: alone, with somebody's word, or not at all."""

from __future__ import annotations

import pytest

from shared.staff import permission as may
from shared.staff.judge import (
    ABOVE,
    DENIED,
    OWN,
    Allowed,
    Denied,
    NeedsApproval,
    judge,
    judge_approval,
)
from shared.staff.role import BUILT_IN, NOTHING, Ceiling, Grant, Measure, Role

CASHIER, SENIOR, MANAGER = (BUILT_IN[each] for each in ("cashier", "senior_cashier", "manager"))


def limited(permission: str, ceiling: Ceiling, *, approves: bool = False) -> Role:
    kept = frozenset({permission}) if approves else frozenset()
    return Role("x", {}, {permission: Grant.ALLOWED}, {permission: ceiling}, kept)


def test_the_three_states() -> None:
    assert judge(CASHIER, may.SALE_OPERATE) == Allowed()
    assert judge(CASHIER, may.DRAWER_NO_SALE) == NeedsApproval(may.DRAWER_NO_SALE)
    assert judge(CASHIER, may.DAY_CLOSE) == Denied(DENIED)
    assert judge(CASHIER, "sale.teleport") == Denied(DENIED)


@pytest.mark.parametrize(
    ("measure", "verdict"),
    [
        (NOTHING, Allowed()),
        (Measure(off_bp=1000), Allowed()),
        (Measure(off_bp=1001), NeedsApproval(may.SALE_OVERRIDE, "off_bp", 1000)),
        (Measure(off_bp=1, amount_minor=10**9), Allowed()),
    ],
)
def test_a_senior_cashier_takes_off_a_tenth_alone(
    measure: Measure, verdict: Allowed | NeedsApproval
) -> None:
    assert judge(SENIOR, may.SALE_OVERRIDE, measure) == verdict


def test_each_measure_has_a_ceiling_of_its_own() -> None:
    role = limited(may.SALE_COUPON, Ceiling(off_bp=5000, amount_minor=300))
    assert judge(role, may.SALE_COUPON, Measure(5000, 300)) == Allowed()
    over = judge(role, may.SALE_COUPON, Measure(100, 301))
    assert over == NeedsApproval(may.SALE_COUPON, "amount_minor", 300)


def test_a_ceiling_of_nought_always_asks() -> None:
    role = limited(may.DRAWER_NO_SALE, Ceiling(times=0))
    first = judge(role, may.DRAWER_NO_SALE, Measure(times=1))
    assert first == NeedsApproval(may.DRAWER_NO_SALE, "times", 0)


def test_an_approver_holds_the_right_to_and_the_ceiling() -> None:
    def word(approver: Role, measure: Measure = NOTHING) -> Allowed | Denied:
        return judge_approval(approver, may.SALE_OVERRIDE, measure, is_own=False)

    assert word(MANAGER, Measure(10_000, 10**9)) == Allowed()
    assert word(SENIOR) == Denied(DENIED), "may do it, may not vouch for it"
    limits = limited(may.SALE_OVERRIDE, Ceiling(off_bp=3000), approves=True)
    assert word(limits, Measure(off_bp=3000)) == Allowed()
    assert word(limits, Measure(off_bp=3001)) == Denied(ABOVE, "off_bp", 3000)


def test_nobody_vouches_for_their_own_act() -> None:
    verdict = judge_approval(MANAGER, may.SALE_OVERRIDE, NOTHING, is_own=True)
    assert verdict == Denied(OWN)
