"""What a member bought before, as far as it is known where the basket is priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MemberHistory:
    """Completed sales that named the member, and what offers gave in them.

    By offer id: `uses` is in how many sales it acted, `units` how many units got something of it.
    """

    orders: int = 0
    uses: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
