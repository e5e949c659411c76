"""The second factor: an app's code, or a recovery code, each good once."""

from __future__ import annotations

import base64

from sqlalchemy import Connection

from cloud.clock import random_bytes
from cloud.identity import store
from cloud.identity.parts import Parts, hash_of
from cloud.identity.store import User
from cloud.identity.totp import SECRET_BYTES, step_of
from shared.kernel.errors import RefusedError

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 bits each, so that their plain hashes tell nothing."""
_GROUP = 4


def check_second_factor(parts: Parts, connection: Connection, user: User, code: str) -> str:
    """Check and use up the code; answers how the person signed in.

    Raises RefusedError `session.code_required` or `session.wrong_code`.
    """
    if user.totp_sealed is None:
        return "password"
    if not code.strip():
        raise RefusedError("session.code_required")
    secret = parts.sealer.open(user.totp_sealed, user.name)
    step = step_of(secret, code, parts.now_ms(), after_step=user.totp_step)
    if step is not None and store.use_step(connection, user.name, step):
        return "totp"
    if store.use_code(connection, user.name, _code_hash(user.name, code)):
        return "totp"
    raise RefusedError("session.wrong_code")


def new_secret() -> bytes:
    """160 random bits, as RFC 4226 asks for."""
    return random_bytes(SECRET_BYTES)


def new_codes(connection: Connection, name: str) -> list[str]:
    """Make a person's recovery codes anew; they are told once and kept as hashes."""
    codes = [_readable(random_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
    store.put_codes(connection, name, [_code_hash(name, code) for code in codes])
    return codes


def _readable(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _code_hash(name: str, code: str) -> bytes:
    plain = "".join(code.split()).replace("-", "").lower()
    return hash_of(f"{name}:{plain}")
