"""Head office's desk for other boxes' batches, small enough to misbehave on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.journal.carbon import Carbon, carbon_line
from shared.journal.chain import chain_hashes, genesis_hash, head_statement
from shared.kernel.errors import UnavailableError
from shared.wire.batch import decode_batch
from shared.wire.message import Ack, AckCode, message_bytes
from tests.fakes.box_stream import START_MS, BoxStream
from tests.lab.net import LOOPBACK


def a_carbon(box: BoxStream, seq: int) -> Carbon:
    """The signed copy of one of the box's entries."""
    at_ms = START_MS + seq * 1_000
    statement = head_statement(box.stream_id, seq, box.hashes[seq], at_ms)
    return Carbon(
        stream=box.stream_id.hex(),
        seq=seq,
        prev=box.prev_of(seq),
        hash=box.hashes[seq],
        at_ms=at_ms,
        sig=box.key.sign(statement),
        body=box.bodies[seq],
    )


def lines_of(carbons: Sequence[Carbon]) -> bytes:
    """Copies as a page hands them in."""
    return b"".join(carbon_line(each) + b"\n" for each in carbons)


@dataclass
class DeskStream:
    """What the desk holds of a journal, and the key that must have signed it."""

    stream_id: bytes
    key: Ed25519PublicKey
    bodies: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def hash_at(self, seq: int) -> bytes:
        return self.hashes[seq] if seq >= 0 else genesis_hash(self.stream_id)


class FakeOffice:
    """Takes batches of streams it knows (Office); `answers` go before its own."""

    def __init__(self) -> None:
        self.streams: dict[str, DeskStream] = {}
        self.answers: list[Ack | Exception] = []
        self.lose_answers = 0
        self.posts = 0
        self.after_post: Callable[[], None] = lambda: None

    def know(self, box: BoxStream, entries: int = 0) -> DeskStream:
        """Enrol a box and have its first entries."""
        stream = DeskStream(box.stream_id, box.key.public_key())
        stream.bodies, stream.hashes = box.bodies[:entries], box.hashes[:entries]
        self.streams[box.stream_id.hex()] = stream
        return stream

    def head(self, box: BoxStream) -> int:
        return len(self.streams[box.stream_id.hex()].bodies) - 1

    def post(self, payload: bytes) -> Ack:
        self.posts += 1
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        ack = self._commit(payload)
        self.after_post()
        if self.lose_answers:
            self.lose_answers -= 1
            raise UnavailableError("salvage.unreachable", url="lost")
        return ack

    def _commit(self, payload: bytes) -> Ack:
        header, bodies = decode_batch(payload)
        stream = self.streams.get(header.stream)
        if stream is None:
            return Ack(header.stream, AckCode.GAP, -1, "", -1, "", "1", 1)
        hashes = chain_hashes(stream.stream_id, header.from_seq, bytes.fromhex(header.prev), bodies)
        last = header.from_seq + header.count - 1
        statement = head_statement(stream.stream_id, last, hashes[-1], header.t)
        stream.key.verify(bytes.fromhex(header.sig), statement)
        assert hashes[-1].hex() == header.head
        head = len(stream.bodies) - 1
        code = AckCode.OK
        if header.from_seq > head + 1:
            code = AckCode.GAP
        elif stream.hash_at(header.from_seq - 1).hex() != header.prev:
            code = AckCode.FORK
        else:
            known = min(head, last) - header.from_seq + 1
            if stream.hashes[header.from_seq : header.from_seq + known] != hashes[:known]:
                code = AckCode.FORK
            else:
                stream.bodies += bodies[known:]
                stream.hashes += hashes[known:]
                code = AckCode.DUP if known == len(hashes) else AckCode.OK
        head = len(stream.bodies) - 1
        hh = stream.hash_at(head).hex() if head >= 0 else ""
        return Ack(header.stream, code, head, hh, -1, "", "1", 1)


class OfficeServer:
    """The desk behind HTTP, for whoever says the right word."""

    def __init__(self, desk: FakeOffice, bearer: str) -> None:
        self.fail_next = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                status, data = owner.answer(desk, payload, self.headers.get("Authorization", ""))
                self.send_response(status if self.path == "/v1/journal/batches" else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._bearer = bearer
        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def answer(self, desk: FakeOffice, payload: bytes, authorization: str) -> tuple[int, bytes]:
        if self.fail_next:
            self.fail_next -= 1
            return 503, b""
        if authorization != f"Bearer {self._bearer}":
            return 401, b""
        return 200, message_bytes(desk.post(payload))

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
