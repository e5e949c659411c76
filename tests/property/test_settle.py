from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import RefusedError
from shared.kernel.money import CURRENCIES, Currency, quick_cash
from shared.kernel.rounding import CashRounding, RoundingMode
from shared.sale.settle import asked_minor, check_tender, remaining_minor, settle
from shared.sale.tender import Tender, TenderKind
from tests.property.strategies import ROUNDINGS

TENDERS = st.lists(
    st.builds(Tender, st.sampled_from(TenderKind), st.integers(-5, 3000)), max_size=5
)


@given(st.integers(0, 5000), TENDERS.map(tuple))
def test_a_settlement_is_exact_or_refused(due: int, tenders: tuple[Tender, ...]) -> None:
    try:
        settled = settle(due, tenders)
    except RefusedError:
        return
    handed = sum(tender.amount_minor for tender in tenders)
    cash = sum(t.amount_minor for t in tenders if t.kind is TenderKind.CASH)
    assert handed - settled.change_minor == due
    assert 0 <= settled.change_minor <= cash
    assert handed - cash <= due


@given(st.integers(1, 5000), TENDERS)
def test_what_was_checked_one_by_one_settles(due: int, offered: list[Tender]) -> None:
    taken: tuple[Tender, ...] = ()
    for tender in offered:
        try:
            check_tender(due, taken, tender)
        except RefusedError:
            continue
        taken = (*taken, tender)
    missing = remaining_minor(due, taken)
    if missing:
        taken = (*taken, Tender(TenderKind.CASH, missing))
    assert settle(due, taken).due_minor == due


@given(st.integers(0, 5000), TENDERS, ROUNDINGS)
def test_rounding_touches_cash_alone_and_is_smaller_than_a_step(
    due: int, offered: list[Tender], rule: CashRounding
) -> None:
    taken: tuple[Tender, ...] = ()
    for tender in offered:
        try:
            check_tender(due, taken, tender, rule)
        except RefusedError:
            continue
        taken = (*taken, tender)
        if tender.amount_minor >= asked_minor(due, taken[:-1], tender.kind, rule):
            break
    else:
        taken = (*taken, Tender(TenderKind.CASH, asked_minor(due, taken, TenderKind.CASH, rule)))
    *before, last = taken
    rounding = asked_minor(due, tuple(before), last.kind, rule) - remaining_minor(
        due, tuple(before)
    )
    settled = settle(due, taken, rounding)
    handed = sum(tender.amount_minor for tender in taken)
    assert handed - settled.change_minor == due + rounding
    assert abs(rounding) < rule.step_minor
    assert settled.change_minor % rule.step_minor == 0
    if last.kind is not TenderKind.CASH:
        assert rounding == 0


@given(st.integers(0, 3_000_000), ROUNDINGS)
def test_what_was_rounded_once_stays(due: int, rule: CashRounding) -> None:
    rounded = rule.rounded(due)
    assert rule.rounded(rounded) == rounded
    assert rounded % rule.step_minor == 0
    assert abs(rounded - due) < rule.step_minor
    assert rule.mode is not RoundingMode.DOWN or rounded <= due


@given(st.integers(1, 3_000_000), st.sampled_from([*CURRENCIES.values()]))
def test_quick_cash_covers_what_is_due_with_real_notes(due: int, currency: Currency) -> None:
    offered = quick_cash(due, currency)
    assert offered[0] == due
    assert list(offered) == sorted(set(offered))
    assert len(offered) <= 4
    assert all(amount % currency.notes_minor[0] == 0 for amount in offered[1:])
