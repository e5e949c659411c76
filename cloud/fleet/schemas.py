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
    stream_status: str | None


class Boxes(BaseModel):
    """Every box, by store, the newest first."""

    boxes: list[Box]


class ClaimRequest(BaseModel):
    """Which store the new box is for."""

    store_id: str = Field(max_length=32)


class NewClaim(BaseModel):
    """A token for one enrolment, valid for 72 hours."""

    token: str
    expires_at_ms: int


class EnrolRequest(BaseModel):
    """A box with its claim; `journal_pub` is its Ed25519 public key in hex."""

    token: str = Field(max_length=64)
    journal_pub: str = Field(pattern="^[0-9a-f]{64}$")
    hw_fp: str = Field(default="", max_length=128)


class BrokerAddress(BaseModel):
    """Where the box connects to."""

    host: str
    port: int


class EnrolAnswer(BaseModel):
    """A box's identity; `zone` is its time zone, `price_zone` whose prices it gets."""

    dev: str
    secret: str
    store_id: str
    store_name: str
    zone: str
    currency: str
    stream: str
    ordinal: int
    broker: BrokerAddress
    hq_pub: str
    price_zone: str
