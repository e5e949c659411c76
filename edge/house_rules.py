"""What head office set up for this store: tax rates, ways to pay, rounding, lines of receipts.

Where nothing is set up, or it cannot be read, the store sells as if nothing were: with the tax
rates of its items, all ways to pay, nothing rounded, and plain receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from shared.config.box import BOX, BoxValue, parse_box
from shared.config.dated import Value, setting_at
from shared.config.settings import (
    LOGO,
    PAYMENT,
    RECEIPT,
    ROUNDING,
    Payment,
    ReceiptTexts,
    parse_logo,
    parse_payment,
    parse_receipt,
    parse_rounding,
)
from shared.item.item import Item
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.rounding import NO_ROUNDING, CashRounding
from shared.sale.price_check import item_at

ALL_TENDERS, NO_TEXTS = Payment(), ReceiptTexts()
_KEPT_MAX = 200
_Parsed = TypeVar("_Parsed")
_log = structlog.get_logger("house_rules")


def _nothing(_key: str) -> None:
    return None


class ConfigReader(Protocol):
    """What the rules need of the replica."""

    def active_revision(self) -> int:
        """What new baskets pin; 0 before anything was published."""
        ...

    def config(self, key: str, revision: int) -> Mapping[str, Any] | None:
        """The body of a configuration record; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read of one revision; a body that is not there is kept as None."""

    revision: int
    bodies: dict[str, Mapping[str, Any] | None]


class HouseRules:
    """Reads the settings that are in force; `clock` is the one that prices go by."""

    def __init__(self, replica: ConfigReader, zone: tzinfo, clock: Clock) -> None:
        self._replica = replica
        self._zone = zone
        self._clock = clock
        self._kept = _Kept(0, {})

    def forget(self) -> None:
        """Read anew: a head office that was restored gives out the same numbers again."""
        self._kept = _Kept(0, {})

    def tenders(self) -> frozenset[str]:
        """The ways to pay that the store takes now."""
        return self._now(PAYMENT, parse_payment, ALL_TENDERS).tenders

    def takes(self, tender: str) -> bool:
        """Whether the store takes a way to pay now."""
        return tender in self.tenders()

    def rounding(self) -> CashRounding:
        """How the store rounds what is paid in cash now."""
        return self._now(ROUNDING, parse_rounding, NO_ROUNDING)

    def logo(self) -> bytes | None:
        """The PNG that heads receipts now, b"" for none; None where head office says nothing."""
        return self._now(LOGO, parse_logo, None)

    def box_field(self, field: str) -> BoxValue | None:
        """What head office wants of a field of `edge.toml` now; None where it says nothing."""
        return self._now(BOX + field, partial(parse_box, field), None)

    def receipt_texts(self, at_ms: int) -> ReceiptTexts:
        """The lines of the receipts of an instant (UTC ms)."""
        revision = self._replica.active_revision()
        return self._setting(RECEIPT, revision, at_ms, parse_receipt) or NO_TEXTS

    def dated(self, item: Item, revision: int) -> Item:
        """An item as it is now: its name, its tax class, and the rate of that class."""
        now_ms, read = self._clock.now_ms(), self._reader(revision)
        try:
            return item_at(item, read if revision else _nothing, now_ms, self._zone)
        except MissingError:  # an open basket may have pinned a revision that is gone
            return item_at(item, _nothing, now_ms, self._zone)

    def _now(self, name: str, parse: Callable[[Value], _Parsed], otherwise: _Parsed) -> _Parsed:
        revision, at_ms = self._replica.active_revision(), self._clock.now_ms()
        found = self._setting(name, revision, at_ms, parse)
        return otherwise if found is None else found

    def _setting(
        self, name: str, revision: int, at_ms: int, parse: Callable[[Value], _Parsed]
    ) -> _Parsed | None:
        if not revision:
            return None
        try:
            found = setting_at(name, self._reader(revision), at_ms, self._zone)
            return None if found is None else parse(found.value)
        except MissingError:  # an open basket may have pinned a revision that is gone
            return None
        except RefusedError as error:
            # A shop that sells without one setting is better than a shop that does not sell.
            _log.error("setting_unreadable", setting=name, code=error.code)
            return None

    def _reader(self, revision: int) -> Callable[[str], Mapping[str, Any] | None]:
        kept = self._kept
        if kept.revision != revision or len(kept.bodies) > _KEPT_MAX:
            kept = self._kept = _Kept(revision, {})

        def read(key: str) -> Mapping[str, Any] | None:
            if key not in kept.bodies:
                kept.bodies[key] = self._replica.config(key, revision)
            return kept.bodies[key]

        return read
