"""A box has its till pages' certificate signed: for its own store and its addresses alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.db import Database
from cloud.fleet.broker_accounts import OpenAccounts
from cloud.fleet.standing import Order, revoke
from cloud.fleet.till_pages import ADDRESSES_MAX, PER_DAY_MAX, dns_label
from cloud.pki.authority import chain_ca, names_of, new_key, serial_of
from cloud.pki.folder import CaFolder
from edge.clock import SystemClock
from edge.https.signers import HqSigners
from edge.sync.enrol import enrol
from shared.kernel.errors import UnavailableError
from tests.lab.cloud_api import CloudApi

ADDRESS = "192.168.7.20"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> CaFolder:
    folder = CaFolder(tmp_path_factory.mktemp("ca"), os.urandom)
    folder.init("shops.example", SystemClock().now_ms())
    return folder


@pytest.fixture(scope="module")
def api(
    database: Database, tmp_path_factory: pytest.TempPathFactory, ca: CaFolder
) -> Iterator[CloudApi]:
    changed = {"ca_dir": str(ca.path)}
    running = CloudApi(database.url, tmp_path_factory.mktemp("cloud"), SystemClock(), changed)
    yield running.start()
    running.stop()


class Box:
    """What a box has after enrolment, and a key for its till pages."""

    def __init__(self, folder: Path, api: CloudApi, store_id: str) -> None:
        admin = api.client()
        body = {"name": "Main street", "time_zone": "Asia/Shanghai", "currency": "CNY"}
        admin.put(f"/v1/stores/{store_id}", json=body).raise_for_status()
        token = admin.post("/v1/claims", json={"store_id": store_id}).json()["token"]
        self.identity = enrol(folder, api.url, token)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._url = f"{api.url}/v1/device/till-certificate"

    @property
    def request(self) -> str:
        """It asks for a name that is not its own: nobody looks at that."""
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "bank.example")])
        wanted = x509.SubjectAlternativeName([x509.DNSName("other.shops.example")])
        builder = x509.CertificateSigningRequestBuilder().subject_name(name)
        made = builder.add_extension(wanted, critical=False).sign(self.key, hashes.SHA256())
        return made.public_bytes(Encoding.PEM).decode()

    def ask(self, *addresses: str, csr: str = "") -> httpx.Response:
        bearer = f"Bearer {self.identity.dev}.{self.identity.secret}"
        body = {"csr": csr or self.request, "addresses": list(addresses)}
        return httpx.post(self._url, json=body, headers={"Authorization": bearer}, timeout=20)


@pytest.fixture(scope="module")
def box(api: CloudApi, tmp_path_factory: pytest.TempPathFactory) -> Box:
    return Box(tmp_path_factory.mktemp("box"), api, "17")


def test_a_box_is_certified_for_its_store_and_its_addresses_alone(box: Box, ca: CaFolder) -> None:
    signers = HqSigners(box.identity, lambda: True)
    made = x509.load_pem_x509_certificate(signers.certify(box.request, [ADDRESS]).encode())
    made.verify_directly_issued_by(ca.authorities("chain")[0].certificate)
    assert names_of(made) == {"17.shops.example", ADDRESS}
    assert made.public_key() == box.key.public_key()
    assert "bank.example" not in made.subject.rfc4514_string()


@pytest.mark.parametrize(
    "addresses",
    [
        ("8.8.8.8",),
        ("192.168.7.20", "93.184.216.34"),
        ("shop",),
        ("192.168.7.0/24",),
        ("2001:db8::1",),
    ],
)
def test_no_box_speaks_for_an_address_of_the_internet(box: Box, addresses: tuple[str, ...]) -> None:
    answer = box.ask(*addresses)
    assert (answer.status_code, answer.json()["code"]) == (422, "certificate.addresses")


def test_a_request_that_proves_no_key_is_refused(box: Box) -> None:
    for csr in ("", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"):
        answer = box.ask(ADDRESS, csr=csr or "x")
        assert (answer.status_code, answer.json()["code"]) == (422, "certificate.request")


def test_more_addresses_than_a_box_has_are_refused(box: Box) -> None:
    answer = box.ask(*(f"10.0.0.{n}" for n in range(ADDRESSES_MAX + 1)))
    assert answer.status_code == 422


def test_a_box_out_of_service_gets_none(api: CloudApi, database: Database, tmp_path: Path) -> None:
    gone = Box(tmp_path, api, "18")
    order = Order(gone.identity.dev, "li", "stolen", 0)
    revoke(database, OpenAccounts(), order)
    assert gone.ask(ADDRESS).status_code in {401, 403}
    with pytest.raises(UnavailableError, match=r"https\.refused"):
        HqSigners(gone.identity, lambda: True).certify(gone.request, [ADDRESS])


def test_a_box_that_asks_all_day_is_stopped(api: CloudApi, tmp_path: Path) -> None:
    busy = Box(tmp_path, api, "19")
    codes = [busy.ask(ADDRESS).status_code for _ in range(PER_DAY_MAX + 1)]
    assert codes == [200] * PER_DAY_MAX + [422]


def test_no_two_stores_share_a_name() -> None:
    stores = ["17", "a-b", "A-b", "a_b", "-", "_", "s-", "S1", "s1"]
    labels = [dns_label(each) for each in stores]
    assert len(set(labels)) == len(stores)
    assert labels[:2] == ["17", "a-b"]
    for label in labels:  # each is a name that the CA can vouch for
        chain_ca(new_key(), serial_of(bytes(range(1, 21))), 0, f"{label}.shops.example")
