"""A finished sale as POSLog's RetailTransaction; `poslog.py` says what its elements mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.export.entry import ExportedStore
from shared.export.markup import leaf, leaf_if, node
from shared.kernel.money import Currency, format_minor
from shared.kernel.quantity import ONE_MILLI, extended_minor, format_milli
from shared.sale.basket import VoidedLine
from shared.sale.line_price import MEMBER_PRICE, OFFER, STORE_COUPON
from shared.sale.reprice import is_by_weight
from shared.sale.sold_offer import SoldOffer
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine, SoldModifier

_UNIT = "UnitOfMeasureCode"
_METHODS = {MEMBER_PRICE: "PriceRule", OFFER: "Promotion", STORE_COUPON: "Coupon"}
_TENDERS = {
    TenderKind.CASH: "Cash",
    TenderKind.CARD: "CreditDebit",
    TenderKind.MANUFACTURER_COUPON: "Coupon",
}


def retail_transaction(store: ExportedStore, sale: RetailTransaction) -> str:
    """The sale with its lines, tenders, totals and the member's account."""
    writer = _Writer(store.currency, {offer.id: offer for offer in sale.offers})
    return node(
        "RetailTransaction",
        leaf("ItemCount", sale.totals.units),
        *(writer.line(line) for line in sale.lines),
        *(writer.voided(line) for line in sale.voided),
        *writer.tenders(sale),
        *writer.totals(sale),
        _loyalty(sale.member),
        attributes={"TransactionStatus": "Finished"},
    )


