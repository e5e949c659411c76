"""Who may say and hear what: one table, asked of the real broker with real certificates."""

from __future__ import annotations

import itertools
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud.pki import authority
from cloud.pki.authority import DAY_MS, Authority, Revoked
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK

OWN, OTHER, GONE = "d-aaaaaaaaaaaaaaaa", "d-bbbbbbbbbbbbbbbb", "d-cccccccccccccccc"
SLASHED = f"{OWN}/up"
NOT_AUTHORISED, NO_SUBSCRIBER = 0x87, 0x10
UP = ("j", "hello", "state", "rep", "tel", "res")
DOWN = ("ja", "des", "cmd")
WAIT_S = 10.0
_serials = itertools.count(1 << 70)


@dataclass(frozen=True, slots=True)
class Place:
    """A topic, who may write it and who may hear it: names of WHO."""

    topic: str
    writers: frozenset[str]
    readers: frozenset[str]


def table() -> list[Place]:
    places = []
    for who, dev in (("own", OWN), ("other", OTHER)):
        for name in UP:
            topic = f"tb/1/d/{dev}/up/{name}"
            places.append(Place(topic, frozenset({who, "worker"}), frozenset({"worker"})))
        for name in DOWN:
            topic = f"tb/1/d/{dev}/dn/{name}"
            places.append(Place(topic, frozenset({"worker"}), frozenset({who, "worker"})))
    everybody = frozenset({"own", "other", "slashed", "worker"})
    places.append(Place("tb/1/sys/cloud", frozenset({"worker"}), everybody))
    for topic in (f"tb/1/d/{OWN}", "tb/1/d", f"tb/1/d/{OWN}x/up/j", f"tb/2/d/{OWN}/up/j", "x"):
        is_ours = topic.startswith("tb/1/")
        places.append(
            Place(topic, *(frozenset({"worker"}) if is_ours else frozenset() for _ in "wr"))
        )
    return places


TABLE = table()


@dataclass(slots=True)
class Peer:
    """A client that remembers what it heard and what became of what it said."""

    client: Client
    heard: set[str] = field(default_factory=set)
    reasons: dict[int, int] = field(default_factory=dict)
    is_up: threading.Event = field(default_factory=threading.Event)
    subscribed: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def connect(self, port: int) -> Peer:
        # A refusal may come before `connect` returns.
        self.client.on_connect = lambda _c, _u, _f, reason, _p: (
            None if reason.is_failure else self.is_up.set()
        )
        self.client.on_disconnect = lambda *_: self.over.set()
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_publish = self._on_publish
        self.client.connect(LOOPBACK, port)
        self.client.loop_start()
        return self

    def say(self, topic: str) -> int:
        """The broker's reason code for one message."""
        mid = self.client.publish(topic, b"said", qos=1).mid
        until(lambda: mid in self.reasons)
        return self.reasons[mid]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.add(message.topic)

    def _on_publish(self, _c: Client, _d: object, mid: int, reason: object, _p: object) -> None:
        self.reasons[mid] = reason.value  # type: ignore[attr-defined]


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.002)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    folder = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    folder.init("shops.example", SystemClock().now_ms())
    return folder


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, ca: CaFolder) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker"), ca=ca)
    assert made.has_logins, "Mosquitto is missing: install it (apt-get install mosquitto)."
    running = made.start()
    yield running
    running.stop()


def pair_of(
    folder: Path, issuer: Authority, name: str, *, days_off: int = 0, usage: str = "client"
) -> Path:
    """A key and a certificate of that name, as a CA that signs anything would make it."""
    key, at_ms = authority.new_key(), SystemClock().now_ms() + days_off * DAY_MS
    builder = authority._leaf(
        issuer, key.public_key(), name, next(_serials), at_ms, authority.DEVICE_DAYS
    )
    oids = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}
    extension = x509.ExtendedKeyUsage([oids[usage]])
    made = builder.add_extension(extension, critical=True).sign(issuer.key, hashes.SHA256())
    return written(folder, key, made)


