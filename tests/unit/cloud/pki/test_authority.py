"""What each CA may say, judged by OpenSSL as a broker, a box or a tablet does."""

from __future__ import annotations

import itertools
import ssl
from base64 import encodebytes
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud.pki import authority
from cloud.pki.authority import DAY_MS, Authority, Revoked
from edge.clock import SystemClock
from shared.kernel.errors import RefusedError

DEV = "d-abcdefghijklmnop"
SUFFIX = "shops.example"
NOW_MS = SystemClock().now_ms()
_serials = itertools.count(1 << 70)
CHAIN = authority.chain_ca(authority.new_key(), next(_serials), NOW_MS, SUFFIX)
DEVICES = authority.device_ca(authority.new_key(), next(_serials), NOW_MS)


def pem_of(path: Path, key: ec.EllipticCurvePrivateKey, *certificates: x509.Certificate) -> Path:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    return path


def shakes_hands(server: Path, root: Path, name: str, client: Path | None = None) -> bool:
    """Whether a client that trusts `root` takes a server for `name`, and is taken by it."""
    ours = ssl.create_default_context(cafile=str(root))
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(server)
    if client is not None:
        theirs.load_verify_locations(root)
        theirs.verify_mode = ssl.CERT_REQUIRED
        ours.load_cert_chain(client)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = ours.wrap_bio(down, up, server_hostname=name)
    answering = theirs.wrap_bio(up, down, server_side=True)
    todo: list[Callable[[], None]] = [asking.do_handshake, answering.do_handshake]
    for _ in range(6):
        for step in list(todo):
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
            todo.remove(step)
    return not todo


