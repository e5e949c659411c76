"""Two certificate authorities, and what each may sign. Pure: keys, instants and serials come in.

The device CA says who is a box: client certificates, the device id as the only name.  The chain CA
says which server is ours: its root can vouch for private addresses and for names below one DNS
suffix, and for nothing else (RFC 5280, 4.2.1.10), so that a tablet which trusts it cannot be
fooled about any other site.

An issuer's key is an `EllipticCurvePrivateKey`: a file's, or an adapter's whose `sign` asks a KMS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.kernel.errors import RefusedError
from shared.wire.topics import is_device_id

DAY_MS = 86_400_000
CA_DAYS = 3653
DEVICE_DAYS = 90
SERVER_DAYS = 397
"""Browsers take no server certificate that is valid for longer than 398 days."""
CRL_DAYS = 30
EARLY_MS = 300_000
"""A box's clock may be some minutes behind head office's."""
CSR_BYTES_MAX = 8192
_DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})+")
_SERIAL_BITS = 159
PRIVATE_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that counts no more, by its serial number, since an instant (UTC ms)."""

    serial: int
    at_ms: int


def new_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def serial_of(random: bytes) -> int:
    """A certificate's serial number of at least 16 random bytes (RFC 5280: at most 20, not 0)."""
    number = int.from_bytes(random[:20], "big") & ((1 << _SERIAL_BITS) - 1)
    assert number >> 64, "a serial number needs entropy"
    return number


def device_ca(key: ec.EllipticCurvePrivateKey, serial: int, at_ms: int) -> Authority:
    """A new root that can only say who is a box."""
    builder = _root(key, f"Tillbox devices {serial:x}"[:32], serial, at_ms)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def chain_ca(
    key: ec.EllipticCurvePrivateKey, serial: int, at_ms: int, dns_suffix: str
) -> Authority:
    """A new root that can only vouch for private addresses and names below `dns_suffix`.

    RefusedError `ca.dns_suffix`.
    """
    if _DNS_NAME.fullmatch(dns_suffix) is None:
        raise RefusedError("ca.dns_suffix", dns_suffix=dns_suffix[:80])
    permitted: list[x509.GeneralName] = [x509.DNSName(dns_suffix)]
    permitted += [x509.IPAddress(network) for network in PRIVATE_NETWORKS]
    builder = _root(key, f"Tillbox chain {serial:x}"[:32], serial, at_ms)
    builder = builder.add_extension(
        x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def dns_suffix_of(root: x509.Certificate) -> str:
    """The names that a chain CA may vouch for."""
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints).value
    names = constraints.permitted_subtrees or []
    return next(each.value for each in names if isinstance(each, x509.DNSName))


def proven_key(csr: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of a request (PEM) that proves that who asks has the private one.

    Nothing else of the request is looked at. RefusedError `certificate.request`.
    """
    if len(csr) > CSR_BYTES_MAX:
        raise RefusedError("certificate.request")
    try:
        request = x509.load_pem_x509_csr(csr)
        key = request.public_key()
        is_ours = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise RefusedError("certificate.request") from None
    if not is_ours or not isinstance(key, ec.EllipticCurvePublicKey):
        raise RefusedError("certificate.request")
    if not isinstance(key.curve, ec.SECP256R1):
        raise RefusedError("certificate.request")
    return key


def device_certificate(
    issuer: Authority, key: ec.EllipticCurvePublicKey, dev: str, serial: int, at_ms: int
) -> x509.Certificate:
    """A box's client certificate for 90 days; its name is the device id and nothing else."""
    assert is_device_id(dev), "a name with a slash would reach another box's topics"
    builder = _leaf(issuer, key, dev, serial, at_ms, DEVICE_DAYS)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True
    )
    return builder.sign(issuer.key, hashes.SHA256())


def server_certificate(
    issuer: Authority, key: ec.EllipticCurvePublicKey, names: Iterable[str], serial: int, at_ms: int
) -> x509.Certificate:
    """A certificate of a broker, an API or a till page for names and private addresses.

    RefusedError `ca.server_name` for one that its CA may not vouch for.
    """
    suffix = dns_suffix_of(issuer.certificate)
    alternatives = [_server_name(name, suffix) for name in names]
    if not alternatives:
        raise RefusedError("ca.server_name", name="", dns_suffix=suffix)
    # OpenSSL takes a common name that looks like a DNS name for one: this does not.
    builder = _leaf(issuer, key, "Tillbox server", serial, at_ms, SERVER_DAYS)
    builder = builder.add_extension(
        x509.SubjectAlternativeName(alternatives), critical=False
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def revocation_list(
    issuer: Authority, revoked: Iterable[Revoked], number: int, at_ms: int
) -> x509.CertificateRevocationList:
    """Which certificates of a CA count no more; good for 30 days, made daily.

    A broker refuses everybody once the list is past its end, so the end is far.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(_instant(at_ms - EARLY_MS))
        .next_update(_instant(at_ms + CRL_DAYS * DAY_MS))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_key_id(issuer), critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial)
        builder = builder.add_revoked_certificate(
            entry.revocation_date(_instant(each.at_ms)).build()
        )
    return builder.sign(issuer.key, hashes.SHA256())


def _root(
    key: ec.EllipticCurvePrivateKey, name: str, serial: int, at_ms: int
) -> x509.CertificateBuilder:
    subject = _name(name)
    builder = _builder(key.public_key(), serial, at_ms, CA_DAYS)
    builder = builder.subject_name(subject).issuer_name(subject)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _leaf(  # noqa: PLR0913, PLR0917 - the fields of a certificate
    issuer: Authority,
    key: ec.EllipticCurvePublicKey,
    name: str,
    serial: int,
    at_ms: int,
    days: int,
) -> x509.CertificateBuilder:
    builder = _builder(key, serial, at_ms, days)
    builder = builder.subject_name(_name(name)).issuer_name(issuer.certificate.subject)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_ca=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_key_id(issuer), critical=False)
    )


def _builder(
    key: ec.EllipticCurvePublicKey, serial: int, at_ms: int, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().public_key(key).serial_number(serial)
    return builder.not_valid_before(_instant(at_ms - EARLY_MS)).not_valid_after(
        _instant(at_ms + days * DAY_MS)
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _server_name(name: str, suffix: str) -> x509.GeneralName:
    try:
        address = ip_address(name)
    except ValueError:
        is_below = name == suffix or name.endswith(f".{suffix}")
        if not is_below or _DNS_NAME.fullmatch(name) is None:
            raise RefusedError("ca.server_name", name=name[:80], dns_suffix=suffix) from None
        return x509.DNSName(name)
    if not any(address in network for network in PRIVATE_NETWORKS):
        raise RefusedError("ca.server_name", name=name[:80], dns_suffix=suffix)
    return x509.IPAddress(address)


def _key_id(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    found = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def names_of(certificate: x509.Certificate) -> set[str]:
    """The names and addresses of a server's certificate."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in found}


def is_due(certificate: x509.Certificate, at_ms: int) -> bool:
    """Whether two thirds of a certificate's life are over."""
    begin, end = begin_ms(certificate), end_ms(certificate)
    return at_ms >= begin + (end - begin) * 2 // 3


def end_ms(certificate: x509.Certificate) -> int:
    """When a certificate ends to count, UTC ms."""
    return _ms_of(certificate.not_valid_after_utc)


def begin_ms(certificate: x509.Certificate) -> int:
    """When a certificate began to count, UTC ms."""
    return _ms_of(certificate.not_valid_before_utc)


def _ms_of(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
