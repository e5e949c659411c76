"""What headquarters could not book: listed, explained, settled, booked after all."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.db import Database
from cloud.ingest import desk, entry
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.posters import POSTERS
from cloud.texts import texts_of
from shared.journal.event import EntrySalvaged, SaleCompleted
from tests.fakes.box_stream import START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import CloudApi

NewBox = Callable[[], BoxStream]
Take = Callable[..., None]
URL = "/v1/work-items"


@pytest.fixture
def take(database: Database) -> Take:
    """Stores what a box has written, from an entry on."""

    def deliver(box: BoxStream, first: int = 0) -> None:
        arrival = read_arrival(box.dev, box.batch(first, len(box.bodies) - 1))
        ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)

    return deliver


@pytest.fixture
def poisoned(new_box: NewBox, take: Take) -> BoxStream:
    """A box whose second sale states another total than its lines have."""
    box = new_box()
    box.append_sales(2)
    box.hashes.pop()
    box.append_body(wrong_totals(box.bodies.pop()))
    box.append_sales(1)
    take(box)
    return box


def wrong_totals(body: bytes) -> bytes:
    read = json.loads(body)
    read["data"]["sale"]["totals"]["gross_minor"] += 1
    return json.dumps(read, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def items(client: httpx.Client, **query: str | int) -> list[dict[str, Any]]:
    answer = client.get(URL, params=query).raise_for_status().json()
    found: list[dict[str, Any]] = answer["items"]
    assert answer["total"] >= len(found)
    return found


def item_of(box: BoxStream, seq: int) -> str:
    return f"entry:{box.stream_id.hex()}:{seq}"


def sales(database: Database, box: BoxStream) -> int:
    with database.begin() as connection:
        counted = text("SELECT count(*) FROM sale WHERE store_id = :store")
        return int(connection.execute(counted, {"store": box.store_id}).scalar_one())


def test_a_poison_sale_is_an_item_that_tells_what_it_is(
    admin: httpx.Client, poisoned: BoxStream
) -> None:
    [row] = items(admin, store=poisoned.store_id)
    assert (row["item"], row["code"]) == (item_of(poisoned, 1), "ledger.totals")
    assert (row["kind"], row["is_done"], row["notes"]) == ("entry", False, 0)
    assert items(admin, store=poisoned.store_id, code="ledger.sale") == []
    assert items(admin, store=poisoned.store_id, since_ms=START_MS + 1_001) == []
    shown = admin.get(f"{URL}/{row['item']}").raise_for_status().json()
    assert shown["hash"] == poisoned.hashes[1].hex()
    assert json.loads(shown["text"]) == json.loads(poisoned.bodies[1])
    assert "\n  " in shown["text"]
    table = admin.get(f"{URL}/all.csv", params={"store": poisoned.store_id}).text
    assert table.splitlines()[1].startswith(f"{row['item']},entry,{poisoned.store_id},")


def test_notes_and_settling_say_who_when_and_why(
    api: CloudApi, admin: httpx.Client, poisoned: BoxStream
) -> None:
    it, item = api.client("it"), item_of(poisoned, 1)
    noted = it.post(f"{URL}/{item}/notes", json={"text": "asked the store"}).raise_for_status()
    assert [note["note"] for note in noted.json()["notes"]] == ["asked the store"]
    assert [row["notes"] for row in items(admin, store=poisoned.store_id)] == [1]
    open_before = admin.get(URL).json()["open"]
    done = it.post(f"{URL}/{item}/done", json={"text": "booked by hand"}).raise_for_status().json()
    assert (done["how"], done["by"], done["reason"]) == ("done", "it", "booked by hand")
    assert done["done_at_ms"] == api.clock.now_ms()
    assert items(admin, store=poisoned.store_id) == []
    assert admin.get(URL).json()["open"] == open_before - 1
    [row] = items(admin, store=poisoned.store_id, state="done")
    assert (row["item"], row["code"], row["notes"]) == (item, "ledger.totals", 1)
    again = it.post(f"{URL}/{item}/done", json={"text": "once more"})
    assert (again.status_code, again.json()["code"]) == (422, "work.done_before")


def test_readers_look_and_do_not_act(api: CloudApi, poisoned: BoxStream) -> None:
    item = item_of(poisoned, 1)
    for role in ("reader", "buyer"):
        client = api.client(role)
        assert client.get(f"{URL}/{item}").status_code == 200
        for action in ("notes", "done", "repost"):
            answer = client.post(f"{URL}/{item}/{action}", json={"text": "x"})
            assert answer.json()["code"] == "permission.missing"


def test_odd_questions_are_refused_in_words(admin: httpx.Client, poisoned: BoxStream) -> None:
    for unknown in ("entry:zz:1", "drill:999999", item_of(poisoned, 0), "x' OR 1=1 --"):
        answer = admin.get(f"{URL}/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "work.unknown")
    empty = admin.post(f"{URL}/{item_of(poisoned, 1)}/notes", json={"text": "  "})
    assert empty.json()["code"] == "work.text"


def test_what_still_makes_no_sense_stays_an_item(
    database: Database, admin: httpx.Client, poisoned: BoxStream
) -> None:
    answer = admin.post(f"{URL}/{item_of(poisoned, 1)}/repost").raise_for_status()
    assert answer.json() == {"flag": "ledger.totals"}
    assert sales(database, poisoned) == 2
    assert len(items(admin, store=poisoned.store_id)) == 1


def test_newer_software_books_it_once_and_the_item_is_settled(
    database: Database, admin: httpx.Client, poisoned: BoxStream
) -> None:
    item = item_of(poisoned, 1)
    mend(database, poisoned)
    assert admin.post(f"{URL}/{item}/repost").raise_for_status().json() == {"flag": None}
    assert sales(database, poisoned) == 3
    [row] = items(admin, store=poisoned.store_id, state="done")
    assert (row["how"], row["code"], row["by"]) == ("reposted", "ledger.totals", "admin")
    again = admin.post(f"{URL}/{item}/repost")
    assert again.json()["code"] == "work.done_before"
    assert sales(database, poisoned) == 3


def mend(database: Database, box: BoxStream) -> None:
    """What an update of the software does: the books can read that sale now."""
    body = json.loads(box.bodies[1])
    body["data"]["sale"]["totals"]["gross_minor"] -= 1
    packed = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE entry SET body = :body WHERE stream_id = :stream AND seq = 1"),
            {"body": packed.encode(), "stream": box.stream_id},
        )


def test_an_id_that_is_booked_is_never_booked_again(
    database: Database, admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append_sales(1)
    box.append(SaleCompleted(a_sale(9)), entry_id=box.id_at(0))
    take(box)
    answer = admin.post(f"{URL}/{item_of(box, 1)}/repost")
    assert answer.json()["code"] == "work.posted_before"
    assert sales(database, box) == 1
    assert len(items(admin, store=box.store_id)) == 1


def test_a_salvaged_record_is_shown_with_what_it_carries(
    database: Database, admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append_sales(1)
    second = BoxStream(box.dev, box.store_id, ordinal=2)
    enrol(database, second)
    inner = wrong_totals(box.bodies[0]).decode()
    second.append(
        EntrySalvaged(box.stream_id.hex(), 0, box.hashes[0].hex(), inner), entry_id=box.id_at(0)
    )
    take(second)
    shown = admin.get(f"{URL}/{item_of(second, 0)}").raise_for_status().json()
    assert shown["code"] == "ledger.totals"
    assert json.loads(shown["text"])["data"]["body"]["type"] == "sale.completed"


def test_forks_failed_drills_bad_segments_and_certificates_are_items_too(
    database: Database, admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append_sales(1)
    take(box)
    values = {"stream": box.stream_id, "store": box.store_id, "id": box.id_at(0)}
    with database.begin() as connection:
        for statement in (
            "UPDATE stream SET status = 'fork' WHERE stream_id = :stream",
            """INSERT INTO restore_drill (at_ms, took_ms, is_ok, report)
               VALUES (5, 1, false, '{"because": "no space"}')""",
            """INSERT INTO segment (stream_id, store_id, from_seq, to_seq, prev_hash, head_hash,
                   object, bytes, sealed_at_ms, flaw)
               VALUES (:stream, :store, 0, 0, '', '', 'x', 1, 7, 'segment.chain')""",
            """INSERT INTO day_certificate (entry_id, store_id, business_date, stream_id, last_seq,
                   document, box_sig)
               VALUES (CAST(:id AS uuid), :store, '2017-08-07', :stream, 0, '{"tills":[]}', '')""",
            """INSERT INTO day_certificate_check (entry_id, store_id, state, flaw, checked_at_ms)
               VALUES (CAST(:id AS uuid), :store, 'differs', 'certificate.gap', 9)""",
        ):
            connection.execute(text(statement), values)
    found = {row["kind"]: row for row in items(admin, store=box.store_id)}
    codes = {kind: row["code"] for kind, row in found.items()}
    assert codes == {
        "stream": "stream.fork",
        "segment": "segment.chain",
        "certificate": "certificate.gap",
    }
    [drill] = items(admin, code="drill.failed")
    assert drill["store_id"] is None
    texts = {
        kind: admin.get(f"{URL}/{row['item']}").raise_for_status().json()["text"]
        for kind, row in {**found, "drill": drill}.items()
    }
    assert texts["drill"] == '{\n  "because": "no space"\n}'
    assert texts["certificate"] == '{\n  "tills": []\n}'
    answer = admin.post(f"{URL}/{drill['item']}/repost")
    assert answer.json()["code"] == "work.not_an_entry"
    admin.post(f"{URL}/{drill['item']}/done", json={"text": "disk replaced"}).raise_for_status()
    assert items(admin, code="drill.failed") == []


def test_a_box_that_speaks_but_whose_journal_stands_still_is_an_item(
    database: Database, admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append_sales(1)
    take(box)
    insert = text(
        "INSERT INTO box_state (dev, store_id, online, last_contact_at_ms, unsynced)"
        " VALUES (:dev, :store, true, :at, :unsynced)"
        " ON CONFLICT (dev) DO UPDATE SET last_contact_at_ms = :at, unsynced = :unsynced"
    )
    found = []
    quarter_ms = 900_000
    for after_ms, unsynced in ((quarter_ms, 5), (quarter_ms + 1, 5), (quarter_ms + 1, 0)):
        values = {"dev": box.dev, "store": box.store_id, "unsynced": unsynced}
        with database.begin() as connection:
            connection.execute(insert, {**values, "at": START_MS + after_ms})
        found.append([row["item"] for row in items(admin, store=box.store_id)])
    item = f"stuck:{box.dev}:{START_MS}"
    assert found == [[], [item], []]
    assert admin.get(f"{URL}/{item}").status_code == 404  # it goes on: nothing to look at


def test_the_command_line_does_the_same(
    database: Database,
    poisoned: BoxStream,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", database.url.replace("+psycopg", ""))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    item = item_of(poisoned, 1)

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["work-items", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = run("list", "--store", poisoned.store_id)
    assert code == 0
    assert said.splitlines()[0].split("\t")[0::3] == [item, "The sums of a sale do not add up"]
    assert said.endswith("1 open.\n")
    code, said = run("show", item, "--language", "zh-CN")
    assert "一笔销售的合计对不上 (ledger.totals)" in said
    assert '"sale.completed"' in said
    assert run("repost", item) == (1, f"{item} is still not booked: ledger.totals\n")
    assert run("done", item, "--reason", "by hand") == (0, f"{item} is settled.\n")
    assert run("done", item, "--reason", "by hand")[0] == 1
    [row] = json.loads(run("list", "--done", "--store", poisoned.store_id, "--json")[1])
    assert row["by"].endswith("(command line)")


def test_every_flag_that_ingest_and_the_books_give_has_words() -> None:
    sources = Path(__file__).parents[3] / "cloud"
    codes = {desk.REPEATED, desk.UNPOSTABLE, desk.UNSALVAGED}
    for path in sorted((sources / "ledger").glob("*.py")):
        codes |= set(re.findall(r'RefusedError\("(ledger\.\w+)"', path.read_text("utf-8")))
    codes |= set(re.findall(r'return "(entry\.\w+)"', Path(str(entry.__file__)).read_text("utf-8")))
    assert len(codes) > 9
    texts = texts_of("en")
    missing = [
        f"work.{code}.{part}"
        for code in sorted(codes)
        for part in ("title", "what", "do")
        if f"work.{code}.{part}" not in texts
    ]
    assert missing == []


def test_half_a_surrogate_pair_does_not_hide_a_record(
    admin: httpx.Client, new_box: NewBox, take: Take
) -> None:
    box = new_box()
    box.append_sales(1)
    body = json.loads(wrong_totals(box.bodies.pop()))
    box.hashes.pop()
    body["data"]["sale"]["operator"] = "\ud800"
    box.append_body(json.dumps(body).encode())
    take(box)
    assert '"operator": "?"' in admin.get(f"{URL}/{item_of(box, 0)}").json()["text"]
