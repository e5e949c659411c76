"""Head office takes people and roles away, or changes them, while they are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.access import Asked
from edge.desk.migrations import MIGRATIONS
from edge.desk.state import Command, CommandResult, LaneState, Refresh
from edge.ids import Ids
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.sqlite import Writer
from edge.staff.commands import SignOff, SignOn
from edge.staff.service import Session, Typed, check_pin, operator_of, staff_handlers
from edge.staff.wiring import StaffParts, StaffWorks
from shared.config.dated import body_of
from shared.kernel.errors import RetailError
from shared.publication.revision import Record, RecordKind
from shared.staff.badge import badge_hash
from shared.staff.permission import DRAWER_NO_SALE, SALE_COUPON, SALE_OPERATE, SALE_OVERRIDE
from shared.staff.role import NOTHING, Grant
from tests.builders import OPENED_AT_MS
from tests.integration.edge.boxes import (
    CASHIER,
    CASHIER_PIN,
    MANAGER,
    MANAGER_PIN,
    Publisher,
    a_clock,
    a_journal,
    a_stocked_replica,
    open_day,
    staff_record,
)

ZONE = ZoneInfo("America/New_York")
BADGE = "TBS-MANAGER-CARD"


@dataclass
class Desk:
    """Lanes that obey at once."""

    works: StaffWorks | None = None
    states: dict[int, LaneState] = field(
        default_factory=lambda: {lane: LaneState(lane) for lane in (1, 2)}
    )
    told: list[tuple[int, str]] = field(default_factory=list)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(self.states)

    def state(self, lane: int) -> LaneState:
        return self.states[lane]

    def put(self, lane: int, command: Command) -> Future[CommandResult]:
        done: Future[CommandResult] = Future()
        if not isinstance(command, Refresh):
            assert self.works is not None
            turn = staff_handlers(self.works.room)[type(command)](self.states[lane], command)
            self.states[lane] = turn.state
        done.set_result(CommandResult(0))
        return done


@dataclass
class Store:
    works: StaffWorks
    desk: Desk
    publisher: Publisher
    replica: Replica
    journal: Journal
    desk_file: Writer
    facts: list[Any]

    def publish(self, *records: Record) -> None:
        manifest = self.publisher.publish(records)
        self.replica.stage(manifest, self.publisher.objects)
        self.replica.activate(manifest.rev, OPENED_AT_MS)
        self.works.activated()

    def sign_in(self, lane: int, operator: str, pin: str, token: str) -> None:
        member = check_pin(room=self.works.room, typed=Typed(operator, pin, "1"))
        self.desk.put(lane, SignOn(operator_of(self.works.room, member)))
        self.works.sessions.begin(token, Session(lane, operator))

    def tried(self, operator: str, pin: str) -> str:
        try:
            return check_pin(room=self.works.room, typed=Typed(operator, pin, "1")).id
        except RetailError as error:
            return error.code


def made(store_files: tuple[Journal, Replica, Writer], desk: Desk, facts: list[Any]) -> StaffWorks:
    journal, replica, desk_file = store_files
    clock: Any = a_clock()
    lanes: Any = desk
    works = StaffWorks(
        StaffParts(
            *(journal, clock, clock, ZONE, Ids(clock), replica, lanes, desk_file, facts.append),
            trouble=lambda lane, what: desk.told.append((lane, what)),
        )
    )
    desk.works = works
    works.load()
    return works


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    journal, publisher = a_journal(tmp_path), Publisher(tmp_path / "objects")
    open_day(journal)
    replica = a_stocked_replica(tmp_path / "replica", publisher)
    desk_file = Writer(tmp_path / "desk.db", "NORMAL")
    desk_file.open(MIGRATIONS)
    desk, facts = Desk(), list[Any]()
    works = made((journal, replica, desk_file), desk, facts)
    yield Store(works, desk, publisher, replica, journal, desk_file, facts)
    desk_file.close()
    replica.close()
    journal.close()


def role(role_id: str, **grants: str) -> Record:
    value = {"grants": {name.replace("__", "."): grant for name, grant in grants.items()}}
    return Record(RecordKind.CONFIG, f"role/{role_id}@c", body_of([("", value)]))


def test_who_is_taken_away_is_signed_out_within_the_activation_and_others_stay(
    store: Store,
) -> None:
    store.sign_in(1, CASHIER, CASHIER_PIN, "one")
    store.sign_in(2, MANAGER, MANAGER_PIN, "two")
    store.publish(Record(RecordKind.STAFF, CASHIER, None))
    assert store.desk.state(1).operator is None
    assert store.works.actor("one") is None
    actor = store.works.actor("two")
    assert actor is not None
    assert actor.name == MANAGER
    body = store.journal.read(store.journal.last_seq(), 1, 1 << 20)[0].body
    assert b'"because":"revoked"' in body
    assert store.tried(CASHIER, CASHIER_PIN) == "session.bad_pin"


def test_another_role_counts_at_once_on_the_screen_and_for_the_next_request(store: Store) -> None:
    store.sign_in(1, CASHIER, CASHIER_PIN, "one")
    store.publish(role("cashier", drawer__no_sale="allowed", sale__operate="denied"))
    actor = store.works.actor("one")
    assert actor is not None
    assert actor.role.grant(DRAWER_NO_SALE) is Grant.ALLOWED
    operator = store.desk.state(1).operator
    assert operator is not None
    assert DRAWER_NO_SALE in operator.permissions
    assert SALE_OPERATE not in operator.permissions


def test_a_role_that_cannot_be_read_is_as_it_is_built_in(store: Store) -> None:
    broken = Record(RecordKind.CONFIG, "role/cashier@c", body_of([("", {"grants": "all"})]))
    store.publish(broken)
    assert store.works.roles.of("cashier").grant(SALE_OPERATE) is Grant.ALLOWED
    assert store.works.roles.of("Nobody!").holding(Grant.ALLOWED) == ()


def test_a_pin_that_head_office_sets_anew_ends_the_wait(store: Store) -> None:
    answers = [store.tried(CASHIER, "0000") for _ in range(4)]
    assert answers[-1] == "session.locked_out"
    store.publish(staff_record(CASHIER, "cashier", "8042"))
    assert store.tried(CASHIER, "8042") == CASHIER


def test_a_restart_remembers_wrong_pins_sessions_and_known_screens(store: Store) -> None:
    for _ in range(4):
        store.tried(CASHIER, "0000")
    store.sign_in(2, MANAGER, MANAGER_PIN, "two")
    store.works.sessions.know_screen("screen", 2)
    files = (store.journal, store.replica, store.desk_file)
    after = replace(store, works=made(files, store.desk, store.facts))
    assert after.tried(CASHIER, CASHIER_PIN) == "session.locked_out"
    assert after.works.actor("two") is not None
    assert after.works.sessions.is_known_screen("screen", 2)
    assert not after.works.sessions.is_known_screen("screen", 1)
    assert not after.works.sessions.is_known_screen("", 2)


def with_badge(record: Record) -> Record:
    kept = badge_hash(BADGE, bytes(16))
    return replace(record, body={**(record.body or {}), "badge": vars_of(kept)})


def vars_of(kept: Any) -> dict[str, str]:
    return {"key": kept.key, "hash": kept.hash}


def test_a_badge_with_pin_names_the_approver_and_leaves_the_word_to_the_pin(store: Store) -> None:
    store.publish(with_badge(staff_record(MANAGER, "manager", MANAGER_PIN)))
    store.sign_in(1, CASHIER, CASHIER_PIN, "one")
    works, asked = store.works, Asked(1, CASHIER, "ab" * 32, "key")
    assert works.badges.scanned(1, BADGE)
    assert store.desk.told == [(1, "badge.nothing")]
    number = works.approvals.ask(asked, DRAWER_NO_SALE, NOTHING)
    assert works.badges.scanned(1, f" {BADGE} ")
    shown = works.approvals.shown(1)
    assert shown is not None
    assert (shown["badge"], shown["approver"]) == (MANAGER, "")
    assert works.approvals.find(number, asked) is None
    assert works.approvals.shown(2) is None
    assert not works.badges.scanned(1, "6901234567892")
    assert not works.badges.scanned(1, "TBS-UNKNOWN-CARD")


def test_a_badge_at_a_locked_lane_says_who_and_asks_for_the_pin(store: Store) -> None:
    store.publish(with_badge(staff_record(MANAGER, "manager", MANAGER_PIN)))
    assert store.works.badges.scanned(2, BADGE)
    shown = store.works.view(2)["badge"]
    assert (shown["operator"], shown["needs_pin"], shown["because"]) == (MANAGER, True, "")
    with pytest.raises(RetailError, match=r"badge\.pin"):
        store.works.badges.take(2, shown["number"])
    store.publish(Record(RecordKind.CONFIG, "role/manager@c", body_of([("", {"badge": "off"})])))
    assert store.works.badges.scanned(2, BADGE)
    assert store.works.view(2)["badge"]["because"] == "badge.off"


def test_only_a_named_operator_is_signed_off_by_the_watch(store: Store) -> None:
    """Whoever took the lane in the meantime keeps it."""
    store.sign_in(1, MANAGER, MANAGER_PIN, "one")
    store.desk.put(1, SignOff(CASHIER, "revoked"))
    assert store.desk.state(1).operator is not None


def test_no_sales_are_counted_by_day_and_person(store: Store) -> None:
    tally = store.works.tally
    for _ in range(3):
        tally.add(DRAWER_NO_SALE, CASHIER)
    assert tally.times(DRAWER_NO_SALE, CASHIER) == 3
    assert tally.times(DRAWER_NO_SALE, MANAGER) == 0


def test_what_was_taken_off_counts_once_for_each_basket_and_by_who_answers(store: Store) -> None:
    tally = store.works.tally
    tally.put("b1", {(SALE_OVERRIDE, CASHIER): 300, (SALE_OVERRIDE, MANAGER): 900})
    tally.put("b1", {(SALE_OVERRIDE, CASHIER): 200, (SALE_COUPON, CASHIER): 50})
    tally.put("b2", {(SALE_OVERRIDE, CASHIER): 70})
    assert tally.minor(SALE_OVERRIDE, CASHIER, but="") == 270
    assert tally.minor(SALE_OVERRIDE, CASHIER, but="b1") == 70
    assert (tally.minor(SALE_COUPON, CASHIER, ""), tally.minor(SALE_OVERRIDE, MANAGER, "")) == (
        50,
        0,
    )
    tally.put("b1", {})
    assert tally.minor(SALE_OVERRIDE, CASHIER, but="") == 70
