"""Shapes of the certificate endpoints. Money is integer minor units, hashes and keys are hex."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class TillRange(BaseModel):
    """A till's receipts `first` to `last` of one series; `root` stands for all their entries."""

    till: str
    series: str
    first: int
    last: int
    count: int
    net_minor: int
    refund_minor: int
    root: str


class Certificate(BaseModel):
    """A day's certificate with both signatures.

    `document` is what is signed, byte for byte; `tills` repeats it for reading. `state` is
    waiting, agrees or differs; `flaw` says why it differs (a dotted code). `beside` counts
    receipts of that store and day in other journals. The box signs "tbc1" and the document, head
    office "tbcs1", the document's SHA-256 and the box's signature (Ed25519).
    """

    store_id: str
    business_date: date
    code: str
    state: str
    flaw: str | None
    beside: int
    checked_at_ms: int | None
    stream: str
    tills: list[TillRange]
    document: str
    box_sig: str
    box_pub: str | None
    hq_sig: str | None
    hq_pub: str


class Certificates(BaseModel):
    """Newest first: a day may be closed in two journals, after a box was replaced."""

    certificates: list[Certificate]
