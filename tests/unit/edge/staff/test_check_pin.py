"""No way around the wait after wrong PINs, and none around a change that is due."""

import threading
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge.replica.catalog import StaffMember
from edge.staff.lockout import FREE_TRIES, Lockout
from edge.staff.pins import matches
from edge.staff.service import (
    CHECKS_MAX,
    StaffRoom,
    Typed,
    check_pin,
    place_of,
    refuse_at_once,
    unlock,
)
from edge.staff.store import OwnPin
from shared.journal.staff_event import PinChanged
from shared.kernel.errors import RetailError
from shared.staff.permission import STAFF_UNLOCK
from shared.staff.pin import NONCE_BYTES, hash_name, sealing_key
from shared.staff.role import Role, nobody

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = _CHEAP.hash("1234")
MANAGER = StaffMember("1001", "Manager", "manager", HASH, ())
NEW_PIN = "8042"
TILL = place_of(1, is_known=True)


@dataclass
class Kept:
    """A journal and a store of PINs that only remember."""

    events: list[Any] = field(default_factory=list)
    pins: dict[str, OwnPin] = field(default_factory=dict)

    def append(self, draft: Any) -> None:
        self.events.append(draft.event)

    def day(self) -> None:
        """No day is open."""

    def own(self, operator: str) -> OwnPin | None:
        return self.pins.get(operator)

    def put(self, operator: str, pin: OwnPin) -> None:
        self.pins[operator] = pin


def a_room(*members: StaffMember, kept: Kept | None = None, today: str = "") -> StaffRoom:
    memory: Any = kept or Kept()
    clock: Any = SimpleNamespace(mono_ms=lambda: 0, now_ms=lambda: 0)
    ids: Any = SimpleNamespace(entry_id=lambda: "x")
    people = members or (MANAGER,)
    room = StaffRoom(memory, clock, ids, lambda: people, lambda: 1, Lockout())
    return replace(room, today=lambda: today, pins=memory)


def tried(
    room: StaffRoom, operator: str, pin: str = "0000", new_pin: str = "", place: str = TILL
) -> str:
    try:
        return check_pin(room=room, typed=Typed(operator, pin, place, new_pin)).id
    except RetailError as error:
        return error.code


def test_names_that_nobody_has_do_not_end_a_manager_s_wait() -> None:
    room = a_room()
    for _ in range(FREE_TRIES):
        assert tried(room, "1001") == "session.bad_pin"
    assert tried(room, "1001", "1234") == "session.locked_out"
    for number in range(2000):
        tried(room, f"nobody-{number}")
    assert tried(room, "1001", "1234") == "session.locked_out"


