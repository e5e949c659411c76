"""Sales as an ARTS POSLog document.

Schema: POSLog 6.0.0 of the Association for Retail Technology Standards (now OMG), file
POSLogV6.0.0.xsd, namespace http://www.nrf-arts.org/IXRetail/namespace/. Names and the order of
elements were taken from that file: its types TransactionBase, TransactionDomainSpecific,
RetailTransactionBase, LineItemBase, ItemBase, RetailPriceModifierBase, PriceDerivationRuleBase,
TaxBase, TenderBase, TenderCouponBase, ControlTransactionBase, POSLogCPOSSession and SettleBase
were read. Not read, and only used as documents in the field use them: POSLogTotalsBase,
TransactionTotalBase, LoyaltyAccountCommonData, ReasonCodeCommonData, DateTimeCommonData. No run of
a schema validator over our documents is claimed; a test holds them to the orders noted here.

What we say with it:
- One Transaction per entry. BusinessUnit/UnitID is the store (6.0 has no RetailStoreID any more),
  WorkstationID and TillID the lane, SequenceNumber the number of the receipt, ReceiptNumber the
  receipt as printed, TransactionID the entry's id, which alone is unique for ever.
- Every amount names its currency, for the schema's default is USD, and amounts are never negative.
- Sale/ExtendedAmount is what the line sold for, after all modifiers, as the schema's own words
  ask; ExtendedDiscountAmount is what they took, so both together are the list amount.
  ActualSalesUnitPrice may be a price for several units (attribute Quantity), so that nothing is
  rounded.
- RetailPriceModifier: PriceRule (member price), Promotion (offer), Coupon (the shop's own) and
  PriceOverride (by hand), each with Quantity 1: its amount is for the whole line. The override's
  is the difference to the list price, so list price and modifiers add up to ExtendedAmount.
- Lines taken out before payment are LineItems with CancelFlag and VoidFlag.
- Tender: Cash, CreditDebit, and Coupon for a maker's coupon; change is a TenderChange. Tenders less
  change are TransactionNetAmount, which includes the tax and so equals TransactionGrandAmount.
- Tax is part of the line's amount (TaxIncludedInPriceFlag); its TaxType is left to the schema's
  default, for what a rate is for is not recorded.
- Other entries are ControlTransactions: BusinessSOD, BusinessEOD, OperatorSignOn, OperatorSignOff,
  NoSale, TransactionVoid (a basket given up), and ApplicationEvent for what cannot be read.

Our own facts are attributes of the namespace urn:tillbox:poslog:1 at places that the schema leaves
open: EntryID is TransactionID; Stream, Seq and Hash (the place in the journal's chain), Revision
(of the catalogue), Flag (why headquarters has not booked it: such a Transaction belongs in no
sum), SalvagedBy, ApprovedBy, Reference, RuleVersion. The last element, tb:End, counts the
Transactions before it: a document without it was cut off.
"""

from __future__ import annotations

from shared.export.entry import ExportedEntry
from shared.export.markup import DECLARATION, leaf, leaf_if, node, opening
from shared.export.poslog_control import control_of
from shared.export.poslog_sale import retail_transaction
from shared.journal.event import SaleCompleted
from shared.sale.receipt_no import parse_receipt_no
from shared.sale.transaction import RetailTransaction

NAMESPACE = "http://www.nrf-arts.org/IXRetail/namespace/"
OWN_NAMESPACE = "urn:tillbox:poslog:1"


def document_start() -> str:
    """The head of a document; transactions follow."""
    attributes = {
        "xmlns": NAMESPACE,
        "xmlns:tb": OWN_NAMESPACE,
        "MajorVersion": "6",
        "MinorVersion": "0",
        "FixVersion": "0",
    }
    return DECLARATION + opening("POSLog", attributes) + "\n"


def document_end(transactions: int) -> str:
    """The end of a document that holds so many transactions."""
    return node("tb:End", attributes={"Transactions": str(transactions)}) + "\n</POSLog>\n"


def transaction(entry: ExportedEntry) -> str:
    """One Transaction with its newline; "" for an entry that POSLog has no words for."""
    if isinstance(entry.event, SaleCompleted):
        return _sale(entry, entry.event.sale)
    control = control_of(entry)
    if control is None:
        return ""
    event, after = control
    at = leaf_if("BeginDateTime", entry.at)
    return _transaction(entry, entry.lane, entry.operator, (at, event, after))


def _sale(entry: ExportedEntry, sale: RetailTransaction) -> str:
    number = parse_receipt_no(sale.receipt_no)
    sequence = "" if number is None else str(number.number)
    body = (
        retail_transaction(entry.store, sale),
        leaf("TillID", sale.lane),
        leaf_if("BusinessDayDate", _date(entry)),
        leaf_if("BeginDateTime", entry.store.local(sale.opened_at_ms)),
        leaf_if("EndDateTime", entry.at),
    )
    head = (leaf_if("SequenceNumber", sequence), leaf("ReceiptNumber", sale.receipt_no))
    return _transaction(entry, str(sale.lane), sale.operator, body, head)


def _transaction(
    entry: ExportedEntry,
    lane: str,
    operator: str,
    body: tuple[str, ...],
    head: tuple[str, str] = ("", ""),
) -> str:
    sequence, receipt = head
    unit = leaf("UnitID", entry.store.id, {"Name": entry.store.name, "TypeCode": "RetailStore"})
    if not sequence and not receipt:  # a sale has its own place for the day
        at, *rest = body
        body = (leaf_if("TillID", lane), leaf_if("BusinessDayDate", _date(entry)), at, *rest)
    made = node(
        "Transaction",
        node("BusinessUnit", unit),
        leaf_if("WorkstationID", lane, {"TypeCode": "POS"}),
        sequence,
        leaf("TransactionID", entry.id),
        leaf_if("OperatorID", operator),
        leaf("CurrencyCode", entry.store.currency.code),
        receipt,
        *body,
        attributes=_own(entry),
    )
    return made + "\n"


def _date(entry: ExportedEntry) -> str:
    """The business date where it is one: the schema takes no other text."""
    return entry.business_date if entry.business_date == entry.day else ""


def _own(entry: ExportedEntry) -> dict[str, str]:
    own = {
        "tb:Stream": entry.stream,
        "tb:Seq": str(entry.seq),
        "tb:Hash": entry.hash,
        "tb:Revision": str(entry.revision),
    }
    if entry.flag:
        own["tb:Flag"] = entry.flag
    if entry.carrier:
        own["tb:SalvagedBy"] = entry.carrier
    return own
