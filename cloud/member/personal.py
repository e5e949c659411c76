"""What names a person: one small document per member, which lies sealed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from cloud.member.keys import NONCE_BYTES, MemberKeys, Random
from cloud.member.store import MemberRow
from shared.kernel.errors import MissingError


@dataclass(frozen=True, slots=True)
class Personal:
    """`phone` in E.164, `birthday` as MM-DD; "" for what is not known."""

    phone: str = ""
    name: str = ""
    birthday: str = ""
    language: str = ""
    cards: tuple[str, ...] = ()


def sealed(keys: MemberKeys, member_id: str, personal: Personal, random: Random) -> bytes:
    """The document as only this member's row opens it."""
    return keys.seal(orjson.dumps(asdict(personal)), member_id, random(NONCE_BYTES))


def opened(keys: MemberKeys, row: MemberRow) -> Personal:
    """What is known of a member; MissingError `member.erased`, CorruptError."""
    if row.sealed is None or row.key_id is None:
        raise MissingError("member.erased")
    found: dict[str, Any] = orjson.loads(keys.open(row.sealed, row.member_id, row.key_id))
    return Personal(**found | {"cards": tuple(found["cards"])})
