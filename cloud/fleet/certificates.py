"""The boxes' certificates: given at enrolment, renewed over HTTPS, taken back with a revocation.

A renewal goes over HTTPS and not over the broker because it must work with a certificate that has
run out as well: one way for both.  It needs the box's secret and a proof by its journal key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from cloud.db import Database
from cloud.fleet import certificate_store
from cloud.fleet.certificate_store import Issued
from cloud.pki.authority import DAY_MS, Revoked, end_ms, proven_key
from cloud.pki.folder import CaFolder
from cloud.pki.shut_out_list import known
from cloud.settings import Settings
from cloud.signing import HqKey, is_signed_by
from shared.kernel.canonical import sha256
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError
from shared.wire.certificate import renewal_statement, trust_statement

LATE_DAYS = 180
"""A shop that was closed for longer needs a new claim."""
PER_DAY_MAX = 6
"""A box that asks for more in a day is broken, or not ours."""
SKEW_MS = 900_000
"""So far a box's clock may be off when it asks for its next certificate."""
AT_ENROLMENT, RENEWED = "enrol", "renew"


@dataclass(frozen=True, slots=True)
class Renewal:
    """A box asks for its next certificate.

    `t` (UTC ms) by its own clock; `proof` by its journal key over `renewal_statement`.
    """

    dev: str
    csr: bytes
    t: int
    proof: bytes


@dataclass(frozen=True, slots=True)
class Giver:
    """What giving certificates needs of the process."""

    settings: Settings
    ca: CaFolder
    hq_key: HqKey

    def give(
        self, connection: Connection, dev: str, csr: bytes, at_ms: int, cause: str = AT_ENROLMENT
    ) -> dict[str, Any]:
        """Issue, or hand out again, the certificate for a request's key; see `answer_of`.

        The caller holds the device's row. Raises RefusedError `certificate.request`,
        `certificate.too_many` or `certificate.revoked`.
        """
        key = proven_key(csr)
        key_hash = _hash_of(key)
        found = certificate_store.of_key(connection, dev, key_hash)
        if found is not None and found.revoked_at_ms is not None:
            raise RefusedError("certificate.revoked", dev=dev)
        if found is None or found.not_after_ms <= at_ms:
            found = self._issued(connection, dev, key, at_ms, cause)
        return self._answer(found)

    def _issued(
        self,
        connection: Connection,
        dev: str,
        key: ec.EllipticCurvePublicKey,
        at_ms: int,
        cause: str,
    ) -> Issued:
        if certificate_store.count_since(connection, dev, at_ms - DAY_MS) >= PER_DAY_MAX:
            raise RefusedError("certificate.too_many", dev=dev)
        made = self.ca.device(key, dev, at_ms)
        issued = Issued(
            serial=f"{made.serial_number:x}",
            dev=dev,
            key_hash=_hash_of(key),
            pem=_pem(made),
            cause=cause,
            issued_at_ms=at_ms,
            not_after_ms=end_ms(made),
        )
        certificate_store.add(connection, issued)
        return issued

    def _answer(self, issued: Issued) -> dict[str, Any]:
        """The certificate, who the broker's must come from, and head office's word for that."""
        trust = self.ca.bundle("chain")
        statement = trust_statement(issued.dev, trust.encode())
        host, port = self.settings.device_broker(has_certificate=True)
        return {
            "certificate": issued.pem,
            "not_after_ms": issued.not_after_ms,
            "trust": trust,
            "trust_sig": self.hq_key.sign(statement).hex(),
            "broker": {"host": host, "port": port},
        }


def renew(database: Database, giver: Giver, renewal: Renewal, at_ms: int) -> dict[str, Any]:
    """Give a box its next certificate; the same key gets the same one.

    Its last one may have ended up to 180 days ago. Raises ForbiddenError `certificate.proof`,
    RefusedError `certificate.clock`, `certificate.too_late`, `certificate.revoked`,
    `certificate.request` or `certificate.too_many`, MissingError `box.unknown`.
    """
    with database.begin() as connection:
        found = certificate_store.lock_device(connection, renewal.dev)
        if found is None:
            raise MissingError("box.unknown", dev=renewal.dev[:40])
        status, journal_pub = found
        if status == "revoked":
            raise RefusedError("certificate.revoked", dev=renewal.dev)
        if abs(renewal.t - at_ms) > SKEW_MS:
            raise RefusedError("certificate.clock", minutes=SKEW_MS // 60_000, now_ms=at_ms)
        statement = renewal_statement(renewal.dev, renewal.csr, renewal.t)
        if not is_signed_by(journal_pub, renewal.proof, statement):
            raise ForbiddenError("certificate.proof", dev=renewal.dev)
        last = certificate_store.newest(connection, renewal.dev)
        if last is not None and at_ms - last.not_after_ms > LATE_DAYS * DAY_MS:
            raise RefusedError("certificate.too_late", days=LATE_DAYS)
        return giver.give(connection, renewal.dev, renewal.csr, at_ms, RENEWED)


def revoke_all(connection: Connection, dev: str, at_ms: int) -> None:
    """Let none of a box's certificates count any more."""
    certificate_store.revoke_all(connection, dev, at_ms)


def revocation_lists(database: Database, ca: CaFolder, at_ms: int) -> str:
    """What brokers must refuse: a list for each device CA, PEM.

    With those that only the file beside the CAs knows: see `cloud.pki.shut_out_list`.
    """
    with database.begin() as connection:
        found = dict(certificate_store.revoked(connection, at_ms))
    for box in known(ca):
        for serial, until_ms in box.certificates:
            if until_ms > at_ms:
                found.setdefault(serial, box.at_ms)
    revoked = (Revoked(int(serial, 16), found[serial]) for serial in sorted(found))
    return ca.revocation_lists(revoked, at_ms)


def _hash_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
