"""Roles of the store as data: what each permission is to them, and up to which ceiling.

A role's value, dated and on four levels as every setting (`shared.config.dated`) under the name
`role/<id>`:

    {"names": {"en": "Senior cashier"}, "badge": "with_pin", "pin_days": 90, "pin_digits": 4,
     "grants": {"sale.override": "allowed"}, "approves": ["drawer.no_sale"],
     "ceilings": {"sale.override": {"off_bp": 1000, "amount_minor": 5000}}}

What a value does not mention is as the built-in role of that id has it, and denied for others, so
that a permission that came with newer software is nobody's by accident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from shared.kernel.errors import RefusedError
from shared.staff import permission as may
from shared.staff.permission import APPROVABLE, PERMISSIONS

ROLE = "role/"
ROLE_ID = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
LANGUAGES = ("zh-CN", "zh-TW", "en")
NAME_MAX = 40
PIN_DIGITS_MIN, PIN_DIGITS_MAX = 4, 8
PIN_DAYS_MAX = 3650
_FIELDS = {"names", "grants", "approves", "ceilings", "badge", "pin_days", "pin_digits"}

Value = Mapping[str, Any]


class Grant(StrEnum):
    """What a permission is to a role."""

    ALLOWED = "allowed"
    APPROVAL = "approval"
    """Only with the word of somebody who may approve it."""
    DENIED = "denied"


class Badge(StrEnum):
    """What showing a badge to the till's scanner is good for."""

    OFF = "off"
    WITH_PIN = "with_pin"
    """It says who; the PIN proves it."""
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of it is asked for, this time included.

    Basis points off and minor units of the one line; minor units of the whole basket, whoever did
    it, and of the operator's own business day; the how manieth of that day.
    """

    off_bp: int = 0
    amount_minor: int = 0
    times: int = 0
    basket_minor: int = 0
    day_minor: int = 0


NOTHING = Measure()


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Up to which measure, itself included, a role may do something alone; None for no limit."""

    off_bp: int | None = None
    amount_minor: int | None = None
    times: int | None = None
    basket_minor: int | None = None
    day_minor: int | None = None

    def passed_by(self, measure: Measure) -> tuple[str, int] | None:
        """The first limit that a measure is above, with its number; None where all hold."""
        for name in MEASURES:
            limit = getattr(self, name)
            if limit is not None and getattr(measure, name) > limit:
                return name, limit
        return None


MEASURES = tuple(each.name for each in fields(Measure))
_BY_HAND = ("off_bp", "amount_minor", "basket_minor", "day_minor")
MEASURES_OF: Mapping[str, tuple[str, ...]] = {
    may.SALE_OVERRIDE: _BY_HAND,
    may.SALE_COUPON: _BY_HAND,
    may.SALE_REFUND: ("amount_minor", "day_minor"),
    may.DRAWER_NO_SALE: ("times",),
}
"""What is measured of each permission; of the others there is no more or less."""
_KNOWN = {"grants": PERMISSIONS, "ceilings": tuple(MEASURES_OF), "approves": APPROVABLE}
_MINOR_MAX = 10**12
LIMIT_MAX: Mapping[str, int] = {
    "off_bp": 10_000,
    "amount_minor": _MINOR_MAX,
    "times": 10_000,
    "basket_minor": _MINOR_MAX,
    "day_minor": _MINOR_MAX,
}
OPEN = Ceiling()


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it is at an instant.

    `approves` are the permissions that it may vouch for, up to its own ceilings. `pin_days`: so
    long a PIN lasts, 0 for ever; `pin_digits`: so long it has to be at least.
    """

    id: str
    names: Mapping[str, str] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    ceilings: Mapping[str, Ceiling] = field(default_factory=dict)
    approves: frozenset[str] = frozenset()
    badge: Badge = Badge.WITH_PIN
    pin_days: int = 0
    pin_digits: int = PIN_DIGITS_MIN

    def grant(self, permission: str) -> Grant:
        """What a permission is to the role; denied where nobody said."""
        return self.grants.get(permission, Grant.DENIED)

    def ceiling(self, permission: str) -> Ceiling:
        """Up to where."""
        return self.ceilings.get(permission, OPEN)

    def holding(self, grant: Grant) -> tuple[str, ...]:
        """The permissions that are that to the role, in order."""
        return tuple(each for each in PERMISSIONS if self.grant(each) is grant)


def _built_in(
    role_id: str,
    *,
    asked: tuple[str, ...] = (),
    denied: tuple[str, ...] = (),
    approves: tuple[str, ...] = (),
    ceilings: Mapping[str, Ceiling] | None = None,
) -> Role:
    grants = dict.fromkeys(PERMISSIONS, Grant.ALLOWED)
    grants |= dict.fromkeys(asked, Grant.APPROVAL) | dict.fromkeys(denied, Grant.DENIED)
    return Role(role_id, {}, grants, ceilings or {}, frozenset(approves))


CASHIER, SENIOR_CASHIER, MANAGER, AREA_MANAGER = (
    "cashier",
    "senior_cashier",
    "manager",
    "area_manager",
)
BUILT_IN: Mapping[str, Role] = {
    role.id: role
    for role in (
        _built_in(
            CASHIER,
            asked=(may.SALE_OVERRIDE, may.SALE_REFUND, may.DRAWER_NO_SALE),
            denied=(may.DAY_CLOSE, may.DEVICE_SETUP, may.STAFF_UNLOCK),
        ),
        _built_in(
            SENIOR_CASHIER,
            asked=(may.SALE_REFUND, may.DAY_CLOSE),
            denied=(may.DEVICE_SETUP, may.STAFF_UNLOCK),
            ceilings={
                may.SALE_OVERRIDE: Ceiling(off_bp=1000),
                may.DRAWER_NO_SALE: Ceiling(times=3),
            },
        ),
        _built_in(MANAGER, approves=APPROVABLE),
        _built_in(AREA_MANAGER, approves=APPROVABLE),
    )
}
"""What the roles are before head office says otherwise."""


def nobody(role_id: str) -> Role:
    """A role that nobody has defined: everything is denied."""
    return Role(role_id)


def role_name(role_id: str) -> str:
    """The name of a role's setting; RefusedError `role.id`."""
    if ROLE_ID.fullmatch(role_id) is None:
        raise RefusedError("role.id", role=role_id[:40])
    return ROLE + role_id


