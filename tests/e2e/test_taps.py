"""How many touches and keys a flow takes, from a till that is ready to the next customer's scan."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.demo.opening import CASHIER, MANAGER
from tests.e2e.shop import BREAD, NAMES, OATS, SAUCE, round_note
from tests.e2e.texts import money
from tests.e2e.till_page import TillPage

DUE = OATS.price + SAUCE.price


def cash_exact(till: TillPage) -> None:
    till.note(DUE).click()


def cash_round_note(till: TillPage) -> None:
    till.note(round_note(DUE)).click()
    expect(till.done).to_contain_text(money(round_note(DUE) - DUE))


def cash_odd_tender(till: TillPage) -> None:
    till.button("till.pay.cash").click()
    till.page.keyboard.type(str(DUE + 7))
    dialog = till.dialog("till.cash.title")
    take = till.words("till.cash.take", amount=money(DUE + 7))
    dialog.get_by_role("button", name=take).click()
    expect(till.done).to_contain_text(money(7))


def card_stand_alone(till: TillPage) -> None:
    till.button("till.pay.card").click()
    till.dialog("till.card.title").get_by_role(
        "button", name=till.words("till.card.approved")
    ).click()


@pytest.mark.parametrize(
    ("pay", "target"),
    [(cash_exact, 1), (cash_round_note, 1), (cash_odd_tender, 2), (card_stand_alone, 2)],
)
def test_taps_of_a_payment(till: TillPage, pay: Callable[[TillPage], None], target: int) -> None:
    till.scan(OATS, SAUCE)
    till.is_due(DUE)
    before = till.taps()
    pay(till)
    expect(till.done).to_be_visible()
    till.scan(BREAD)
    till.is_due(BREAD.price)
    assert till.taps() - before <= target


def test_taps_of_an_undo(till: TillPage) -> None:
    till.scan(OATS, SAUCE)
    before = till.taps()
    till.button("till.undo").click()
    expect(till.lines).to_have_count(1)
    till.is_due(OATS.price)
    assert till.taps() - before <= 1


def test_taps_of_five_scans(till: TillPage) -> None:
    before = till.taps()
    till.scan(OATS, SAUCE, BREAD, OATS, OATS)
    expect(till.lines).to_have_count(3)
    assert till.taps() == before


def test_a_cash_sale_needs_no_pointer(till: TillPage) -> None:
    """One F-key for an exact sum; an amount by F5, digits and Enter; F10 takes a scan back."""
    keyboard = till.page.keyboard
    till.scan(OATS, BREAD, BREAD)
    keyboard.press("F10")
    till.is_due(OATS.price + BREAD.price)
    till.wait_settled()
    keyboard.press("F1")
    expect(till.done).to_be_visible()

    till.scan(SAUCE)
    keyboard.press("F5")
    expect(till.dialog("till.cash.title")).to_be_visible()
    keyboard.type("1000")
    keyboard.press("Enter")
    expect(till.done).to_contain_text(money(1000 - SAUCE.price))

    till.page.keyboard.type("3*")
    till.scan(OATS)
    till.is_due(3 * OATS.price)
    keyboard.press("F6")
    expect(till.dialog("till.card.title")).to_contain_text(money(3 * OATS.price))
    keyboard.press("Escape")
    till.wait_settled()
    keyboard.press("F2")
    expect(till.done).to_be_visible()
    till.scan(BREAD)
    keyboard.press("F12")
    expect(till.page.get_by_role("button", name=NAMES[CASHIER])).to_be_visible()


def test_taps_of_an_approval(till: TillPage) -> None:
    """The one colleague who may is named already: the PIN, and one touch."""
    till.choose("till.drawer.title")
    till.pick(till.words("till.reason.drawer.change"))
    till.button("till.drawer.confirm").click()
    dialog = till.dialog("till.approval.title")
    expect(dialog).to_contain_text(till.words("till.right.drawer.no_sale"))
    expect(dialog.get_by_role("button", name=NAMES[MANAGER])).to_have_attribute(
        "aria-pressed", "true"
    )
    before = till.taps()
    till.page.keyboard.type(till.store.pins[MANAGER])
    dialog.get_by_role("button", name=till.words("till.approval.give")).click()
    expect(till.page.get_by_role("dialog")).to_have_count(0)
    assert till.taps() - before <= 1
