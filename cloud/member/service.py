"""Commands of the register of members.

No phone number, name or card is in an error, a log or an address; only the sealed document has
them.  Who did what, and who saw whom, is in the audit log by the member's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from cloud import audit
from cloud.db import Database
from cloud.member import store
from cloud.member.keys import MemberKeys, Random
from cloud.member.personal import Personal, opened, sealed
from cloud.member.store import GivenConsent, MemberRow
from shared.kernel.errors import MissingError, RefusedError
from shared.member.consent import MEMBERSHIP, PURPOSES, Consent, check_consents
from shared.member.phone import last_digits, normal_phone
from shared.member.pseudonym import ID_BYTES, card_ref, member_id, slow_hash

ACTIVE, ERASED = "active", "erased"
ERASED_ACT = "member.erased"
CARDS_MAX, NAME_MAX = 8, 80
RESEALED_AT_ONCE = 500
_BIRTHDAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|")
_CARD = re.compile(r"[0-9]{1,20}")
_LANGUAGES = frozenset({"", "zh-CN", "zh-TW", "en"})


@dataclass(frozen=True, slots=True)
class Register:
    """What the room works with."""

    database: Database
    keys: MemberKeys
    random: Random


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, when (UTC ms), and where: a store's id, or "" at head office."""

    name: str
    at_ms: int
    store_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be known of a member; None leaves it as it is, "" takes it away."""

    phone: str | None = None
    name: str | None = None
    birthday: str | None = None
    language: str | None = None
    cards: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be seen of a member without seeing who it is."""

    row: MemberRow
    cards: int
    consents: tuple[GivenConsent, ...]
    stores: tuple[str, ...]
    sales: int


def join(register: Register, change: Change, consents: tuple[Consent, ...], by: Author) -> str:
    """Take somebody in; their new id.

    `phone` is in E.164. Raises RefusedError `member.consent`, `member.phone_needed`,
    `member.phone_taken` or `member.card_taken` (of whom: `member_id`), and as `_checked`.
    """
    check_consents(consents)
    personal = _checked(Personal(), change)
    if not personal.phone and not personal.cards:
        raise RefusedError("member.phone_needed")
    row = MemberRow(
        member_id=member_id(register.random(ID_BYTES)),
        state=ACTIVE,
        phone_slow=None,
        last_digits="",
        sealed=None,
        key_id=None,
        joined_at_ms=by.at_ms,
        joined_store=by.store_id,
        joined_by=by.name,
    )
    slow = _slow(register, personal)
    with _write(register) as connection:
        _put(register, connection, replace(row, phone_slow=slow), personal)
        given = tuple(each for each in consents if each.is_given)
        store.add_consents(connection, row.member_id, given, by.at_ms, by.name)
        if by.store_id:
            store.be_at_store(connection, by.store_id, row.member_id, by.at_ms)
    return row.member_id


def change(register: Register, member: str, wanted: Change) -> None:
    """Change what is known; raises as `join`, MissingError `member.unknown` or `member.erased`."""
    new_slow = None
    if wanted.phone:
        new_slow = _slow(register, Personal(phone=wanted.phone))
    with _write(register) as connection:
        row = _of(connection, member, locked=True)
        personal = _checked(opened(register.keys, row), wanted)
        if not personal.phone and not personal.cards:
            raise RefusedError("member.phone_needed")
        slow = row.phone_slow if wanted.phone is None else new_slow
        _put(register, connection, replace(row, phone_slow=slow), personal)


def agree(register: Register, member: str, consent: Consent, by: Author) -> None:
    """Note that a member agreed to something or took it back.

    RefusedError `member.consent_needed` for taking back what membership itself needs: who does
    not want that is erased.
    """
    if consent.purpose not in PURPOSES:
        raise RefusedError("member.consent")
    if consent.purpose == MEMBERSHIP and not consent.is_given:
        raise RefusedError("member.consent_needed")
    with register.database.begin() as connection:
        row = _of(connection, member, locked=True)
        if row.state != ACTIVE:
            raise MissingError("member.erased")
        store.add_consents(connection, row.member_id, (consent,), by.at_ms, by.name)


def erase(register: Register, member: str, by: Author, reason: str = "") -> str:
    """Forget who a member is, for good; their id. Done twice it changes nothing.

    `reason` goes into the audit log.

    What stays: the id, which the sales name, and when which consents were given. What stood for
    phone and cards goes, here at once and from each box with its next question.
    """
    with register.database.begin() as connection:
        row = _of(connection, member, locked=True)
        if row.state == ERASED:
            return row.member_id
        store.put_cards(connection, row.member_id, ())
        gone = replace(
            row,
            state=ERASED,
            phone_slow=None,
            last_digits="",
            sealed=None,
            key_id=None,
            erased_at_ms=by.at_ms,
        )
        store.put(connection, gone)
        told = {"reason": reason} if reason else {}
        act = audit.Event(by.at_ms, by.name, ERASED_ACT, f"member_id={row.member_id}", facts=told)
        audit.append(connection, act)
        return row.member_id


def find_by_phone(register: Register, typed: str, currency: str) -> Shown | None:
    """Who has this number; RefusedError `member.phone`."""
    slow = slow_hash(normal_phone(typed, currency), register.keys.of_store("").salt)
    with register.database.begin() as connection:
        return _shown(connection, store.find_by_phone(connection, slow))


