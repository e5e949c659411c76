"""How far stores are, as the console asks for it, and what a box fetches in one answer."""

from __future__ import annotations

import csv
import io

import httpx
import pytest
from sqlalchemy import text

from cloud.publication.matrix import CSV_COLUMNS
from shared.kernel.canonical import sha256
from shared.publication.manifest import parse_manifest, pieces_needed
from shared.wire.frames import Frame, FrameKind, FrameReader
from tests.fakes.enrolment import enrol_body, journal_key
from tests.integration.cloud.publications import head_of, publish_all
from tests.lab.cloud_api import CloudApi

ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
GTIN = "4006381333931"


@pytest.fixture(scope="module")
def boxes(api: CloudApi, admin: httpx.Client) -> dict[str, httpx.Client]:
    """Stores 1 to 3, of which two have a box; a client that speaks as each box."""
    for store_id in ("1", "2", "3"):
        body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": "CNY"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()
    row = f"{ITEM_HEADER}\n{GTIN},Tea,GROCERY,,,,0,"
    admin.post("/v1/items/import", content=row.encode()).raise_for_status()
    publish_all(admin).raise_for_status()
    found = {}
    for number, store_id in enumerate(("1", "2"), start=1):
        token = admin.post("/v1/claims", json={"store_id": store_id}).json()["token"]
        body = enrol_body(token, journal_key(f"{number:02x}" * 32), api.clock.now_ms())
        client = api.stranger()
        box = client.post("/v1/enrol", json=body).json()
        client.headers["Authorization"] = f"Bearer {box['dev']}.{box['secret']}"
        found[store_id] = client
    return found


def report(api: CloudApi, store_id: str, stored: int, active: int, shown: int | None) -> None:
    """What a box says of itself, as a worker keeps it."""
    with api.context.database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO box_state (dev, store_id, last_contact_at_ms, stored_rev, active_rev,
                                   shown_rev)
            SELECT dev, store_id, :now, :stored, :active, :shown FROM device
            WHERE store_id = :store AND status = 'active'
            ON CONFLICT (dev) DO UPDATE SET stored_rev = excluded.stored_rev,
                active_rev = excluded.active_rev, shown_rev = excluded.shown_rev"""),
            {
                "now": api.clock.now_ms(),
                "store": store_id,
                "stored": stored,
                "active": active,
                "shown": shown,
            },
        )


def change(admin: httpx.Client, minor: int, *stores: str) -> None:
    body = {"gtin": GTIN, "store_ids": list(stores), "regular_minor": minor, "from_at_ms": minor}
    admin.post("/v1/prices", json=body | {"confirm_large": True}).raise_for_status()


def test_each_kind_is_judged_by_the_newest_revision_that_changed_it(
    api: CloudApi, admin: httpx.Client, boxes: dict[str, httpx.Client]
) -> None:
    assert set(boxes) == {"1", "2"}
    change(admin, 150, "1", "2")
    rev: int = publish_all(admin).json()["rev"]
    report(api, "1", rev, rev - 1, rev - 1)
    report(api, "2", rev, rev, None)
    matrix = admin.get("/v1/convergence/matrix").json()
    rows = {row["store_id"]: row for row in matrix["stores"]}
    assert (rows["1"]["state"], rows["1"]["because"]) == ("staged", "not_activated")
    cells = rows["1"]["cells"]
    assert (cells["price"]["state"], cells["price"]["target"]) == ("staged", rev)
    assert (cells["catalog"]["state"], cells["catalog"]["running"]) == ("current", rev - 1)
    assert cells["price"]["since_ms"] == rows["1"]["announced_at_ms"] == api.clock.now_ms()
    assert (rows["2"]["cells"]["price"]["because"], rows["3"]["state"]) == (
        "till_not_shown",
        "silent",
    )
    assert matrix["counts"] == {"staged": 1, "not_shown": 1, "silent": 1}
    assert matrix["kinds_counts"]["software"] == {"current": 3}
    assert matrix["reached"] == {"total": 3, "stored": 2, "active": 1, "shown": 0}
    summary = admin.get("/v1/convergence/summary").json()
    assert (summary["states"], summary["target_rev"]) == (matrix["counts"], rev)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["1", "2", "3"]),
        ({"state": "staged"}, ["1"]),
        ({"state": "not_shown"}, ["2"]),
        ({"state": "behind"}, ["1", "2", "3"]),
        ({"state": "behind", "kind": "price"}, ["1", "2", "3"]),
        ({"state": "staged", "kind": "catalog"}, []),
        ({"q": "store 2"}, ["2"]),
        ({"q": "3"}, ["3"]),
        ({"group": "north"}, ["2"]),
        ({"size": 2, "page": 2}, ["3"]),
    ],
)
def test_stores_are_found_by_state_group_and_word(
    api: CloudApi,
    admin: httpx.Client,
    boxes: dict[str, httpx.Client],
    asked: dict[str, str],
    found: list[str],
) -> None:
    assert boxes
    with api.context.database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO store_group (group_id, name) VALUES ('north', 'North')
            ON CONFLICT DO NOTHING""")
        )
        connection.execute(
            text("""
            INSERT INTO store_group_member (group_id, store_id) VALUES ('north', '2')
            ON CONFLICT DO NOTHING""")
        )
    matrix = admin.get("/v1/convergence/matrix", params=asked).json()
    assert [row["store_id"] for row in matrix["stores"]] == found
    if "size" not in asked:
        table = admin.get("/v1/convergence/matrix.csv", params=asked)
        header, *rows = csv.reader(io.StringIO(table.text))
        assert header == list(CSV_COLUMNS)
        assert [row[0] for row in rows] == found


def fetched(client: httpx.Client, asked: dict[str, object]) -> list[tuple[Frame, bytes]]:
    """The frames of an answer, each object held to its name."""
    answer = client.post("/v1/catalog/fetch", json=asked)
    answer.raise_for_status()
    reader, found = FrameReader(), []
    for part in reader.feed(answer.content):
        if isinstance(part, Frame):
            found.append((part, b""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + part)
    reader.finish()
    assert all(sha256(data) == frame.sha256 for frame, data in found[:-1])
    return found


def test_a_box_fetches_all_it_needs_in_one_answer(
    api: CloudApi, admin: httpx.Client, boxes: dict[str, httpx.Client]
) -> None:
    change(admin, 160, "1")
    publish_all(admin).raise_for_status()
    manifest = head_of(api, "1")
    with api.context.database.begin() as connection:
        name = connection.execute(
            text("SELECT manifest_sha FROM zone_revision WHERE zone = 'store-1' AND rev = :rev"),
            {"rev": manifest.rev},
        ).scalar_one()
    asked = {"manifest": name, "have_rev": manifest.rev - 1, "have_inc": manifest.inc}
    (head, data), *rest = fetched(boxes["1"], asked)
    assert (head.kind, parse_manifest(data)) == (FrameKind.MANIFEST, manifest)
    assert [frame.sha256.hex() for frame, _ in rest[:-1]] == [manifest.deltas[-1].sha256]
    whole = fetched(boxes["1"], {"manifest": name, "have_rev": 0})
    wanted = [piece.sha256 for piece in pieces_needed(manifest, 0, "")]
    assert [frame.sha256.hex() for frame, _ in whole[1:-1]] == wanted
    foreign = boxes["2"].post("/v1/catalog/fetch", json=asked)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "object.missing")
    assert api.stranger().post("/v1/catalog/fetch", json=asked).status_code == 401
