"""Double entry of a sale, pure.

Debits are positive, credits negative, and the postings of one entry add up to nought.  Sales are
booked gross; what members, offers and store coupons saved stands against them on accounts of its
own, and a maker's coupon is money that the maker owes.  Change is netted into cash, and what
rounding for cash added is a gain of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.kernel.errors import RefusedError

SALES = "sales"
MEMBER_DISCOUNT = "member_discount"
OFFER_DISCOUNT = "offer_discount"
STORE_COUPON = "store_coupon"
CASH = "cash"
CARD = "card"
MFR_COUPON_RECEIVABLE = "mfr_coupon_receivable"
CASH_ROUNDING = "cash_rounding"


class SaleFigures(NamedTuple):
    """The amounts of one sale in minor units, as HQ computed them from lines and tenders.

    `cash_minor` is what stayed in the drawer.  A tuple, because a batch makes hundreds.
    """

    lines: int
    units: int
    gross_minor: int
    member_disc_minor: int
    offer_disc_minor: int
    store_coupon_minor: int
    net_minor: int
    mfr_coupon_minor: int
    tender_minor: int
    cash_minor: int
    card_minor: int

    @property
    def rounding_minor(self) -> int:
        """What rounding for cash added to the net amount, or below nought took off."""
        return self.tender_minor - self.net_minor + self.mfr_coupon_minor


Posting = tuple[str, int]
"""Account and minor units: one row of the ledger."""


def postings_of(sale: SaleFigures) -> list[Posting]:
    """Postings of a sale without empty ones, always in the same order.

    Raises RefusedError `ledger.unbalanced` when the sale's amounts contradict each other.
    """
    wanted = (
        (SALES, -sale.gross_minor),
        (MEMBER_DISCOUNT, sale.member_disc_minor),
        (OFFER_DISCOUNT, sale.offer_disc_minor),
        (STORE_COUPON, sale.store_coupon_minor),
        (CASH, sale.cash_minor),
        (CARD, sale.card_minor),
        (MFR_COUPON_RECEIVABLE, sale.mfr_coupon_minor),
        (CASH_ROUNDING, -sale.rounding_minor),
    )
    postings = [posting for posting in wanted if posting[1]]
    left = sum([amount for _, amount in postings])
    if left != 0:
        raise RefusedError("ledger.unbalanced", off_minor=left)
    return postings