def parse_role(role_id: str, value: Value) -> Role:
    """A role of its value; RefusedError `role.value` with the field.

    Permissions, limits and policies that this software does not know are left out, the strictest
    reading of what it does know counts.
    """
    base = BUILT_IN.get(role_id) or nobody(role_id)
    grants = {
        name: _grant(grant, f"grants.{name}")
        for name, grant in _mapping(value, "grants").items()
        if name in PERMISSIONS
    }
    ceilings = {
        name: _ceiling(name, limits)
        for name, limits in _mapping(value, "ceilings").items()
        if name in MEASURES_OF
    }
    approves = value.get("approves", sorted(base.approves))
    if not isinstance(approves, list | tuple):
        raise _wrong("approves")
    return Role(
        role_id,
        _names(value),
        {**base.grants, **grants},
        ceilings if "ceilings" in value else base.ceilings,
        frozenset(each for each in approves if each in APPROVABLE),
        _badge(value.get("badge", base.badge)),
        _whole(value.get("pin_days", base.pin_days), PIN_DAYS_MAX, "pin_days"),
        _pin_digits(value.get("pin_digits", base.pin_digits)),
    )


def check_role(role_id: str, value: Value) -> None:
    """RefusedError `role.id` or `role.value` for what no till would understand as it is meant."""
    role_name(role_id)
    for name in value:
        if name not in _FIELDS:
            raise _wrong(str(name))
    role = parse_role(role_id, value)
    _refuse_unknown(value)
    for permission in PERMISSIONS:
        if role.grant(permission) is Grant.APPROVAL and permission not in APPROVABLE:
            raise _wrong(f"grants.{permission}")
    for permission in role.approves:
        if role.grant(permission) is not Grant.ALLOWED:
            raise _wrong(f"approves.{permission}")  # nobody vouches for what they may not do


def _refuse_unknown(value: Value) -> None:
    for name, known in _KNOWN.items():
        for permission in value.get(name, ()):
            if permission not in known:
                raise _wrong(f"{name}.{permission}")
    for permission, limits in value.get("ceilings", {}).items():
        for measure in limits:
            if measure not in MEASURES_OF[permission]:
                raise _wrong(f"ceilings.{permission}.{measure}")


def value_of(role: Role) -> dict[str, Any]:
    """The value that makes this role, whole: nothing is left to what is built in."""
    ceilings = {
        name: {each: getattr(limits, each) for each in MEASURES_OF[name]}
        for name, limits in role.ceilings.items()
        if limits != OPEN
    }
    return {
        "names": dict(role.names),
        "grants": {name: str(role.grant(name)) for name in PERMISSIONS},
        "ceilings": {
            name: {each: limit for each, limit in limits.items() if limit is not None}
            for name, limits in ceilings.items()
        },
        "approves": sorted(role.approves),
        "badge": str(role.badge),
        "pin_days": role.pin_days,
        "pin_digits": role.pin_digits,
    }


def _wrong(place: str) -> RefusedError:
    return RefusedError("role.value", field=place[:60])


def _mapping(value: Value, name: str) -> Mapping[str, Any]:
    found = value.get(name, {})
    if not isinstance(found, Mapping):
        raise _wrong(name)
    return found


def _names(value: Value) -> dict[str, str]:
    names = _mapping(value, "names")
    for language, name in names.items():
        is_text = isinstance(name, str) and 0 < len(name.strip()) <= NAME_MAX
        if language not in LANGUAGES or not is_text or not name.isprintable():
            raise _wrong(f"names.{language}")
    return dict(names)


def _grant(grant: object, place: str) -> Grant:
    if not isinstance(grant, str) or grant not in set(Grant):
        raise _wrong(place)
    return Grant(grant)


def _badge(badge: object) -> Badge:
    if not isinstance(badge, str) or badge not in set(Badge):
        raise _wrong("badge")
    return Badge(badge)


def _ceiling(name: str, limits: object) -> Ceiling:
    if not isinstance(limits, Mapping):
        raise _wrong(f"ceilings.{name}")
    found: dict[str, int | None] = {}
    for measure, limit in limits.items():
        if measure in MEASURES_OF[name] and limit is not None:
            found[measure] = _whole(limit, LIMIT_MAX[measure], f"ceilings.{name}.{measure}")
    return Ceiling(**found)


def _whole(number: object, most: int, place: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise _wrong(place)
    return number


def _pin_digits(number: object) -> int:
    digits = _whole(number, PIN_DIGITS_MAX, "pin_digits")
    if digits < PIN_DIGITS_MIN:
        raise _wrong("pin_digits")
    return digits
