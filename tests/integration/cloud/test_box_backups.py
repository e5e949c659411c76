"""Boxes hand their sealed backups in; head office keeps the newest and sees who does not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cloud.archive.places import stash_of
from cloud.archive.s3 import S3Place
from cloud.archive.s3_stash import PART_BYTES, S3Stash
from cloud.archive.stash import FileStash, Stash, writing
from cloud.backup.boxes import KEEP_PER_BOX, PAUSE_MS, signed_keys
from cloud.backup.service import BOX_LATE_MS
from cloud.seal_cipher import CIPHER
from edge.backup.cli import nightly_of
from edge.backup.nightly import OFFICE
from edge.copy.verify import heads_of
from edge.identity import Identity
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.sync.enrol import enrol
from shared.kernel.errors import MissingError
from shared.wire.sealed import Sealed, SealingWriter, by_private, opened
from tests.integration.edge.boxes import a_clock, a_sale_draft, open_day
from tests.lab.cloud_api import CloudApi, SettableClock
from tests.lab.s3 import S3Server

PRIVATE = bytes(range(90, 122))
PUBLIC = CIPHER.public_of(PRIVATE)
_stores = itertools.count(4_300)


@pytest.fixture(scope="module")
def api(migrated_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    changed = {"backup_recipients": PUBLIC.hex()}
    running = CloudApi(migrated_url, tmp_path_factory.mktemp("cloud"), changed=changed).start()
    yield running
    running.stop()


@pytest.fixture
def box(api: CloudApi, tmp_path: Path) -> tuple[Path, Identity]:
    """An enrolled box of a store of its own that has sold."""
    store = str(next(_stores))
    body = {"name": "Main street", "time_zone": "America/New_York", "currency": "USD"}
    admin = api.client()
    admin.put(f"/v1/stores/{store}", json=body).raise_for_status()
    token = admin.post("/v1/claims", json={"store_id": store}).json()["token"]
    folder = tmp_path / "box"
    identity = enrol(folder, api.url, token)
    journal = Journal(folder / "journal.db", identity, a_clock(), load(folder / KEY_FILE))
    journal.open()
    open_day(journal)
    for _ in range(3):
        journal.append(a_sale_draft(journal))
    journal.close()
    return folder, identity


def clock_of(api: CloudApi) -> SettableClock:
    assert isinstance(api.clock, SettableClock)
    return api.clock


def bearer(identity: Identity) -> dict[str, str]:
    return {"Authorization": f"Bearer {identity.dev}.{identity.secret}"}


def a_sealed_file(made_by: str, kind: str = "box") -> bytes:
    out = bytearray()
    about = Sealed(kind, made_by, 1, "tail")
    writer = SealingWriter(CIPHER, about, [PUBLIC], bytes(range(64)), out.extend)
    writer.write(b"what only the box knows")
    writer.close()
    return bytes(out)


def put(api: CloudApi, identity: Identity, data: bytes, stick: str = "ok") -> httpx.Response:
    return api.stranger().put(
        "/v1/device/backup", params={"stick": stick}, content=data, headers=bearer(identity)
    )


def test_a_box_backs_up_to_head_office_by_itself(api: CloudApi, box: tuple[Path, Identity]) -> None:
    folder, identity = box
    nightly = nightly_of(folder, heads_of, lambda: False)
    assert nightly.turn(OFFICE).error == ""
    assert nightly.state()[OFFICE].ok_ms > 0
    (stashed,) = stash_of(api.context.settings).files(f"box/{identity.dev}/")
    file = stash_of(api.context.settings).chunks(stashed.name)
    plain = b"".join(opened(file, CIPHER, by_private(CIPHER, PRIVATE)))
    assert f"tillbox-{identity.stream}.jsonl".encode() in plain
    assert identity.secret.encode() not in plain


def test_what_is_no_backup_of_that_box_is_not_kept(
    api: CloudApi, box: tuple[Path, Identity]
) -> None:
    identity = box[1]
    other = "d-" + "z" * 16
    for wrong in (b"", b"hello", a_sealed_file(other), a_sealed_file(identity.dev, "base")):
        answer = put(api, identity, wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "backup.form")
    assert put(api, identity, a_sealed_file(identity.dev), "no <stick>").status_code == 422
    assert list(stash_of(api.context.settings).files(f"box/{identity.dev}/")) == []


def test_the_newest_of_a_box_stay_and_one_in_ten_minutes_is_enough(
    api: CloudApi, box: tuple[Path, Identity]
) -> None:
    identity = box[1]
    file = a_sealed_file(identity.dev)
    for _ in range(KEEP_PER_BOX + 2):
        clock_of(api).at_ms += PAUSE_MS
        assert put(api, identity, file).status_code == 201
    assert put(api, identity, file).json()["code"] == "backup.too_often"
    kept = list(stash_of(api.context.settings).files(f"box/{identity.dev}/"))
    assert len(kept) == KEEP_PER_BOX


def test_head_office_sees_who_hands_none_in(api: CloudApi, box: tuple[Path, Identity]) -> None:
    identity, admin = box[1], api.client()
    clock_of(api).at_ms += PAUSE_MS
    put(api, identity, a_sealed_file(identity.dev), "backup.no_stick")
    told = admin.get("/v1/backups").json()
    assert identity.dev not in {each["dev"] for each in told["late"]}
    assert (told["is_on"], told["base"], told["verified"]) == (True, None, None)
    assert "drill_old" in told["concerns"]
    clock_of(api).at_ms += BOX_LATE_MS + 1
    admin = api.client()  # nobody is signed in for that long
    late = {each["dev"]: each for each in admin.get("/v1/backups").json()["late"]}
    assert late[identity.dev]["stick"] == "backup.no_stick"
    table = admin.get("/v1/backups/late.csv")
    assert identity.dev in table.text


def test_the_list_of_keys_is_as_old_as_its_last_change(
    api: CloudApi, box: tuple[Path, Identity]
) -> None:
    headers = bearer(box[1])
    first = api.stranger().get("/v1/device/backup-keys", headers=headers).json()
    clock_of(api).at_ms += PAUSE_MS
    assert api.stranger().get("/v1/device/backup-keys", headers=headers).json() == first
    assert first["keys"] == [PUBLIC.hex()]
    assert api.stranger().get("/v1/device/backup-keys").status_code == 401
    other, context = CIPHER.public_of(bytes(32)), api.context
    told = signed_keys(context.database, context.hq_key, (other,), first["at"] - PAUSE_MS)
    assert told.at_ms > first["at"], "the clock was ahead once: boxes take the new list anyway"


@pytest.fixture(params=["folder", "s3"])
def stash(request: pytest.FixtureRequest, tmp_path: Path) -> Stash:
    if request.param == "folder":
        return FileStash(tmp_path)
    s3: S3Server = request.getfixturevalue("s3")
    s3.create_bucket("stash")
    place = S3Place("stash", s3.endpoint, "us-east-1", s3.access_key, s3.secret_key, "backup/")
    return S3Stash(place)


def test_a_stash_keeps_files_of_any_size_whole_or_not_at_all(stash: Stash) -> None:
    large = bytes(range(256)) * (PART_BYTES // 256) + b"the rest"
    for name, data in (("base/empty.tbk", b""), ("wal/small.tbk", b"x"), ("base/large.tbk", large)):
        with writing(stash, name) as write:
            for at in range(0, len(data), 5 << 20):
                write(data[at : at + (5 << 20)])
        assert b"".join(stash.chunks(name)) == data
    assert [(each.name, each.size) for each in stash.files("base/")] == [
        ("base/empty.tbk", 0),
        ("base/large.tbk", len(large)),
    ]
    with pytest.raises(ZeroDivisionError):
        break_off(stash, "base/half.tbk", large)
    stash.delete("base/large.tbk")
    stash.delete("base/large.tbk")
    assert [each.name for each in stash.files("base/")] == ["base/empty.tbk"]
    for name in ("base/large.tbk", "base/../../etc/passwd", "/etc/passwd", "nothing"):
        with pytest.raises(MissingError, match=r"backup\.missing"):
            next(stash.chunks(name))
    assert not stash.keeps_versions()


def break_off(stash: Stash, name: str, data: bytes) -> None:
    with writing(stash, name) as write:
        write(data)
        raise ZeroDivisionError
