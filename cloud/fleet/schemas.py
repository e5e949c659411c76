"""Shapes of the fleet's endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field


class StoreChange(BaseModel):
    """A store: IANA time zone (Asia/Shanghai) and ISO 4217 currency (CNY)."""

    name: str = Field(min_length=1, max_length=80)
    time_zone: str = Field(max_length=64)
    currency: str = Field(max_length=3)


class Store(BaseModel):
    """A store."""

    store_id: str
    name: str
    time_zone: str
    currency: str


class Stores(BaseModel):
    """Every store, by id."""

    stores: list[Store]


class Box(BaseModel):
    """A box: `head_seq` is the cloud's last journal entry of it, `edge_head_seq` its own."""

    dev: str
    store_id: str
    store_name: str
    device_status: str
    online: bool
    last_contact_at_ms: int | None
    unsynced: int
    head_seq: int | None
    edge_head_seq: int | None
    sw: str
    model: str
    """What its hardware calls itself; empty: not known."""
    stream_status: str | None
    stream_cause: str | None
    """Why its newest journal life began: enrol, swap, restore, clone or corrupt."""
    streams: int
    """How many journal lives it has had."""


class Stream(BaseModel):
    """One journal life of a box: the cloud's head, the box's own, and what is archived for good."""

    stream: str
    ordinal: int
    cause: str
    status: str
    head_seq: int
    edge_head_seq: int
    safe_seq: int
    opened_at_ms: int
    rx_at_ms: int | None


class Event(BaseModel):
    """What was done to a box: `enrolled`, `retiring`, `revoked`, `active` or `enrol_refused`."""

    at_ms: int
    dev: str
    store_id: str
    action: str
    by: str
    reason: str


class BoxHistory(BaseModel):
    """A box's journal lives and what was done to it, the newest first."""

    streams: list[Stream]
    events: list[Event]


class Boxes(BaseModel):
    """Every box, by store, the newest first."""

    boxes: list[Box]


class ShutOutOrder(BaseModel):
    """Why a box is shut out."""

    reason: str = Field(min_length=1, max_length=200)


class ClaimRequest(BaseModel):
    """Which store the new box is for."""

    store_id: str = Field(max_length=32)


class NewClaim(BaseModel):
    """A token for one enrolment, valid for 72 hours."""

    token: str
    expires_at_ms: int


class EnrolRequest(BaseModel):
    """A box with its claim; `journal_pub` is its Ed25519 public key in hex.

    `csr` (PEM, P-256) asks for a certificate of its TLS key; nothing of it counts but the key.
    `nonce` is random and used once, `t` (UTC ms) by the box's clock; `proof` is the journal key's
    signature (hex) of "tbe1", the SHA-256 of `token`, the public key, the SHA-256 of `csr`, the
    nonce and `t` as 8 bytes, the highest first. Software that does not sign yet leaves them out,
    and is told so.
    """

    token: str = Field(max_length=64)
    journal_pub: str = Field(pattern="^[0-9a-f]{64}$")
    hw_fp: str = Field(default="", max_length=128)
    csr: str = Field(default="", max_length=8192)
    nonce: str = Field(default="", pattern="^([0-9a-f]{32})?$")
    t: int = Field(default=0, ge=0, lt=1 << 62)
    proof: str = Field(default="", pattern="^([0-9a-f]{128})?$")


class RenewalRequest(BaseModel):
    """A box asks for its next certificate.

    `t` (UTC ms) by its clock; `proof` is its journal key's signature (hex) of "tbc1", the device
    id, a zero byte, the SHA-256 of `csr` and `t` as 8 bytes, the highest first.
    """

    csr: str = Field(min_length=1, max_length=8192)
    t: int = Field(ge=0, lt=1 << 62)
    proof: str = Field(pattern="^[0-9a-f]{128}$")


class BrokerAddress(BaseModel):
    """Where the box connects to."""

    host: str
    port: int


class DeviceCertificate(BaseModel):
    """A box's certificate (PEM, until `not_after_ms`), and the broker that asks for it.

    `trust` are the certificates (PEM) that the chain's servers come from; `trust_sig` is head
    office's signature of "tbt1", the device id, a zero byte and the SHA-256 of `trust`.
    """

    certificate: str
    not_after_ms: int
    trust: str
    trust_sig: str
    broker: BrokerAddress


class PreviousStream(BaseModel):
    """A journal of the store that may still be continued; `seq` -1 while nothing of it came."""

    stream: str
    seq: int
    hash: str
    journal_pub: str
    dev: str


class BusinessDay(BaseModel):
    """A store's newest business day, as far as its boxes have told."""

    biz: str
    is_open: bool


class EnrolAnswer(BaseModel):
    """A box's identity; `zone` is its time zone, `price_zone` whose prices it gets.

    `previous` are the journals before it, whose last entries it may have to hand in;
    `public_url` is where receipts are checked, empty for the address that it enrolled at.
    """

    dev: str
    secret: str
    store_id: str
    store_name: str
    zone: str
    currency: str
    stream: str
    ordinal: int
    cause: str
    previous: list[PreviousStream]
    day: BusinessDay | None
    broker: BrokerAddress
    hq_pub: str
    price_zone: str
    public_url: str
    tls: DeviceCertificate | None
    signed_documents: bool
    """Whether the box must take signed desired documents only."""


class DeviceFact(BaseModel):
    """What became of a device; `what` is faulted, recovered, bound or tested, `at_ms` UTC.

    `code` is the fault, of a test what failed with its code; "" or 0 where something does not
    apply. `lane` 0 serves the whole store.
    """

    at_ms: int
    what: str
    device: str
    kind: str
    lane: int
    code: str
    state: str
    after_ms: int
    times: int


class DeviceHistory(BaseModel):
    """A store's device facts, newest first; `standing` are the troubles that are not over."""

    facts: list[DeviceFact]
    standing: list[DeviceFact]
    has_more: bool
