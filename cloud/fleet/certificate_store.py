"""SQL of the boxes' certificates."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

_ADD = text("""
    INSERT INTO device_certificate (serial, dev, key_hash, pem, cause, issued_at_ms, not_after_ms)
    VALUES (:serial, :dev, :key_hash, :pem, :cause, :issued_at_ms, :not_after_ms)
    ON CONFLICT (dev, key_hash) DO UPDATE SET serial = excluded.serial, pem = excluded.pem,
        cause = excluded.cause, issued_at_ms = excluded.issued_at_ms,
        not_after_ms = excluded.not_after_ms""")
_COLUMNS = "serial, dev, key_hash, pem, cause, issued_at_ms, not_after_ms, revoked_at_ms"
_NEWEST = text(f"""
    SELECT {_COLUMNS} FROM device_certificate WHERE dev = :dev
    ORDER BY issued_at_ms DESC, serial LIMIT 1""")  # noqa: S608 - constants
_OF_KEY = text(f"""
    SELECT {_COLUMNS} FROM device_certificate
    WHERE dev = :dev AND key_hash = :key_hash""")  # noqa: S608 - constants
_COUNT = text("""
    SELECT count(*) FROM device_certificate WHERE dev = :dev AND issued_at_ms > :since_ms""")
_REVOKE = text("""
    UPDATE device_certificate SET revoked_at_ms = :at_ms
    WHERE dev = :dev AND revoked_at_ms IS NULL""")
_REVOKED = text("""
    SELECT serial, revoked_at_ms FROM device_certificate
    WHERE revoked_at_ms IS NOT NULL AND not_after_ms > :at_ms ORDER BY serial""")
_SHUT_OUT = text("""
    SELECT DISTINCT dev FROM device_certificate JOIN device USING (dev)
    WHERE status = 'revoked' AND revoked_at_ms > :since_ms AND not_after_ms > :at_ms""")
_LOCK_DEVICE = text("""
    SELECT status, journal_pub FROM device WHERE dev = :dev FOR UPDATE""")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of a box: `serial` in hex, `key_hash` of its public key, times UTC ms."""

    serial: str
    dev: str
    key_hash: bytes
    pem: str
    cause: str
    issued_at_ms: int
    not_after_ms: int
    revoked_at_ms: int | None = None


def add(connection: Connection, issued: Issued) -> None:
    """Note a certificate; one of the same key has ended and is forgotten."""
    connection.execute(_ADD, asdict(issued))


def newest(connection: Connection, dev: str) -> Issued | None:
    """The certificate that a box was given last."""
    row = connection.execute(_NEWEST, {"dev": dev}).one_or_none()
    return None if row is None else Issued(*row)


def of_key(connection: Connection, dev: str, key_hash: bytes) -> Issued | None:
    """The certificate that a box was given for a key."""
    row = connection.execute(_OF_KEY, {"dev": dev, "key_hash": key_hash}).one_or_none()
    return None if row is None else Issued(*row)


def count_since(connection: Connection, dev: str, since_ms: int) -> int:
    """How many certificates a box was given after an instant."""
    return int(connection.execute(_COUNT, {"dev": dev, "since_ms": since_ms}).scalar_one())


def revoke_all(connection: Connection, dev: str, at_ms: int) -> None:
    """Let none of a box's certificates count any more."""
    connection.execute(_REVOKE, {"dev": dev, "at_ms": at_ms})


def revoked(connection: Connection, at_ms: int) -> list[tuple[str, int]]:
    """Serial (hex) and instant of those that would count still, had they not been revoked."""
    return [(row[0], row[1]) for row in connection.execute(_REVOKED, {"at_ms": at_ms})]


def shut_out(connection: Connection, since_ms: int, at_ms: int) -> list[str]:
    """Boxes that were revoked after an instant, with certificates that would count still."""
    wanted = {"since_ms": since_ms, "at_ms": at_ms}
    return list(connection.execute(_SHUT_OUT, wanted).scalars())


def lock_device(connection: Connection, dev: str) -> tuple[str, bytes] | None:
    """A box's status and journal key; who asks for the same box waits."""
    row = connection.execute(_LOCK_DEVICE, {"dev": dev}).one_or_none()
    return None if row is None else (str(row[0]), bytes(row[1]))
