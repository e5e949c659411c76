"""One contract for every place where published objects may lie."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from cloud.archive.objects import FileObjects, ObjectStore
from cloud.archive.s3 import S3Objects, S3Place
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, UnavailableError
from tests.lab.net import LOOPBACK, free_port
from tests.lab.s3 import S3Server

DAY_MS = 24 * 3_600_000


def a_bucket(s3: S3Server, *, locks: bool = False) -> S3Place:
    """An empty bucket of one's own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(name, locks=locks)
    return S3Place(name, s3.endpoint, "us-east-1", s3.access_key, s3.secret_key)


def locked_place(s3: S3Server) -> S3Place:
    return replace(a_bucket(s3, locks=True), prefix="archive/", lock="COMPLIANCE")


@pytest.fixture(scope="module")
def bucket(s3: S3Server) -> S3Place:
    return a_bucket(s3)


@pytest.fixture(scope="module")
def locked(s3: S3Server) -> S3Place:
    return locked_place(s3)


@pytest.fixture(params=["file", "bucket", "locked"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "file":
        return FileObjects(tmp_path / "objects")
    return S3Objects(request.getfixturevalue(request.param))


@pytest.mark.parametrize("data", [b"", b"one price", bytes(3 << 20)], ids=len)
def test_what_was_put_comes_back_under_its_hash(objects: ObjectStore, data: bytes) -> None:
    name = objects.put(data)
    assert name == sha256(data).hex() == objects.put(data)
    assert b"".join(objects.chunks(name)) == data
    assert objects.size(name) == len(data)
    path = objects.path(name)
    assert path is None or path.read_bytes() == data


def test_all_names_are_told_once(objects: ObjectStore) -> None:
    before = set(objects.names())
    keep_until_ms = time.time_ns() // 1_000_000 + DAY_MS
    put = {objects.put(uuid.uuid4().bytes, keep_until_ms) for _ in range(5)}
    twice = objects.put(b"twice", keep_until_ms)
    assert objects.put_again(b"twice", keep_until_ms) == twice
    names = list(objects.names())
    assert len(names) == len(set(names))
    assert set(names) == before | put | {twice}


def test_what_is_let_go_is_gone_and_may_be_put_again(objects: ObjectStore) -> None:
    name = objects.put(b"let go")
    objects.delete(name)
    objects.delete(name)
    with pytest.raises(MissingError):
        objects.size(name)
    assert objects.put(b"let go") == name
    assert b"".join(objects.chunks(name)) == b"let go"
    with pytest.raises(MissingError):
        objects.delete("../../etc/passwd")


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "A" * 64])
def test_what_is_not_there_is_missing(objects: ObjectStore, name: str) -> None:
    with pytest.raises(MissingError):
        objects.size(name)
    with pytest.raises(MissingError):
        list(objects.chunks(name))


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file where the folder should be")
    with pytest.raises(UnavailableError, match=r"objects\.unavailable"):
        FileObjects(tmp_path / "objects").put(b"1")
    nobody = S3Place("objects", f"http://{LOOPBACK}:{free_port()}", "us-east-1", "a", "b")
    with pytest.raises(UnavailableError, match=r"objects\.unavailable"):
        S3Objects(nobody).put(b"1")


def test_a_crash_while_writing_leaves_no_half_object(tmp_path: Path) -> None:
    store = FileObjects(tmp_path)
    name = store.put(b"whole")
    (tmp_path / name[:2] / ".draft-left-by-a-crash").write_bytes(b"ha")
    assert [path.name for path in tmp_path.glob("*/[0-9a-f]*")] == [name]
    assert b"".join(store.chunks(name)) == b"whole"


def test_bytes_that_went_bad_can_be_put_again(tmp_path: Path) -> None:
    store = FileObjects(tmp_path)
    name = store.put(b"whole")
    (tmp_path / name[:2] / name).write_bytes(b"wrong")
    store.put(b"whole")
    assert b"".join(store.chunks(name)) == b"wrong"
    store.put_again(b"whole")
    assert b"".join(store.chunks(name)) == b"whole"


def test_a_locked_object_cannot_be_deleted_and_a_mark_of_deletion_hides_nothing(
    s3: S3Server,
) -> None:
    place = locked_place(s3)
    store = S3Objects(place)
    assert store.lock_mode() == "COMPLIANCE"
    name = store.put(b"kept", time.time_ns() // 1_000_000 + DAY_MS)
    client, key = s3.client(), f"archive/{name}"
    version = client.head_object(Bucket=place.bucket, Key=key)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=place.bucket, Key=key, VersionId=version)
    client.delete_object(Bucket=place.bucket, Key=key)
    assert b"".join(store.chunks(name)) == b"kept"
    assert list(store.names()) == [name]


def test_a_locked_bucket_gets_no_second_copy_of_what_it_has(s3: S3Server) -> None:
    place = locked_place(s3)
    store = S3Objects(place)
    keep_until_ms = time.time_ns() // 1_000_000 + DAY_MS
    assert store.put(b"once", keep_until_ms) == store.put(b"once", keep_until_ms)
    versions = s3.client().list_object_versions(Bucket=place.bucket)["Versions"]
    assert len(versions) == 1


def test_a_bucket_without_lock_says_so_and_takes_objects_all_the_same(bucket: S3Place) -> None:
    store = S3Objects(replace(bucket, prefix="archive/", lock="GOVERNANCE"))
    assert store.lock_mode() == ""
    name = store.put(b"deletable", time.time_ns() // 1_000_000 + DAY_MS)
    assert list(store.names()) == [name]


def test_whoever_has_the_address_of_an_object_may_fetch_that_one_and_no_other(
    bucket: S3Place,
) -> None:
    objects = S3Objects(replace(bucket, is_presigned=True))
    name, other = objects.put(b"a price list"), objects.put(b"another")
    url = objects.url(name)
    assert url is not None
    assert httpx.get(url).content == b"a price list"
    assert httpx.get(url.replace(name, other)).status_code == 403
    assert httpx.get(url.partition("?")[0]).status_code == 403


def test_nobody_gets_an_address_unless_it_is_wanted(objects: ObjectStore) -> None:
    assert objects.url(objects.put(b"a price list")) is None
