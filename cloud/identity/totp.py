"""Codes that change every 30 seconds (RFC 6238: HMAC-SHA-1, six digits). Pure."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

STEP_MS = 30_000
DIGITS = 6
SECRET_BYTES = 20
SKEW_STEPS = 1
"""A telephone's clock may be one step off either way."""
ISSUER = "Tillbox"


def code_at(secret: bytes, step: int) -> str:
    """The code of one step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(secret: bytes, code: str, at_ms: int, *, after_step: int) -> int | None:
    """The step that a code belongs to; None for a wrong one, or one of `after_step` or before."""
    given = code.strip().replace(" ", "")
    if len(given) != DIGITS or not given.isascii() or not given.isdigit():
        return None
    now = at_ms // STEP_MS
    for step in range(now - SKEW_STEPS, now + SKEW_STEPS + 1):
        if step > after_step and hmac.compare_digest(code_at(secret, step), given):
            return step
    return None


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app that cannot scan."""
    return base64.b32encode(secret).decode().rstrip("=")


def enrolment_url(secret: bytes, user: str, place: str) -> str:
    """What the QR code says; `place` tells two installations apart."""
    label = quote(f"{ISSUER}:{user}@{place}" if place else f"{ISSUER}:{user}", safe="")
    return (
        f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={ISSUER}"
        f"&algorithm=SHA1&digits={DIGITS}&period={STEP_MS // 1000}"
    )
