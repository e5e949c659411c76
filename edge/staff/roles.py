"""The roles as they are at this store now: head office's, or what is built in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

import structlog

from edge.replica.catalog import StaffMember
from shared.config.dated import setting_at
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.staff.permission import PERMISSIONS
from shared.staff.role import BUILT_IN, Grant, Role, nobody, parse_role, role_name

_log = structlog.get_logger("roles")
Read = Callable[[str, int], Mapping[str, Any] | None]
"""The body of a configuration record in a revision."""


class Roles:
    """Asked on every request: records are read once for each revision, then kept."""

    def __init__(self, read: Read, revision: Callable[[], int], zone: tzinfo, clock: Clock) -> None:
        self._read = read
        self._revision = revision
        self._zone = zone
        self._clock = clock
        self._kept: tuple[int, dict[str, Mapping[str, Any] | None]] = (0, {})

    def forget(self) -> None:
        """Read anew: a head office that was restored gives out the same numbers again."""
        self._kept = (0, {})

    def of(self, role_id: str) -> Role:
        """What a role may do now; one that nobody defined, or that cannot be read, as built in."""
        try:
            found = setting_at(role_name(role_id), self._body, self._clock.now_ms(), self._zone)
            if found is not None:
                return parse_role(role_id, found.value)
        except RetailError as error:
            _log.error("role_unreadable", role=role_id[:40], code=error.code)
        return BUILT_IN.get(role_id) or nobody(role_id)

    def of_member(self, member: StaffMember) -> Role:
        """The same with what head office gave this very person."""
        role = self.of(member.role)
        extra = {each: Grant.ALLOWED for each in member.permissions if each in PERMISSIONS}
        return replace(role, grants={**role.grants, **extra}) if extra else role

    def _body(self, key: str) -> Mapping[str, Any] | None:
        revision = self._revision()
        if not revision:
            return None
        kept = self._kept
        if kept[0] != revision:
            kept = self._kept = (revision, {})
        if key not in kept[1]:
            kept[1][key] = self._read(key, revision)
        return kept[1][key]
