"""A cloud small enough to misbehave on demand: ingest without database, objects without bucket."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from shared.journal.chain import chain_hashes, genesis_hash, head_statement
from shared.kernel.canonical import sha256
from shared.kernel.ids import DeviceId
from shared.kernel.trusted_time import time_statement
from shared.publication.manifest import Manifest, Piece, manifest_bytes, signing_statement
from shared.publication.revision import (
    Record,
    digest_add,
    digest_hex,
    digest_remove,
    record_hash,
)
from shared.wire.batch import decode_batch
from shared.wire.message import (
    Ack,
    AckCode,
    Birth,
    CloudBirth,
    DesiredCatalog,
    DesiredState,
    Hello,
    Report,
    message_bytes,
    parse_message,
)
from shared.wire.objects import encode_object
from shared.wire.topics import CLOUD_BIRTH, device_of, down_ack, down_desired
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

INC = "77-1"


@dataclass
class Stream:
    """What the cloud holds of one box."""

    stream_id: bytes
    journal_pub: Any
    bodies: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> int:
        return len(self.bodies) - 1

    def hash_at(self, seq: int) -> bytes:
        return self.hashes[seq] if seq >= 0 else genesis_hash(self.stream_id)


class FakeIngest:
    """Takes batches as the worker does and answers; loses what it is told to lose."""

    def __init__(self, broker: Broker) -> None:
        self.streams: dict[str, Stream] = {}
        self.inc = INC
        self.ended: list[Stream] = []
        """Streams that a device has left for a new one."""
        self.hellos: list[Hello] = []
        self.reports: list[Report] = []
        self.states: list[tuple[str, Birth]] = []
        self.batches = 0
        self.lose_batches = 0
        self.lose_acks = 0
        self.next_code: AckCode | None = None
        self.is_paused = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if broker.has_logins:
            self._client.username_pw_set(broker.internal_user, broker.internal_password)
        self._subscribed = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._port = broker.internal_port

    def start(self) -> FakeIngest:
        self._client.connect(LOOPBACK, self._port, clean_start=True)
        self._client.loop_start()
        assert self._subscribed.wait(10)
        return self

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def be_born(self, incarnation: str = INC) -> None:
        self._client.publish(CLOUD_BIRTH, message_bytes(CloudBirth(incarnation, 1)), 1, retain=True)

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain).wait_for_publish(5)

    def desire(self, dev: DeviceId, catalog: DesiredCatalog, gen: int = 1) -> None:
        self.send(down_desired(dev), message_bytes(DesiredState(gen, INC, catalog)), retain=True)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe("tb/1/d/+/up/#", 1)

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed.set()
        self.be_born()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        dev = device_of(message.topic)
        kind = message.topic.rpartition("/")[2]
        if kind == "rep":
            self.reports.append(parse_message(Report, message.payload))
        elif kind == "state":
            self.states.append((dev, parse_message(Birth, message.payload)))
        elif self.is_paused:
            return
        elif kind == "hello":
            self.hellos.append(parse_message(Hello, message.payload))
            self._meet(dev, self.hellos[-1].stream)
            self._answer(dev, AckCode.OK)
        elif kind == "j":
            self._take_batch(dev, message.payload)

    def _meet(self, dev: DeviceId, stream: str) -> None:
        """A device may begin a stream of its own."""
        known = self.streams[dev]
        if known.stream_id.hex() != stream:
            self.ended.append(known)
            self.streams[dev] = Stream(bytes.fromhex(stream), known.journal_pub)

    def _take_batch(self, dev: DeviceId, payload: bytes) -> None:
        self.batches += 1
        if self.lose_batches:
            self.lose_batches -= 1
            return
        if self.next_code is not None:
            code, self.next_code = self.next_code, None
            self._answer(dev, code)
            return
        self._answer(dev, self._commit(self.streams[dev], payload))

    def _commit(self, stream: Stream, payload: bytes) -> AckCode:
        header, bodies = decode_batch(payload)
        assert bytes.fromhex(header.stream) == stream.stream_id
        if header.from_seq > stream.head + 1:
            return AckCode.GAP
        before = bytes.fromhex(header.prev)
        assert before == stream.hash_at(header.from_seq - 1)
        hashes = chain_hashes(stream.stream_id, header.from_seq, before, bodies)
        assert hashes[-1].hex() == header.head
        to_seq = header.from_seq + header.count - 1
        statement = head_statement(stream.stream_id, to_seq, hashes[-1], header.t)
        stream.journal_pub.verify(bytes.fromhex(header.sig), statement)
        known = stream.head - header.from_seq + 1
        assert stream.hashes[header.from_seq :] == hashes[:known]
        stream.bodies += bodies[known:]
        stream.hashes += hashes[known:]
        return AckCode.DUP if known == header.count else AckCode.OK

    def _answer(self, dev: DeviceId, code: AckCode) -> None:
        if self.lose_acks:
            self.lose_acks -= 1
            return
        stream = self.streams[dev]
        hh = stream.hash_at(stream.head).hex() if stream.head >= 0 else ""
        ack = Ack(stream.stream_id.hex(), code, stream.head, hh, -1, "", self.inc, 1)
        self._client.publish(down_ack(dev), message_bytes(ack), 1)


class FakeObjects:
    """The cloud's HTTP side; counts and spoils on demand.

    `GET /v1/objects/{sha256}` for whoever says the right word; `POST /v1/catalog/fetch` once there
    are `bundles` (what to send for a manifest); `POST /v1/time` once somebody signs.
    """

    def __init__(self) -> None:
        self.bundles: dict[str, bytes] = {}
        self.asked: list[dict[str, Any]] = []
        self.signer: Ed25519PrivateKey | None = None
        self.time_ms: Callable[[], int] = lambda: 0
        self.objects: dict[str, bytes] = {}
        self.token = ""
        self.requests = 0
        self.connections = 0
        self.fail_next = 0
        self.spoil_next = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            is_counted = False

            def do_GET(self) -> None:
                owner.connections += not self.is_counted
                self.is_counted = True
                status, data = owner.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, data = owner.answer_post(
                    self.path, self.headers.get("Authorization", ""), body
                )
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.objects[name] = data
        return name

    def answer_post(self, path: str, authorization: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if path == "/v1/time" and self.signer is not None:
            assert not authorization, "a line that may be a stranger's gets no secret"
            nonce, now_ms = bytes.fromhex(body["nonce"]), self.time_ms()
            signature = self.signer.sign(time_statement(nonce, now_ms)).hex()
            return 200, json.dumps({**body, "t": now_ms, "sig": signature}).encode()
        if path != "/v1/catalog/fetch" or not self.bundles:
            return 404, b""
        if authorization != f"Bearer {self.token}":
            return 401, b""
        self.asked.append(body)
        return 200, self.bundles[body["manifest"]]

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.requests += 1
        if self.fail_next:
            self.fail_next -= 1
            return 503, b""
        if authorization != f"Bearer {self.token}":
            return 401, b""
        data = self.objects.get(path.rpartition("/")[2])
        if data is None:
            return 404, b""
        if self.spoil_next:
            self.spoil_next -= 1
            return 200, b"\x00" + data[1:]
        return 200, data


class FakePublisher:
    """Head office for one zone: each `publish` is a delta on one snapshot."""

    def __init__(self, zone: str, objects: FakeObjects) -> None:
        self.key = Ed25519PrivateKey.generate()
        self._zone = zone
        self._objects = objects
        self._records: dict[tuple[str, str], Record] = {}
        self._digest = 0
        self._snapshot: Piece | None = None
        self._deltas: list[Piece] = []
        self.rev = 0

    @property
    def public_hex(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def publish(self, records: Sequence[Record], at_ms: int = 0) -> DesiredCatalog:
        """Next revision: these records replace those with the same key."""
        before, self.rev = self.rev, self.rev + 1
        for record in records:
            old = self._records.pop((record.kind, record.key), None)
            if old is not None:
                self._digest = digest_remove(self._digest, record_hash(old))
            if record.body is not None:
                self._records[(record.kind, record.key)] = record
                self._digest = digest_add(self._digest, record_hash(record))
        piece = self._piece(before, records)
        if self._snapshot is None:
            self._snapshot = piece
        else:
            self._deltas.append(piece)
        return self._signed(at_ms)

    def _piece(self, from_rev: int, records: Sequence[Record]) -> Piece:
        data = encode_object(records)
        return Piece(from_rev, self.rev, self._objects.put(data), len(data), len(records))

    def _signed(self, at_ms: int) -> DesiredCatalog:
        assert self._snapshot is not None
        manifest = Manifest(
            zone=self._zone,
            rev=self.rev,
            inc=INC,
            digest=digest_hex(self._digest),
            records=len(self._records),
            snapshots=(self._snapshot,),
            deltas=tuple(self._deltas),
            at_ms=at_ms,
        )
        data = manifest_bytes(manifest)
        signature = self.key.sign(signing_statement(sha256(data))).hex()
        return DesiredCatalog(self._zone, self.rev, self._objects.put(data), signature, at_ms)
