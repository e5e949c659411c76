"""The copy room as a box has it: over HTTP, with its own journal, its older lives and its stick."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from edge.access import Actor
from edge.copy import api as copy_api
from edge.copy.adopt import adopt
from edge.copy.copies import Copies, CopyParts
from edge.copy.look_back import LookBackParts, look_back
from edge.desk.state import Operator
from edge.http import problems
from edge.http.guard import Guard
from edge.identity import Identity, PreviousStream
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from shared.journal.carbon import read_carbon
from shared.journal.event import EntrySalvaged
from shared.journal.life import LifeCause
from shared.kernel.errors import UnavailableError
from tests.builders import OPENED_AT_MS
from tests.fakes.box_stream import BoxStream
from tests.fakes.office import FakeOffice, OfficeServer, a_carbon, lines_of
from tests.integration.edge.boxes import a_clock, a_journal, a_sale_draft, an_identity, open_day

PAGE = "page"
CASHIER = Actor(1, Operator("1002", "Cashier", "cashier", ()))


@dataclass
class Till:
    """A box's journal and copy room, and a page that is signed in at lane 1."""

    folder: Path
    old: BoxStream
    office: FakeOffice = field(default_factory=FakeOffice)

    def __post_init__(self) -> None:
        previous = PreviousStream(
            *(self.old.stream_id.hex(), 1, self.old.hashes[1].hex()),
            *(self.old.journal_pub.hex(), self.old.dev),
        )
        self.office.know(self.old, 2)
        self.server = OfficeServer(self.office, "d-abcdefghijklmnop.device-secret")
        self.identity: Identity = an_identity(cloud_url=self.server.url, previous=(previous,))
        self.journal: Journal = a_journal(self.folder)
        self.copies = Copies(
            CopyParts(
                data_dir=self.folder,
                mirror_path=str(self.folder),
                identity=self.identity,
                signer=load(self.folder / KEY_FILE),
                journal=self.journal,
                clock=a_clock(),
                wait_ms=lambda failures: 20 * failures,
            )
        )
        self.app = FastAPI()
        self.app.state.gate = self
        self.app.state.copies = self.copies.room()
        problems.install(self.app, "en")
        self.app.add_middleware(Guard)
        self.app.include_router(copy_api.router)

    def actor(self, token: str) -> Actor | None:
        return CASHIER if token == PAGE else None

    def ask(self, method: str, path: str, token: str = PAGE, **how: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
                return await client.request(method, path, headers=headers, **how)

        return asyncio.run(asked())

    def wanted(self, first: int, last: int) -> dict[str, Any]:
        offer = {
            "stream": self.old.stream_id.hex(),
            "first": first,
            "last": last,
            "hash": self.old.hashes[last].hex(),
        }
        answer = self.ask("POST", "/v1/salvage/wanted", json={"held": [offer]})
        found: dict[str, Any] = answer.json()["wanted"][0]
        return found

    def close(self) -> None:
        self.copies.stop()
        self.journal.close()
        self.server.stop()


@pytest.fixture(scope="module")
def old() -> BoxStream:
    box = BoxStream("d-aaaaaaaaaaaaaaaa", "343")
    box.append_sales(6)
    return box


@pytest.fixture
def till(tmp_path: Path, old: BoxStream) -> Iterator[Till]:
    made = Till(tmp_path, old)
    made.copies.start()
    yield made
    made.close()


def sell(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.append(a_sale_draft(journal))


def test_a_page_gets_signed_copies_of_what_the_cloud_lacks(till: Till) -> None:
    open_day(till.journal)
    sell(till.journal, 30)
    till.journal.mark_acked(3, till.journal.hash_at(3) or b"")
    answer = till.ask("GET", "/v1/lanes/1/carbons", params={"after": -1})
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    carbons = [read_carbon(line) for line in answer.content.splitlines()]
    assert [carbon.seq for carbon in carbons] == list(range(4, 32))
    assert carbons[-1].hash == till.journal.head()[1]
    few = till.ask("GET", "/v1/lanes/1/carbons", params={"after": 20, "limit": 3})
    assert [read_carbon(line).seq for line in few.content.splitlines()] == [21, 22, 23]
    assert till.ask("GET", "/v1/lanes/1/carbons", params={"after": 31}).content == b""


def test_copies_are_for_those_who_are_signed_in_at_the_lane(till: Till) -> None:
    for method, path in (
        ("GET", "/v1/lanes/1/carbons"),
        ("POST", "/v1/salvage/wanted"),
        ("POST", "/v1/salvage"),
    ):
        assert till.ask(method, path, token="nobody").status_code == 401
    assert till.ask("GET", "/v1/lanes/2/carbons").json()["code"] == "session.other_lane"


def test_a_page_hands_in_and_hears_when_it_may_forget(till: Till) -> None:
    assert till.wanted(0, 1) == {"stream": till.old.stream_id.hex(), "acked": 1, "ranges": []}
    assert till.wanted(2, 5)["ranges"] == [{"first": 2, "last": 5}]
    lines = lines_of([a_carbon(till.old, seq) for seq in range(2, 6)])
    assert till.ask("POST", "/v1/salvage", content=lines).json() == {"new": 4}
    for _ in range(500):
        if till.wanted(2, 5)["acked"] == 5:
            break
    assert till.wanted(2, 5)["acked"] == 5
    assert till.office.streams[till.old.stream_id.hex()].bodies == till.old.bodies


def test_bad_copies_are_refused_as_the_pages_fault(till: Till) -> None:
    stranger = BoxStream("d-cccccccccccccccc", "s9")
    stranger.append_sales(1)
    answer = till.ask("POST", "/v1/salvage", content=lines_of([a_carbon(stranger, 0)]))
    assert (answer.status_code, answer.json()["code"]) == (422, "carbon.signature")
    answer = till.ask("POST", "/v1/salvage", content=b"{torn")
    assert (answer.status_code, answer.json()["code"]) == (422, "carbon.line")


def test_a_piece_may_be_a_megabyte_and_no_more(till: Till) -> None:
    filler = b"x" * 1_000_000
    assert till.ask("POST", "/v1/salvage", content=filler).json()["code"] == "carbon.line"
    answer = till.ask("POST", "/v1/salvage", content=filler + b"x" * 100_000)
    assert (answer.status_code, answer.json()["params"]["limit"]) == (413, 1024 * 1024)


@pytest.mark.parametrize(
    "held",
    [
        {"stream": "nonsense", "first": 0, "last": 1, "hash": "00" * 32},
        {"stream": "0a" * 16, "first": -1, "last": 1, "hash": "00" * 32},
        {"stream": "0a" * 16, "first": 0, "last": 1 << 60, "hash": "00" * 32},
        {"stream": "0a" * 16, "first": 0, "last": 1, "hash": ""},
    ],
)
def test_an_offer_of_nonsense_names_its_field(till: Till, held: dict[str, object]) -> None:
    answer = till.ask("POST", "/v1/salvage/wanted", json={"held": [held]})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


def test_the_status_tells_journal_mirror_and_what_was_handed_in(till: Till) -> None:
    till.journal.mark_acked(0, till.journal.hash_at(0) or b"")
    status = till.copies.status()
    assert status["journal"] == {
        "stream": till.journal.stream,
        "head": 0,
        "acked": 0,
        "acked_hash": (till.journal.hash_at(0) or b"").hex(),
    }
    # The mirror's folder lies on the journal's own disk: that is no second copy.
    assert status["copies"] == {"mirror": "absent", "salvage": []}
    json.dumps(status)


def test_an_adopted_entry_keeps_its_id_and_counts_once(till: Till) -> None:
    carbon = a_carbon(till.old, 3)
    for _ in range(2):
        adopt(till.journal, carbon, lambda: OPENED_AT_MS)
    entry = till.journal.entry_by_id(till.old.id_at(3))
    assert entry is not None
    assert entry.type == EntrySalvaged.type
    data = json.loads(entry.body)["data"]
    assert (data["stream"], data["seq"], data["hash"]) == (
        carbon.stream,
        3,
        carbon.hash.hex(),
    )
    assert data["body"].encode() == carbon.body
    assert till.journal.head()[0] == 1


def test_a_salvaged_entry_is_adopted_as_what_it_was_at_first(till: Till, tmp_path: Path) -> None:
    other = a_journal(tmp_path / "other", stream="0b" * 16)
    adopt(other, a_carbon(till.old, 3), lambda: OPENED_AT_MS)
    (nested,) = other.carbons(1, 1)
    other.close()
    adopt(till.journal, nested, lambda: OPENED_AT_MS)
    entry = till.journal.entry_by_id(till.old.id_at(3))
    assert entry is not None
    assert json.loads(entry.body)["data"]["stream"] == till.old.stream_id.hex()


def test_the_beginning_of_another_journal_is_not_adopted(till: Till, tmp_path: Path) -> None:
    other = a_journal(tmp_path / "other", stream="0b" * 16)
    (genesis,) = other.carbons(0, 1)
    other.close()
    adopt(till.journal, genesis, lambda: OPENED_AT_MS)
    assert till.journal.head()[0] == 0


class LivingBox:
    """A journal in its second life, and a cloud that remembers what it is told to."""

    def __init__(self, folder: Path, inc: str = "", acked: int = 5) -> None:
        self.office = FakeOffice()
        self.journal = a_journal(folder)
        open_day(self.journal)
        sell(self.journal, 4)
        self.journal.mark_acked(acked, self.journal.hash_at(acked) or b"", inc)
        self.journal.mark_safe(2, self.journal.hash_at(2) or b"")
        self.bodies = [entry.body for entry in self.journal.read(0, 99, 1 << 20)]
        self.hashes = [entry.hash for entry in self.journal.read(0, 99, 1 << 20)]
        self.older = self.journal.stream
        assert self.journal.begin_life(LifeCause.CLONE, OPENED_AT_MS)
        self.signer = load(folder / KEY_FILE)

    def remembers(self, bodies: list[bytes]) -> None:
        box = BoxStream("d-abcdefghijklmnop", "343")
        stream = self.office.know(box)
        stream.stream_id = bytes.fromhex(self.older)
        stream.key = self.signer._key.public_key()
        self.office.streams[self.older] = stream
        stream.bodies = list(bodies)
        stream.hashes = self.hashes[: len(bodies)]

    def look_back(self) -> bool:
        parts = LookBackParts(
            self.journal,
            self.signer,
            self.office,
            a_clock(),
            lambda carbon: adopt(self.journal, carbon, lambda: OPENED_AT_MS),
        )
        return look_back(parts, lambda _: None)


@pytest.fixture
def living(tmp_path: Path) -> Iterator[LivingBox]:
    box = LivingBox(tmp_path)
    yield box
    box.journal.close()


def test_an_older_life_that_is_complete_costs_one_question(living: LivingBox) -> None:
    living.remembers(living.bodies)
    assert living.look_back()
    assert living.office.posts == 1


def test_an_older_life_whose_beginning_was_pruned_is_asked_for_again(living: LivingBox) -> None:
    ((_, path),) = living.journal.older_lives()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO prune_permit VALUES(1, 2)")
        connection.execute("DELETE FROM entry WHERE seq IN (1, 2)")
        connection.execute("INSERT INTO anchor VALUES(1, 2, ?)", (living.hashes[2],))
    connection.close()
    living.remembers(living.bodies[:1])
    assert not living.look_back()
    living.remembers(living.bodies[:3])  # refilled from the archive
    assert living.look_back()
    assert living.office.streams[living.older].bodies == living.bodies


@pytest.mark.parametrize("known", [0, 1, 4])
def test_a_restored_cloud_gets_its_older_lives_again(living: LivingBox, known: int) -> None:
    living.remembers(living.bodies[:known])
    living.look_back()
    assert living.office.streams[living.older].bodies == living.bodies


def test_an_older_life_that_forked_is_adopted_above_what_is_archived(living: LivingBox) -> None:
    living.remembers([*living.bodies[:4], b'{"another":"branch"}', b'{"of":"it"}'])
    living.office.streams[living.older].hashes = [*living.hashes[:4], b"x" * 32, b"y" * 32]
    before = living.journal.head()[0]
    living.look_back()
    added = living.journal.read(before + 1, 99, 1 << 20)
    assert [json.loads(entry.body)["data"]["seq"] for entry in added] == [3, 4, 5]
    living.look_back()
    assert living.journal.head()[0] == before + 3


def test_looking_back_waits_for_a_cloud_that_is_away(living: LivingBox) -> None:
    living.office.answers = [UnavailableError("salvage.unreachable", url="x")]
    with pytest.raises(UnavailableError):
        living.look_back()


def test_a_damaged_older_life_is_passed_over(living: LivingBox) -> None:
    ((_, path),) = living.journal.older_lives()
    living.remembers(living.bodies[:1])
    with path.open("r+b") as file:
        file.write(b"\xff" * 4096)
    living.look_back()
    assert living.office.streams[living.older].bodies == living.bodies[:1]


@pytest.mark.parametrize("damaged", [3, 5])
def test_of_a_damaged_older_life_what_comes_before_the_damage_goes_up(
    living: LivingBox, damaged: int
) -> None:
    ((_, path),) = living.journal.older_lives()
    living.remembers(living.bodies[:1])
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entry_is_final")
        connection.execute("UPDATE entry SET body=x'7b7d' WHERE seq=?", (damaged,))
    connection.close()
    assert living.look_back()
    assert living.office.streams[living.older].bodies == living.bodies[:damaged]


@pytest.mark.parametrize(("inc", "adopted"), [("1-1", [4, 5]), ("2-1", [3, 4, 5])])
def test_what_the_same_cloud_has_acknowledged_is_not_adopted_again(
    tmp_path: Path, inc: str, adopted: list[int]
) -> None:
    """Another cloud may have been restored to before it."""
    box = LivingBox(tmp_path, inc="1-1", acked=3)
    try:
        before = box.journal.head()[0]
        box.journal.mark_acked(before, box.journal.head()[1], inc)
        box.remembers([*box.bodies[:4], b'{"another":"branch"}', b'{"of":"it"}'])
        box.office.streams[box.older].hashes = [*box.hashes[:4], b"x" * 32, b"y" * 32]
        assert box.look_back()
        seqs = {json.loads(each.body)["data"]["seq"] for each in box.journal.read(1, 99, 1 << 20)}
        assert seqs == set(adopted)
    finally:
        box.journal.close()
