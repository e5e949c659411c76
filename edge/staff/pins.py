"""PINs at the box: which one is in force, whether it still is, and how a new one is chosen.

Head office publishes a hash. A PIN that the operator chose here comes before it until head office
has taken it over, or has set another one: then what is published is none of the hashes that the
own one came after.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.replica.catalog import StaffMember
from edge.staff.store import OwnPin
from shared.kernel.errors import RefusedError
from shared.staff.pin import (
    HASH_KIB,
    HASH_LANES,
    HASH_PASSES,
    check_new_pin,
    hash_name,
    is_expired,
    sealing_key,
)
from shared.staff.role import Role


@dataclass(frozen=True, slots=True)
class PinInForce:
    """What a PIN is checked by; `day` (ISO) it was set, "" unknown; `is_first` by somebody else."""

    pin_hash: str
    day: str
    is_first: bool
    before: tuple[str, ...] = ()

    def change_due(self, role: Role, today: str) -> str:
        """The code of why it has to be changed first, "" where it need not."""
        if self.is_first:
            return "session.pin_first"
        return "session.pin_expired" if is_expired(self.day, role.pin_days, today) else ""


def pin_in_force(member: StaffMember, own: OwnPin | None) -> PinInForce:
    """The PIN of an operator, of what is published and what was chosen here."""
    published = hash_name(member.pin_hash)
    if own is not None and published in own.before:
        return PinInForce(own.pin_hash, own.day, is_first=False, before=own.before)
    return PinInForce(member.pin_hash, member.pin_day, member.is_first_pin, (published,))


def chosen_pin(member: StaffMember, old: PinInForce, pin: str, role: Role, day: str) -> OwnPin:
    """A new PIN instead of the one in force; RefusedError `pin.digits`, `pin.weak`, `pin.same`."""
    check_new_pin(pin, member.id, role.pin_digits)
    if matches(old.pin_hash, pin):
        raise RefusedError("pin.same")
    before = (*old.before, hash_name(old.pin_hash))
    return OwnPin(hash_pin(pin), tuple(dict.fromkeys(before)), day)


def sealed_for_office(pin_hash: str, replaced_hash: str) -> str:
    """A new PIN's hash as it travels: readable to whoever knows the hash that it replaces."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - not needed before the first change

    key, nonce = sealing_key(replaced_hash, pin_hash)
    return (nonce + AESGCM(key).encrypt(nonce, pin_hash.encode(), None)).hex()


def hash_pin(pin: str) -> str:
    """The argon2id string of a PIN."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - not needed before the first sign-in

    hasher = PasswordHasher(HASH_PASSES, HASH_KIB, HASH_LANES)
    return hasher.hash(pin)


def matches(pin_hash: str, pin: str) -> bool:
    """Whether it is that PIN."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - not needed before the first sign-in
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415

    try:
        return PasswordHasher().verify(pin_hash, pin)
    except (Argon2Error, InvalidHashError):
        return False