@pytest.mark.parametrize("operator", ["1001", "nobody"])
def test_many_at_once_get_no_more_tries_than_one_after_the_other(operator: str) -> None:
    room = replace(a_room(), checks=threading.BoundedSemaphore(12))
    answers: list[str] = []
    guesses = [
        threading.Thread(target=lambda: answers.append(tried(room, operator))) for _ in range(12)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert answers.count("session.bad_pin") == FREE_TRIES
    assert answers.count("session.locked_out") == 12 - FREE_TRIES


def test_a_flood_of_checks_leaves_the_box_its_threads() -> None:
    room = a_room()
    for _ in range(CHECKS_MAX):
        room.checks.acquire()
    assert tried(room, "1001", "1234") == "session.busy"
    room.checks.release()
    assert tried(room, "1001", "1234") == "1001"


def test_who_has_to_wait_is_told_without_a_look_at_the_pin() -> None:
    room = a_room()
    refuse_at_once(room, "1001", TILL)
    for _ in range(FREE_TRIES):
        tried(room, "1001")
    with pytest.raises(RetailError, match=r"session\.locked_out"):
        refuse_at_once(room, "1001", TILL)


def test_a_stranger_who_guesses_from_elsewhere_keeps_nobody_from_their_till() -> None:
    room = a_room()
    network = place_of(1, is_known=False)
    for _ in range(FREE_TRIES):
        assert tried(room, "1001", place=network) == "session.bad_pin"
    assert tried(room, "1001", "1234", place=network) == "session.locked_out"
    for place in (TILL, place_of(2, is_known=True), place_of(1, is_known=True, is_badge=True)):
        assert tried(room, "1001", "1234", place=place) == "1001"
    assert tried(room, "1001", "1234", place=network) == "session.locked_out", "it waits on"


CASHIER = StaffMember("1002", "Cashier", "cashier", HASH, ())


def unlocked(room: StaffRoom, operator: str, approver: StaffMember) -> str:
    try:
        unlock(room=room, lane=1, operator=operator, approver=approver)
    except RetailError as error:
        return error.code
    return ""


def test_a_manager_lets_somebody_try_again_at_once() -> None:
    kept = Kept()
    room = a_room(MANAGER, CASHIER, kept=kept)
    for place in (TILL, place_of(2, is_known=False)):
        for _ in range(FREE_TRIES):
            tried(room, "1002", place=place)
    assert unlocked(room, "1002", CASHIER) == "approval.own"
    assert unlocked(room, "1001", CASHIER) == "approval.not_allowed"
    assert tried(room, "1002", "1234") == "session.locked_out"
    assert unlocked(room, "1002", MANAGER) == ""
    assert tried(room, "1002", "1234") == "1002"
    assert [(each.permission, each.operator, each.approver) for each in kept.events] == [
        (STAFF_UNLOCK, "1002", "1001")
    ]


def test_letting_somebody_try_again_tells_nobody_who_works_here() -> None:
    kept = Kept()
    assert unlocked(a_room(kept=kept), "nobody", MANAGER) == ""
    assert not kept.events


@pytest.mark.parametrize(
    ("first_day", "last_day", "day", "answer"),
    [
        ("", "", "2026-11-22", "1001"),
        ("2026-11-22", "", "2026-11-22", "1001"),
        ("2026-11-23", "", "2026-11-22", "session.bad_pin"),
        ("", "2026-11-22", "2026-11-22", "1001"),
        ("", "2026-11-21", "2026-11-22", "session.bad_pin"),
        ("", "2026-11-21", "", "1001"),
    ],
)
def test_an_operator_signs_in_from_the_first_to_the_last_day(
    first_day: str, last_day: str, day: str, answer: str
) -> None:
    member = replace(MANAGER, valid_from=first_day, valid_to=last_day)
    assert tried(a_room(member, today=day), "1001", "1234") == answer


def test_a_pin_that_somebody_else_set_is_changed_first() -> None:
    kept, member = Kept(), replace(MANAGER, is_first_pin=True)
    room = a_room(member, kept=kept, today="2026-11-22")
    assert tried(room, "1001", "1234") == "session.pin_first"
    assert tried(room, "1001", "0000", NEW_PIN) == "session.bad_pin"
    assert tried(room, "1001", "1234", "1111") == "pin.weak"
    assert tried(room, "1001", "1234", "12") == "pin.digits"
    assert not kept.events
    assert tried(room, "1001", "1234", NEW_PIN) == "1001"
    assert tried(room, "1001", "1234") == "session.bad_pin"
    assert tried(room, "1001", NEW_PIN) == "1001"


def opened(event: PinChanged, replaced_hash: str) -> str:
    sealed = bytes.fromhex(event.sealed)
    key, _ = sealing_key(replaced_hash)
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()


def test_the_journal_takes_a_new_pin_to_head_office_which_knows_the_old_hash() -> None:
    kept = Kept()
    tried(a_room(kept=kept, today="2026-11-22"), "1001", "1234", NEW_PIN)
    (event,) = kept.events
    assert isinstance(event, PinChanged)
    assert matches(opened(event, HASH), NEW_PIN)
    assert "argon2" not in bytes.fromhex(event.sealed).decode("latin-1")
    assert (event.replaces, event.day) == (hash_name(HASH), "2026-11-22")
    with pytest.raises(InvalidTag):
        opened(event, _CHEAP.hash("1234"))


def test_the_same_pin_is_no_new_one() -> None:
    member = replace(MANAGER, pin_hash=_CHEAP.hash(NEW_PIN))
    assert tried(a_room(member), "1001", NEW_PIN, NEW_PIN) == "pin.same"


def test_a_pin_runs_out_after_its_role_s_days() -> None:
    def monthly(member: StaffMember) -> Role:
        return replace(nobody(member.role), pin_days=30)

    member = replace(MANAGER, pin_day="2026-10-01")
    room = replace(a_room(member, today="2026-11-22"), role_of=monthly)
    assert tried(room, "1001", "1234") == "session.pin_expired"
    assert tried(room, "1001", "1234", NEW_PIN) == "1001"
    assert tried(room, "1001", NEW_PIN) == "1001"


def test_two_changes_before_head_office_knows_the_first_keep_the_second() -> None:
    kept = Kept()
    tried(a_room(kept=kept), "1001", "1234", NEW_PIN)
    tried(a_room(kept=kept), "1001", NEW_PIN, "6173")
    first = opened(kept.events[0], HASH)
    for published in (HASH, first, opened(kept.events[1], first)):
        room = a_room(replace(MANAGER, pin_hash=published), kept=kept)
        assert tried(room, "1001", "6173") == "1001"
        assert tried(room, "1001", NEW_PIN) == "session.bad_pin"


def test_what_head_office_sets_anew_counts_again() -> None:
    kept = Kept()
    tried(a_room(kept=kept), "1001", "1234", NEW_PIN)
    room = a_room(replace(MANAGER, pin_hash=_CHEAP.hash("5555")), kept=kept)
    assert tried(room, "1001", NEW_PIN) == "session.bad_pin"
    assert tried(room, "1001", "5555") == "1001"
