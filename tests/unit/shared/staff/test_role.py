"""Roles as data: what a value says, what it leaves to what is built in, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from shared.kernel.errors import RefusedError
from shared.staff import permission as may
from shared.staff.permission import APPROVABLE, PERMISSIONS
from shared.staff.role import (
    BUILT_IN,
    Badge,
    Ceiling,
    Grant,
    Role,
    check_role,
    nobody,
    parse_role,
    role_name,
    value_of,
)


def code_of(role_id: str, value: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(RefusedError) as refused:
        check_role(role_id, value)
    return refused.value.code, str(refused.value.params.get("field", ""))


def test_from_cashier_to_area_manager_each_may_at_least_as_much() -> None:
    ranks = [BUILT_IN[each] for each in ("cashier", "senior_cashier", "manager", "area_manager")]
    order = [Grant.DENIED, Grant.APPROVAL, Grant.ALLOWED]
    for lower, higher in pairwise(ranks):
        for permission in PERMISSIONS:
            assert order.index(lower.grant(permission)) <= order.index(higher.grant(permission))


def test_cashiers_sell_and_ask_for_what_costs_money() -> None:
    cashier = BUILT_IN["cashier"]
    assert {may.SALE_OPERATE, may.STOCK_COUNT} <= set(cashier.holding(Grant.ALLOWED))
    assert set(cashier.holding(Grant.APPROVAL)) == {
        may.SALE_OVERRIDE,
        may.SALE_REFUND,
        may.DRAWER_NO_SALE,
    }
    assert not cashier.approves


def test_only_managers_approve() -> None:
    assert [role.id for role in BUILT_IN.values() if role.approves] == ["manager", "area_manager"]


@pytest.mark.parametrize("role", BUILT_IN.values(), ids=lambda role: role.id)
def test_what_is_built_in_is_sound_and_survives_being_written_down(role: Role) -> None:
    check_role(role.id, value_of(role))
    assert parse_role(role.id, value_of(role)) == role


def test_an_own_role_has_nothing_that_nobody_gave_it() -> None:
    trainee = parse_role("trainee", {"grants": {"sale.operate": "allowed"}})
    assert trainee.holding(Grant.ALLOWED) == (may.SALE_OPERATE,)
    assert nobody("x").holding(Grant.DENIED) == PERMISSIONS


def test_what_a_value_leaves_out_stays_as_it_is_built_in() -> None:
    cashier = parse_role("cashier", {"grants": {"drawer.no_sale": "allowed"}})
    assert cashier.grant(may.DRAWER_NO_SALE) is Grant.ALLOWED
    assert cashier.grant(may.SALE_OVERRIDE) is Grant.APPROVAL
    assert parse_role("manager", {}) == BUILT_IN["manager"]


def test_a_till_leaves_out_what_newer_software_calls_a_permission() -> None:
    value = {
        "grants": {"sale.teleport": "allowed", "sale.operate": "allowed"},
        "approves": ["sale.teleport"],
        "ceilings": {"sale.teleport": {"metres": 5}},
    }
    role = parse_role("clerk", value)
    assert role.holding(Grant.ALLOWED) == (may.SALE_OPERATE,)
    assert not role.approves
    assert not role.ceilings


def test_ceilings_include_their_limit() -> None:
    ceiling = Ceiling(off_bp=1000, amount_minor=500)
    value = {"ceilings": {"sale.override": {"off_bp": 1000, "amount_minor": 500}}}
    assert parse_role("manager", value).ceiling(may.SALE_OVERRIDE) == ceiling


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"grants": []}, "grants"),
        ({"grants": {"sale.operate": "maybe"}}, "grants.sale.operate"),
        ({"grants": {"sale.operate": "approval"}}, "grants.sale.operate"),
        ({"grants": {"sale.teleport": "allowed"}}, "grants.sale.teleport"),
        ({"approves": "all"}, "approves"),
        ({"approves": ["sale.operate"]}, "approves.sale.operate"),
        ({"approves": ["day.close"], "grants": {"day.close": "denied"}}, "approves.day.close"),
        ({"ceilings": {"day.close": {"times": 1}}}, "ceilings.day.close"),
        ({"ceilings": {"drawer.no_sale": {"off_bp": 1}}}, "ceilings.drawer.no_sale.off_bp"),
        ({"ceilings": {"drawer.no_sale": {"times": -1}}}, "ceilings.drawer.no_sale.times"),
        ({"ceilings": {"drawer.no_sale": {"times": True}}}, "ceilings.drawer.no_sale.times"),
        ({"ceilings": {"sale.override": {"off_bp": 10001}}}, "ceilings.sale.override.off_bp"),
        ({"names": {"fr": "Caissier"}}, "names.fr"),
        ({"names": {"en": " "}}, "names.en"),
        ({"names": {"en": "a\nb"}}, "names.en"),
        ({"badge": "always"}, "badge"),
        ({"pin_days": -1}, "pin_days"),
        ({"pin_digits": 3}, "pin_digits"),
    ],
)
def test_head_office_is_told_the_place_of_each_mistake(value: dict[str, Any], field: str) -> None:
    code, place = code_of("manager", value)
    # What nobody may approve is left out when it is read and told when it is checked.
    assert (code, place) == ("role.value", field)


def test_badges_are_off_with_a_pin_or_alone() -> None:
    assert [parse_role("manager", {"badge": each}).badge for each in Badge] == list(Badge)


@pytest.mark.parametrize("role_id", ["", "Boss", "a b", "x" * 33, "chef/../x"])
def test_an_id_is_short_and_plain(role_id: str) -> None:
    with pytest.raises(RefusedError, match=r"role\.id"):
        role_name(role_id)


def test_all_that_is_measured_can_be_approved() -> None:
    assert set(APPROVABLE) <= set(PERMISSIONS)


def test_a_measure_of_newer_software_is_left_out_by_a_till_and_refused_by_the_editor() -> None:
    value = {"ceilings": {"sale.override": {"off_bp": 500, "per_moon_minor": 7}}}
    assert parse_role("cashier", value).ceilings["sale.override"] == Ceiling(off_bp=500)
    assert code_of("cashier", value) == ("role.value", "ceilings.sale.override.per_moon_minor")
