"""The least that a unit may cost: a minimum price, or what keeps a minimum margin."""

from __future__ import annotations

from shared.price.reward import FULL_BP


def floor_unit_minor(
    min_price_minor: int, cost_minor: int | None, min_margin_bp: int | None, tax_bp: int
) -> int:
    """The higher of both floors, with tax, for one unit; 0 where there is none.

    The margin is a share of the price without tax, while prices include it: the least price p
    has p/(1+t) x (1-m) >= cost, rounded up so that the margin holds.
    """
    assert min_margin_bp is None or min_margin_bp < FULL_BP  # no price has a margin of 100 %
    if cost_minor is None or min_margin_bp is None:
        return min_price_minor
    kept = FULL_BP - min_margin_bp
    by_margin = -(-cost_minor * (FULL_BP + tax_bp) // kept)
    return max(min_price_minor, by_margin)
