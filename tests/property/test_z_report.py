from __future__ import annotations

from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.journal.event import Event
from shared.till.z_report import ZReport, fold_z, merge_z
from tests.property.strategies import EVENTS

EMPTY = ZReport("2017-08-07")


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 3), EVENTS), max_size=8))
def test_lanes_folded_apart_and_merged_are_the_store(events: list[tuple[int, Event]]) -> None:
    store = reduce(fold_z, (event for _, event in events), EMPTY)
    lanes = [
        reduce(fold_z, (event for at, event in events if at == lane), EMPTY) for lane in (1, 2, 3)
    ]
    assert reduce(merge_z, lanes) == store
    assert reduce(merge_z, reversed(lanes), EMPTY) == store


@settings(max_examples=25)
@given(st.lists(EVENTS, max_size=8))
def test_the_sums_of_a_report_agree(events: list[Event]) -> None:
    z = reduce(fold_z, events, EMPTY)
    assert z.gross_minor - z.net_minor == (
        z.member_disc_minor + z.offer_disc_minor + z.store_coupon_minor
    )
    assert z.net_minor - z.mfr_coupon_minor + z.rounding_minor == z.tender_minor
    assert z.tender_minor == z.cash_minor + z.card_minor
    assert z.cash_minor >= 0
