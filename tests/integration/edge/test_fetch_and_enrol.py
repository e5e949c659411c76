"""Objects and enrolment over real HTTP."""

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cloud.signing import is_signed_by
from edge.identity import Identity, load_identity
from edge.sync.enrol import enrol
from edge.sync.fetch import ObjectFetcher
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.kernel.ids import DeviceId, StoreId, StreamId
from shared.wire.enrolment import enrol_statement
from tests.fakes.cloud import FakeObjects
from tests.lab.net import LOOPBACK, free_port

ANSWER = {
    "dev": "d-aaaaaaaaaaaaaaaa",
    "secret": "s3",
    "store_id": "343",
    "store_name": "Store 343",
    "zone": "America/New_York",
    "currency": "USD",
    "stream": "ab" * 16,
    "ordinal": 1,
    "broker": {"host": LOOPBACK, "port": 1883},
    "hq_pub": "cd" * 32,
    "price_zone": "store-343",
}


@pytest.fixture
def objects() -> Iterator[FakeObjects]:
    server = FakeObjects()
    server.token = "d-aaaaaaaaaaaaaaaa.s3"
    yield server
    server.stop()


def fetcher_of(url: str, folder: Path) -> ObjectFetcher:
    identity = Identity(
        dev=DeviceId("d-aaaaaaaaaaaaaaaa"),
        secret="s3",
        store_id=StoreId("343"),
        store_name="",
        zone="UTC",
        currency="USD",
        stream=StreamId("ab" * 16),
        ordinal=1,
        broker_host=LOOPBACK,
        broker_port=1,
        hq_pub="cd" * 32,
        price_zone="store-343",
        cloud_url=url + "/",
    )
    return ObjectFetcher(identity, folder / "fetch", lambda: 0.01)


@pytest.fixture
def fetcher(objects: FakeObjects, tmp_path: Path) -> Iterator[ObjectFetcher]:
    made = fetcher_of(objects.url, tmp_path)
    yield made
    made.close()


def test_an_object_is_streamed_to_a_file_and_fetched_once(
    fetcher: ObjectFetcher, objects: FakeObjects
) -> None:
    data = b"tillbox" * 100_000
    name = objects.put(data)
    assert fetcher.fetch(name).read_bytes() == data
    fetcher.fetch(name)
    assert objects.requests == 1
    fetcher.forget()
    assert not fetcher.fetch(name).with_name(name + ".part").exists()
    assert objects.requests == 2


def test_failures_of_the_server_are_tried_again(
    fetcher: ObjectFetcher, objects: FakeObjects
) -> None:
    objects.fail_next = 3
    assert fetcher.fetch(objects.put(b"x")).read_bytes() == b"x"


def test_an_object_with_other_bytes_than_its_name_says_is_thrown_away(
    fetcher: ObjectFetcher, objects: FakeObjects, tmp_path: Path
) -> None:
    objects.spoil_next = 1
    with pytest.raises(CorruptError) as problem:
        fetcher.fetch(objects.put(b"prices"))
    assert problem.value.code == "object.hash"
    assert list((tmp_path / "fetch").iterdir()) == []


def test_an_object_larger_than_announced_is_not_read_to_its_end(
    fetcher: ObjectFetcher, objects: FakeObjects, tmp_path: Path
) -> None:
    with pytest.raises(CorruptError) as problem:
        fetcher.fetch(objects.put(b"x" * 1_000_000), size_max=1000)
    assert problem.value.code == "object.too_large"
    assert list((tmp_path / "fetch").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "ab", "ab" * 32 + "\n"])
def test_a_name_that_is_no_hash_never_becomes_a_path(fetcher: ObjectFetcher, name: str) -> None:
    with pytest.raises(CorruptError) as problem:
        fetcher.fetch(name)
    assert problem.value.code == "object.name"


def test_an_object_that_is_not_there_or_not_ours_is_refused(
    fetcher: ObjectFetcher, objects: FakeObjects
) -> None:
    with pytest.raises(UnavailableError) as problem:
        fetcher.fetch("ab" * 32)
    assert problem.value.params == {"status": 404}
    objects.token = "another"
    with pytest.raises(UnavailableError) as problem:
        fetcher.fetch(objects.put(b"x"))
    assert problem.value.params == {"status": 401}


