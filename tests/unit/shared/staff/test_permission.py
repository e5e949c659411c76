from __future__ import annotations

from shared.staff.permission import (
    DAY_CLOSE,
    DEVICE_SETUP,
    DRAWER_NO_SALE,
    ROLES,
    SALE_OPERATE,
    SALE_OVERRIDE,
    STOCK_COUNT,
)


def test_a_manager_may_all_that_a_cashier_may() -> None:
    assert ROLES["cashier"] < ROLES["manager"]


def test_only_managers_set_prices_open_drawers_close_days_and_set_devices_up() -> None:
    more = {SALE_OVERRIDE, DRAWER_NO_SALE, DAY_CLOSE, DEVICE_SETUP}
    assert more == ROLES["manager"] - ROLES["cashier"]
    assert {SALE_OPERATE, STOCK_COUNT} <= ROLES["cashier"]
