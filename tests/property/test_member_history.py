"""What the journal's file keeps of members is what its sales say, however it came to be."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.journal.lives import PUT_ENTRY
from edge.journal.members import read_history
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import Place, Projections
from edge.sqlite import migrate
from shared.journal.event import SaleCompleted
from shared.price.condition import ALL
from shared.price.offer import Level, Limits, Offer
from shared.price.offer_book import OfferBook
from shared.price.price_book import PriceBook
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    BuyGet,
    Gift,
    GroupEach,
    NthUnit,
    PercentOff,
    PriceEach,
    Reward,
    SetPrice,
    Slot,
)
from shared.sale.basket import Basket
from shared.sale.member_history import MemberHistory
from shared.sale.tender import Tender, TenderKind
from shared.wire.codec import entry_body
from tests.builders import a_sale, an_entry_header, priced
from tests.property.strategies import baskets, price_books, promoted

MEMBERS = ("2479", "13800012479")
Bought = tuple[Basket, PriceBook]


class Kept:
    """Sales as the journal keeps them: entries at once, what is beside them every other time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        migrate(connection, MIGRATIONS)
        self._state = Projections()
        self._seq = 0

    def sell(self, bought: Bought) -> None:
        seq, self._seq = self._seq, self._seq + 1
        number = str(self._state.next_number(1))
        sale = replace(a_sale(*bought, tenders_for_all(bought)), receipt_no=number)
        event = SaleCompleted(replace(sale, lane=1))
        change = self._state.change_of(event, Place(seq, "2017-08-07", "1"))
        body = entry_body(an_entry_header(seq, id=str(seq)), event)
        row = (seq, str(seq), event.type, body, b"")
        self.connection.execute(PUT_ENTRY, row)
        self._state.keep(change)
        if seq % 2:
            self.write()

    def write(self) -> None:
        self._state.write(self.connection)
        self._state.written()

    def history(self, member: str) -> MemberHistory:
        waiting = [each.bought for each in self._state.waiting if each.bought is not None]
        return read_history(self.connection, member, waiting)

    def told(self) -> list[MemberHistory]:
        return [self.history(member) for member in MEMBERS]


def tenders_for_all(bought: Bought) -> tuple[Tender, ...]:
    due = priced(*bought).due_minor
    return (Tender(TenderKind.CASH, due),) if due else ()


def folded(sold: list[Bought], member: str) -> MemberHistory:
    """The same by what the engine said of each basket."""
    uses, units = Counter[str](), Counter[str]()
    mine = [each for each in sold if each[0].member == member]
    for bought in mine:
        for applied in priced(*bought).applied:
            uses[applied.offer.id] += 1
            units[applied.offer.id] += sum(share.units for share in applied.shares)
    return MemberHistory(len(mine), uses, units)


@given(st.lists(promoted(), max_size=5))
def test_the_counts_of_members_are_a_fold_of_the_journal(sold: list[Bought]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        kept = Kept(connection)
        for bought in sold:
            kept.sell(bought)
        assert kept.told() == [folded(sold, member) for member in MEMBERS]


@given(st.lists(promoted(), max_size=5))
def test_a_journal_of_older_software_gets_the_very_same_counts(sold: list[Bought]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        kept = Kept(connection)
        for bought in sold:
            kept.sell(bought)
        kept.write()
        told = kept.told()
        connection.executescript("DROP TABLE member_use; PRAGMA user_version=1")
        migrate(connection, MIGRATIONS[:2])
        assert kept.told() == told


LIMITED = st.sampled_from(
    [
        PercentOff(1250),
        AmountOff(333),
        AmountOffEach(50),
        PriceEach(199),
        NthUnit(2, 5000),
        SetPrice(3, 1000),
        BuyGet(Slot(ALL), Slot(ALL), bp=10_000),
        GroupEach(2, bp=1000),
        Gift(),
        AddOn(99, max_units=2),
    ]
)


@given(st.lists(baskets(), min_size=1, max_size=5), price_books(), LIMITED, st.integers(1, 6))
def test_what_the_journal_counts_is_what_the_limits_allow(
    bought: list[Basket], prices: PriceBook, reward: Reward, most: int
) -> None:
    by_units = Offer("by-units", Level.LINE, reward, limits=Limits(per_member_units=most))
    by_uses = Offer("by-uses", Level.BASKET, AmountOff(1), limits=Limits(per_member=most))
    book = replace(prices, offers=OfferBook.of((by_units, by_uses)))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        kept = Kept(connection)
        for basket in bought:
            history = kept.history(MEMBERS[0])
            kept.sell((replace(basket, member=MEMBERS[0], history=history), book))
        after = kept.history(MEMBERS[0])
    assert after.units.get("by-units", 0) <= most
    assert after.uses.get("by-uses", 0) <= most
    assert after.orders == len(bought)
