"""A stored certificate as people and their programs read it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cloud.certificate.store import StoredCertificate
from shared.kernel.errors import RefusedError
from shared.till.certificate import certificate_code, read_certificate


def certificate_row(stored: StoredCertificate, hq_pub: str) -> dict[str, Any]:
    """The fields of `schemas.Certificate`; without tills when the document is no certificate."""
    try:
        tills = [asdict(till) for till in read_certificate(stored.document).tills]
    except RefusedError:
        tills = []
    return {
        "store_id": stored.store_id,
        "business_date": stored.business_date.isoformat(),
        "code": certificate_code(stored.document),
        "state": stored.state,
        "flaw": stored.flaw,
        "beside": stored.beside,
        "checked_at_ms": stored.checked_at_ms,
        "stream": stored.stream_id.hex(),
        "tills": tills,
        "document": stored.document,
        "box_sig": stored.box_sig.hex(),
        "box_pub": None if stored.journal_pub is None else stored.journal_pub.hex(),
        "hq_sig": None if stored.hq_sig is None else stored.hq_sig.hex(),
        "hq_pub": hq_pub,
    }