def written(folder: Path, key: ec.EllipticCurvePrivateKey, made: x509.Certificate) -> Path:
    path = folder / f"{made.serial_number}.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


def peer_of(broker: Broker, pair: Path | None, *, client_id: str = "mine", user: str = "") -> Peer:
    """A client at the boxes' listener; whether it got in is not asked yet."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
    )
    assert broker.ca is not None
    context = ssl.create_default_context(cafile=str(broker.ca.path / "chain-ca.pem"))
    if pair is not None:
        context.load_cert_chain(pair)
    client.tls_set_context(context)
    if user:
        client.username_pw_set(user, "guessed")
    return Peer(client).connect(broker.tls_port)


def is_let_in(broker: Broker, pair: Path | None, **login: str) -> bool:
    """Whether the broker answers a CONNECT, or hangs up before."""
    try:
        made = peer_of(broker, pair, **login)
    except (OSError, ssl.SSLError):
        return False
    try:
        until(lambda: made.is_up.is_set() or made.over.is_set())
        return made.is_up.is_set()
    finally:
        made.close()


@pytest.fixture(scope="module")
def peers(
    broker: Broker, ca: CaFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Peer]]:
    """Everybody that the broker lets in, each with an ear on everything."""
    folder, issuer = tmp_path_factory.mktemp("pairs"), ca.signer("device")
    worker = Client(CallbackAPIVersion.VERSION2, "w", protocol=MQTTProtocolVersion.MQTTv5)
    worker.username_pw_set(broker.internal_user, broker.internal_password)
    found = {
        "own": peer_of(broker, pair_of(folder, issuer, OWN)),
        "other": peer_of(broker, pair_of(folder, issuer, OTHER)),
        # The CA gives no such name; were it ever to, it must not reach into another box's topics.
        "slashed": peer_of(broker, pair_of(folder, issuer, SLASHED)),
        "worker": Peer(worker).connect(broker.internal_port),
    }
    for each in found.values():
        until(each.is_up.is_set)
        each.client.subscribe("#", qos=1)
        until(each.subscribed.is_set)
    yield found
    for each in found.values():
        each.close()


@pytest.mark.parametrize("who", ["own", "other", "worker", "slashed"])
def test_everybody_writes_what_is_theirs_and_nothing_else(peers: dict[str, Peer], who: str) -> None:
    wrong = {
        place.topic: hex(code)
        for place in TABLE
        if ((code := peers[who].say(place.topic)) in {0, NO_SUBSCRIBER}) != (who in place.writers)
    }
    assert wrong == {}


@pytest.mark.parametrize("who", ["own", "other", "worker", "slashed"])
def test_everybody_hears_what_is_for_them_and_nothing_else(
    peers: dict[str, Peer], who: str
) -> None:
    allowed = {place.topic for place in TABLE if who in place.readers}
    for each in peers.values():
        each.heard.clear()
    for place in TABLE:
        peers["worker"].say(place.topic)
    if who != "worker":
        peers["worker"].client.publish(f"tb/1/d/{OTHER}/dn/last", b"x", qos=1)
    until(lambda: allowed <= peers[who].heard)
    until(lambda: f"tb/1/d/{OTHER}/dn/last" in peers["other"].heard or who == "worker")
    assert peers[who].heard - {f"tb/1/d/{OTHER}/dn/last"} == allowed


def stranger(folder: Path) -> Authority:
    """A CA that calls itself as ours does."""
    key = authority.new_key()
    return authority.device_ca(key, next(_serials), SystemClock().now_ms())


REFUSED = ("nobody", "foreign", "same_name", "expired", "not_yet", "server", "chain", "revoked")


@pytest.mark.parametrize("what", REFUSED)
def test_who_is_none_of_ours_is_let_in_nowhere(
    broker: Broker, ca: CaFolder, tmp_path: Path, what: str
) -> None:
    ours, gone = ca.signer("device"), tmp_path / "none.pem"
    if what == "revoked":
        gone = pair_of(tmp_path, ours, GONE)
        assert is_let_in(broker, gone)
        serial = x509.load_pem_x509_certificate(gone.read_bytes()).serial_number
        now_ms = SystemClock().now_ms()
        broker.crl_file.write_text(ca.revocation_lists([Revoked(serial, now_ms)], now_ms))
        broker.reload()
        until(lambda: not is_let_in(broker, gone))
    key = authority.new_key()
    same_name = Authority(
        authority._root(key, ours.certificate.subject.rfc4514_string()[3:], next(_serials), 0)
        .sign(key, hashes.SHA256()),
        key,
    )  # fmt: skip
    pairs: dict[str, Callable[[], Path | None]] = {
        "nobody": lambda: None,
        "foreign": lambda: pair_of(tmp_path, stranger(tmp_path), OWN),
        "same_name": lambda: pair_of(tmp_path, same_name, OWN),
        "expired": lambda: pair_of(tmp_path, ours, OWN, days_off=-91),
        "not_yet": lambda: pair_of(tmp_path, ours, OWN, days_off=2),
        "server": lambda: pair_of(tmp_path, ours, OWN, usage="server"),
        "chain": lambda: pair_of(tmp_path, ca.signer("chain"), OWN),
        "revoked": lambda: gone,
    }
    assert not is_let_in(broker, pairs[what]())


def test_neither_client_id_nor_user_name_makes_a_box_another(
    broker: Broker, ca: CaFolder, tmp_path: Path, peers: dict[str, Peer]
) -> None:
    other = pair_of(tmp_path, ca.signer("device"), GONE[:-1] + "d")
    rogue = peer_of(broker, other, client_id=OWN, user=OWN)
    until(rogue.is_up.is_set)
    assert rogue.say(f"tb/1/d/{OWN}/up/j") == NOT_AUTHORISED
    assert peers["own"].say(f"tb/1/d/{OWN}/up/j") in {0, NO_SUBSCRIBER}, "it was not thrown out"
    rogue.close()


def test_without_tls_there_is_no_word_with_the_boxes_listener(broker: Broker) -> None:
    connect = bytes.fromhex("101000044d5154540502003c0000036162630000")
    with socket.create_connection((LOOPBACK, broker.tls_port), timeout=WAIT_S) as plain:
        plain.sendall(connect)
        try:
            answer = plain.recv(16)
        except ConnectionError:
            answer = b""
    assert not answer.startswith(b"\x20"), "no CONNACK"


def test_a_list_past_its_end_shuts_everybody_out_so_it_is_made_daily_for_a_month(
    broker: Broker, ca: CaFolder, tmp_path: Path
) -> None:
    good = pair_of(tmp_path, ca.signer("device"), GONE[:-1] + "e")
    now_ms = SystemClock().now_ms()
    broker.crl_file.write_text(ca.revocation_lists([], now_ms - 31 * DAY_MS))
    broker.reload()
    until(lambda: not is_let_in(broker, good))
    broker.crl_file.write_text(ca.revocation_lists([], now_ms - 29 * DAY_MS))
    broker.reload()
    until(lambda: is_let_in(broker, good))


def test_while_a_ca_is_replaced_boxes_of_both_are_let_in(
    broker: Broker, ca: CaFolder, tmp_path: Path
) -> None:
    now_ms = SystemClock().now_ms()
    old = pair_of(tmp_path, ca.signer("device"), GONE[:-1] + "f")

    def bring() -> None:
        (broker.folder / "device-ca.pem").write_text(ca.bundle("device"))
        broker.crl_file.write_text(ca.revocation_lists([], now_ms))
        broker.reload()

    ca.roll("device", now_ms)
    bring()
    ca.switch("device", now_ms + 2 * DAY_MS)
    new = pair_of(tmp_path, ca.signer("device"), GONE[:-1] + "g")
    until(lambda: is_let_in(broker, new))
    assert is_let_in(broker, old)
    ca.retire("device")
    bring()
    until(lambda: not is_let_in(broker, old))
    assert is_let_in(broker, new)
