"""What people may do at the tills of a store."""

from __future__ import annotations

SALE_OPERATE = "sale.operate"
SALE_OVERRIDE = "sale.override"
"""To give a line a price by hand, and to key in a weight."""
SALE_COUPON = "sale.coupon"
"""To take a store coupon: an amount off a line by hand."""
SALE_REFUND = "sale.refund"
"""To give money back for goods."""
BASKET_VOID = "basket.void"
RECEIPT_REPRINT = "receipt.reprint"
DRAWER_NO_SALE = "drawer.no_sale"
DAY_CLOSE = "day.close"
DEVICE_READ = "device.read"
DEVICE_SETUP = "device.setup"
"""To pair, zero and try devices."""
STAFF_UNLOCK = "staff.unlock"
"""To let a colleague who has to wait after wrong PINs try again at once."""
STOCK_COUNT = "stock.count"
"""To count a shelf and settle its tasks."""

APPROVABLE = (
    SALE_OVERRIDE,
    SALE_COUPON,
    SALE_REFUND,
    BASKET_VOID,
    RECEIPT_REPRINT,
    DRAWER_NO_SALE,
    DAY_CLOSE,
    DEVICE_SETUP,
    STAFF_UNLOCK,
)
"""What a second person may vouch for. The rest is asked for too often: yes or no."""
PERMISSIONS = (SALE_OPERATE, *APPROVABLE, DEVICE_READ, STOCK_COUNT)