def server_for(
    alternative: x509.GeneralName, issuer: Authority, usage: x509.ObjectIdentifier
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A server's certificate as somebody with the CA's key could make it, past our own checks."""
    key = authority.new_key()
    builder = authority._leaf(
        issuer, key.public_key(), "Tillbox server", next(_serials), NOW_MS, 30
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    extension = x509.ExtendedKeyUsage([usage])
    return key, builder.add_extension(extension, critical=False).sign(issuer.key, hashes.SHA256())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "chain.pem"
    path.write_bytes(CHAIN.certificate.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("till.shops.example", True),
        ("hq.north.shops.example", True),
        ("192.168.1.20", True),
        ("10.255.0.1", True),
        ("fd00::7", True),
        ("bank.example", False),
        ("shops.example.evil.example", False),
        ("evilshops.example", False),
        ("8.8.8.8", False),
        ("172.32.0.1", False),
        ("2001:db8::1", False),
    ],
)
def test_who_trusts_the_chains_root_is_fooled_about_no_other_site(
    tmp_path: Path, root: Path, name: str, is_ours: bool
) -> None:
    is_address = name[0].isdigit() or ":" in name
    alternative = x509.IPAddress(ip_address(name)) if is_address else x509.DNSName(name)
    key, made = server_for(alternative, CHAIN, ExtendedKeyUsageOID.SERVER_AUTH)
    server = pem_of(tmp_path / "server.pem", key, made)
    assert shakes_hands(server, root, name) is is_ours
    if is_ours:
        issued = authority.server_certificate(
            CHAIN, key.public_key(), [name], next(_serials), NOW_MS
        )
        assert shakes_hands(pem_of(tmp_path / "issued.pem", key, issued), root, name)
        return
    with pytest.raises(RefusedError) as problem:
        authority.server_certificate(CHAIN, key.public_key(), [name], next(_serials), NOW_MS)
    assert problem.value.code == "ca.server_name"


@pytest.mark.parametrize("name", ["*.shops.example", "Till.shops.example", "a b.shops.example", ""])
def test_a_name_that_is_more_than_one_server_is_refused(name: str) -> None:
    key = authority.new_key().public_key()
    with pytest.raises(RefusedError, match=r"ca\.server_name"):
        authority.server_certificate(CHAIN, key, [name], next(_serials), NOW_MS)


@pytest.mark.parametrize("suffix", ["", "example", "Shops.Example", ".shops.example", "a b.c", "*"])
def test_a_chain_may_not_vouch_for_a_whole_top_level_or_nonsense(suffix: str) -> None:
    with pytest.raises(RefusedError, match=r"ca\.dns_suffix"):
        authority.chain_ca(authority.new_key(), next(_serials), NOW_MS, suffix)


def test_a_boxs_certificate_opens_no_server_and_a_servers_opens_no_broker(
    tmp_path: Path, root: Path
) -> None:
    key = authority.new_key()
    device = authority.device_certificate(DEVICES, key.public_key(), DEV, next(_serials), NOW_MS)
    names, serial = ["10.0.0.1"], next(_serials)
    server = authority.server_certificate(CHAIN, key.public_key(), names, serial, NOW_MS)
    both = tmp_path / "both.pem"
    both.write_bytes(
        root.read_bytes() + DEVICES.certificate.public_bytes(Encoding.PEM),
    )
    good = pem_of(tmp_path / "server.pem", key, server)
    box = pem_of(tmp_path / "box.pem", key, device)
    assert shakes_hands(good, both, "10.0.0.1", client=box)
    assert not shakes_hands(good, both, "10.0.0.1", client=good), "a server is no box"
    assert not shakes_hands(box, both, "10.0.0.1"), "a box is no server"


def request_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "d-zzzzzzzzzzzzzzzz"
) -> bytes:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.TITLE, "boss")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=9), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_nothing_of_a_request_counts_but_its_key() -> None:
    key = authority.new_key()
    taken = authority.proven_key(request_of(key))
    made = authority.device_certificate(DEVICES, taken, DEV, next(_serials), NOW_MS)
    assert made.subject.rfc4514_string() == f"CN={DEV}"
    assert made.public_key() == key.public_key()
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (False, True)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    begin, end = made.not_valid_before_utc, made.not_valid_after_utc
    assert end - begin == timedelta(days=90, minutes=5)


def other_signature(pem: bytes) -> bytes:
    """A request whose signature is that of another one: no proof that the key is there."""
    other = x509.load_pem_x509_csr(request_of(authority.new_key()))
    der = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)
    mine = x509.load_pem_x509_csr(pem).signature
    changed = bytes(mine[:-1]) + bytes([mine[-1] ^ 1])
    assert other.signature != mine
    return (
        b"-----BEGIN CERTIFICATE REQUEST-----\n"
        + encodebytes(der.replace(mine, changed))
        + b"-----END CERTIFICATE REQUEST-----\n"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        lambda: DEVICES.certificate.public_bytes(Encoding.PEM),
        lambda: request_of(ec.generate_private_key(ec.SECP384R1())),
        lambda: request_of(rsa.generate_private_key(65537, 2048)),
        lambda: other_signature(request_of(authority.new_key())),
        lambda: b"x" * 9000,
    ],
)
def test_a_request_that_proves_nothing_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(RefusedError, match=r"certificate\.request"):
        authority.proven_key(make())


def test_a_list_names_who_counts_no_more_and_lasts_a_month() -> None:
    gone = Revoked(77, NOW_MS - DAY_MS)
    made = authority.revocation_list(DEVICES, [gone], 5, NOW_MS)
    assert made.is_signature_valid(DEVICES.certificate.public_key())
    assert [each.serial_number for each in made] == [77]
    assert made.next_update_utc is not None
    assert made.next_update_utc - made.last_update_utc == timedelta(days=30, minutes=5)


class RemoteKey(ec.EllipticCurvePrivateKey):
    """A key that lives elsewhere, as in a KMS: it signs, and can do nothing else."""

    def __init__(self) -> None:
        self._far = authority.new_key()
        self.signed = 0

    def sign(self, data: object, signature_algorithm: object) -> bytes:
        self.signed += 1
        return self._far.sign(data, signature_algorithm)  # type: ignore[arg-type]

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._far.public_key()

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._far.curve

    @property
    def key_size(self) -> int:
        return self._far.key_size

    def exchange(self, *_: object) -> bytes:
        raise NotImplementedError

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        raise NotImplementedError

    def private_bytes(self, *_: object) -> bytes:
        raise NotImplementedError

    def __copy__(self) -> RemoteKey:
        raise NotImplementedError

    def __deepcopy__(self, memo: object) -> RemoteKey:
        raise NotImplementedError


def test_a_key_that_never_leaves_its_place_can_sign_for_a_ca() -> None:
    far = RemoteKey()
    issuer = authority.device_ca(far, next(_serials), NOW_MS)
    key = authority.new_key().public_key()
    made = authority.device_certificate(issuer, key, DEV, next(_serials), NOW_MS)
    authority.revocation_list(issuer, [], 1, NOW_MS)
    made.verify_directly_issued_by(issuer.certificate)
    assert far.signed == 3
