"""What head office tells a box of members, and what a box tells of a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.kernel.errors import CorruptError
from shared.kernel.hexadecimal import is_hex
from shared.member.consent import Consent
from shared.member.pseudonym import (
    CARD_REF_BYTES,
    KEY_BYTES,
    PHONE_REF_BYTES,
    BoxKeys,
    is_member_id,
)

ROWS_MAX = 2000
CARDS_MAX = 8
MS_MAX = (1 << 53) - 1
KNOWN_MS = 400 * 24 * 3600 * 1000
"""A box knows those who were in its store in the last thirteen months."""


@dataclass(frozen=True, slots=True)
class KnownMember:
    """A member as a box may know them: nobody can be reached or named by it.

    `last_at_ms` (UTC) is when they last were in the store; one who is not active any more has no
    hashes and no digits.
    """

    member_id: str
    phone_ref: str
    last_digits: str
    cards: tuple[str, ...]
    last_at_ms: int
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Joining:
    """Somebody about to join: known to a box as `member`, to head office by what is sealed."""

    member: KnownMember
    sealed: bytes
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A piece of the list. `epoch` changes with keys and database: then all is told anew.

    `cursor` is what to ask with next; `has_more`: at once. `join_public` is the X25519 key that a
    new member's data is sealed for.
    """

    epoch: str
    cursor: str
    has_more: bool
    keys: BoxKeys
    join_public: bytes
    members: tuple[KnownMember, ...]


def dump_member(member: KnownMember) -> list[Any]:
    """As a short list; see `read_member`."""
    return [
        member.member_id,
        member.phone_ref,
        member.last_digits,
        list(member.cards),
        member.last_at_ms,
        int(member.is_active),
    ]


def read_member(raw: object) -> KnownMember:
    """CorruptError `member.feed` for what is none."""
    if not isinstance(raw, list) or len(raw) != 6:  # noqa: PLR2004 - as `dump_member` makes it
        raise CorruptError("member.feed")
    member_id, phone, digits, cards, last_at_ms, is_active = raw
    is_sound = (
        isinstance(member_id, str)
        and is_member_id(member_id)
        and (phone == "" or is_hex(phone, PHONE_REF_BYTES))
        and isinstance(digits, str)
        and (digits == "" or (len(digits) == 4 and digits.isascii() and digits.isdigit()))  # noqa: PLR2004
        and isinstance(cards, list)
        and len(cards) <= CARDS_MAX
        and all(_is_card(each) for each in cards)
        and type(last_at_ms) is int
        and 0 <= last_at_ms <= MS_MAX
        and is_active in {0, 1}
    )
    if not is_sound:
        raise CorruptError("member.feed")
    return KnownMember(member_id, phone, digits, tuple(cards), last_at_ms, bool(is_active))


def dump_feed(feed: Feed) -> dict[str, Any]:
    """As it goes over the wire."""
    return {
        "epoch": feed.epoch,
        "cursor": feed.cursor,
        "has_more": feed.has_more,
        "salt": feed.keys.salt.hex(),
        "card_key": feed.keys.card.hex(),
        "store_key": feed.keys.store.hex(),
        "join_public": feed.join_public.hex(),
        "members": [dump_member(each) for each in feed.members],
    }


def read_feed(raw: object) -> Feed:
    """CorruptError `member.feed` for what is none."""
    if not isinstance(raw, dict) or not isinstance(raw.get("members"), list):
        raise CorruptError("member.feed")
    epoch, cursor, has_more = raw.get("epoch"), raw.get("cursor"), raw.get("has_more")
    if not isinstance(epoch, str) or not isinstance(cursor, str) or type(has_more) is not bool:
        raise CorruptError("member.feed")
    if not epoch or len(epoch) + len(cursor) > 400 or len(raw["members"]) > ROWS_MAX:  # noqa: PLR2004
        raise CorruptError("member.feed")
    salt, card, store, public = (
        _key(raw.get(name)) for name in ("salt", "card_key", "store_key", "join_public")
    )
    members = tuple(read_member(each) for each in raw["members"])
    return Feed(epoch, cursor, has_more, BoxKeys(salt, card, store), public, members)


def _key(raw: object) -> bytes:
    if not is_hex(raw, KEY_BYTES):
        raise CorruptError("member.feed")
    return bytes.fromhex(str(raw))


def _is_card(raw: object) -> bool:
    return isinstance(raw, str) and raw[:1] == "c" and is_hex(raw[1:], CARD_REF_BYTES)
