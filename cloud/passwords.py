"""Argon2id (RFC 9106) for passwords and PINs: the one module that knows the library."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.staff.pin import HASH_KIB, HASH_LANES, HASH_PASSES

_PASSWORDS = PasswordHasher()
_PINS = PasswordHasher(HASH_PASSES, HASH_KIB, HASH_LANES)


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
