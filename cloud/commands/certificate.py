"""`tillbox-cloud certificate`: what a store certified for a day, and whether it still holds."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from cloud.certificate.check import check
from cloud.certificate.store import StoredCertificate, of_day
from cloud.certificate.view import certificate_row
from cloud.commands.say import say
from cloud.db import database_of
from cloud.migrations.state import require_migrated
from cloud.settings import Settings
from cloud.signing import is_signed_by, read_hq_key
from cloud.texts import sentence
from shared.kernel.errors import MissingError, RefusedError
from shared.till.certificate import certificate_code, countersign_statement, read_certificate


def show(settings: Settings, chosen: Namespace) -> None:
    """Print a day's certificates as JSON; MissingError `certificate.none`."""
    hq_pub = read_hq_key(Path(settings.hq_key_file)).public_hex
    with closing(database_of(settings)) as database:
        require_migrated(database)
        with database.begin() as connection:
            found = _found(connection, chosen)
    rows = [certificate_row(each, hq_pub) for each in found]
    say(json.dumps({"certificates": rows}, ensure_ascii=False, indent=2))


def verify(settings: Settings, chosen: Namespace) -> int:
    """Check a day's certificates again, from the entries as they are now; 1 when one differs."""
    hq_pub = bytes.fromhex(read_hq_key(Path(settings.hq_key_file)).public_hex)
    status = 0
    with closing(database_of(settings)) as database:
        require_migrated(database)
        with database.begin() as connection:
            for stored in _found(connection, chosen):
                flaw = _flaw(connection, stored, hq_pub)
                status = status if flaw is None else 1
                _tell(stored, flaw)
    return status


def _found(connection: Connection, chosen: Namespace) -> list[StoredCertificate]:
    found = of_day(connection, chosen.store_id, chosen.day)
    if not found:
        raise MissingError("certificate.none", store=chosen.store_id, day=chosen.day.isoformat())
    return found


def _flaw(connection: Connection, stored: StoredCertificate, hq_pub: bytes) -> str | None:
    verdict = check(connection, stored)
    if verdict.flaw is not None or stored.hq_sig is None:
        return verdict.flaw
    statement = countersign_statement(stored.document, stored.box_sig)
    signed = is_signed_by(hq_pub, stored.hq_sig, statement)
    return None if signed else "certificate.countersignature"


def _tell(stored: StoredCertificate, flaw: str | None) -> None:
    code = certificate_code(stored.document)
    if flaw is not None:
        say(f"{code}: {sentence(RefusedError(flaw))}")
        return
    certificate = read_certificate(stored.document)
    signed = "countersigned" if stored.hq_sig is not None else "not countersigned yet"
    sums = f"{certificate.count} receipts, {certificate.net_minor} minor units"
    say(f"{code}: holds, {signed}, {sums}")
    for till in certificate.tills:
        series = f" {till.series}" if till.series else ""
        say(
            f"  till {till.till}{series}: {till.first} to {till.last}, {till.net_minor} minor units"
        )
