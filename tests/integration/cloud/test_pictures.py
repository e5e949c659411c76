"""Pictures over HTTP: uploaded, made anew, named by items, given out as nothing but a picture."""

from __future__ import annotations

import base64
import io

import httpx
from PIL import Image

from cloud.db import Database
from cloud.item.service import ItemRecords
from tests.builders import a_gtin
from tests.lab.cloud_api import CloudApi

TABLE = "ean13,name,department,category,brand,package_size,weighed,plu\n{gtin},Tea,,,,,no,\n"


def a_photograph(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (900, 300), colour).save(file, "JPEG")
    return file.getvalue()


def sent(client: httpx.Client, data: bytes, path: str = "/v1/pictures") -> httpx.Response:
    return client.post(path, content=data, headers={"Content-Type": "image/jpeg"})


def published_image(database: Database) -> dict[str, str]:
    """What stores would be told of the pictures of what waits."""
    with database.begin() as connection:
        drafts = [each.record for each in ItemRecords().drafts(connection)]
    return {each.key: (each.body or {}).get("image", "") for each in drafts}


def test_an_item_gets_a_picture_and_stores_are_told_its_name(
    admin: httpx.Client, database: Database
) -> None:
    gtin = a_gtin(71)
    admin.post("/v1/items/import", content=TABLE.format(gtin=gtin)).raise_for_status()
    made = sent(admin, a_photograph()).raise_for_status().json()
    assert (made["width"], made["height"]) == (512, 171)
    assert sent(admin, a_photograph()).json()["image"] == made["image"], "the same one is kept once"
    change = {"image": made["image"], "reason": "new photograph"}
    put = admin.put(f"/v1/items/{gtin}/picture", json=change).raise_for_status()
    assert put.json()["updated"] == 1
    name = made["image"].removeprefix("sha256:")
    assert published_image(database)[gtin] == name
    event = admin.get(f"/v1/items/{gtin}/history").json()["events"][0]
    assert event["reason"] == "new photograph"
    found = admin.get(f"/v1/pictures/{name}").raise_for_status()
    assert found.headers["Content-Type"] == "image/webp"
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "immutable" in found.headers["Cache-Control"]
    assert Image.open(io.BytesIO(found.content)).size == (512, 171)
    admin.put(f"/v1/items/{gtin}/picture", json={"image": ""}).raise_for_status()
    assert published_image(database)[gtin] == ""


def test_what_is_no_picture_is_refused_and_no_other_object_is_given_out(
    api: CloudApi, admin: httpx.Client
) -> None:
    for path in ("/v1/pictures", "/v1/pictures/logo"):
        refused = sent(admin, b"<svg onload='alert(1)'/>", path)
        assert (refused.status_code, refused.json()["code"]) == (422, "picture.unreadable")
    assert sent(admin, bytes(13 << 20)).status_code == 413
    other = api.context.objects.put(b"no picture at all")
    assert admin.get(f"/v1/pictures/{other}").status_code == 404
    assert admin.get(f"/v1/pictures/{'0' * 64}").status_code == 404
    unknown = admin.put(f"/v1/items/{a_gtin(99)}/picture", json={"image": ""})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "item.unknown")


def test_a_logo_comes_back_as_the_setting_that_receipts_print(admin: httpx.Client) -> None:
    made = sent(admin, a_photograph("black"), "/v1/pictures/logo").raise_for_status().json()
    picture = Image.open(io.BytesIO(base64.b64decode(made["png"])))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "1", (576, 192))
    body = {"place": "chain", "name": "logo", "from_local": "", "value": {"png": made["png"]}}
    assert admin.put("/v1/settings", json=body).raise_for_status().json() == {"changed": 1}
    assert admin.put("/v1/settings", json=body | {"value": None}).is_success
