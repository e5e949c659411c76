"""What the code of one pack told beside its item, kept for stock by lot, recalls and returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackFacts:
    """Batch, serial number and last day of sale or use (YYYY-MM-DD), "" where the code had none.

    `is_priced` says that the price came with the code although its digits alone do not show it.
    """

    lot: str = ""
    serial: str = ""
    expiry: str = ""
    is_priced: bool = False
