"""One contract for every place where published objects may lie."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from cloud.archive.objects import FileObjects, ObjectStore
from cloud.archive.s3 import S3Objects, S3Place
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, UnavailableError
from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command, StartError

START_SECONDS = 60
KEYS = {"accessKey": "test", "secretKey": "test-secret"}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Place]:
    """A real S3 server with an empty bucket."""
    folder = tmp_path_factory.mktemp("s3")
    rights = {"name": "cloud", "credentials": [KEYS], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [rights]}), encoding="utf-8")
    server, place = _start(folder)
    yield place
    server.kill()


def _start(folder: Path) -> tuple[ChildProcess, S3Place]:
    """Start the server; again on other ports when somebody took one of ours meanwhile."""
    for tries_left in (2, 1, 0):
        ports = _distinct_ports(8)
        place = S3Place("objects", f"http://{LOOPBACK}:{ports[0]}", "us-east-1", *KEYS.values())
        server = ChildProcess(_command(folder, ports)).start()
        try:
            return server.wait_until(partial(_has_bucket, place), START_SECONDS), place
        except StartError:
            server.kill()
            if not tries_left:
                raise
    raise AssertionError("the last try raises")


def _distinct_ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


def _command(folder: Path, ports: list[int]) -> Command:
    flags = [
        f"-{name}.port{kind}={ports[place]}"
        for place, (name, kind) in enumerate(
            itertools.product(("s3", "master", "volume", "filer"), ("", ".grpc"))
        )
    ]
    return Command(
        name="SeaweedFS",
        arguments=[
            Path(sys.executable).with_name("weed"),
            "server",
            f"-dir={folder}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            "-s3",
            f"-s3.config={folder / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-volume.max=100",
            "-master.volumeSizeLimitMB=64",
            *flags,
        ],
        log=folder / "weed.log",
        env={"GOMEMLIMIT": "150MiB"},
    )


def _has_bucket(place: S3Place) -> bool:
    client = boto3.client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
    )
    try:
        client.create_bucket(Bucket=place.bucket)
        client.put_object(Bucket=place.bucket, Key="ready", Body=b"1")
    except (BotoCoreError, ClientError):
        return False
    finally:
        client.close()
    return True


@pytest.fixture(params=["file", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "file":
        return FileObjects(tmp_path / "objects")
    return S3Objects(request.getfixturevalue("bucket"))


@pytest.mark.parametrize("data", [b"", b"one price", bytes(3 << 20)], ids=len)
def test_what_was_put_comes_back_under_its_hash(objects: ObjectStore, data: bytes) -> None:
    name = objects.put(data)
    assert name == sha256(data).hex() == objects.put(data)
    assert b"".join(objects.chunks(name)) == data
    assert objects.size(name) == len(data)
    path = objects.path(name)
    assert path is None or path.read_bytes() == data


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
