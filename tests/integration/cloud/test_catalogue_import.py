"""CSV tables: all or nothing, every error named."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

ITEM_HEADER = "ean13,name,department,category,brand,package_size,weighed,plu"
PRICE_HEADER = "store_id,ean13,effective_at,regular_price_cents,member_price_cents"
MILK, BREAD, TEA, APPLES = "4006381333931", "5901234123457", "9771234567003", "4012345678901"


@pytest.fixture(scope="module", autouse=True)
def _stores(admin: httpx.Client) -> None:
    for store_id, zone in (("1", "America/New_York"), ("2", "Asia/Shanghai")):
        body = {"name": f"Store {store_id}", "time_zone": zone, "currency": "USD"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()


def send_items(client: httpx.Client, *rows: str) -> httpx.Response:
    return client.post("/v1/items/import", content="\r\n".join([ITEM_HEADER, *rows]).encode())


def send_prices(client: httpx.Client, *rows: str) -> httpx.Response:
    return client.post("/v1/prices/import", content="\n".join([PRICE_HEADER, *rows]).encode())


def errors(answer: httpx.Response) -> list[tuple[int, str | None, str]]:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error_count"] == len(answer.json()["errors"])
    return [(row["line"], row["column"], row["code"]) for row in answer.json()["errors"]]


def total(client: httpx.Client, q: str = "") -> int:
    found: int = client.get("/v1/items", params={"q": q}).json()["total"]
    return found


def test_a_table_is_taken_over_and_a_second_time_changes_nothing(admin: httpx.Client) -> None:
    rows = (f"{MILK},Milk 牛奶,DAIRY,MILK,,1 L,0,", f"{APPLES},Apples,PRODUCE,,,,1,17")
    assert send_items(admin, *rows).json() == {
        "rows": 2, "created": 2, "updated": 0, "unchanged": 0,
    }  # fmt: skip
    assert send_items(admin, *rows).json()["unchanged"] == 2
    renamed = send_items(admin, f"{MILK},Whole milk 牛奶,DAIRY,MILK,,1 L,0,").json()
    assert (renamed["updated"], renamed["created"]) == (1, 0)
    found = admin.get("/v1/items", params={"q": "APPLES"}).json()["items"]
    assert [(item["gtin"], item["plu"], item["is_weighed"]) for item in found] == [
        (APPLES, "00017", True)
    ]


def test_every_bad_row_is_named_and_nothing_is_imported(admin: httpx.Client) -> None:
    before = total(admin)
    answer = send_items(
        admin,
        f"{BREAD},Bread,BAKERY,,,,0,",
        "5901234123458,Wrong digit,,,,,0,",
        f"{TEA},,,,,,maybe,123456",
        "too,few",
        f"{BREAD},Bread again,BAKERY,,,,0,",
        f'{TEA},"Tea\twith a tab",,,,,0,',
        f'{TEA},"Tea',
    )
    assert errors(answer) == [
        (3, "ean13", "barcode.check_digit"),
        (4, "name", "import.required"),
        (4, "weighed", "import.yes_or_no"),
        (4, "plu", "item.plu"),
        (5, None, "import.cells"),
        (6, "ean13", "import.duplicate"),
        (7, "name", "import.characters"),
        (8, None, "import.syntax"),
    ]
    assert all(row["detail"] for row in answer.json()["errors"])
    assert total(admin) == before


def test_a_header_without_the_right_columns_is_refused(admin: httpx.Client) -> None:
    answer = admin.post("/v1/items/import", content=b"ean13,name,price\n1,2,3\n")
    assert (1, "price", "import.column_unknown") in errors(answer)
    assert (1, "brand", "import.column_missing") in errors(answer)
    assert errors(admin.post("/v1/items/import", content=b"")) == [(1, None, "import.empty")]


def test_bytes_that_are_no_text_are_named_by_their_line(admin: httpx.Client) -> None:
    body = ITEM_HEADER.encode() + f"\n{BREAD},Br\xe9d,,,,,0,\n".encode("latin-1")
    found = errors(admin.post("/v1/items/import", content=body))
    assert found == [(2, None, "import.encoding")]


def test_a_byte_order_mark_and_columns_in_another_order_are_fine(admin: httpx.Client) -> None:
    header = ",".join(reversed(ITEM_HEADER.split(",")))
    body = f"\ufeff{header}\n,0,,,,,Bread,{BREAD}\n".encode()
    assert admin.post("/v1/items/import", content=body).json()["created"] == 1


def test_a_plu_belongs_to_one_item_but_may_move_within_a_table(admin: httpx.Client) -> None:
    taken = send_items(admin, f"{TEA},Tea,,,,,1,17")
    assert errors(taken) == [(2, "plu", "item.plu_taken")]
    moved = send_items(admin, f"{TEA},Tea,,,,,1,17", f"{APPLES},Apples,PRODUCE,,,,1,18")
    assert moved.status_code == 200
    send_items(admin, f"{TEA},Tea,,,,,0,", f"{APPLES},Apples,PRODUCE,,,,1,17").raise_for_status()


def test_an_exported_catalogue_can_be_imported_again(admin: httpx.Client) -> None:
    exported = admin.get("/v1/items.csv")
    assert exported.headers["content-type"].startswith("text/csv")
    again = admin.post("/v1/items/import", content=exported.content).json()
    assert again == {"rows": total(admin), "created": 0, "updated": 0, "unchanged": total(admin)}


def test_every_bad_price_is_named_and_nothing_is_imported(admin: httpx.Client) -> None:
    answer = send_prices(
        admin,
        f"1,{MILK},2026-01-05 08:00:00,199,",
        f"9,{MILK},2026-01-05 08:00:00,199,",
        f"1,{MILK},yesterday,199,",
        f"1,{MILK},2026-01-05,-5,",
        f"1,{MILK},2026-01-05,100000000,",
        f"1,{MILK},2026-01-05,0,",
        f"1,{MILK},2026-01-05,100,101",
        f"1,{MILK},2026-01-05,1.99,",
        f"1,{MILK},1926-01-05,199,",
        "1,4000000000013,2026-01-05,199,",
        f"1,{MILK},2026-01-05T13:00:00Z,199,",
        f"1,{MILK},2026-01-06,{'9' * 40},",
    )
    assert errors(answer) == [
        (3, "store_id", "store.unknown"),
        (4, "effective_at", "import.time"),
        (5, "regular_price_cents", "price.negative"),
        (6, "regular_price_cents", "price.absurd"),
        (7, "regular_price_cents", "price.zero"),
        (8, "regular_price_cents", "price.member_above_regular"),
        (9, "regular_price_cents", "import.whole_number"),
        (10, "effective_at", "import.time_range"),
        (11, "ean13", "item.unknown"),
        (12, None, "import.duplicate"),
        (13, "regular_price_cents", "import.whole_number"),
    ]
    assert admin.get("/v1/prices", params={"gtin": MILK}).json()["prices"] == []


def test_prices_begin_at_the_stores_own_time(admin: httpx.Client) -> None:
    rows = [
        f"1,{MILK},2026-01-05 08:00:00,199,",
        f"2,{MILK},2026-01-05 08:00:00,299,0",
        f"2,{MILK},2026-01-06T00:00:00+01:00,301,300",
    ]
    assert send_prices(admin, *rows).json()["created"] == 3
    assert send_prices(admin, *rows).json()["unchanged"] == 3
    found = admin.get("/v1/prices", params={"gtin": MILK}).json()["prices"]
    assert [(row["store_id"], row["from_at_ms"], row["member_minor"]) for row in found] == [
        ("2", 1_767_654_000_000, 300),
        ("1", 1_767_618_000_000, None),
        ("2", 1_767_571_200_000, 0),
    ]


def test_a_correction_adds_a_row_and_the_later_one_counts(admin: httpx.Client) -> None:
    corrected = send_prices(admin, f"1,{MILK},2026-01-05 08:00:00,189,").json()
    assert corrected == {"rows": 1, "created": 0, "updated": 1, "unchanged": 0}
    exported = admin.get("/v1/prices.csv", params={"store": "1"}).text.splitlines()
    assert exported[1:] == [f"1,{MILK},2026-01-05T13:00:00+00:00,189,,"]
    again = admin.post("/v1/prices/import", content=admin.get("/v1/prices.csv").content).json()
    assert again["unchanged"] == again["rows"] == 3


def test_a_body_above_its_limit_is_refused_before_it_is_read(admin: httpx.Client) -> None:
    assert admin.post("/v1/publications", content=b" " * (1 << 20 | 1)).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(3):
            yield b"," * (1 << 19)

    answer = admin.post("/v1/publications", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


def test_words_of_a_search_may_hold_any_sign(admin: httpx.Client) -> None:
    assert total(admin, "milk whole") == 1
    assert total(admin, "牛奶") == 1
    assert [total(admin, q) for q in ("%", "_", "\\", "'")] == [0, 0, 0, 0]


def test_a_large_table_is_imported_within_its_memory(admin: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield f"{ITEM_HEADER}\n".encode()
        for number in range(2000):
            yield f"{_ean(number)},Thing {number},BULK,,,,0,\n".encode()

    assert admin.post("/v1/items/import", content=body()).json()["created"] == 2000
    page = admin.get("/v1/items", params={"department": "BULK", "size": 3, "page": 2}).json()
    assert (len(page["items"]), page["total"]) == (3, 2000)


def _ean(number: int) -> str:
    body = f"690{number:09d}"
    odd = sum(int(digit) for digit in body[::2])
    even = sum(int(digit) for digit in body[1::2])
    return body + str(-(odd + 3 * even) % 10)


def test_columns_that_a_table_leaves_out_stay_as_they_are(admin: httpx.Client) -> None:
    wide = f"{ITEM_HEADER},tags,cost_cents,promotable\n{BREAD},Rye,BAKERY,,,,0,,rye|new,120,0\n"
    admin.post("/v1/items/import", content=wide.encode()).raise_for_status()
    assert send_items(admin, f"{BREAD},Rye bread,BAKERY,,,,0,").json()["updated"] == 1
    (found,) = admin.get("/v1/items", params={"q": "Rye"}).json()["items"]
    assert (found["name"], found["tags"]) == ("Rye bread", ["new", "rye"])
    assert (found["cost_minor"], found["is_promotable"]) == (120, False)
    emptied = f"{ITEM_HEADER},tags\n{BREAD},Rye bread,BAKERY,,,,0,,\n"
    assert admin.post("/v1/items/import", content=emptied.encode()).json()["updated"] == 1
    (found,) = admin.get("/v1/items", params={"q": "Rye"}).json()["items"]
    assert (found["tags"], found["cost_minor"]) == ([], 120)
