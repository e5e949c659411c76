"""The register of members: nothing that names a person lies open, and erased is erased."""

from __future__ import annotations

import io
import itertools
import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.clock import random_bytes
from cloud.commands import members
from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.limiter import FailureLimiter
from cloud.member import box_service, service
from cloud.member.api import UNKNOWN_MAX, UNKNOWN_WINDOW_MS
from cloud.member.keys import HeldKeys, init_keys, keys_of, roll_keys
from cloud.member.service import Author, Change, Register
from cloud.posters import POSTERS
from cloud.seal_cipher import CIPHER
from edge.identity import Identity
from edge.member.office import Office, is_for_good
from shared.journal.event import EntrySalvaged, SaleCompleted
from shared.kernel.errors import CorruptError, MissingError, RefusedError, UnavailableError
from shared.member import pseudonym
from shared.member.consent import MARKETING, MEMBERSHIP, Consent
from shared.member.feed import KnownMember
from shared.member.pseudonym import card_ref, phone_ref, slow_hash
from shared.wire.note import seal_note
from tests.fakes.box_stream import START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol_body, journal_key
from tests.integration.cloud.test_places import problem
from tests.lab.cloud_api import CloudApi

AGREED = [{"purpose": "membership", "is_given": True}]
AGREE = (Consent(MEMBERSHIP, is_given=True, text_version="1"),)
NewBox = Callable[[], BoxStream]
_phones = itertools.count(13_800_000_000)


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    real, pseudonym.COST = pseudonym.COST, 2
    yield
    pseudonym.COST = real


@pytest.fixture
def phone() -> str:
    return str(next(_phones))


@pytest.fixture
def register(api: CloudApi, database: Database) -> Register:
    keys = keys_of(api.context.settings, api.context.hq_key)
    return Register(database, keys, random_bytes)


def joined(admin: httpx.Client, phone: str, **more: Any) -> str:
    body = {"phone": phone, "currency": "CNY", "consents": AGREED} | more
    return str(admin.post("/v1/members", json=body).raise_for_status().json()["member_id"])


def found(admin: httpx.Client, **question: str) -> list[dict[str, Any]]:
    answer = admin.post("/v1/members/find", json={"currency": "CNY"} | question)
    return list(answer.raise_for_status().json()["members"])


def everything(database: Database) -> str:
    """All that the database holds, as text: what must not lie open is not in it."""
    with database.begin() as connection:
        tables = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        )
        told = []
        for (table,) in list(tables):
            rows = connection.execute(text(f'SELECT CAST(t AS text) FROM "{table}" t'))  # noqa: S608
            told += [row for (row,) in rows]
    return "\n".join(told)


def test_somebody_is_found_by_their_number_however_it_is_typed(
    admin: httpx.Client, phone: str
) -> None:
    member = joined(admin, phone, name="王小明", cards=["0000012345"])
    typed = (phone, f"+86 {phone[:3]}-{phone[3:7]} {phone[7:]}", f"0086{phone}")
    for each in typed:
        assert [row["member_id"] for row in found(admin, phone=each)] == [member]
    assert [row["member_id"] for row in found(admin, card="12345")] == [member]
    assert found(admin, phone="13911112222") == []
    assert problem(admin.post("/v1/members/find", json={"phone": "12", "currency": "CNY"})) == (
        422,
        "member.phone",
    )
    both = {"phone": phone, "card": "1"}
    assert problem(admin.post("/v1/members/find", json=both))[1] == "member.question"


def test_nothing_that_names_a_member_lies_open(
    admin: httpx.Client, database: Database, phone: str
) -> None:
    member = joined(admin, phone, name="Zoë Quartermain", birthday="03-25", cards=["77123456"])
    assert admin.post(f"/v1/members/{member}/personal").json() == {
        "member_id": member,
        "phone": f"+86{phone}",
        "name": "Zoë Quartermain",
        "birthday": "03-25",
        "language": "",
        "cards": ["77123456"],
    }
    shown = json.dumps([admin.get(f"/v1/members/{member}").json(), found(admin, phone=phone)])
    kept = everything(database)
    for secret in (phone, "Quartermain", "77123456"):
        assert secret not in shown
        assert secret not in kept
        assert secret.encode().hex() not in kept


