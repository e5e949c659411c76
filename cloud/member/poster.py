"""Which sales name which member: what an export and a count of a member's sales go by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from cloud.member import box_store

_REF_MAX = 64
_MS_MAX = (1 << 53) - 1


class Fact(Protocol):
    """What is read of an entry: its id, when it was (UTC ms), and its raw event."""

    id: str
    at: int
    data: msgspec.Raw


class _Sale(msgspec.Struct, gc=False):
    member: str | None = None


class _Data(msgspec.Struct, gc=False):
    sale: _Sale


_decode = msgspec.json.Decoder(_Data).decode


class MemberPoster:
    """Notes members' sales in the transaction that stores their entries; done again, nothing."""

    tables = ("member_sale",)

    def prepare(self, store_id: str, sales: Sequence[Fact]) -> Callable[[Connection], None]:
        """Read who is named; what comes back writes it."""
        sold = [each for each in map(_named, sales) if each is not None]

        def add(connection: Connection) -> None:
            if sold:
                box_store.add_sales(connection, store_id, sold)

        return add


def _named(entry: Fact) -> tuple[str, str, int] | None:
    try:
        ref = _decode(entry.data).sale.member
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None  # the books say what is wrong with it
    if not ref or len(ref) > _REF_MAX or "\0" in ref:
        return None
    return entry.id, ref, min(max(entry.at, 0), _MS_MAX)
