"""Finds members for the till, and lets customers join: with or without a line to head office."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.identity import Identity
from edge.member.office import Office
from edge.member.store import Chain, MemberStore, Waiting
from edge.seal_cipher import CIPHER
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RetailError, UnavailableError
from shared.member.consent import Consent, check_consents
from shared.member.feed import Joining, KnownMember
from shared.member.phone import last_digits, normal_phone
from shared.member.pseudonym import (
    ID_BYTES,
    SLOW_BYTES,
    card_ref,
    is_member_id,
    member_id,
    phone_ref,
    slow_hash,
)
from shared.wire.note import seal_note

_log = structlog.get_logger("member")


@dataclass(frozen=True, slots=True)
class RegisterParts:
    """`random` gives so many bytes that nobody knows; `is_online` whether it is worth asking."""

    identity: Identity
    store: MemberStore
    office: Office
    clock: Clock
    random: Callable[[int], bytes]
    is_online: Callable[[], bool]


class MemberRegister:
    """Members as the till asks for them; see `edge.sale.shop.Members`."""

    def __init__(self, parts: RegisterParts, wake: Callable[[], None]) -> None:
        """`wake` has what waits brought to head office."""
        self._parts = parts
        self._wake = wake
        # One number at a time: each takes 16 MiB, and a till that sells goes first.
        self._hashing = threading.Lock()

    def of_card(self, number: str) -> str:
        """What names the holder of a card in a sale; at once, from this box's own list.

        An id, or what stands for the card where nobody here knows whose it is. The number itself
        only on a box that was never told of a register.
        """
        chain = self._parts.store.chain()
        if chain is None:
            return number
        ref = card_ref(number, chain.keys.card)
        return self._parts.store.by_card(ref) or ref

    def shown(self, ref: str) -> str:
        """The last digits of whoever a basket names, "" where there are none to show."""
        return self._parts.store.digits(ref) if is_member_id(ref) else ""

    def find(self, typed: str) -> str:
        """The id of who has this number; takes a moment, and asks head office if need be.

        Raises RefusedError `member.phone`, MissingError `member.unknown`, UnavailableError
        `member.not_ready` before head office told anything, or `member.office_away`: nobody here
        knows the number, and nobody there could be asked.
        """
        phone, chain = self._normal(typed), self._chain()
        slow = self._slow(phone, chain)
        found = self._parts.store.by_phone(phone_ref(slow, chain.keys.store))
        if found is not None:
            return found
        if not self._parts.is_online():
            raise UnavailableError("member.office_away")
        known = self._parts.office.ask(phone_slow=slow.hex())
        self._parts.store.put((known,))
        return known.member_id

    def prepare(self, typed: str, consents: tuple[Consent, ...], operator: str) -> Joining:
        """Make ready to let somebody join; nothing is kept yet.

        Whose number is known already joins as who they are. Raises as `find`, RefusedError
        `member.consent`.
        """
        check_consents(consents)
        phone, chain, parts = self._normal(typed), self._chain(), self._parts
        slow = self._slow(phone, chain)
        ref, now_ms = phone_ref(slow, chain.keys.store), parts.clock.now_ms()
        new_id = parts.store.by_phone(ref) or member_id(parts.random(ID_BYTES))
        note = {
            "phone": phone,
            "operator": operator,
            "at_ms": now_ms,
            "consents": [[each.purpose, each.is_given, each.text_version] for each in consents],
        }
        sealed = seal_note(
            CIPHER,
            chain.join_public,
            parts.random(SLOW_BYTES),
            json.dumps(note).encode(),
            f"{parts.identity.dev}/{new_id}",
        )
        known = KnownMember(new_id, ref, last_digits(phone), (), now_ms)
        return Joining(known, sealed, consents)

    def join(self, joining: Joining) -> None:
        """Know them, and bring them to head office when there is a line."""
        known = joining.member
        self._parts.store.joined(known, Waiting(known.member_id, joining.sealed, known.last_at_ms))
        self._wake()

    def _normal(self, typed: str) -> str:
        return normal_phone(typed, self._parts.identity.currency)

    def _chain(self) -> Chain:
        chain = self._parts.store.chain()
        if chain is None:
            raise UnavailableError("member.not_ready")
        return chain

    def _slow(self, phone: str, chain: Chain) -> bytes:
        with self._hashing:
            return slow_hash(phone, chain.keys.salt)


def tell_of(error: RetailError) -> None:
    """Log what head office said; no number is in an error."""
    level = _log.info if isinstance(error, UnavailableError | MissingError) else _log.warning
    level("member.office", code=error.code)
