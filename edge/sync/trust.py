"""Which certificates a box believes before it is enrolled: a file's, or those of its claim."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx

from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.claim import Claim, parse_claim

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_PEM_BYTES_MAX = 64 * 1024
_OK = 200


def claim_of(text: str | None, cloud_url: str | None, token: str | None) -> Claim:
    """A claim as a person gave it: whole, as the QR code says it, or in two parts.

    RefusedError `enrol.claim_missing`, or as `parse_claim`.
    """
    if text:
        return parse_claim(text)
    if cloud_url and token:
        return Claim(cloud_url, token)
    raise RefusedError("enrol.claim_missing")


def first_trust(claim: Claim, ca_file: Path | None) -> str:
    """The chain's own CA (PEM), "" where there is none.

    Raises OSError for a file that cannot be read, RefusedError `enrol.ca` when it holds no
    certificate, or when who answers has another CA than the claim says: somebody is in between.
    UnavailableError `enrol.unreachable`.
    """
    if ca_file is not None:
        text = ca_file.read_text(encoding="ascii", errors="replace")
        if not _certificates(text):
            raise RefusedError("enrol.ca", place=str(ca_file))
        return text
    if not claim.ca_sha256:
        return ""
    url = f"{claim.cloud_url.rstrip('/')}/v1/pki/chain-ca.pem"
    found = _certificates(_fetch(url)).get(claim.ca_sha256)
    if found is None:
        raise RefusedError("enrol.ca", place=url)
    return found


def _fetch(url: str) -> str:
    try:
        # Nobody is believed here: the fingerprint of what comes stands in the claim.
        answer = httpx.get(url, timeout=_TIMEOUT, verify=False)  # noqa: S501 - see above
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError("enrol.unreachable", url=url) from error
    if answer.status_code != _OK or len(answer.content) > _PEM_BYTES_MAX:
        raise UnavailableError("enrol.unreachable", url=url)
    return answer.content.decode("ascii", errors="replace")


def _certificates(text: str) -> dict[str, str]:
    """Each certificate of a PEM text by its fingerprint (SHA-256, hex)."""
    from cryptography import x509  # noqa: PLC0415 - only where a chain has its own CA
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return {}
    return {
        hashlib.sha256(each.public_bytes(Encoding.DER)).hexdigest(): each.public_bytes(
            Encoding.PEM
        ).decode()
        for each in found
    }
