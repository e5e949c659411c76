"""What guards want to know of a sale, folded by minute and the revision that priced it. Pure.

Reads the body's bytes itself: of the journal's many fields it needs few.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple, Protocol

import msgspec

MINUTE_MS = 60_000
WHOLE_BP = 10_000
MILLI = 1_000
Money = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
Rate = Annotated[int, msgspec.Meta(ge=0, le=WHOLE_BP)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Quantity = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]


class Fact(Protocol):
    """What is read of an entry: its instant and the raw data of its event."""

    at: int
    data: msgspec.Raw


class _Override(msgspec.Struct, gc=False):
    """That a person set the price."""


class _Voided(msgspec.Struct, gc=False):
    """A line that was taken out again."""


class _Line(msgspec.Struct, gc=False):
    gtin: str
    qty_milli: Quantity
    net_minor: Money
    override: _Override | None = None
    tax_bp: Rate = 0


class _Totals(msgspec.Struct, gc=False):
    units: Quantity
    net_minor: Money


class _Sale(msgspec.Struct, gc=False):
    revision: Revision
    lines: tuple[_Line, ...]
    totals: _Totals
    voided: tuple[_Voided, ...] = ()


class _Data(msgspec.Struct, gc=False):
    sale: _Sale


_decode = msgspec.json.Decoder(_Data).decode

When = tuple[int, int]
"""Minute of the epoch, and revision."""


@dataclass(slots=True)
class Counts:
    """Sums of one minute under one revision; `net_minor` with tax."""

    sales: int = 0
    lines: int = 0
    units: int = 0
    zero_lines: int = 0
    overridden_lines: int = 0
    refunds: int = 0
    voids: int = 0
    net_minor: int = 0


class Sold(NamedTuple):
    """What was sold of an item in a minute, without overridden lines; net without tax."""

    lines: int
    qty_milli: int
    net_minor: int


@dataclass(slots=True)
class Signals:
    """One store's sums."""

    counts: dict[When, Counts] = field(default_factory=dict)
    sold: dict[tuple[int, int, str], Sold] = field(default_factory=dict)


def signals_of(entries: Iterable[Fact]) -> Signals:
    """Fold `sale.completed` entries; one that cannot be read is the books' matter to flag.

    A line for nothing is one that nobody set a price for; a sale that pays money out is a refund.
    """
    signals = Signals()
    for entry in entries:
        try:
            sale = _decode(entry.data).sale
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        _fold(signals, entry.at // MINUTE_MS, sale)
    return signals


def _fold(signals: Signals, minute: int, sale: _Sale) -> None:
    counts = signals.counts.setdefault((minute, sale.revision), Counts())
    counts.sales += 1
    counts.lines += len(sale.lines)
    counts.units += sale.totals.units
    counts.voids += len(sale.voided)
    counts.net_minor += sale.totals.net_minor
    counts.refunds += sale.totals.net_minor < 0
    for line in sale.lines:
        if line.override is not None:
            counts.overridden_lines += 1
            continue
        counts.zero_lines += line.net_minor == 0
        key = (minute, sale.revision, line.gtin)
        before = signals.sold.get(key, NOTHING)
        # Without tax, near enough: a minute's sum is rounded once per line.
        net = line.net_minor * WHOLE_BP // (WHOLE_BP + line.tax_bp)
        signals.sold[key] = Sold(
            before.lines + 1, before.qty_milli + line.qty_milli, before.net_minor + net
        )


NOTHING = Sold(0, 0, 0)
