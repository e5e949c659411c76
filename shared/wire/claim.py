"""What the console's QR code says to a new box: where head office is, and the token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from shared.kernel.errors import RefusedError

SCHEME, HOST = "tillbox", "claim"
_TOKEN = re.compile(r"[A-Za-z2-7 -]{20,64}")
_SHA256 = re.compile(r"([0-9a-f]{64})?")
_TEXT_MAX = 2048


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it is handed to a box.

    `ca_sha256` (hex) is the fingerprint of the chain's own CA, "" where HTTPS uses a public one.
    """

    cloud_url: str
    token: str
    ca_sha256: str = ""


def claim_url(claim: Claim) -> str:
    """The claim as one line: `tillbox://claim?cloud=...&token=...&ca=...`."""
    said = {"cloud": claim.cloud_url, "token": claim.token}
    if claim.ca_sha256:
        said["ca"] = claim.ca_sha256
    return f"{SCHEME}://{HOST}?{urlencode(said)}"


def parse_claim(text: str) -> Claim:
    """Read what `claim_url` made; RefusedError `enrol.claim_url` for anything else."""
    try:
        parts = urlsplit(text.strip()[:_TEXT_MAX])
        said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        claim = Claim(said["cloud"], said["token"], said.get("ca", ""))
        cloud = urlsplit(claim.cloud_url)
    except (KeyError, ValueError):
        raise RefusedError("enrol.claim_url") from None
    is_ours = (parts.scheme, parts.netloc) == (SCHEME, HOST)
    is_web = cloud.scheme in {"http", "https"} and bool(cloud.hostname)
    is_sound = _TOKEN.fullmatch(claim.token) and _SHA256.fullmatch(claim.ca_sha256)
    if not (is_ours and is_web and is_sound):
        raise RefusedError("enrol.claim_url")
    return claim
