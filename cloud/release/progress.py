"""How far the stores of a release are, added up. Pure."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = ("shown",)
ACTIVE = ("active", *SHOWN)
STORED = ("stored", *ACTIVE)
BROUGHT = ("brought", "failed", "too_old", "silent", *STORED)


def progress_of(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Stores by what they have reached at least; `counts` are by state, of each wave."""
    found = list(counts)

    def total(*states: str) -> int:
        return sum(each.get(state, 0) for each in found for state in states)

    return {
        "total": sum(sum(each.values()) for each in found),
        "brought": total(*BROUGHT),
        "stored": total(*STORED),
        "active": total(*ACTIVE),
        "shown": total(*SHOWN),
        "failed": total("failed", "too_old"),
        "silent": total("silent"),
    }
