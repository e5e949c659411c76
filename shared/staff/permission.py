"""Permissions of the store and the roles that hold them."""

from __future__ import annotations

SALE_OPERATE = "sale.operate"
SALE_OVERRIDE = "sale.override"
SALE_COUPON = "sale.coupon"
BASKET_VOID = "basket.void"
RECEIPT_REPRINT = "receipt.reprint"
DRAWER_NO_SALE = "drawer.no_sale"
DAY_CLOSE = "day.close"
DEVICE_READ = "device.read"
DEVICE_SETUP = "device.setup"
"""To pair, zero and try devices."""
STOCK_COUNT = "stock.count"
"""To count a shelf and settle its tasks."""

CASHIER_PERMISSIONS = frozenset(
    {SALE_OPERATE, SALE_COUPON, BASKET_VOID, RECEIPT_REPRINT, DEVICE_READ, STOCK_COUNT}
)
MANAGER_PERMISSIONS = CASHIER_PERMISSIONS | {
    SALE_OVERRIDE,
    DRAWER_NO_SALE,
    DAY_CLOSE,
    DEVICE_SETUP,
}

ROLES: dict[str, frozenset[str]] = {
    "cashier": CASHIER_PERMISSIONS,
    "manager": MANAGER_PERMISSIONS,
}