class _Writer:
    """Writes in one currency; knows the names of the offers that acted."""

    def __init__(self, currency: Currency, offers: Mapping[str, SoldOffer]) -> None:
        self._currency = currency
        self._money = f'Currency="{currency.code}"'  # of every amount: worth writing once
        self._offers = offers

    def line(self, line: SoldLine) -> str:
        """A sold line."""
        discount = line.gross_minor - line.net_minor
        taxes = self._tax(line) if line.tax_bp else ""
        unit = _unit(is_weighed=is_by_weight(line))
        sale = node(
            "Sale",
            node("POSIdentity", leaf("POSItemID", line.code)),
            leaf("ItemID", line.gtin, {"Type": "GTIN"}),
            leaf_if("Description", line.name),
            "" if line.unit_minor is None else self._price(
                "RegularSalesUnitPrice", line.unit_minor, ONE_MILLI, unit
            ),
            self._actual_price(line, unit),
            self._amount("ExtendedAmount", line.net_minor),
            self._amount("ExtendedDiscountAmount", discount) if discount else "",
            leaf("Quantity", format_milli(line.qty_milli), {"Units": "1", **unit}),
            *self._modifiers(line),
            taxes,
            leaf("TaxIncludedInPriceFlag", "true"),
            attributes={"ItemType": "Stock"},
        )  # fmt: skip
        return node("LineItem", sale, leaf("SequenceNumber", line.n))

    def voided(self, line: VoidedLine) -> str:
        """A line that was taken out again before payment: it has no amounts."""
        unit = _unit(is_weighed=line.qty_milli % ONE_MILLI != 0)
        sale = node(
            "Sale",
            node("POSIdentity", leaf("POSItemID", line.code)),
            leaf_if("Description", line.name),
            leaf("Quantity", format_milli(line.qty_milli), {"Units": "1", **unit}),
        )
        flags = {"CancelFlag": "true", "VoidFlag": "true"}
        return node(
            "LineItem",
            sale,
            leaf("SequenceNumber", line.number),
            leaf_if("Reason", line.reason),
            attributes=flags,
        )

    def tenders(self, sale: RetailTransaction) -> Iterator[str]:
        """What was handed over, then the change; numbered after the lines."""
        lines = (*(line.n for line in sale.lines), *(line.number for line in sale.voided))
        number = max(lines, default=0)
        for tender in sale.tenders:
            number += 1
            yield node("LineItem", self._tender(tender), leaf("SequenceNumber", number))
        if sale.change_minor:
            change = node(
                "TenderChange",
                self._amount("Amount", sale.change_minor),
                attributes={"TenderType": "Cash", "TypeCode": "Refund"},
            )
            yield node("LineItem", change, leaf("SequenceNumber", number + 1))

    def totals(self, sale: RetailTransaction) -> Iterator[str]:
        """Sums of the sale; the tax is part of the net amount."""
        totals = sale.totals
        yield self._total("TransactionGrossAmount", totals.gross_minor)
        yield self._total("TransactionNetAmount", totals.net_minor)
        yield self._total("TransactionTaxAmount", sum(line.tax_minor for line in sale.lines))
        yield self._total("TransactionGrandAmount", totals.net_minor)
        yield self._total("DiscountAmount", totals.gross_minor - totals.net_minor)
        if totals.rounding_minor:
            yield self._total("tb:CashRoundingAmount", totals.rounding_minor)

    def _tender(self, tender: Tender) -> str:
        attributes = {"TenderType": _TENDERS[tender.kind], "TypeCode": "Sale"}
        is_coupon = tender.kind is TenderKind.MANUFACTURER_COUPON
        if tender.reference and not is_coupon:
            attributes["tb:Reference"] = tender.reference
        coupon = node(
            "Coupon",
            leaf_if("ScanCode", tender.reference),
            attributes={"CouponType": "ManufacturersCoupon"},
        )
        amount = self._amount("Amount", tender.amount_minor)
        return node("Tender", amount, coupon if is_coupon else "", attributes=attributes)

    def _actual_price(self, line: SoldLine, unit: Mapping[str, str]) -> str:
        """Per unit where that is a whole number of minor units, else for the whole quantity."""
        each, rest = divmod(line.net_minor * ONE_MILLI, line.qty_milli)
        if rest:
            each, quantity = line.net_minor, line.qty_milli
        else:
            quantity = ONE_MILLI
        return self._price("ActualSalesUnitPrice", each, quantity, unit)

    def _modifiers(self, line: SoldLine) -> Iterator[str]:
        number = 0
        if line.override is not None:
            number = 1
            yield self._override(line)
        for modifier in line.modifiers:
            number += 1
            yield self._modifier(number, modifier)

    def _override(self, line: SoldLine) -> str:
        override = line.override
        assert override is not None
        attributes = {"MethodCode": "PriceOverride"}
        if override.approved_by:
            attributes["tb:ApprovedBy"] = override.approved_by
        book = override.book_unit_minor
        if book is None:
            amount = self._action("Amount", line.gross_minor, "Replace")
            previous = ""
        else:
            change = line.gross_minor - extended_minor(book, line.qty_milli)
            amount = self._signed("Amount", change)
            unit = _unit(is_weighed=is_by_weight(line))
            previous = self._price("PreviousPrice", book, ONE_MILLI, unit)
        return node(
            "RetailPriceModifier",
            leaf("SequenceNumber", 1),
            amount,
            previous,
            leaf("Quantity", 1),
            leaf_if("ReasonCode", override.reason),
            attributes=attributes,
        )

    def _modifier(self, number: int, modifier: SoldModifier) -> str:
        method = _METHODS.get(modifier.kind, "GeneralDiscount")
        return node(
            "RetailPriceModifier",
            leaf("SequenceNumber", number),
            self._signed("Amount", modifier.amount_minor),
            *self._promotion(modifier),
            leaf("Quantity", 1),
            leaf("ReasonCode", modifier.because),
            self._rule(modifier),
            attributes={"MethodCode": method},
        )

    def _promotion(self, modifier: SoldModifier) -> tuple[str, str]:
        if modifier.kind == STORE_COUPON:
            return leaf_if("PromotionID", modifier.reference, {"TypeCode": "CouponID"}), ""
        offer = self._offers.get(modifier.reference)
        name = "" if offer is None else leaf_if("Description", offer.name)
        return leaf_if("PromotionID", modifier.reference), name

    def _rule(self, modifier: SoldModifier) -> str:
        offer = self._offers.get(modifier.reference)
        if modifier.kind != OFFER or offer is None:
            return ""
        return node(
            "PriceDerivationRule",
            leaf("PriceDerivationRuleID", offer.id),
            attributes={"tb:RuleVersion": str(offer.version)},
        )

    def _tax(self, line: SoldLine) -> str:
        percent = f"{line.tax_bp // 100}.{line.tax_bp % 100:02d}"
        included = {"Currency": self._currency.code, "TaxIncludedInTaxableAmountFlag": "true"}
        return node(
            "Tax",
            leaf("TaxableAmount", format_minor(line.net_minor, self._currency), included),
            self._amount("Amount", line.tax_minor),
            leaf("Percent", percent),
        )

    def _total(self, kind: str, minor: int) -> str:
        code = self._currency.code
        text = format_minor(minor, self._currency)
        return f'<Total TotalType="{kind}" CurrencyCode="{code}">{text}</Total>'

    def _signed(self, name: str, minor: int) -> str:
        return self._action(name, abs(minor), "Subtract" if minor < 0 else "Add")

    def _action(self, name: str, minor: int, action: str) -> str:
        text = format_minor(minor, self._currency)
        return f'<{name} {self._money} Action="{action}">{text}</{name}>'

    def _amount(self, name: str, minor: int) -> str:
        return f"<{name} {self._money}>{format_minor(minor, self._currency)}</{name}>"

    def _price(self, name: str, minor: int, for_milli: int, unit: Mapping[str, str]) -> str:
        text, quantity = format_minor(minor, self._currency), format_milli(for_milli)
        return (
            f'<{name} {self._money} Quantity="{quantity}" {_UNIT}="{unit[_UNIT]}">{text}</{name}>'
        )


def _unit(*, is_weighed: bool) -> Mapping[str, str]:
    return {_UNIT: "KGM" if is_weighed else "EA"}


def _loyalty(member: str | None) -> str:
    if not member:
        return ""
    account = leaf("LoyaltyAccountID", member)
    return node("LoyaltyAccount", node("LoyaltyProgram", account))