def test_a_server_that_is_away_is_said_so(tmp_path: Path) -> None:
    fetcher = fetcher_of(f"http://{LOOPBACK}:{free_port()}", tmp_path)
    with pytest.raises(UnavailableError) as problem:
        fetcher.fetch("ab" * 32)
    assert problem.value.code == "object.unreachable"
    fetcher.close()


class FakeClaims:
    """`POST /v1/enrol`: one answer per token and key, as often as it is asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.reply: tuple[int, bytes] = (200, json.dumps(ANSWER).encode())
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.requests.append(json.loads(body))
                self.send_response(owner.reply[0])
                self.end_headers()
                self.wfile.write(owner.reply[1])

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def claims() -> Iterator[FakeClaims]:
    server = FakeClaims()
    yield server
    server.stop()


def test_enrolment_keeps_key_and_identity_for_the_owner_only(
    claims: FakeClaims, tmp_path: Path
) -> None:
    identity = enrol(tmp_path, claims.url, "TOKEN")
    assert load_identity(tmp_path) == identity
    assert (identity.broker_port, identity.cloud_url) == (1883, claims.url)
    for name in ("identity.json", "journal.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    [request] = claims.requests
    assert request["token"] == "TOKEN"
    assert len(bytes.fromhex(str(request["journal_pub"]))) == 32


def test_a_repeat_after_a_lost_answer_asks_for_the_same_signed_anew(
    claims: FakeClaims, tmp_path: Path
) -> None:
    claims.reply = (200, b"cut off")
    with pytest.raises(UnavailableError):
        enrol(tmp_path, claims.url, "TOKEN")
    claims.reply = (200, json.dumps(ANSWER).encode())
    enrol(tmp_path, claims.url, "TOKEN")
    first, again = claims.requests
    fresh = {name for name in first if first[name] != again[name]}
    assert {"nonce", "proof"} <= fresh <= {"nonce", "proof", "t"}
    for request in claims.requests:
        assert is_signed(request)


def is_signed(request: dict[str, Any]) -> bool:
    public = bytes.fromhex(request["journal_pub"])
    nonce, csr = bytes.fromhex(request["nonce"]), request["csr"].encode()
    statement = enrol_statement(request["token"], public, csr, nonce, request["t"])
    return is_signed_by(public, bytes.fromhex(request["proof"]), statement)


def test_a_box_without_a_clock_goes_by_the_clouds(claims: FakeClaims, tmp_path: Path) -> None:
    off = {"code": "enrol.clock", "params": {"minutes": 15, "now_ms": 12_345}}
    claims.reply = (422, json.dumps(off).encode())
    with pytest.raises(RefusedError) as problem:
        enrol(tmp_path, claims.url, "TOKEN")
    assert problem.value.params == {"minutes": 15, "now_ms": 12_345}
    first, again = claims.requests
    assert (first["t"] != 12_345, again["t"], is_signed(again)) == (True, 12_345, True)


@pytest.mark.parametrize("params", [None, {"now_ms": "soon"}, {"now_ms": -1}, {"now_ms": 1 << 70}])
def test_a_cloud_that_names_no_time_is_not_asked_again(
    claims: FakeClaims, tmp_path: Path, params: object
) -> None:
    claims.reply = (422, json.dumps({"code": "enrol.clock", "params": params}).encode())
    with pytest.raises(RefusedError):
        enrol(tmp_path, claims.url, "TOKEN")
    assert len(claims.requests) == 1


def test_a_refused_token_is_told_with_the_clouds_reason(claims: FakeClaims, tmp_path: Path) -> None:
    claims.reply = (409, json.dumps({"code": "claim.used"}).encode())
    with pytest.raises(RefusedError) as problem:
        enrol(tmp_path, claims.url, "TOKEN")
    assert problem.value.params == {"because": "claim.used"}
    assert not (tmp_path / "identity.json").exists()


def test_a_cloud_that_is_away_or_too_new_is_told(claims: FakeClaims, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        enrol(tmp_path, f"http://{LOOPBACK}:{free_port()}", "TOKEN")
    claims.reply = (200, json.dumps({"dev": "d-aaaaaaaaaaaaaaaa"}).encode())
    with pytest.raises(RefusedError) as problem:
        enrol(tmp_path, claims.url, "TOKEN")
    assert problem.value.code == "enrol.answer"