def find_by_card(register: Register, number: str) -> Shown | None:
    """Who has this card."""
    ref = card_ref(_checked_card(number), register.keys.of_store("").card)
    with register.database.begin() as connection:
        return _shown(connection, store.find_by_card(connection, ref))


def show(register: Register, member: str) -> Shown:
    """By id; MissingError `member.unknown`."""
    with register.database.begin() as connection:
        found = _shown(connection, _of(connection, member))
        assert found is not None
        return found


def personal_of(register: Register, member: str) -> tuple[str, Personal]:
    """Id and who it is; MissingError `member.unknown` or `member.erased`."""
    with register.database.begin() as connection:
        row = _of(connection, member)
        return row.member_id, opened(register.keys, row)


def newest(register: Register) -> tuple[tuple[int, int], list[MemberRow]]:
    """How many there are and were, and who joined last."""
    with register.database.begin() as connection:
        return store.counts(connection), store.newest(connection)


def refs_of(connection: Connection, row: MemberRow, personal: Personal | None) -> list[str]:
    """All that sales may name a member by; card numbers are in old ones."""
    others = store.aliases(connection, row.member_id) + store.card_refs(connection, row.member_id)
    cards = () if personal is None else personal.cards
    return [row.member_id, *others, *cards]


def reseal(register: Register) -> int:
    """Bring all data under the newest key, some hundred at a time; how many there were."""
    count = 0
    while True:
        with register.database.begin() as connection:
            found = store.stale(connection, register.keys.newest_id, RESEALED_AT_ONCE)
            for row in found:
                again = sealed(
                    register.keys, row.member_id, opened(register.keys, row), register.random
                )
                store.reseal(connection, row.member_id, again, register.keys.newest_id)
        if not found:
            return count
        count += len(found)


def _put(register: Register, connection: Connection, row: MemberRow, personal: Personal) -> None:
    taken = None
    if row.phone_slow is not None:
        taken = store.find_by_phone(connection, row.phone_slow)
    if taken is not None and taken.member_id != row.member_id:
        raise RefusedError("member.phone_taken", member_id=taken.member_id)
    new = replace(
        row,
        last_digits=last_digits(personal.phone),
        sealed=sealed(register.keys, row.member_id, personal, register.random),
        key_id=register.keys.newest_id,
    )
    store.put(connection, new)
    card_key = register.keys.of_store("").card
    refs = [card_ref(each, card_key) for each in personal.cards]
    other = store.put_cards(connection, row.member_id, refs)
    if other is not None:
        owner = store.find_by_card(connection, other)
        assert owner is not None
        raise RefusedError("member.card_taken", member_id=owner.member_id)


@contextmanager
def _write(register: Register) -> Iterator[Connection]:
    """A transaction; of two who take one number at once the later one is told so."""
    try:
        with register.database.begin() as connection:
            yield connection
    except IntegrityError as error:
        _refuse_taken(error)


def _refuse_taken(error: IntegrityError) -> NoReturn:
    # The statement's values are in the error: it must not go on into a log.
    del error
    raise RefusedError("member.phone_taken", member_id="") from None


def _slow(register: Register, personal: Personal) -> bytes | None:
    """Outside any transaction: it takes its time on purpose."""
    if not personal.phone:
        return None
    return slow_hash(personal.phone, register.keys.of_store("").salt)


def _checked(before: Personal, wanted: Change) -> Personal:
    """What is to be kept; RefusedError `member.name`, `.birthday`, `.language` or `.card`."""
    after = Personal(
        phone=before.phone if wanted.phone is None else wanted.phone,
        name=before.name if wanted.name is None else wanted.name.strip(),
        birthday=before.birthday if wanted.birthday is None else wanted.birthday,
        language=before.language if wanted.language is None else wanted.language,
        cards=before.cards
        if wanted.cards is None
        else tuple(dict.fromkeys(_checked_card(each) for each in wanted.cards)),
    )
    if len(after.name) > NAME_MAX or "\0" in after.name:
        raise RefusedError("member.name")
    if _BIRTHDAY.fullmatch(after.birthday) is None:
        raise RefusedError("member.birthday")
    if after.language not in _LANGUAGES:
        raise RefusedError("member.language")
    if len(after.cards) > CARDS_MAX:
        raise RefusedError("member.card")
    return after


def _checked_card(number: str) -> str:
    plain = number.strip()
    if not plain.isascii() or _CARD.fullmatch(plain) is None:
        raise RefusedError("member.card")
    return plain.lstrip("0") or "0"


def _of(connection: Connection, member: str, *, locked: bool = False) -> MemberRow:
    row = store.find(connection, member[:64].replace("\0", ""))
    if row is not None and locked:
        row = store.find_locked(connection, row.member_id)
    if row is None:
        raise MissingError("member.unknown")
    return row


def _shown(connection: Connection, row: MemberRow | None) -> Shown | None:
    if row is None:
        return None
    refs = refs_of(connection, row, None)
    return Shown(
        row,
        len(store.card_refs(connection, row.member_id)),
        tuple(store.consents(connection, row.member_id)),
        tuple(store.stores(connection, row.member_id)),
        store.count_sales(connection, refs),
    )
