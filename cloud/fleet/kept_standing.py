"""Brings together who is shut out by the database and by the file beside the CAs.

What a restored database has forgotten is done again; what it knows goes into the file.  Only who
was put back into service since is dropped from it.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, text

from cloud.clock import random_bytes
from cloud.context import Context
from cloud.db import Database, StatementError
from cloud.fleet import standing
from cloud.fleet.standing import Order
from cloud.pki.folder import CaFolder, ca_of
from cloud.pki.shut_out_list import ShutOutBox, known, write_list
from shared.kernel.errors import RetailError

BY, WHY = "-", "Shut out before the database was restored"
_STANDING = text("""
    SELECT dev, status, coalesce((SELECT max(at_ms) FROM fleet_event e
        WHERE e.dev = d.dev AND e.action IN ('active', 'revoked')), -1)
    FROM device d WHERE dev = ANY(:devs)""")
_REVOKED = text("""
    SELECT d.dev, coalesce((
        SELECT max(at_ms) FROM fleet_event e WHERE e.dev = d.dev AND e.action = 'revoked'), 0),
        c.serial, c.not_after_ms
    FROM device d LEFT JOIN device_certificate c USING (dev) WHERE d.status = 'revoked'""")
_log = structlog.get_logger("cloud.fleet")


def bring_together(database: Database, ca: CaFolder, at_ms: int) -> list[str]:
    """Do it; the boxes that are shut out again.

    Raises DatabaseError, OSError and what the CA's files raise.
    """
    with ca.locked():
        kept = {box.dev: box for box in known(ca)}
        with database.begin() as connection:
            known_of = {row[0]: row[1:] for row in connection.execute(_STANDING, {"devs": [*kept]})}
            again = []
            for dev, (status, decided_at_ms) in known_of.items():
                if status == standing.REVOKED:
                    continue
                # The database knows of it, or of something later: it was put back since.
                if decided_at_ms >= kept[dev].at_ms:
                    del kept[dev]
                    continue
                standing.shut_out_again(connection, Order(dev, BY, WHY, at_ms))
                again.append(dev)
            told = _revoked(connection)
        write_list(ca, _united(kept, told))
    for dev in again:
        _log.warning("fleet.shut_out_again", dev=dev)
    return again


def recall(context: Context) -> None:
    """Do it before the first request is answered; a database that is away is only told."""
    ca = ca_of(context.settings, random_bytes)
    if ca is None:
        return
    try:
        bring_together(context.database, ca, context.clock.now_ms())
    except (RetailError, StatementError, OSError) as error:
        _log.error("fleet.shut_out_not_recalled", because=str(error))


def _revoked(connection: Connection) -> dict[str, ShutOutBox]:
    found: dict[str, ShutOutBox] = {}
    for dev, at_ms, serial, end_ms in connection.execute(_REVOKED):
        before = found[dev].certificates if dev in found else ()
        own = ((serial, end_ms),) if serial is not None else ()
        found[dev] = ShutOutBox(dev, at_ms, before + own)
    return found


def _united(one: dict[str, ShutOutBox], other: dict[str, ShutOutBox]) -> list[ShutOutBox]:
    """Each box with the certificates of both, and the later instant."""
    boxes = []
    for dev in one.keys() | other.keys():
        found = [each[dev] for each in (one, other) if dev in each]
        certificates = {each for box in found for each in box.certificates}
        at_ms = max(box.at_ms for box in found)
        boxes.append(ShutOutBox(dev, at_ms, tuple(sorted(certificates))))
    return boxes
