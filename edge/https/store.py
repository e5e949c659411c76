"""The till pages' key and certificates, in `tls/` of the data folder.

`till.key` never leaves the box. `till.pem` holds the certificate. Tablets have to trust whom the
box itself takes for head office's servers (`edge.tls`): two while the chain changes over.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.identity import write_secret
from edge.tls import FOLDER, SERVERS

KEY_FILE, CERTIFICATE_FILE = "till.key", "till.pem"
MAKESHIFT = "Tillbox not certified yet"
"""The name on a certificate that the box made for itself."""
_MAKESHIFT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certified:
    """What the certificate in use says; instants are UTC ms, `names` addresses and DNS names."""

    names: frozenset[str]
    not_before_ms: int
    not_after_ms: int
    is_makeshift: bool
    is_trusted: bool
    """Whether a tablet that trusts the chain as it is now trusts this."""


class TillFiles:
    """Reads and replaces the files; a file is there whole or not at all."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    @property
    def key(self) -> Path:
        """The private key (PEM, mode 0600)."""
        return self._folder / KEY_FILE

    @property
    def certificate(self) -> Path:
        """Certificate and signers (PEM)."""
        return self._folder / CERTIFICATE_FILE

    def ready(self, names: frozenset[str], now_ms: int) -> None:
        """Make sure that there is something to serve with, certified or not."""
        if self.certified() is None or not self._is_pair():
            key = ec.generate_private_key(ec.SECP256R1())
            self._keep_key(key)
            write_secret(self.certificate, _makeshift(key, names, now_ms))

    def request(self) -> str:
        """A certificate request (PEM) for the key; head office chooses what it certifies."""
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def take(self, certificate: str) -> None:
        """Serve with a new certificate (PEM) from now on; ValueError where it is not our key's."""
        found = x509.load_pem_x509_certificate(certificate.encode())
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        if found.public_key() != key.public_key():
            raise ValueError
        write_secret(self.certificate, certificate.encode())

    def certified(self) -> Certified | None:
        """What the certificate in use says; None where there is none that can be read."""
        try:
            found = x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
        except (OSError, ValueError, IndexError):
            return None
        try:
            said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None
        addresses = {str(each) for each in said.get_values_for_type(x509.IPAddress)}
        common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return Certified(
            frozenset(addresses | set(said.get_values_for_type(x509.DNSName))),
            int(found.not_valid_before_utc.timestamp() * 1000),
            int(found.not_valid_after_utc.timestamp() * 1000),
            any(each.value == MAKESHIFT for each in common),
            any(_is_signed(found, each) for each in self.authorities()),
        )

    def authorities(self) -> list[x509.Certificate]:
        """Whom a tablet has to trust; none where the chain has no certificates of its own."""
        try:
            return x509.load_pem_x509_certificates((self._folder / SERVERS).read_bytes())
        except (OSError, ValueError):
            return []

    def _is_pair(self) -> bool:
        """Whether the key is there and the certificate's: a server starts with no other."""
        try:
            found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        except (OSError, ValueError, TypeError):
            return False
        return found.public_key() == key.public_key()

    def _keep_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_secret(self.key, pem)


def _is_signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _makeshift(key: ec.EllipticCurvePrivateKey, names: frozenset[str], now_ms: int) -> bytes:
    """A certificate that nobody trusts: enough to begin with, and seen as what it is."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MAKESHIFT)])
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_MAKESHIFT_DAYS))
        .add_extension(
            x509.SubjectAlternativeName([_name(each) for each in sorted(names)]), critical=False
        )
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
