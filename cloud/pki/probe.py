"""Looks at the certificate that a server shows, as whoever connects to it does."""

from __future__ import annotations

import ssl

import structlog
from cryptography import x509

from cloud.pki.authority import end_ms

TIMEOUT_S = 5.0
_log = structlog.get_logger("cloud.pki")


def shown_until_ms(host: str, port: int) -> int | None:
    """When the certificate of a server ends (UTC ms); None when it shows none."""
    try:
        pem = ssl.get_server_certificate((host, port), timeout=TIMEOUT_S)
        return end_ms(x509.load_pem_x509_certificate(pem.encode()))
    except (OSError, ValueError) as error:
        _log.warning("pki.no_certificate", host=host, port=port, because=str(error))
        return None
