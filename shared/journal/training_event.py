"""A sale that only tries whether a box can sell; no sum, stock, export or member ever counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.sale.transaction import RetailTransaction


@dataclass(frozen=True, slots=True)
class TrainingSold:
    """A sale in training: it went all the way of a real one, but nothing was sold.

    A type of its own, so that whoever sums up sales cannot meet it; its receipt number is no
    number of a lane.
    """

    type: ClassVar[str] = "training.sold"
    lane: int
    sale: RetailTransaction
