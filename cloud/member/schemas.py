"""Shapes of the members' endpoints."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.member.consent import TEXT_VERSION

Phone = Annotated[str, StringConstraints(max_length=40)]
Card = Annotated[str, StringConstraints(max_length=20)]
Currency = Annotated[str, StringConstraints(pattern="^([A-Z]{3})?$")]
Purpose = Literal["membership", "marketing"]


class MemberQuestion(BaseModel):
    """By whole phone number or card number; it is never part of an address.

    `currency` says of which country a number without country code is.
    """

    phone: Phone = ""
    card: Card = ""
    currency: Currency = ""


class ConsentChange(BaseModel):
    """Something was agreed to or taken back, by the words of a version."""

    purpose: Purpose
    is_given: bool
    text_version: str = Field(default=TEXT_VERSION, max_length=20)


class MemberConsent(BaseModel):
    """A consent with when (UTC ms) and before whom."""

    purpose: str
    is_given: bool
    at_ms: int
    by: str
    text_version: str


class MemberChange(BaseModel):
    """What is to be known; null leaves it as it is, "" takes it away."""

    phone: Phone | None = None
    currency: Currency = ""
    name: str | None = Field(default=None, max_length=80)
    birthday: str | None = Field(default=None, max_length=5)
    """MM-DD."""
    language: str | None = Field(default=None, max_length=5)
    cards: list[Card] | None = Field(default=None, max_length=8)


class NewMember(MemberChange):
    """Somebody joins at head office."""

    consents: list[ConsentChange] = Field(max_length=4)


class MemberMade(BaseModel):
    """The id of who joined."""

    member_id: str


class MemberRow(BaseModel):
    """A member without anything that names them."""

    member_id: str
    state: str
    last_digits: str
    joined_at_ms: int
    joined_store: str
    """"" is head office."""
    joined_by: str
    erased_at_ms: int | None


class Member(MemberRow):
    """The same with what they agreed to, where they are known and how many sales name them."""

    cards: int
    consents: list[MemberConsent]
    stores: list[str]
    sales: int


class FoundMembers(BaseModel):
    """Nobody or one."""

    members: list[Member]


class MemberCounts(BaseModel):
    """How many there are and were, and who joined last."""

    active: int
    erased: int
    newest: list[MemberRow]


class MemberPersonal(BaseModel):
    """Who a member is: whoever asks is in the audit log."""

    member_id: str
    phone: str
    name: str
    birthday: str
    language: str
    cards: list[str]


class MemberCarried(BaseModel):
    """A member's own data, whole: as JSON, and as a text to read."""

    data: dict[str, Any]
    text: str


class MemberReason(BaseModel):
    """Why somebody is erased, as they asked for it; no names."""

    reason: str = Field(default="", max_length=200)


class FeedQuestion(BaseModel):
    """What a box was told last."""

    epoch: str = Field(default="", max_length=200)
    cursor: str = Field(default="", max_length=200)


class MemberAsked(BaseModel):
    """Somebody whom a box does not know: the slow hash of a phone number, or a card (hex)."""

    phone_slow: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    card: str = Field(default="", pattern="^(c[0-9a-f]{20})?$")


class BoxMember(BaseModel):
    """Somebody who joined at a till, sealed for head office (hex)."""

    member: str = Field(pattern="^m[0-9a-f]{24}$")
    sealed: str = Field(pattern="^[0-9a-f]*$", max_length=9000)


class MemberFeed(BaseModel):
    """See `shared.member.feed`; keys and hashes in hex."""

    epoch: str
    cursor: str
    has_more: bool
    salt: str
    card_key: str
    store_key: str
    join_public: str
    members: list[list[Any]]


class KnownMember(BaseModel):
    """One member as a box may know them; see `shared.member.feed.dump_member`."""

    member: list[Any]