def test_who_saw_whom_is_in_the_log_and_no_number_is(
    admin: httpx.Client, database: Database, phone: str
) -> None:
    member = joined(admin, phone)
    found(admin, phone=phone)
    admin.post(f"/v1/members/{member}/personal").raise_for_status()
    with database.begin() as connection:
        rows = connection.execute(
            text("SELECT who, permission FROM audit WHERE what = 'see_member' AND object = :o"),
            {"o": f"member_id={member}"},
        )
        assert list(rows) == [("admin", "member.see_personal")]
        log = "".join(str(tuple(row)) for row in connection.execute(text("SELECT * FROM audit")))
    assert phone not in log


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ("member_service", {"personal": 200, "export": 403, "erase": 403}),
        ("privacy", {"personal": 200, "consents": 403, "export": 200, "erase": 204}),
        ("accountant", {"personal": 403, "export": 403, "erase": 403}),
    ],
)
def test_each_role_sees_what_it_is_there_for(
    api: CloudApi, admin: httpx.Client, phone: str, role: str, asked: dict[str, int]
) -> None:
    member = joined(admin, phone)
    client = api.client(role)
    at = f"/v1/members/{member}"
    told = {each: client.post(f"{at}/{each}", json={}).status_code for each in asked}
    assert told == asked


def test_a_number_and_a_card_are_one_members(admin: httpx.Client, phone: str) -> None:
    card = phone[1:]
    first = joined(admin, phone, cards=[card])
    body = {"phone": phone, "currency": "CNY", "consents": AGREED}
    assert problem(admin.post("/v1/members", json=body)) == (422, "member.phone_taken")
    other = joined(admin, str(next(_phones)))
    taken = admin.put(f"/v1/members/{other}", json={"cards": [card]})
    assert (problem(taken)[1], taken.json()["params"]["member_id"]) == ("member.card_taken", first)
    taken = admin.put(f"/v1/members/{other}", json={"phone": phone, "currency": "CNY"})
    assert problem(taken)[1] == "member.phone_taken"
    assert admin.put(f"/v1/members/{other}", json={"phone": "", "cards": ["1" + card]}).is_success
    assert found(admin, card="1" + card)[0]["last_digits"] == ""
    assert problem(admin.put(f"/v1/members/{other}", json={"cards": []}))[1] == (
        "member.phone_needed"
    )


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"consents": []}, "member.consent"),
        ({"consents": [{"purpose": "marketing", "is_given": True}]}, "member.consent"),
        ({"phone": None}, "member.phone_needed"),
        ({"phone": "12345"}, "member.phone"),
        ({"birthday": "13-01"}, "member.birthday"),
        ({"name": "a\0b"}, "member.name"),
        ({"language": "xx"}, "member.language"),
        ({"cards": ["12a"]}, "member.card"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    admin: httpx.Client, phone: str, wrong: dict[str, Any], code: str
) -> None:
    body = {"phone": phone, "currency": "CNY", "consents": AGREED} | wrong
    assert problem(admin.post("/v1/members", json=body)) == (422, code)


def test_consents_are_kept_with_their_words(admin: httpx.Client, phone: str) -> None:
    member = joined(admin, phone)
    at = f"/v1/members/{member}/consents"
    for is_given in (True, False):
        body = {"purpose": MARKETING, "is_given": is_given, "text_version": "v9"}
        assert admin.post(at, json=body).status_code == 204
    kept = admin.get(f"/v1/members/{member}").json()["consents"]
    assert [(each["purpose"], each["is_given"]) for each in kept] == [
        (MEMBERSHIP, True),
        (MARKETING, True),
        (MARKETING, False),
    ]
    assert (kept[2]["text_version"], kept[2]["by"]) == ("v9", "admin")
    back = {"purpose": MEMBERSHIP, "is_given": False}
    assert problem(admin.post(at, json=back))[1] == "member.consent_needed"


def sell(database: Database, box: BoxStream, *members: str) -> None:
    for member in members:
        sale = replace(a_sale(len(box.bodies)), member=member)
        box.append(SaleCompleted(sale))
    last = len(box.bodies) - 1
    arrival = read_arrival(box.dev, box.batch(last - len(members) + 1, last))
    verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    assert verdict.stored == len(members)


