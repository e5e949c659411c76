"""What a reader of POSLog documents holds them to: the schema's orders, and their sums.

The orders are those of POSLogV6.0.0.xsd for the elements that we write: within a parent, children
come in this order and no others come at all. The schema itself is not part of the repository.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

ARTS = "{http://www.nrf-arts.org/IXRetail/namespace/}"
OWN = "{urn:tillbox:poslog:1}"
SALE_ORDER = (
    *("POSIdentity", "ItemID", "Description", "RegularSalesUnitPrice", "ActualSalesUnitPrice"),
    *("ExtendedAmount", "ExtendedDiscountAmount", "Quantity", "RetailPriceModifier", "Tax"),
    "TaxIncludedInPriceFlag",
)
ORDERS: dict[str, tuple[str, ...]] = {
    "POSLog": ("Transaction", "tb:End"),
    "Transaction": (
        *("BusinessUnit", "WorkstationID", "SequenceNumber", "TransactionID", "OperatorID"),
        *("CurrencyCode", "ReceiptNumber", "RetailTransaction", "TillID", "BusinessDayDate"),
        *("BeginDateTime", "EndDateTime", "ControlTransaction", "tb:ZReport"),
    ),
    "BusinessUnit": ("UnitID",),
    "RetailTransaction": ("ItemCount", "LineItem", "Total", "LoyaltyAccount"),
    "LineItem": ("Sale", "Tender", "TenderChange", "SequenceNumber", "Reason"),
    "Sale": SALE_ORDER,
    "POSIdentity": ("POSItemID",),
    "RetailPriceModifier": (
        *("SequenceNumber", "Amount", "PreviousPrice", "PromotionID", "Description"),
        *("Quantity", "ReasonCode", "PriceDerivationRule"),
    ),
    "PriceDerivationRule": ("PriceDerivationRuleID",),
    "Tax": ("TaxableAmount", "Amount", "Percent"),
    "Tender": ("Amount", "Coupon"),
    "TenderChange": ("Amount",),
    "Coupon": ("ScanCode",),
    "LoyaltyAccount": ("LoyaltyProgram",),
    "LoyaltyProgram": ("LoyaltyAccountID",),
    "ControlTransaction": (
        *("ReasonCode", "BusinessSOD", "BusinessEOD", "OperatorSignOn", "OperatorSignOff"),
        *("TransactionVoid", "NoSale", "ApplicationEvent"),
    ),
    "BusinessSOD": ("StartDateTimestamp", "OpenBusinessDayDate"),
    "BusinessEOD": ("EndDateTimestamp", "CloseBusinessDayDate", "SessionSettle"),
    "OperatorSignOn": ("StartDateTimestamp",),
    "OperatorSignOff": ("EndDateTimestamp",),
    "SessionSettle": ("TransactionCount", "TotalNetSalesAmount"),
    "TransactionVoid": ("Amount",),
}
MONEY = {
    *("Amount", "ExtendedAmount", "ExtendedDiscountAmount", "RegularSalesUnitPrice"),
    *("ActualSalesUnitPrice", "PreviousPrice", "TaxableAmount", "TotalNetSalesAmount"),
}


def named(element: ET.Element) -> str:
    """The element's name as the orders have it."""
    return element.tag.replace(ARTS, "").replace(OWN, "tb:")


def breaches(root: ET.Element) -> Iterator[str]:
    """Where a document leaves the schema's orders, or an amount its currency and its sign."""
    for element in root.iter():
        name, children = named(element), [named(child) for child in element]
        order = ORDERS.get(name, ())
        places = [order.index(child) if child in order else -1 for child in children]
        if -1 in places or places != sorted(places):
            yield f"{name}: {children}"
        if name in MONEY and (element.get("Currency") is None or minor(element) < 0):
            yield f"{name}: {element.attrib} {element.text}"


def find(element: ET.Element, path: str) -> ET.Element | None:
    """The first element at a path of names without namespace."""
    return element.find("/".join(ARTS + name for name in path.split("/")))


def find_all(element: ET.Element, path: str) -> list[ET.Element]:
    """All elements at a path of names without namespace."""
    return element.findall("/".join(ARTS + name for name in path.split("/")))


def minor(element: ET.Element | None) -> int:
    """An amount of a currency with two minor digits; 0 for no element."""
    if element is None:
        return 0
    whole, _, rest = (element.text or "").partition(".")
    assert len(rest) == 2
    return int(whole + rest)


def total(transaction: ET.Element, kind: str) -> int:
    """One of a sale's totals in minor units."""
    [found] = [
        each
        for each in find_all(transaction, "RetailTransaction/Total")
        if each.get("TotalType") == kind
    ]
    return minor(found)


def signed(modifier: ET.Element) -> int:
    """What a price modifier adds to the line."""
    amount = find(modifier, "Amount")
    assert amount is not None
    return {"Add": 1, "Subtract": -1}[amount.attrib["Action"]] * minor(amount)
