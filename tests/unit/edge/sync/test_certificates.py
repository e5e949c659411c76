"""When a box asks for its next certificate, and by which way it goes to the broker meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.pki.authority import DAY_MS, proven_key
from cloud.pki.folder import CaFolder
from edge.sync import certificates
from edge.sync.certificates import CertificateKeeper, CertificateParts
from edge.tls import CURRENT, BoxKeys
from shared.kernel.errors import CorruptError, RefusedError, RetailError, UnavailableError
from shared.wire.certificate import trust_statement
from tests.integration.edge.boxes import an_identity
from tests.lab.cloud_api import SettableClock
from tests.lab.net import free_port

HQ = Ed25519PrivateKey.from_private_bytes(bytes(32))
JOURNAL = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"j")
OLD_PORT, NEW_PORT = 8883, 8884


class Office:
    """Head office as the keeper sees it: answers requests, or fails as it is told."""

    def __init__(self, ca: CaFolder, clock: SettableClock, dev: str) -> None:
        self.ca, self.clock, self.dev = ca, clock, dev
        self.asked: list[dict[str, Any]] = []
        self.error: RetailError | None = None
        self.key = HQ

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        if self.error is not None:
            raise self.error
        made = self.ca.device(proven_key(body["csr"].encode()), self.dev, self.clock.at_ms)
        trust = self.ca.bundle("chain")
        return {
            "certificate": made.public_bytes(Encoding.PEM).decode(),
            "trust": trust,
            "trust_sig": self.key.sign(trust_statement(self.dev, trust.encode())).hex(),
            "broker": {"host": "127.0.0.1", "port": NEW_PORT},
        }


class Site:
    """A keeper with its files, its clock and its head office."""

    def __init__(self, folder: Path, ca: CaFolder) -> None:
        self.clock = SettableClock()
        hq_pub = HQ.public_key().public_bytes_raw().hex()
        self.identity = an_identity(hq_pub=hq_pub, broker_port=1883)
        self.keys = BoxKeys(folder)
        self.renewed = 0
        self.office = Office(ca, self.clock, self.identity.dev)
        self.keeper = CertificateKeeper(
            CertificateParts(
                identity=self.identity,
                keys=self.keys,
                sign=JOURNAL.sign,
                time=self.clock,
                jitter=lambda: 0.5,
                renewed=self._renewed,
            )
        )
        self.keeper._post = self.office.post  # type: ignore[method-assign]

    def enrol(self) -> None:
        answer = self.office.post({"csr": self.keys.request()})
        self.office.asked.clear()
        self.keys.accept(
            {**answer, "broker": {"host": "127.0.0.1", "port": OLD_PORT}}, is_first=True
        )

    def _renewed(self) -> None:
        self.renewed += 1


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    made = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    made.init("shops.example", SettableClock().at_ms)
    return made


@pytest.fixture
def site(tmp_path: Path, ca: CaFolder) -> Site:
    return Site(tmp_path, ca)


def test_a_box_with_a_password_alone_asks_for_its_first_certificate(site: Site) -> None:
    assert (site.keeper.way().port, site.keeper.way().tls) == (1883, None)
    assert site.keeper._is_due()
    site.keeper._try()
    ways = [site.keeper.way() for _ in range(3)]
    told = [(way.port, way.tls is not None) for way in ways]
    assert told == [(NEW_PORT, True), (1883, False), (NEW_PORT, True)], "the port may be blocked"
    ways[0].accepted()
    assert {site.keeper.way().port for _ in range(3)} == {NEW_PORT}, "no secret in the clear again"
    assert site.renewed == 1


def test_it_asks_at_two_thirds_and_not_before(site: Site) -> None:
    site.enrol()
    assert not site.keeper._is_due()
    site.clock.at_ms += 60 * DAY_MS - 1_000_000
    assert not site.keeper._is_due()
    site.clock.at_ms += 1_000_000
    assert site.keeper._is_due()
    assert site.keeper._try() == certificates.LOOK_EVERY_S
    [asked] = site.office.asked
    assert asked["t"] == site.clock.at_ms
    assert not site.keeper._is_due(), "the next one is there, tried or not"


def test_the_new_pair_and_the_old_one_take_turns_until_one_is_let_in(site: Site) -> None:
    site.enrol()
    site.keeper.renew()
    assert [site.keeper.way().port for _ in range(4)] == [NEW_PORT, OLD_PORT, NEW_PORT, OLD_PORT]
    site.keeper.way().accepted()
    assert [site.keeper.way().port for _ in range(2)] == [NEW_PORT, NEW_PORT]


def test_what_head_office_did_not_sign_is_not_trusted(site: Site) -> None:
    site.enrol()
    site.office.key = Ed25519PrivateKey.generate()
    with pytest.raises(CorruptError, match=r"certificate\.signature"):
        site.keeper.renew()
    assert (site.keys.upcoming(), site.renewed) == (None, 0)


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("certificate.unreachable", url="x"),
        RefusedError("certificate.refused", because="certificate.too_late"),
    ],
)
def test_a_failure_is_tried_again_later_and_later_with_the_same_request(
    site: Site, error: RetailError
) -> None:
    site.enrol()
    site.office.error = error
    waits = [site.keeper._try() for _ in range(3)]
    assert waits == [30.0, 60.0, 120.0]
    assert len({asked["csr"] for asked in site.office.asked}) == 1


def test_a_key_that_was_revoked_before_its_answer_came_is_not_asked_for_again(site: Site) -> None:
    site.enrol()
    site.office.error = RefusedError("certificate.refused", because="certificate.revoked")
    site.keeper._try()
    site.office.error = None  # it was reinstated
    assert site.keeper._try() == certificates.LOOK_EVERY_S
    assert len({asked["csr"] for asked in site.office.asked}) == 2


def test_a_chain_without_certificates_is_asked_once_an_hour(site: Site) -> None:
    site.office.error = RefusedError(certificates.NO_CA)
    assert site.keeper._try() == certificates.LOOK_EVERY_S


def test_shut_out_often_it_asks_once_a_day_but_never_because_nobody_answers(site: Site) -> None:
    site.enrol()
    for _ in range(certificates.REFUSED_OFTEN - 1):
        site.keeper.way().refused()
    assert not site.keeper._is_due()
    site.keeper.way().refused()
    assert site.keeper._is_due()
    assert not site.keeper._is_due(), "it was asked today"
    site.clock.at_ms += certificates.REFUSED_EVERY_MS
    assert site.keeper._is_due()
    site.keeper.way().accepted()
    site.clock.at_ms += certificates.REFUSED_EVERY_MS
    assert not site.keeper._is_due(), "it was let in since"


def damage(path: Path) -> None:
    path.write_text("Broker: 127.0.0.1 1\nhalf", encoding="ascii")


@pytest.mark.parametrize("spoil", [damage, lambda path: path.write_text("", encoding="ascii")])
def test_a_damaged_certificate_is_asked_for_anew_and_never_replaced_by_the_secret(
    site: Site, spoil: Callable[[Path], object]
) -> None:
    site.enrol()
    spoil(site.keys.folder / CURRENT)
    with pytest.raises(CorruptError, match=r"tls\.certificate"):
        site.keeper.way()
    assert site.keeper._is_due()
    site.keeper._try()
    assert site.keeper.way().port == NEW_PORT


def test_head_office_that_is_away_is_told_as_that(site: Site, tmp_path: Path, ca: CaFolder) -> None:
    fresh = Site(tmp_path / "other", ca)
    del fresh.keeper._post  # type: ignore[attr-defined]
    object.__setattr__(fresh.identity, "cloud_url", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"certificate\.unreachable"):
        fresh.keeper.renew()