def test_all_that_is_known_of_a_member_can_be_carried_away(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    member = joined(admin, phone, name="Ada", cards=["991" + phone[-4:]])
    box = new_box()
    card = card_ref("991" + phone[-4:], register.keys.of_store(box.store_id).card)
    # By id, by what stands for the card, and as old journals have it.
    sell(register.database, box, member, card, "991" + phone[-4:], "somebody-else")
    answer = admin.post(f"/v1/members/{member}/export").raise_for_status().json()
    data = answer["data"]
    assert (data["personal"]["phone"], data["personal"]["name"]) == (f"+86{phone}", "Ada")
    assert (len(data["sales"]), data["sales_in_all"]) == (3, 3)
    assert data["sales"][0]["store"] == box.store_id
    assert data["sales"][0]["lines"][0]["name"]
    assert data["consents"][0]["purpose"] == MEMBERSHIP
    assert f"phone: +86{phone}" in answer["text"]
    assert admin.get(f"/v1/members/{member}").json()["stores"] == [box.store_id]


def test_a_sale_that_came_out_of_a_dead_box_is_carried_away_too(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    member = joined(admin, phone)
    dead, box = new_box(), new_box()
    dead.append(SaleCompleted(replace(a_sale(1), member=member)))
    carried = EntrySalvaged(dead.stream_id.hex(), 0, dead.hashes[0].hex(), dead.bodies[0].decode())
    box.append(carried, entry_id=dead.id_at(0))
    arrival = read_arrival(box.dev, box.batch(0, 0))
    ingest(database=register.database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    data = admin.post(f"/v1/members/{member}/export").raise_for_status().json()["data"]
    assert data["sales_in_all"] == 1
    assert [each["receipt_no"] for each in data["sales"]] == ["1-000001"]


def test_an_erased_member_is_nobody_any_more_and_the_sales_stand(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    member = joined(admin, phone, name="Erasmus Gone", cards=["555" + phone[-5:]])
    box = new_box()
    sell(register.database, box, member)
    before = box.bodies[-1]
    assert admin.post(f"/v1/members/{member}/erase", json={"reason": "asked"}).status_code == 204
    assert admin.post(f"/v1/members/{member}/erase", json={}).status_code == 204
    assert found(admin, phone=phone) == found(admin, card="555" + phone[-5:]) == []
    for path in ("personal", "export"):
        assert problem(admin.post(f"/v1/members/{member}/{path}")) == (404, "member.erased")
    assert problem(admin.put(f"/v1/members/{member}", json={"name": "x"}))[1] == "member.erased"
    left = admin.get(f"/v1/members/{member}").json()
    assert (left["state"], left["last_digits"], left["cards"], left["sales"]) == (
        "erased",
        "",
        0,
        1,
    )
    slow = slow_hash(f"+86{phone}", register.keys.of_store("").salt).hex()
    kept = everything(register.database)
    assert slow not in kept
    assert "Erasmus" not in kept
    with register.database.begin() as connection:
        rows = connection.execute(
            text("SELECT body FROM entry WHERE stream_id = :s"), {"s": box.stream_id}
        )
        assert [bytes(each) for (each,) in rows] == [before]  # not a byte of the chain moved
    # The number is free: whoever joins with it again is somebody new.
    assert joined(admin, phone) != member


def feed_of(register: Register, box: BoxStream, place: tuple[str, str] = ("", "")) -> Any:
    return box_service.feed(register, box.dev, *place)


def test_a_box_is_told_of_its_own_members_by_hashes_and_of_each_change_once(
    register: Register, new_box: NewBox, phone: str
) -> None:
    box, other = new_box(), new_box()
    by = Author("ann", START_MS, box.store_id)
    change = Change(phone=f"+86{phone}", name="Hidden", cards=("4712" + phone[-3:],))
    member = service.join(register, change, AGREE, by)
    first = feed_of(register, box)
    slow = slow_hash(f"+86{phone}", first.keys.salt)
    card = card_ref("4712" + phone[-3:], first.keys.card)
    known = KnownMember(member, phone_ref(slow, first.keys.store), phone[-4:], (card,), START_MS)
    assert first.members == (known,)
    assert feed_of(register, other).members == ()
    assert feed_of(register, box, (first.epoch, first.cursor)).members == ()
    service.erase(register, member, Author("ann", START_MS + 1))
    gone = feed_of(register, box, (first.epoch, first.cursor)).members
    assert gone == (KnownMember(member, "", "", (), START_MS, is_active=False),)
    assert feed_of(register, box, ("another life", first.cursor)).members == gone
    assert feed_of(register, box, (first.epoch, "rubbish")).members == gone


def test_one_member_has_another_hash_in_each_store(
    register: Register, new_box: NewBox, phone: str
) -> None:
    one, two = new_box(), new_box()
    by = Author("ann", START_MS, one.store_id)
    member = service.join(register, Change(phone=f"+86{phone}"), AGREE, by)
    salt = register.keys.of_store("").salt
    box_service.ask(register, two.dev, slow_hash(f"+86{phone}", salt), "", START_MS)
    mine, theirs = (feed_of(register, each).members[0] for each in (one, two))
    assert (mine.member_id, theirs.member_id) == (member, member)
    assert mine.phone_ref != theirs.phone_ref
    with pytest.raises(MissingError, match="unknown"):
        box_service.ask(register, two.dev, slow_hash("+8613000000000", salt), "", START_MS)


def test_no_change_is_missed_while_another_is_being_written(
    register: Register, new_box: NewBox
) -> None:
    box = new_box()
    numbers = [f"+86{next(_phones)}" for _ in range(2)]
    slow_one, quick_one = (
        service.join(register, Change(phone=each), AGREE, Author("a", START_MS)) for each in numbers
    )
    from cloud.member import store  # noqa: PLC0415 - below the service

    with register.database.begin() as open_one:
        store.be_at_store(open_one, box.store_id, slow_one, START_MS)
        with register.database.begin() as connection:
            store.be_at_store(connection, box.store_id, quick_one, START_MS)
        early = feed_of(register, box)
        assert early.members == ()  # what came later waits for what is not done yet
    late = feed_of(register, box, (early.epoch, early.cursor))
    assert {each.member_id for each in late.members} == {slow_one, quick_one}


def note_of(register: Register, box: BoxStream, member: str, **said: Any) -> bytes:
    public = CIPHER.public_of(register.keys.join_private())
    note = {
        "phone": "+8613511112222",
        "operator": "2041",
        "at_ms": START_MS,
        "consents": [[MEMBERSHIP, True, "1"]],
    } | said
    sealed_for = f"{box.dev}/{member}"
    return seal_note(CIPHER, public, random_bytes(32), json.dumps(note).encode(), sealed_for)


def new_id() -> str:
    return pseudonym.member_id(random_bytes(pseudonym.ID_BYTES))


def test_whoever_joins_at_a_till_is_taken_in_once(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    box, member = new_box(), new_id()
    note = note_of(register, box, member, phone=f"+86{phone}")
    brought = [box_service.bring(register, box.dev, member, note, START_MS + 5) for _ in range(2)]
    assert brought[0] == brought[1]
    assert (brought[0].member_id, brought[0].last_digits) == (member, phone[-4:])
    shown = found(admin, phone=phone)[0]
    assert (shown["joined_store"], shown["joined_by"]) == (box.store_id, "2041")
    assert len(shown["consents"]) == 1


def test_who_joins_twice_stays_one_member_with_all_sales(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    first = joined(admin, phone)
    box, second = new_box(), new_id()
    sell(register.database, box, second)  # before head office hears who that is
    note = note_of(register, box, second, phone=f"+86{phone}")
    brought = box_service.bring(register, box.dev, second, note, START_MS)
    assert brought.member_id == first
    assert admin.get(f"/v1/members/{second}").json()["member_id"] == first
    assert admin.get(f"/v1/members/{first}").json()["sales"] == 1


def test_whom_an_old_list_takes_for_somebody_else_becomes_a_member_of_their_own(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    """Their number was another's: what they agree to is not the other one's consent."""
    other = joined(admin, phone)
    moved = {"phone": str(next(_phones)), "currency": "CNY"}
    admin.put(f"/v1/members/{other}", json=moved).raise_for_status()
    box = new_box()
    agreed = [[MEMBERSHIP, True, "1"], [MARKETING, True, "1"]]
    note = note_of(register, box, other, phone=f"+86{phone}", consents=agreed)
    brought = [box_service.bring(register, box.dev, other, note, START_MS + 5) for _ in range(2)]
    assert brought[0] == brought[1]
    assert brought[0].member_id != other
    assert found(admin, phone=phone)[0]["member_id"] == brought[0].member_id
    shown = admin.get(f"/v1/members/{other}").json()
    assert [each["purpose"] for each in shown["consents"]] == [MEMBERSHIP]


def test_a_number_that_was_changed_since_a_till_told_it_stays_changed(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    box, member = new_box(), new_id()
    note = note_of(register, box, member, phone=f"+86{phone}")
    box_service.bring(register, box.dev, member, note, START_MS)  # and the answer was lost
    moved = {"phone": str(next(_phones)), "currency": "CNY"}
    admin.put(f"/v1/members/{member}", json=moved).raise_for_status()
    assert box_service.bring(register, box.dev, member, note, START_MS).member_id == member
    assert found(admin, phone=phone) == []


def test_an_erased_member_who_joins_again_at_a_till_with_an_old_list_is_somebody_new(
    admin: httpx.Client, register: Register, new_box: NewBox, phone: str
) -> None:
    box, member = new_box(), new_id()
    before = note_of(register, box, member, phone=f"+86{phone}")
    box_service.bring(register, box.dev, member, before, START_MS)
    service.erase(register, member, Author("ann", START_MS + 10))
    with pytest.raises(MissingError, match=r"member\.erased"):
        box_service.bring(register, box.dev, member, before, START_MS + 20)
    again = note_of(register, box, member, phone=f"+86{phone}", at_ms=START_MS + 20)
    brought = box_service.bring(register, box.dev, member, again, START_MS + 30)
    assert brought.member_id != member
    assert found(admin, phone=phone)[0]["member_id"] == brought.member_id
    assert admin.get(f"/v1/members/{member}").json()["state"] == "erased"


def test_what_a_till_sealed_is_good_for_that_till_and_member_only(
    register: Register, new_box: NewBox
) -> None:
    box, thief, member = new_box(), new_box(), new_id()
    note = note_of(register, box, member)
    wrong = [
        (thief.dev, member, note),
        (box.dev, new_id(), note),
        (box.dev, member, note[:-1] + bytes([note[-1] ^ 1])),
        (box.dev, member, b""),
        (box.dev, "x", note),
        (box.dev, member, note_of(register, box, member, phone="nobody")),
        (box.dev, member, note_of(register, box, member, at_ms=-1)),
        (box.dev, member, note_of(register, box, member, consents="x")),
    ]
    for dev, each, payload in wrong:
        with pytest.raises(RefusedError, match=r"member\.join"):
            box_service.bring(register, dev, each, payload, START_MS)
    unasked = note_of(register, box, member, consents=[])
    with pytest.raises(RefusedError, match=r"member\.consent"):
        box_service.bring(register, box.dev, member, unasked, START_MS)


def test_data_is_brought_under_a_new_key_and_the_old_one_reads_it_no_more(
    api: CloudApi, database: Database, tmp_path: Path, phone: str
) -> None:
    hq_key = api.context.hq_key
    file = tmp_path / "member.keys"
    before = Register(database, keys_of(api.context.settings, hq_key), random_bytes)
    member = service.join(before, Change(phone=f"+86{phone}"), AGREE, Author("a", 1))
    assert init_keys(file, hq_key, random_bytes) == "k1"
    assert roll_keys(file, random_bytes) == "k2"
    settings = replace(api.context.settings, member_key_file=str(file))
    after = Register(database, keys_of(settings, hq_key), random_bytes)
    assert service.personal_of(after, member)[1].phone == f"+86{phone}"  # the old key opens it
    assert service.reseal(after) > 0
    assert service.reseal(after) == 0
    assert service.personal_of(after, member)[1].phone == f"+86{phone}"
    shown = service.find_by_phone(after, phone, "CNY")
    assert shown is not None
    assert shown.row.member_id == member  # hashes did not change
    with pytest.raises(CorruptError, match=r"secret\.unreadable"):
        service.personal_of(before, member)
    assert service.reseal(replace(after, keys=_with_hq(after, before))) > 0


def _with_hq(after: Register, before: Register) -> HeldKeys:
    """Both sets of keys, head office's own sealing: as the module's other tests know it."""
    assert isinstance(after.keys, HeldKeys)
    assert isinstance(before.keys, HeldKeys)
    both = HeldKeys(before.keys._secret, before.keys._join, {"hq": bytes(32)})
    both._ciphers = after.keys._ciphers | before.keys._ciphers
    return both


def test_the_key_file_is_made_rolled_and_used_by_commands(
    api: CloudApi,
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UnavailableError, match="no_file"):
        members.init_key(api.context.settings, Namespace())
    hq_file = tmp_path / "hq.key"
    hq_file.write_bytes((api.folder / "hq.key").read_bytes())
    hq_file.chmod(0o600)
    file = tmp_path / "member.keys"
    settings = replace(api.context.settings, member_key_file=str(file), hq_key_file=str(hq_file))
    members.init_key(settings, Namespace())
    members.roll_key(settings, Namespace())
    keys = keys_of(settings, api.context.hq_key)
    assert (keys.newest_id, file.stat().st_mode & 0o777) == ("k2", 0o600)
    member = service.join(
        Register(database, keys, random_bytes),
        Change(phone=f"+86{next(_phones)}"),
        AGREE,
        Author("a", 1),
    )
    log = f"event=member.erased id={member}\nsee_member member_id=m{'0' * 24}\nnothing\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert members.erase(settings, Namespace()) == 0
    assert "erased 1 members; 0 are not" in capsys.readouterr().out
    with pytest.raises(RefusedError, match="exists"):
        members.init_key(settings, Namespace())
    file.chmod(0o644)
    with pytest.raises(RefusedError, match="readable"):
        keys_of(settings, api.context.hq_key)
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(CorruptError, match="damaged"):
        keys_of(settings, api.context.hq_key)
    file.unlink()
    with pytest.raises(UnavailableError, match="missing"):
        keys_of(settings, api.context.hq_key)


def test_only_who_was_erased_is_erased_again() -> None:
    ids = [f"m{n:024x}" for n in range(3)]
    assert members.erased_in(f"7,now,ann,erase_member,member_id={ids[0]},done") == [ids[0]]
    assert members.erased_in(f"7,now,ann,erase_member,member_id={ids[1]},refused") == []
    assert members.erased_in(f"7,now,ann,see_member,member_id={ids[2]},done") == []


@pytest.fixture
def real_box(api: CloudApi, admin: httpx.Client) -> tuple[Office, httpx.Client]:
    """A box that enrolled over HTTP, and its own way of asking; a client that asks as it does."""
    place = {"name": "Harbour", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    admin.put("/v1/stores/harbour", json=place).raise_for_status()
    token = admin.post("/v1/claims", json={"store_id": "harbour"}).json()["token"]
    body = enrol_body(token, journal_key("ab" * 32), api.clock.now_ms())
    told = api.stranger().post("/v1/enrol", json=body).raise_for_status().json()
    raw = api.stranger()
    raw.headers["Authorization"] = f"Bearer {told['dev']}.{told['secret']}"
    return Office(Identity.from_answer(told, api.url), lambda: True), raw


def test_joining_is_no_way_to_try_out_more_numbers(
    real_box: tuple[Office, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = real_box
    limiter = FailureLimiter(failures_max=1, window_ms=UNKNOWN_WINDOW_MS)
    monkeypatch.setattr("cloud.member.api._brought", limiter)
    codes = []
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            office.bring(new_id(), b"x" * 60)
        codes.append((refused.value.code, is_for_good(refused.value)))
    assert codes == [("member.join", True), ("member.asked_often", False)]


def test_a_box_asks_over_the_wire_and_whoever_tries_out_numbers_with_one_is_held_off(
    admin: httpx.Client, real_box: tuple[Office, httpx.Client], phone: str
) -> None:
    office, raw = real_box
    member = joined(admin, phone)
    first = office.feed("", "")
    assert first.members == ()
    slow = slow_hash(f"+86{phone}", first.keys.salt).hex()
    known = office.ask(phone_slow=slow)
    assert (known.member_id, known.last_digits) == (member, phone[-4:])
    assert office.feed(first.epoch, first.cursor).members == (known,)
    with pytest.raises(RefusedError, match=r"member\.join"):
        office.bring(new_id(), b"x" * 60)
    with pytest.raises(MissingError, match="unknown"):
        office.ask(phone_slow="00" * 32)
    at = "/v1/device/members/find"
    told = [raw.post(at, json={"phone_slow": f"{n:064x}"}) for n in range(1, UNKNOWN_MAX + 1)]
    codes = [problem(each) for each in told]
    assert codes[:-1] == [(404, "member.unknown")] * (UNKNOWN_MAX - 1)
    assert codes[-1] == (429, "member.asked_often")
    with pytest.raises(RefusedError, match="asked_often"):
        office.ask(phone_slow=slow)
    assert raw.post("/v1/device/members", json={}).status_code == 200
    del raw.headers["Authorization"]
    assert raw.post("/v1/device/members", json={}).status_code in {401, 403}
