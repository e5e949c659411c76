"""A claim becomes a box."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from cloud.fleet.enrol import TOLD_MAX
from cloud.fleet.service import token_hash
from cloud.fleet.standing import Order, revoke
from cloud.fleet.store import NONCES_KEPT, add_nonce, lock_claim
from shared.journal.event import DayClosed, DayOpened
from shared.kernel.ids import DeviceId
from shared.wire.topics import is_device_id
from tests.fakes.box_stream import DAY, BoxStream
from tests.fakes.enrolment import enrol_body, journal_key
from tests.integration.cloud.publications import boxed, head_of, publish_all
from tests.lab.cloud_api import CloudApi, SettableClock

KEY, OTHER_KEY = "ab" * 32, "cd" * 32
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def _store(admin: httpx.Client) -> None:
    body = {"name": "Main street", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    admin.put("/v1/stores/17", json=body).raise_for_status()


def claim(admin: httpx.Client, store_id: str = "17") -> str:
    answer = admin.post("/v1/claims", json={"store_id": store_id})
    assert answer.status_code == 201
    token: str = answer.json()["token"]
    return token


def enrol(api: CloudApi, token: str, key: str = KEY, csr: str = "") -> httpx.Response:
    body = enrol_body(token, journal_key(key), api.clock.now_ms(), csr)
    return api.stranger().post("/v1/enrol", json=body)


def test_a_lost_answer_can_be_asked_for_again(api: CloudApi, admin: httpx.Client) -> None:
    token = claim(admin)
    first = enrol(api, token).json()
    assert enrol(api, token.lower()).json() == first
    assert is_device_id(DeviceId(first["dev"]))
    assert (first["store_name"], first["zone"], first["currency"], first["price_zone"]) == (
        "Main street", "Asia/Shanghai", "CNY", "store-17",
    )  # fmt: skip
    assert first["hq_pub"] == api.context.hq_key.public_hex
    with api.context.database.begin() as connection:
        streams = connection.execute(
            text("SELECT count(*) FROM stream WHERE dev = :dev"), {"dev": first["dev"]}
        )
        assert streams.scalar_one() == 1
        stored = connection.execute(
            text("SELECT answer::text FROM claim WHERE dev = :dev"), {"dev": first["dev"]}
        )
        assert first["secret"] not in stored.scalar_one()


def test_a_used_token_is_worth_nothing_to_another_box(api: CloudApi, admin: httpx.Client) -> None:
    token = claim(admin)
    enrol(api, token).raise_for_status()
    answer = enrol(api, token, OTHER_KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "enrol.claim_used")


def test_an_unknown_or_late_token_is_refused(api: CloudApi, admin: httpx.Client) -> None:
    assert enrol(api, "A" * 26).json()["code"] == "enrol.claim_unknown"
    token = claim(admin)
    clock = api.clock
    assert isinstance(clock, SettableClock)
    clock.at_ms += 72 * HOUR_MS
    assert enrol(api, token).json()["code"] == "enrol.claim_expired"
    clock.at_ms -= 72 * HOUR_MS
    assert admin.post("/v1/claims", json={"store_id": "99"}).status_code == 404


def test_a_new_box_retires_the_old_one_and_takes_the_next_ordinal(
    api: CloudApi, admin: httpx.Client
) -> None:
    old = enrol(api, claim(admin)).json()
    new = enrol(api, claim(admin), OTHER_KEY).json()
    assert new["ordinal"] == old["ordinal"] + 1
    boxes = admin.get("/v1/fleet/boxes").json()["boxes"]
    states = {box["dev"]: box["device_status"] for box in boxes}
    assert (states[old["dev"]], states[new["dev"]]) == ("retiring", "active")


def test_objects_are_for_active_boxes_only(api: CloudApi, admin: httpx.Client) -> None:
    box = enrol(api, claim(admin)).json()
    name = api.context.objects.put(b"published")

    def fetch(name: str, dev: str, secret: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {dev}.{secret}"}
        return api.stranger().get(f"/v1/objects/{name}", headers=headers)

    assert fetch(name, box["dev"], box["secret"]).content == b"published"
    part = api.stranger().get(
        f"/v1/objects/{name}",
        headers={"Authorization": f"Bearer {box['dev']}.{box['secret']}", "Range": "bytes=3-"},
    )
    assert (part.status_code, part.content) == (206, b"lished")
    assert fetch("0" * 64, box["dev"], box["secret"]).status_code == 404
    assert fetch("..%2f..%2fhq.key", box["dev"], box["secret"]).status_code == 404
    assert fetch(name, box["dev"], "wrong").status_code == 403
    assert api.stranger().get(f"/v1/objects/{name}").status_code == 401
    assert admin.get(f"/v1/objects/{name}").status_code == 401
    enrol(api, claim(admin), OTHER_KEY).raise_for_status()
    assert fetch(name, box["dev"], box["secret"]).status_code == 403


def test_a_box_that_joins_late_already_wants_the_published_revision(
    api: CloudApi, admin: httpx.Client
) -> None:
    row = b"ean13,name,department,category,brand,package_size,weighed,plu\n4006381333931,A,,,,,0,\n"
    admin.post("/v1/items/import", content=row).raise_for_status()
    rev = admin.post("/v1/publications", json={}).json()["rev"]
    box = enrol(api, claim(admin)).json()
    with api.context.database.begin() as connection:
        found = connection.execute(
            text("SELECT catalog FROM desired WHERE dev = :dev"), {"dev": box["dev"]}
        )
        catalog = found.scalar_one()
    assert (catalog["zone"], catalog["rev"]) == ("store-17", rev)
    rows = admin.get("/v1/convergence").json()["stores"]
    assert (rows[0]["state"], rows[0]["because"]) == ("silent", "never_seen")


CLUB = {"id": "club", "level": "basket", "target": {"all": True}}


def offers(admin: httpx.Client, bp: int, name: str = "club") -> None:
    offer = {**CLUB, "id": name, "reward": {"type": "percent_off", "bp": bp}}
    document = {"format": "tillbox-offers/1", "offers": [offer]}
    admin.post("/v1/offers/import", json=document).raise_for_status()


def test_the_box_of_a_new_store_begins_with_what_is_published_and_needs_no_release(
    api: CloudApi, admin: httpx.Client
) -> None:
    row = b"ean13,name,department,category,brand,package_size,weighed,plu\n5901234123457,B,,,,,0,\n"
    admin.post("/v1/items/import", content=row).raise_for_status()
    offers(admin, 100)
    offers(admin, 100, "drafted")
    publish_all(admin).raise_for_status()
    published = boxed(api, "17")
    offers(admin, 200, "drafted")
    body = {"name": "New", "time_zone": "Europe/Berlin", "currency": "CNY"}
    admin.put("/v1/stores/new", json=body).raise_for_status()
    box = enrol(api, claim(admin, "new"), "12" * 32).json()
    begun = boxed(api, "new")
    waits = ("offer", "drafted")  # the next release says it to all stores
    assert begun == {key: line for key, line in published.items() if key != waits}
    rev = head_of(api, "new").rev
    with api.context.database.begin() as connection:
        wanted = connection.execute(
            text("SELECT catalog->>'rev' FROM desired WHERE dev = :dev"), {"dev": box["dev"]}
        )
        assert wanted.scalar_one() == str(rev)
    enrol(api, claim(admin, "new"), "34" * 32).raise_for_status()
    assert head_of(api, "new").rev == rev  # a box that is swapped takes over what is there
    assert admin.get("/v1/publications").json()["publications"][0]["rev"] < rev
    publish_all(admin).raise_for_status()
    assert boxed(api, "new") == boxed(api, "17")
    assert head_of(api, "new").snapshot.to_rev == rev  # by a delta


def test_a_store_that_is_new_while_offers_are_on_their_way_gets_them_with_a_later_release(
    api: CloudApi, admin: httpx.Client
) -> None:
    offers(admin, 300)
    release = admin.post("/v1/releases", json={"note": "on its way"}).json()["release_id"]
    body = {"name": "Newer", "time_zone": "Europe/Berlin", "currency": "CNY"}
    admin.put("/v1/stores/newer", json=body).raise_for_status()
    enrol(api, claim(admin, "newer"), "56" * 32).raise_for_status()
    assert {kind for kind, _ in boxed(api, "newer")} == {"item"}
    admin.post(f"/v1/releases/{release}/cancel", json={}).raise_for_status()
    publish_all(admin).raise_for_status()
    assert boxed(api, "newer") == boxed(api, "17") == boxed(api, "new")


@pytest.mark.parametrize(
    ("store_id", "change", "code"),
    [
        ("a b", {}, "store.id"),
        ("18", {"time_zone": "Mars/Olympus"}, "store.time_zone"),
        ("18", {"time_zone": "../../etc/passwd"}, "store.time_zone"),
        ("18", {"currency": "XXX"}, "currency.unknown"),
        ("18", {"name": "  "}, "store.name"),
    ],
)
def test_a_store_that_cannot_be_is_refused(
    admin: httpx.Client, store_id: str, change: dict[str, str], code: str
) -> None:
    body = {"name": "Side street", "time_zone": "Asia/Shanghai", "currency": "CNY", **change}
    answer = admin.put(f"/v1/stores/{store_id}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_new_box_learns_of_the_journals_and_the_day_before_it(
    api: CloudApi, admin: httpx.Client
) -> None:
    place = {"name": "Side street", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    admin.put("/v1/stores/swap", json=place).raise_for_status()

    def enrolled(key: str) -> dict[str, Any]:
        token = admin.post("/v1/claims", json={"store_id": "swap"}).json()["token"]
        found: dict[str, Any] = enrol(api, token, key).json()
        return found

    old = BoxStream("", "swap", seed="old box")
    first = enrolled(old.key.private_bytes_raw().hex())
    assert (first["cause"], first["previous"], first["day"]) == ("enrol", [], None)
    assert first["public_url"] == api.url
    old.dev, old.stream = first["dev"], bytes.fromhex(first["stream"])
    second = enrolled(OTHER_KEY)
    silent = {
        "stream": first["stream"],
        "seq": -1,
        "hash": "",
        "journal_pub": old.journal_pub.hex(),
        "dev": first["dev"],
    }
    assert (second["cause"], second["previous"]) == ("swap", [silent])
    old.append(DayOpened(DAY))
    old.append_sales(2)
    courier = api.stranger()
    courier.headers["Authorization"] = f"Bearer {first['dev']}.{first['secret']}"
    courier.post("/v1/journal/batches", content=old.batch(0, 2)).raise_for_status()
    third = enrolled("ef" * 32)
    assert [each["dev"] for each in third["previous"]] == [second["dev"], first["dev"]]
    assert (third["previous"][1]["seq"], third["previous"][1]["hash"]) == (2, old.hashes[2].hex())
    assert third["day"] == {"biz": DAY, "is_open": True}
    old.append(DayClosed(DAY, {}))
    courier.post("/v1/journal/batches", content=old.batch(3, 3)).raise_for_status()
    assert enrolled("01" * 32)["day"] == {"biz": DAY, "is_open": False}


def test_a_token_that_is_tried_with_another_key_is_written_down(
    api: CloudApi, admin: httpx.Client
) -> None:
    token = claim(admin)
    box = enrol(api, token).json()
    enrol(api, token, OTHER_KEY)
    events = admin.get(f"/v1/fleet/boxes/{box['dev']}").json()["events"]
    assert [event["action"] for event in events] == ["enrol_refused", "enrolled"]
    assert events[0]["reason"] == "enrol.claim_used"


def test_a_box_that_was_shut_out_does_not_come_back_with_its_token(
    api: CloudApi, admin: httpx.Client
) -> None:
    token = claim(admin)
    box = enrol(api, token).json()
    context = api.context
    revoke(context.database, context.accounts, Order(box["dev"], "li", "stolen", 0))
    again = enrol(api, token)
    assert (again.status_code, again.json()["code"]) == (422, "enrol.revoked")
    assert "secret" not in again.json()


class Sent:
    """A request of a box, its answer lost; `post` sends it again, changed or not."""

    def __init__(self, api: CloudApi, token: str, csr: str = "") -> None:
        self.api = api
        self.body = enrol_body(token, journal_key(KEY), api.clock.now_ms(), csr)
        self.dev = self.post().raise_for_status().json()["dev"]

    def post(self, **changed: Any) -> httpx.Response:
        return self.api.stranger().post("/v1/enrol", json=self.body | changed)


def told(answer: httpx.Response) -> tuple[int, str]:
    assert "secret" not in answer.json()
    return answer.status_code, answer.json()["code"]


def csr_of_a_stranger() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_photographed_claim_and_a_public_key_give_nobody_the_answer(
    api: CloudApi, admin: httpx.Client
) -> None:
    sent = Sent(api, claim(admin))
    thief = enrol_body(sent.body["token"], journal_key(OTHER_KEY), api.clock.now_ms())
    forged = thief | {"journal_pub": sent.body["journal_pub"], "csr": csr_of_a_stranger()}
    assert told(api.stranger().post("/v1/enrol", json=forged)) == (403, "enrol.proof")


@pytest.mark.parametrize(
    "change",
    [
        {"csr": "a stranger's"},
        {"nonce": "00" * 16},
        {"t": 1_795_000_000_001},
        {"journal_pub": journal_key(OTHER_KEY).public_key().public_bytes_raw().hex()},
        {"token": "A" * 26},
        {"proof": "00" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_request_that_was_changed_on_its_way_is_refused(
    api: CloudApi, admin: httpx.Client, change: dict[str, Any]
) -> None:
    assert told(Sent(api, claim(admin)).post(**change)) == (403, "enrol.proof")


def test_a_copied_request_is_answered_once_and_written_down(
    api: CloudApi, admin: httpx.Client
) -> None:
    sent = Sent(api, claim(admin))
    assert told(sent.post()) == (409, "enrol.copied")
    events = admin.get(f"/v1/fleet/boxes/{sent.dev}").json()["events"]
    assert [event["reason"] for event in events] == ["enrol.copied", ""]
    clock = api.clock
    assert isinstance(clock, SettableClock)
    clock.at_ms += 901_000
    assert told(sent.post()) == (422, "enrol.clock")
    assert sent.post().json()["params"] == {"minutes": 15, "now_ms": clock.at_ms}


def test_who_tries_again_and_again_cannot_flood_a_boxs_history(
    api: CloudApi, admin: httpx.Client
) -> None:
    sent = Sent(api, claim(admin))
    for _ in range(TOLD_MAX + 3):
        assert told(sent.post()) == (409, "enrol.copied")
    actions = [e["action"] for e in admin.get(f"/v1/fleet/boxes/{sent.dev}").json()["events"]]
    assert actions == ["enrol_refused"] * TOLD_MAX + ["enrolled"]


def test_two_copies_of_a_request_at_once_are_answered_once(
    api: CloudApi, admin: httpx.Client
) -> None:
    body = enrol_body(claim(admin), journal_key(KEY), api.clock.now_ms())

    def post(_: int) -> int:
        return api.stranger().post("/v1/enrol", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(post, range(4))) == [200, 409, 409, 409]


def test_a_box_whose_answers_get_lost_again_and_again_is_answered(
    api: CloudApi, admin: httpx.Client
) -> None:
    token = claim(admin)
    answers = [enrol(api, token).json() for _ in range(4)]
    assert answers[1:] == answers[:3]
    with api.context.database.begin() as connection:
        for _ in range(NONCES_KEPT):
            add_nonce(connection, token_hash(token), os.urandom(16))
        found = lock_claim(connection, token_hash(token))
    assert found is not None
    assert len(found.nonces) == NONCES_KEPT


@pytest.mark.parametrize("how", ["hello", "journal"])
def test_a_claim_is_done_for_once_its_box_was_heard(
    api: CloudApi, admin: httpx.Client, how: str
) -> None:
    token = claim(admin)
    dev = enrol(api, token).json()["dev"]
    heard = {
        "hello": "INSERT INTO box_state (dev, store_id) VALUES (:dev, '17')",
        "journal": "UPDATE stream SET head_seq = 0 WHERE dev = :dev",
    }
    with api.context.database.begin() as connection:
        connection.execute(text(heard[how]), {"dev": dev})
    assert told(enrol(api, token)) == (409, "enrol.claim_done")
    events = admin.get(f"/v1/fleet/boxes/{dev}").json()["events"]
    assert events[0]["reason"] == "enrol.claim_done"


def test_older_software_is_told_that_it_is_too_old(api: CloudApi, admin: httpx.Client) -> None:
    token = claim(admin)
    older = {"token": token, "journal_pub": KEY, "hw_fp": "f", "prev": None}
    assert told(api.stranger().post("/v1/enrol", json=older)) == (422, "enrol.box_too_old")
    assert enrol(api, token).status_code == 200, "the claim is as good as before"


def test_text_that_no_database_can_hold_is_the_senders_fault(
    api: CloudApi, admin: httpx.Client
) -> None:
    body = enrol_body(claim(admin), journal_key(KEY), api.clock.now_ms()) | {"hw_fp": "\0"}
    answers = [api.stranger().post("/v1/enrol", json=body), admin.get("/v1/fleet/boxes/d%00")]
    assert [told(answer) for answer in answers] == [(422, "request.invalid")] * 2
    assert enrol(api, body["token"]).status_code == 200
