"""What tills tell of people: who was there, who chose a new PIN, whose PIN is guessed at."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from cloud.staff import seen_store, store
from cloud.staff.service import keep_change
from cloud.staff.store import Author, Operator
from shared.journal.event import OperatorSignedOn
from shared.journal.staff_event import PinChanged, PinGuessed
from shared.kernel.clock import Clock
from shared.staff.pin import NONCE_BYTES, hash_name, sealing_key

UNREADABLE = "staff.event"
_HASH = re.compile(r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=1\$[A-Za-z0-9+/$]{20,120}")
_KIB_MAX, _PASSES_MAX = 65_536, 4


class Fact(Protocol):
    """What is read of an entry: its id, its place, when it was (UTC ms), and its raw event."""

    id: str
    type: str
    seq: int
    at: int
    data: msgspec.Raw


class _SignedOn(msgspec.Struct, gc=False):
    operator: str


class _Guessed(msgspec.Struct, gc=False):
    operator: str
    tries: int


class _Changed(msgspec.Struct, gc=False):
    operator: str
    sealed: str
    replaces: str
    day: str


_READ: dict[str, Callable[[msgspec.Raw], Any]] = {
    OperatorSignedOn.type: msgspec.json.Decoder(_SignedOn).decode,
    PinGuessed.type: msgspec.json.Decoder(_Guessed).decode,
    PinChanged.type: msgspec.json.Decoder(_Changed).decode,
}


@dataclass(slots=True)
class StaffPosted:
    """What became of the entries; live screens hear nothing of it."""

    flags: list[tuple[int, str]] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)


class StaffPoster:
    """Keeps who was where, and takes over PINs that were chosen at tills.

    A till may only change the PIN of whom it employs, and only the PIN that head office knows: of
    two stores that an operator works in the first change counts, and what head office sets itself
    counts before both. Done again, each of it changes nothing.
    """

    entry_types = frozenset(_READ)
    tables = ("staff_seen", "staff_pin_change")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def prepare(
        self, store_id: str, entries: Sequence[Fact]
    ) -> Callable[[Connection], StaffPosted]:
        """Read the entries; what comes back writes them.

        A box whose clock is wrong, or that lies, dates nothing later than now: a PIN of the year
        9999 would never run out.
        """
        posted, read = StaffPosted(), []
        now_ms = self._clock.now_ms()
        for entry in entries:
            try:
                event = _READ[entry.type](entry.data)
            except (msgspec.ValidationError, msgspec.DecodeError):
                posted.flags.append((entry.seq, UNREADABLE))
            else:
                read.append((entry, event))

        def post(connection: Connection) -> StaffPosted:
            _note_seen(connection, store_id, read, now_ms)
            for entry, event in read:
                if isinstance(event, _Changed):
                    _take_over(connection, store_id, entry, event, now_ms)
            return posted

        return post

    def posted(self, connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
        """Which changes of PINs were looked at; the rest may be told again."""
        return seen_store.changes(connection, store_id, ids)

    def differing(self, connection: Connection, store_id: str, entries: Sequence[Fact]) -> set[str]:
        """None: what was told under an id before stays."""
        del connection, store_id, entries
        return set()


def _note_seen(
    connection: Connection, store_id: str, read: Sequence[tuple[Fact, Any]], now_ms: int
) -> None:
    there: dict[str, int] = {}
    guessed: dict[str, tuple[int, int]] = {}
    for entry, event in read:
        at_ms, operator = _at_ms(entry, now_ms), str(event.operator)[:64].replace("\0", "")
        if isinstance(event, _SignedOn):
            there[operator] = max(at_ms, there.get(operator, 0))
        elif isinstance(event, _Guessed):
            guessed[operator] = (at_ms, min(max(event.tries, 0), 1_000_000_000))
    seen_store.put(connection, store_id, there, guessed)


def _take_over(
    connection: Connection, store_id: str, entry: Fact, event: _Changed, now_ms: int
) -> None:
    before = store.find_operator(connection, event.operator[:64].replace("\0", ""))
    pin_hash = None if before is None else _opened(before, event)
    is_taken = before is not None and pin_hash is not None and store_id in before.store_ids
    if is_taken and before is not None and pin_hash is not None:
        day = _day(event.day, now_ms)
        after = replace(before, pin_hash=pin_hash, pin_day=day, is_first_pin=False)
        store.put_operator(connection, after)
        author = Author(before.name, _at_ms(entry, now_ms), f"at a till of store {store_id}")
        keep_change(connection, author, before, after)
    seen_store.add_change(
        connection,
        store_id,
        entry.id,
        (event.operator[:64].replace("\0", ""), _at_ms(entry, now_ms), is_taken),
    )


def _opened(operator: Operator, event: _Changed) -> str | None:
    """The new hash, where it replaces the one that head office knows and no till would choke on."""
    if hash_name(operator.pin_hash) != event.replaces:
        return None
    try:
        sealed = bytes.fromhex(event.sealed)
        key, _ = sealing_key(operator.pin_hash)
        told = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
    except (ValueError, InvalidTag):
        return None
    found = _HASH.fullmatch(told)
    if found is None or int(found[1]) > _KIB_MAX or int(found[2]) > _PASSES_MAX:
        return None
    return told


def _at_ms(entry: Fact, now_ms: int) -> int:
    return min(max(entry.at, 0), now_ms)


def _day(text: str, now_ms: int) -> date:
    """The store's day, which may be one ahead of ours; ours where it tells none that can be."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    try:
        return min(date.fromisoformat(text), today + timedelta(days=1))
    except ValueError:
        return today
