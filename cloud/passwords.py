"""Argon2id (RFC 9106) for passwords and PINs: the one module that knows the library."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_PASSWORDS = PasswordHasher()
# A box checks PINs on a small computer, at most a few a minute, with its own limit on tries:
# OWASP's smallest argon2id setting (19 MiB, two passes, one lane).
_PINS = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """The encoded hash of a console password."""
    return _PASSWORDS.hash(password)


def hash_pin(pin: str) -> str:
    """The encoded hash of an operator's PIN, cheap enough for a box."""
    return _PINS.hash(pin)


def is_password(encoded: str | None, password: str) -> bool:
    """Check a password; None (no such user) takes as long and is False."""
    try:
        _PASSWORDS.verify(encoded or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None


@cache
def _nobody() -> str:
    return _PASSWORDS.hash("nobody has this password")
