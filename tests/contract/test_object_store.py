"""Both stores of immutable objects keep one promise: files on disk, and a real S3 server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.archive.objects import CHUNK_BYTES, FileObjects, ObjectStore
from cloud.archive.s3 import S3Objects, S3Place
from shared.kernel.errors import MissingError, UnavailableError
from tests.lab.net import free_port
from tests.lab.s3 import S3Server

BUCKET = "tillbox"


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3")).start()
    server.create_bucket(BUCKET)
    yield server
    server.stop()


def place_on(server: S3Server, **changed: str) -> S3Place:
    keys = {"access_key": server.access_key, "secret_key": server.secret_key}
    return S3Place(BUCKET, **{"endpoint": server.endpoint, **keys, **changed})


@pytest.fixture(params=["files", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "files":
        return FileObjects(tmp_path)
    return S3Objects(place_on(request.getfixturevalue("s3_server")))


@pytest.mark.parametrize("length", [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 7])
def test_what_was_put_is_read_back_in_pieces_under_its_hash(
    store: ObjectStore, length: int
) -> None:
    data = bytes(n % 251 for n in range(length))
    name = store.put(data)
    assert name == hashlib.sha256(data).hexdigest()
    assert store.size(name) == length
    pieces = list(store.chunks(name))
    assert b"".join(pieces) == data
    assert all(len(piece) <= CHUNK_BYTES for piece in pieces)


def test_putting_twice_is_the_same_as_once(store: ObjectStore) -> None:
    assert store.put(b"same") == store.put(b"same")
    assert b"".join(store.chunks(store.put(b"same"))) == b"same"


@pytest.mark.parametrize("name", ["0" * 64, "", "../secret", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_name_that_is_not_there_or_is_no_name_is_missing(store: ObjectStore, name: str) -> None:
    for read in (store.size, lambda wanted: next(store.chunks(wanted), None)):
        with pytest.raises(MissingError) as raised:
            read(name)
        assert raised.value.code == "object.missing"


def test_only_local_files_have_a_path(store: ObjectStore) -> None:
    path = store.path(store.put(b"where"))
    assert (path is not None) == isinstance(store, FileObjects)
    assert path is None or path.read_bytes() == b"where"


def test_an_s3_server_that_is_away_or_refuses_the_key_is_unavailable(s3_server: S3Server) -> None:
    away = place_on(s3_server, endpoint=f"http://127.0.0.1:{free_port()}")
    for place in (away, place_on(s3_server, secret_key="wrong")):
        with pytest.raises(UnavailableError) as raised:
            S3Objects(place).put(b"lost")
        assert raised.value.code == "objects.unavailable"


def test_a_disk_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError):
        FileObjects(tmp_path / "file").put(b"lost")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
