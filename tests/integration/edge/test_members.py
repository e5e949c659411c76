"""Members at a till: by hashes only, with and without a line to head office."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.ids import secret_bytes
from edge.member.keeper import KeeperParts, MemberKeeper
from edge.member.register import MemberRegister, RegisterParts
from edge.member.store import MEMBERS_FILE, MemberStore
from edge.sale.commands import Undo
from edge.sale.members import JoinMember, NameMember
from edge.sale.recorded import recorded_sale
from edge.seal_cipher import CIPHER
from shared.item.barcode import member_card_code
from shared.kernel.errors import MissingError, RefusedError, RetailError, UnavailableError
from shared.member import pseudonym
from shared.member.consent import MARKETING, MEMBERSHIP, Consent
from shared.member.feed import KNOWN_MS, Feed, KnownMember
from shared.member.pseudonym import box_keys, card_ref, member_id, phone_ref, slow_hash
from shared.wire.note import open_note
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import a_clock, an_identity
from tests.integration.edge.lanes import Lane, a_lane

PHONE, E164 = "(212) 555-0143", "+12125550143"
PRIVATE = b"\x07" * 32
KEYS = box_keys(b"s" * 32, "343")
AGREED = (
    Consent(MEMBERSHIP, is_given=True, text_version="1"),
    Consent(MARKETING, is_given=False, text_version="1"),
)


@contextmanager
def cheap_hashes() -> Iterator[None]:
    real, pseudonym.COST = pseudonym.COST, 2
    yield
    pseudonym.COST = real


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


def known(number: int, phone: str = E164, card: str = "2479") -> KnownMember:
    ref = phone_ref(slow_hash(phone, KEYS.salt), KEYS.store)
    cards = (card_ref(card, KEYS.card),)
    return KnownMember(member_id(bytes([number] * 12)), ref, phone[-4:], cards, OPENED_AT_MS)


with cheap_hashes():
    ANN = known(1)


@dataclass
class HeadOffice:
    """Answers as the register does; away while `is_away`."""

    members: list[KnownMember] = field(default_factory=list)
    epoch: str = "one"
    is_away: bool = False
    refuses: RetailError | None = None
    brought: dict[str, bytes] = field(default_factory=dict)
    is_known_as: KnownMember | None = None

    def feed(self, epoch: str, place: str) -> Feed:
        self._be_there()
        told = int(place) if epoch == self.epoch and place else 0
        some = tuple(self.members[told : told + 2])
        public = CIPHER.public_of(PRIVATE)
        end = told + len(some)
        return Feed(self.epoch, str(end), end < len(self.members), KEYS, public, some)

    def ask(self, *, phone_slow: str = "", card: str = "") -> KnownMember:
        self._be_there()
        for each in {each.member_id: each for each in self.members}.values():
            if phone_ref(bytes.fromhex(phone_slow), KEYS.store) == each.phone_ref:
                return each
        raise MissingError("member.unknown")

    def bring(self, member: str, sealed: bytes) -> KnownMember:
        self._be_there()
        if self.refuses is not None:
            raise self.refuses
        self.brought[member] = sealed
        return self.is_known_as or replace(ANN, member_id=member)

    def _be_there(self) -> None:
        if self.is_away:
            raise UnavailableError("member.office_away")


@dataclass
class Till:
    """A lane with a register of its own, whose thread does not run."""

    lane: Lane
    office: HeadOffice
    store: MemberStore
    register: MemberRegister
    keeper: MemberKeeper
    folder: Path

    def join(self, phone: str = PHONE) -> str:
        joining = self.register.prepare(phone, AGREED, "1001")
        self.lane.do(JoinMember(joining))
        return joining.member.member_id


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    office, store = HeadOffice([ANN]), MemberStore(tmp_path / MEMBERS_FILE)
    store.open()
    clock = a_clock()
    port: object = office
    parts = RegisterParts(
        an_identity(),
        store,
        port,
        clock,
        secret_bytes,
        lambda: not office.is_away,  # type: ignore[arg-type]
    )
    register = MemberRegister(parts, lambda: None)
    keeper = MemberKeeper(KeeperParts(store, port, clock, lambda: 0.5, lambda: True))  # type: ignore[arg-type]
    with a_lane(tmp_path) as lane:
        lane.shop = replace(lane.shop, members=register)
        yield Till(lane, office, store, register, keeper, tmp_path)
    store.close()


def test_before_head_office_told_anything_cards_stand_for_themselves(till: Till) -> None:
    till.lane.scan(a_gtin(3), member_card_code("2479"))
    assert till.lane.basket().member == "2479"
    for ask in (
        lambda: till.register.find(PHONE),
        lambda: till.register.prepare(PHONE, AGREED, ""),
    ):
        with pytest.raises(UnavailableError, match="not_ready"):
            ask()


def test_a_known_card_names_its_member_and_an_unknown_one_what_stands_for_it(till: Till) -> None:
    till.keeper.step()
    till.lane.scan(a_gtin(3), member_card_code("2479"))
    assert till.lane.basket().member == ANN.member_id
    scan = till.lane.state.last_scan
    assert scan is not None
    assert (scan.kind, scan.name, scan.code) == ("member", "** 2479", "")
    assert till.register.shown(ANN.member_id) == "0143"
    till.lane.pay(290)
    till.lane.scan(a_gtin(3), member_card_code("1234567"))
    assert till.lane.basket().member == card_ref("1234567", KEYS.card)
    till.lane.pay(290)
    sales = [recorded_sale(till.lane.journal.sale_by_receipt(f"1-00000{n}"))[0] for n in (1, 2)]
    assert [sale.member for sale in sales] == [ANN.member_id, card_ref("1234567", KEYS.card)]
    assert [sale.totals.net_minor for sale in sales] == [290, 290]


def test_a_number_is_found_offline_and_makes_the_basket_theirs(till: Till) -> None:
    till.keeper.step()
    till.office.is_away = True
    member = till.register.find("212 555 0143")
    till.lane.do(NameMember(member, till.register.shown(member)))
    assert till.lane.basket().member == ANN.member_id
    till.lane.scan(a_gtin(3))
    till.lane.do(Undo())
    till.lane.do(NameMember(None))
    assert till.lane.basket().member is None
    with pytest.raises(UnavailableError, match="office_away"):
        till.register.find("212 555 0199")
    with pytest.raises(RefusedError, match=r"member\.phone"):
        till.register.find("12")


def test_whom_this_store_does_not_know_head_office_is_asked_for_once(till: Till) -> None:
    till.keeper.step()
    bob = known(2, "+12125550144", "77")
    till.office.members.append(bob)
    assert till.register.find("2125550144") == bob.member_id
    till.office.is_away = True
    assert till.register.find("2125550144") == bob.member_id
    till.office.is_away = False
    with pytest.raises(MissingError, match="unknown"):
        till.register.find("2125550145")


def test_who_is_erased_at_head_office_is_gone_here_with_the_next_question(till: Till) -> None:
    till.keeper.step()
    till.office.members.append(
        KnownMember(ANN.member_id, "", "", (), OPENED_AT_MS, is_active=False)
    )
    till.keeper.step()
    assert till.store.count() == 0
    assert till.register.of_card("2479") == card_ref("2479", KEYS.card)
    with pytest.raises(MissingError):
        till.register.find(PHONE)


def test_a_list_of_many_pieces_a_new_epoch_and_old_faces(till: Till) -> None:
    till.office.members += [known(n, f"+1212555{n:04d}", str(n)) for n in range(100, 105)]
    till.keeper.step()
    assert till.store.count() == 6
    long_ago = replace(known(9, "+12125559999", "9"), last_at_ms=OPENED_AT_MS - KNOWN_MS - 1)
    till.office.epoch, till.office.members = "two", [ANN, long_ago]
    till.keeper.step()
    assert till.store.count() == 1
    till.store.close()
    till.store.open()
    assert till.register.find(PHONE) == ANN.member_id


def test_a_clock_that_is_years_ahead_forgets_nobody(till: Till) -> None:
    till.keeper.step()
    chain = till.store.chain()
    assert chain is not None
    told = till.office.feed(chain.epoch, chain.place)
    till.store.take(told, OPENED_AT_MS + 3 * KNOWN_MS)
    assert till.register.find(PHONE) == ANN.member_id


def test_a_customer_joins_offline_and_is_known_at_once(till: Till) -> None:
    till.office.members = []
    till.keeper.step()
    till.office.is_away = True
    member = till.join()
    till.lane.scan(a_gtin(3))
    assert till.lane.basket().member == member
    till.lane.pay(290)
    assert till.register.find(PHONE) == member
    with pytest.raises(UnavailableError):
        till.keeper.step()
    till.office.is_away = False
    till.keeper.step()
    note = json.loads(
        open_note(CIPHER, PRIVATE, till.office.brought[member], f"d-abcdefghijklmnop/{member}")
    )
    assert (note["phone"], note["operator"]) == (E164, "1001")
    assert note["consents"] == [[MEMBERSHIP, True, "1"], [MARKETING, False, "1"]]
    assert till.store.waiting() == []


def test_no_file_of_the_box_holds_the_number_that_was_typed(till: Till) -> None:
    till.keeper.step()
    till.office.is_away = True
    till.join()
    till.lane.scan(a_gtin(3), member_card_code("7734567"))
    till.lane.pay(290)
    till.store.close()
    for folder, _, files in os.walk(till.folder):
        for each in files:
            held = Path(folder, each).read_bytes()
            for secret in (b"2125550143", b"555-0143", b"7734567"):
                assert secret not in held, each


def test_the_journal_tells_that_somebody_joined_and_not_who(till: Till) -> None:
    till.keeper.step()
    member = till.join("212 555 0177")
    journal = till.lane.journal
    body = json.loads(journal.read(journal.last_seq(), 1, 1 << 20)[0].body)
    assert (body["type"], body["actor"]) == ("member.joined", "1001")
    assert body["data"] == {
        "lane": 1,
        "member": member,
        "consents": ["membership"],
        "text_version": "1",
    }


def test_who_joins_twice_goes_on_as_who_they_were(till: Till) -> None:
    till.office.members = []
    till.keeper.step()
    first = till.join()
    assert till.join() == first  # known here: no second id
    till.office.is_known_as = replace(ANN, member_id=member_id(bytes([5] * 12)))
    till.keeper.step()
    assert till.register.find(PHONE) == till.office.is_known_as.member_id
    assert till.store.count() == 1


def test_what_head_office_never_takes_does_not_stand_in_the_way(till: Till) -> None:
    till.keeper.step()
    till.join("212 555 0188")
    till.office.refuses = RefusedError("member.join")
    till.keeper.step()
    assert till.store.waiting() == []
    with pytest.raises(MissingError):
        till.register.find("212 555 0188")


def test_who_cannot_be_brought_now_waits_and_who_was_erased_is_heard_of_all_the_same(
    till: Till,
) -> None:
    till.keeper.step()
    member = till.join("212 555 0188")
    till.office.refuses = RefusedError("member.asked_often")
    gone = KnownMember(ANN.member_id, "", "", (), OPENED_AT_MS, is_active=False)
    till.office.members.append(gone)
    with pytest.raises(RefusedError, match="asked_often"):
        till.keeper.step()
    assert [each.member for each in till.store.waiting()] == [member]
    assert till.register.shown(ANN.member_id) == ""
    till.office.refuses = None
    till.keeper.step()
    assert till.store.waiting() == []


def test_a_lane_does_not_wait_while_the_list_is_written(till: Till) -> None:
    till.keeper.step()
    found: list[str] = []
    with till.store._file.transaction():  # as long as a piece of the list takes
        lane = threading.Thread(target=lambda: found.append(till.register.of_card("2479")))
        lane.start()
        lane.join(10)
        assert found == [ANN.member_id]


def test_nobody_joins_without_agreeing(till: Till) -> None:
    till.keeper.step()
    no = (Consent(MEMBERSHIP, is_given=False, text_version="1"),)
    with pytest.raises(RefusedError, match="consent"):
        till.register.prepare(PHONE, no, "1001")


def spoil(file: Path) -> None:
    """All pages but the first, which says that it is a database, become rubbish."""
    raw = file.read_bytes()
    file.write_bytes(raw[:4096] + b"\xa5" * (len(raw) - 4096))


def test_a_list_that_is_found_damaged_inside_begins_anew_and_the_box_starts(till: Till) -> None:
    till.keeper.step()
    till.store.close()
    spoil(till.folder / MEMBERS_FILE)
    till.store.open()
    assert till.store.chain() is None
    till.keeper.step()
    assert till.register.find(PHONE) == ANN.member_id


def test_a_list_that_is_damaged_while_the_box_runs_stops_no_sale(till: Till) -> None:
    till.keeper.step()
    till.store.close()
    till.store.open()  # what is in no memory is read from the card
    spoil(till.folder / MEMBERS_FILE)
    till.lane.scan(a_gtin(3), member_card_code("2479"))
    assert till.lane.basket().member == card_ref("2479", KEYS.card)
    assert till.register.shown(ANN.member_id) == ""
    till.lane.pay(290)


def test_a_damaged_list_begins_anew(till: Till) -> None:
    till.keeper.step()
    till.store.close()
    (till.folder / MEMBERS_FILE).write_bytes(b"no database" * 1000)
    till.store.open()
    assert till.store.chain() is None
    till.keeper.step()
    assert till.register.find(PHONE) == ANN.member_id
