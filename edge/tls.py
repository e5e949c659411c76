"""This box's TLS key and certificates, in the folder `tls` of its data; the key never leaves it.

`box.pem` is what the broker knows, `next.pem` one that has not been tried yet: key, certificate
and broker in one file, so that a power cut leaves all of it or nothing.  `new.key` is the key of a
request whose answer has not come; a repeat uses it again and gets the same certificate.
`servers.pem` are the certificates that head office's servers come from.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.identity import sync_folder, write_secret
from shared.kernel.errors import CorruptError, RefusedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

Trust = Callable[[], "ssl.SSLContext | bool"]
"""Which servers to believe over HTTPS; see httpx `verify`."""
FOLDER = "tls"
CURRENT, NEXT, NEW_KEY, SERVERS = "box.pem", "next.pem", "new.key", "servers.pem"
_BROKER = re.compile(r"\ABroker: (\S{1,255}) (\d{1,5})\n")
_REQUEST = "-----BEGIN CERTIFICATE REQUEST-----"
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class BoxCertificate:
    """A certificate with its key, and the broker that asks for it."""

    path: Path
    host: str
    port: int
    not_before_ms: int
    not_after_ms: int

    def is_due(self, now_ms: int) -> bool:
        """Whether two thirds of its life are over: time for the next one."""
        life_ms = self.not_after_ms - self.not_before_ms
        return now_ms >= self.not_before_ms + life_ms * 2 // 3


class BoxKeys:
    """The folder; safe to ask from any thread, changed by one at a time."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER
        self._https: tuple[str, ssl.SSLContext] | None = None

    def request(self) -> str:
        """A certificate request (PEM) of the new key, both made at the first call."""
        path = self.folder / NEW_KEY
        key, csr = self._pending()
        if key is None or not csr:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key_pem, csr = _new_request()
            write_secret(path, (key_pem + csr).encode())
        return csr

    def accept(self, answer: dict[str, Any], *, is_first: bool = False) -> None:
        """Keep the answer to the last request, to be tried with the next connection.

        `answer` is {certificate, trust, broker: {host, port}} as head office gives it. At
        enrolment (`is_first`) there is no other to go back to. Raises RefusedError `tls.answer`
        for what does not fit the key or cannot be.
        """
        from cryptography import x509  # noqa: PLC0415

        try:
            pem, trust = str(answer["certificate"]), str(answer["trust"])
            host, port = str(answer["broker"]["host"]), int(answer["broker"]["port"])
            certificate = x509.load_pem_x509_certificate(pem.encode())
            roots = x509.load_pem_x509_certificates(trust.encode())
            place = f"Broker: {host} {port}\n"
            key, _ = self._pending()
            is_ours = key is not None and certificate.public_key() == key.public_key()
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError("tls.answer", field=str(error)[:80]) from error
        if not is_ours or not roots or not _is_place(place):
            raise RefusedError("tls.answer", field="certificate")
        self.trust(trust)
        key_pem = (self.folder / NEW_KEY).read_text(encoding="ascii").partition(_REQUEST)[0]
        if is_first:
            self.forget()
        kept = f"{place}{key_pem}{pem}".encode()
        write_secret(self.folder / (CURRENT if is_first else NEXT), kept)
        (self.folder / NEW_KEY).unlink()
        sync_folder(self.folder)

    def forget(self) -> None:
        """Have no certificate: this box was given another identity."""
        for name in (NEXT, CURRENT):
            (self.folder / name).unlink(missing_ok=True)

    def forget_request(self) -> None:
        """Ask with a new key next time: nobody will give a certificate for this one."""
        (self.folder / NEW_KEY).unlink(missing_ok=True)

    def trust(self, pem: str) -> None:
        """Take over which certificates head office's servers come from."""
        path = self.folder / SERVERS
        if not path.exists() or path.read_text(encoding="ascii") != pem:
            write_secret(path, pem.encode())

    def current(self) -> BoxCertificate | None:
        """The certificate that a broker has accepted; None before the first one."""
        return self._read(CURRENT)

    def upcoming(self) -> BoxCertificate | None:
        """One that was not tried yet."""
        return self._read(NEXT)

    def newest(self) -> BoxCertificate | None:
        """The last one that head office gave."""
        return self.upcoming() or self.current()

    def was_let_in(self) -> bool:
        """Whether there is a certificate that a broker took, though it may be damaged by now."""
        return (self.folder / CURRENT).exists()

    def proved(self, used: BoxCertificate) -> None:
        """A broker has let us in with this one: the one before it is not needed any more."""
        if used.path.name == NEXT and used.path.exists():
            used.path.replace(self.folder / CURRENT)
            sync_folder(self.folder)

    def broker_context(self, used: BoxCertificate) -> ssl.SSLContext:
        """For the connection to the broker: only a server of the chain's own will do.

        Raises OSError (ssl.SSLError) when the files cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.folder / SERVERS)
        context.load_cert_chain(used.path)
        return context

    def https_trust(self) -> ssl.SSLContext | bool:
        """For HTTPS to head office: public certificates and the chain's own; see httpx `verify`.

        The same object as long as the certificates are the same: who keeps a connection compares.
        """
        path = self.folder / SERVERS
        if not path.exists():
            return True
        pem = path.read_text(encoding="ascii")
        if self._https is None or self._https[0] != pem:
            self._https = (pem, https_context(pem))
        return self._https[1]

    def _pending(self) -> tuple[EllipticCurvePrivateKey | None, str]:
        """The key and the request whose answer has not come; None for none, or a damaged one."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as in request
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )

        try:
            text = (self.folder / NEW_KEY).read_text(encoding="ascii")
            found = load_pem_private_key(text.encode(), password=None)
        except (FileNotFoundError, ValueError, TypeError):
            return None, ""  # nobody has a certificate for it: a new one does no harm
        key = found if isinstance(found, ec.EllipticCurvePrivateKey) else None
        return key, text[text.find(_REQUEST) :] if _REQUEST in text else ""

    def _read(self, name: str) -> BoxCertificate | None:
        from cryptography import x509  # noqa: PLC0415

        path = self.folder / name
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        try:
            found = x509.load_pem_x509_certificate(text.encode())
        except ValueError:
            raise CorruptError("tls.certificate", path=str(path)) from None
        place = _BROKER.match(text)
        if place is None:
            raise CorruptError("tls.certificate", path=str(path))
        begin, end = (
            _ms_of(each) for each in (found.not_valid_before_utc, found.not_valid_after_utc)
        )
        return BoxCertificate(path, place[1], int(place[2]), begin, end)


def public_trust() -> bool:
    """Believe public certificates alone."""
    return True


def https_context(pem: str) -> ssl.SSLContext:
    """Trust in public certificates and in these (PEM) beside them."""
    import certifi  # noqa: PLC0415 - only where a chain has certificates of its own

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_verify_locations(cadata=pem)
    return context


def _new_request() -> tuple[str, str]:
    """A new P-256 key and a request for its certificate, PEM. Who signs looks at the key alone."""
    from cryptography import x509  # noqa: PLC0415 - it costs the start of every box
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return pem.decode(), csr.decode()


def _is_place(line: str) -> bool:
    found = _BROKER.match(line)
    return found is not None and 0 < int(found[2]) <= _PORT_MAX


def _ms_of(instant: datetime) -> int:
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1000
