"""Tables in two steps: what would change is shown first, then all of it is written, or nothing."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from tests.lab.cloud_api import CloudApi

MILK, BREAD, CASE = "4006381333931", "5901234123457", "14006381333938"
ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
GOODS_HEADER = f"{ITEM_HEADER},codes,age_limit,tax_class,effective_from"
PRICE_HEADER = "store_id,ean13,effective_at,regular_price_cents,member_price_cents"


@pytest.fixture(scope="module", autouse=True)
def _goods(admin: httpx.Client) -> None:
    body = {"name": "Store 1", "time_zone": "America/New_York", "currency": "USD"}
    admin.put("/v1/stores/1", json=body).raise_for_status()
    taken_over(admin, "items", ITEM_HEADER, f"{MILK},Milk,DAIRY,MILK,,1 L,0,")
    taken_over(admin, "prices", PRICE_HEADER, f"1,{MILK},2026-01-05 08:00,199,180")


def upload(client: httpx.Client, kind: str, *rows: str, **asked: str) -> dict[str, Any]:
    body = "\n".join(rows).encode()
    answer = client.post(f"/v1/imports/{kind}", content=body, params=asked)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def decide(client: httpx.Client, job: dict[str, Any], verb: str, **body: str) -> httpx.Response:
    return client.post(f"/v1/imports/{job['kind']}/{job['job']}/{verb}", json=body)


def taken_over(client: httpx.Client, kind: str, *rows: str) -> dict[str, Any]:
    job = upload(client, kind, *rows)
    assert job["state"] == "open", job["errors"]
    done: dict[str, Any] = decide(client, job, "apply").raise_for_status().json()
    return done


def rows_of(client: httpx.Client, job: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/imports/{job['job']}/rows", params=asked).raise_for_status()
    rows: list[dict[str, Any]] = answer.json()["rows"]
    assert answer.json()["total"] == len(rows)
    return rows


def item(client: httpx.Client, q: str) -> dict[str, Any]:
    (found,) = client.get("/v1/items", params={"q": q}).json()["items"]
    shown: dict[str, Any] = found
    return shown


def test_differences_are_shown_cell_by_cell_before_anything_is_written(
    admin: httpx.Client,
) -> None:
    job = upload(
        admin,
        "items",
        GOODS_HEADER,
        f"{MILK},Whole milk,DAIRY,MILK,,1 L,0,,{CASE}*12*case,0,reduced,",
        f"{BREAD},Rye bread,BAKERY,,,,0,,,0,,",
        name="goods.csv",
        reason="new season",
    )
    counts = ("state", "rows", "created", "changed", "unchanged", "name", "reason")
    assert [job[name] for name in counts] == ["open", 2, 1, 1, 0, "goods.csv", "new season"]
    changed, new = rows_of(admin, job)
    assert (changed["line"], changed["is_new"], changed["key"]) == (2, False, MILK)
    assert changed["cells"] == {
        "name": ["Milk", "Whole milk"],
        "codes": [[], [f"{CASE}*12*case"]],
        "tax_class": ["", "reduced"],
    }
    assert new["is_new"]
    assert new["cells"]["department"] == [None, "BAKERY"]
    assert {"gtin", "is_weighed", "age_limit"}.isdisjoint(new["cells"])
    assert rows_of(admin, job, what="changed") == [changed]
    assert rows_of(admin, job, q="rye") == [new]
    table = admin.get(f"/v1/imports/{job['job']}/rows.csv").text.splitlines()
    assert f"2,{MILK},Whole milk,name,Milk,Whole milk" in table
    assert item(admin, MILK)["name"] == "Milk"

    done = decide(admin, job, "apply").json()
    assert (done["state"], done["decided_by"]) == ("applied", "admin")
    milk = item(admin, CASE)  # a further barcode finds its item
    assert (milk["name"], milk["tax_class"]) == ("Whole milk", "reduced")
    assert milk["codes"] == [{"code": CASE, "units": 12, "uom": "case"}]
    newest, first = admin.get(f"/v1/items/{MILK}/history").json()["events"]
    assert newest["changes"]["name"] == ["Milk", "Whole milk"]
    assert (newest["changed_by"], newest["reason"]) == ("admin", "new season")
    assert (first["is_new"], first["changes"]) == (True, {})
    assert decide(admin, job, "apply").json()["code"] == "import.decided"


def test_what_changed_after_the_preview_is_not_overwritten(admin: httpx.Client) -> None:
    late = upload(admin, "items", ITEM_HEADER, f"{MILK},Late milk,DAIRY,MILK,,1 L,0,")
    taken_over(admin, "items", ITEM_HEADER, f"{MILK},Early milk,DAIRY,MILK,,1 L,0,")
    answer = decide(admin, late, "apply")
    assert (answer.status_code, answer.json()["code"]) == (422, "import.outdated")
    assert item(admin, MILK)["name"] == "Early milk"
    assert decide(admin, late, "discard").json()["state"] == "discarded"
    states = [job["state"] for job in admin.get("/v1/imports").json()["jobs"]]
    assert states[:2] == ["applied", "discarded"]


def test_every_error_is_kept_with_a_table_that_is_refused(admin: httpx.Client) -> None:
    job = upload(
        admin,
        "items",
        GOODS_HEADER,
        f"{BREAD},,BAKERY,,,,0,,{MILK},100,,",
        f"{CASE},Case,,,,,0,,,,,",
        "4012345678901,Nobody,,,,,,,,,,2030-01-01",
        f"{MILK},Old,,,,,,,,,,2020-01-01",
    )
    found = [(each["line"], each["column"], each["code"]) for each in job["errors"]]
    assert (job["state"], job["error_count"]) == ("refused", len(found))
    assert found == [(2, "name", "import.required"), (2, "age_limit", "import.range"),
                     (3, "ean13", "item.code_taken"), (4, "ean13", "item.unknown"),
                     (5, "effective_from", "item.dated_past")]  # fmt: skip
    table = admin.get(f"/v1/imports/{job['job']}/errors.csv").text.splitlines()
    assert table[1] == "2,name,import.required,This cell must not be empty."
    assert decide(admin, job, "apply").json()["code"] == "import.decided"
    assert admin.get("/v1/imports/999").json()["code"] == "import.unknown"
    other = {"kind": "prices", "job": job["job"]}
    assert decide(admin, other, "apply").status_code == 404


def test_a_later_change_is_shown_as_one_and_can_be_taken_back(admin: httpx.Client) -> None:
    later = f"{MILK},Winter milk,,,,,,,,,,2030-12-01"
    done = taken_over(admin, "items", GOODS_HEADER, later)
    assert (done["created"], done["changed"]) == (1, 0)
    shown = item(admin, MILK)
    assert shown["name"] == "Early milk"
    assert shown["later"] == [
        {"from_local": "2030-12-01T00:00", "name": "Winter milk", "tax_class": None, "tax_bp": None}
    ]
    (newest, *_) = admin.get(f"/v1/items/{MILK}/history").json()["events"]
    assert newest["from_local"] == "2030-12-01T00:00"
    assert newest["changes"] == {"name": [None, "Winter milk"]}
    exported = admin.get("/v1/items.csv", params={"q": MILK}).text.splitlines()
    assert exported[2].endswith(",2030-12-01T00:00")
    taken_over(admin, "items", GOODS_HEADER, f"{MILK},,,,,,,,,,,2030-12-01")
    assert item(admin, MILK)["later"] == []


def test_a_workbook_goes_out_and_comes_back_the_same(admin: httpx.Client) -> None:
    taken_over(admin, "items", GOODS_HEADER, f"{MILK},Winter milk,,,,,,,,,,2030-12-01")
    for kind in ("items", "prices"):
        book = admin.get(f"/v1/{kind}.xlsx")
        assert book.headers["content-type"].endswith("spreadsheetml.sheet")
        again = admin.post(f"/v1/imports/{kind}", content=book.content).json()
        assert again["state"] == "open", again["errors"]
        assert again["unchanged"] == again["rows"] > 0
    sheet = load_workbook(io.BytesIO(admin.get("/v1/items.xlsx").content)).worksheets[0]
    assert sheet["A1"].value == "ean13"

    book_of_prices = Workbook()
    assert book_of_prices.active is not None
    book_of_prices.active.append(PRICE_HEADER.split(","))
    book_of_prices.active.append([1, int(MILK), "2026-02-01", 209, None])
    file = io.BytesIO()
    book_of_prices.save(file)
    job = admin.post("/v1/imports/prices", content=file.getvalue()).json()
    (row,) = rows_of(admin, job)
    assert not row["is_new"]  # the place has had a price
    assert row["title"] == "Early milk"
    assert row["cells"]["regular_price_cents"] == [199, 209]
    assert row["cells"]["member_price_cents"] == [180, None]
    decide(admin, job, "apply").raise_for_status()


def test_many_prices_are_changed_through_the_same_preview(admin: httpx.Client) -> None:
    taken_over(
        admin,
        "prices",
        PRICE_HEADER,
        f"chain,{BREAD},2026-01-05,333,",
        f"1,{BREAD},2026-01-05,350,300",
    )
    body = {
        "move": "percent", "value": -1000, "ending": {"step": 10, "rest": 9}, "q": "rye",
        "start": "2030-11-27T00:00",
    }  # fmt: skip
    table = admin.post("/v1/prices/bulk", json=body)
    assert table.text.splitlines()[1:] == [
        f"chain,{BREAD},2030-11-27T00:00,299,,",
        f"1,{BREAD},2030-11-27T05:00:00+00:00,319,269,",
    ]
    job = upload(admin, "prices", *table.text.splitlines(), reason="Black Friday")
    assert [row["cells"]["regular_price_cents"] for row in rows_of(admin, job)] == [
        [333, 299], [350, 319],
    ]  # fmt: skip
    assert rows_of(admin, job)[0]["cells"]["effective_at"] == [None, "2030-11-27T00:00"]
    decide(admin, job, "apply").raise_for_status()
    prices = admin.get("/v1/prices", params={"gtin": BREAD}).json()["prices"]
    assert {(row["scope"], row["reason"]) for row in prices[:2]} == {
        ("", "Black Friday"), ("store-1", "Black Friday"),
    }  # fmt: skip
    refused = admin.post("/v1/prices/bulk", json=body | {"store_ids": ["none"]})
    assert refused.json()["code"] == "store.unknown"


def test_many_items_are_changed_through_the_same_preview(admin: httpx.Client) -> None:
    body = {"q": "milk", "age_limit": 18, "to_department": "BAR", "add_tags": ["adult"]}
    table = admin.post("/v1/items/bulk", json=body).raise_for_status()
    job = upload(admin, "items", *table.text.splitlines())
    (row,) = rows_of(admin, job)
    assert row["cells"] == {
        "department": ["DAIRY", "BAR"],
        "age_limit": [0, 18],
        "tags": [[], ["adult"]],
    }
    decide(admin, job, "apply").raise_for_status()
    assert admin.post("/v1/items/bulk", json=body).text.splitlines()[1:] == []


def test_a_code_moves_between_items_within_one_table(admin: httpx.Client) -> None:
    header = f"{ITEM_HEADER},codes"
    bread = f"{BREAD},Rye bread,BAKERY,,,,0,,{CASE}"
    alone = upload(admin, "items", header, bread)
    assert [each["code"] for each in alone["errors"]] == ["item.code_taken"]
    taken_over(admin, "items", header, bread, f"{MILK},Early milk,BAR,MILK,,1 L,0,,")
    assert item(admin, CASE)["gtin"] == BREAD


def test_who_may_only_read_sees_imports_but_brings_none(api: CloudApi) -> None:
    reader = api.client("reader")
    assert reader.post("/v1/imports/items", content=b"").status_code == 403
    assert reader.post("/v1/imports/prices", content=b"").status_code == 403
    assert reader.get("/v1/imports").status_code == 200


def test_a_file_that_is_no_table_is_refused_in_words(admin: httpx.Client) -> None:
    for content in (b"\x00\xff\xfe\x89PNG", b"PK\x03\x04 no workbook", b""):
        job = admin.post("/v1/imports/items", content=content).raise_for_status().json()
        assert job["state"] == "refused"
        assert all(each["detail"] for each in job["errors"])
