"""What stands for numbers and cards: the same in one place, nothing in common elsewhere."""

from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.member.consent import MARKETING, MEMBERSHIP, Consent, check_consents
from shared.member.pseudonym import (
    COST,
    ID_BYTES,
    box_keys,
    card_ref,
    is_member_id,
    member_id,
    phone_ref,
    slow_hash,
)

ONE, OTHER = box_keys(b"s" * 32, "s1"), box_keys(b"s" * 32, "s2")


def test_a_number_costs_its_sixteen_mebibytes_and_is_another_under_another_salt() -> None:
    assert COST >= 1 << 14
    first = slow_hash("+8613800138000", ONE.salt)
    assert first == slow_hash("+8613800138000", ONE.salt)
    assert (
        len({first, slow_hash("+8613800138001", ONE.salt), slow_hash("+8613800138000", b"")}) == 3
    )


def test_two_stores_lists_have_nothing_in_common() -> None:
    assert ONE.salt == OTHER.salt
    assert ONE.card == OTHER.card
    assert phone_ref(b"h" * 32, ONE.store) != phone_ref(b"h" * 32, OTHER.store)
    assert box_keys(b"t" * 32, "s1").salt != ONE.salt


def test_a_card_is_known_with_and_without_its_leading_noughts() -> None:
    assert card_ref("0000012345", ONE.card) == card_ref("12345", OTHER.card)
    assert card_ref("12345", ONE.card) != card_ref("12346", ONE.card)
    assert "12345" not in card_ref("12345", ONE.card)
    assert card_ref("0", ONE.card) == card_ref("", ONE.card)


def test_an_id_is_told_from_cards_and_numbers() -> None:
    made = member_id(bytes(range(ID_BYTES)))
    assert is_member_id(made)
    for other in ("", "m", made[1:], made + "0", made.upper(), "13800138000", "c" + made[1:]):
        assert not is_member_id(other)


def test_nobody_joins_unasked() -> None:
    yes = Consent(MEMBERSHIP, is_given=True, text_version="1")
    no = Consent(MEMBERSHIP, is_given=False, text_version="1")
    check_consents((yes, Consent(MARKETING, is_given=False, text_version="1")))
    strange = Consent("selling-on", is_given=True, text_version="1")
    for wrong in ((), (no,), (yes, strange)):
        with pytest.raises(RefusedError, match=r"member\.consent"):
            check_consents(wrong)
