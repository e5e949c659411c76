"""Who is refused too often waits; who behaves at the same address does not."""

from __future__ import annotations

import pytest

from shared.kernel import refusals
from shared.kernel.refusals import BURST, REFILL_MS, Refusals

SHOP, BOX = "203.0.113.7", b"a box's credential"


def refuse(limit: Refusals, times: int, now_ms: int = 0, *, address: str = SHOP) -> None:
    sender = limit.sender_of(address, b"")
    assert sender is not None
    for _ in range(times):
        limit.answered(sender, b"", 401, now_ms, is_known=False)


def wait_of(limit: Refusals, now_ms: int, credential: bytes = b"", address: str = SHOP) -> int:
    sender = limit.sender_of(address, credential)
    assert sender is not None
    return limit.wait_ms(sender, now_ms)


def test_a_guesser_waits_once_its_refusals_are_used_up_and_gets_them_back_slowly() -> None:
    limit = Refusals()
    refuse(limit, BURST)
    assert wait_of(limit, 0) == 0
    refuse(limit, 50)
    assert wait_of(limit, 0) == REFILL_MS, "who goes on does not wait for ever"
    assert wait_of(limit, REFILL_MS) == 0
    refuse(limit, 1, REFILL_MS)
    assert wait_of(limit, REFILL_MS) == REFILL_MS
    assert wait_of(limit, (BURST + 2) * REFILL_MS) == 0
    refuse(limit, BURST, (BURST + 2) * REFILL_MS)
    assert wait_of(limit, (BURST + 2) * REFILL_MS) == 0, "all is forgotten by then"


def test_who_is_known_at_the_same_address_is_not_held_up() -> None:
    limit = Refusals()
    limit.answered(SHOP, BOX, 200, 0, is_known=True)
    refuse(limit, 2 * BURST)
    assert wait_of(limit, 0) > 0
    assert wait_of(limit, 0, BOX) == 0
    assert wait_of(limit, 0, b"made up") > 0, "a credential that nobody has seen proves nothing"


def test_a_credential_that_was_never_good_is_not_known() -> None:
    limit = Refusals()
    limit.answered(SHOP, BOX, 200, 0, is_known=False)  # a public page, whatever was shown there
    assert limit.sender_of(SHOP, BOX) == SHOP
    limit.answered(SHOP, BOX, 403, 0, is_known=True)
    assert limit.sender_of(SHOP, BOX) == SHOP
    limit.answered(SHOP, BOX, 204, 0, is_known=True)
    assert limit.sender_of(SHOP, BOX) == BOX
    limit.answered(BOX, BOX, 401, 0, is_known=False)
    assert limit.sender_of(SHOP, BOX) == SHOP, "its session is over"


def test_a_box_that_went_wrong_holds_up_itself_alone() -> None:
    limit = Refusals()
    limit.answered(SHOP, BOX, 200, 0, is_known=True)
    for _ in range(BURST + 1):
        limit.answered(BOX, BOX, 404, 0, is_known=True)
    assert wait_of(limit, 0, BOX) == REFILL_MS
    assert wait_of(limit, 0) == 0


@pytest.mark.parametrize(
    ("status", "is_known", "counts"),
    [
        *((status, False, True) for status in (401, 403, 404, 409, 422, 429)),
        *((status, True, True) for status in (401, 403, 404, 429)),
        *((status, True, False) for status in (200, 409, 413, 422, 500, 503)),
        *((status, False, False) for status in (200, 304, 413, 500, 503)),
    ],
)
def test_what_counts_is_what_a_guesser_gets(status: int, is_known: bool, counts: bool) -> None:
    limit = Refusals(burst=0)
    limit.answered(SHOP, b"", status, 0, is_known=is_known)
    assert (wait_of(limit, 0) > 0) is counts


def test_the_machines_own_programs_are_not_counted() -> None:
    limit = Refusals()
    assert [limit.sender_of(each, b"") for each in ("127.0.0.1", "::1", "")] == [None] * 3


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.7", SHOP, True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("no address:", "no address", False),
    ],
)
def test_a_machine_with_many_addresses_is_one_sender(one: str, other: str, is_same: bool) -> None:
    limit = Refusals()
    assert (limit.sender_of(one, b"") == limit.sender_of(other, b"")) is is_same


def test_a_flood_of_senders_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "SENDERS_MAX", 3)
    monkeypatch.setattr(refusals, "KNOWN_MAX", 2)
    limit = Refusals(burst=0)
    for number in range(9):
        refuse(limit, 1, address=f"10.0.0.{number}")
        limit.answered(SHOP, bytes([number]), 200, 0, is_known=True)
    assert [wait_of(limit, 0, address=f"10.0.0.{n}") > 0 for n in (5, 6, 7, 8)] == [
        *(False, True, True, True)
    ]
    assert [limit.sender_of(SHOP, bytes([n])) == bytes([n]) for n in (6, 7, 8)] == [
        *(False, True, True)
    ]
