from __future__ import annotations

from shared.staff.permission import DAY_CLOSE, DRAWER_NO_SALE, ROLES, SALE_OPERATE, SALE_OVERRIDE


def test_a_manager_may_all_that_a_cashier_may() -> None:
    assert ROLES["cashier"] < ROLES["manager"]


def test_only_managers_set_prices_open_drawers_and_close_days() -> None:
    assert {SALE_OVERRIDE, DRAWER_NO_SALE, DAY_CLOSE} == ROLES["manager"] - ROLES["cashier"]
    assert SALE_OPERATE in ROLES["cashier"]
