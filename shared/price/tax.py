"""Tax of a line, after every discount."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.kernel.quantity import round_half_up
from shared.price.context import PricePolicy
from shared.price.reward import FULL_BP


@dataclass(frozen=True, slots=True)
class TaxSum:
    """All lines of one rate: what they cost and the tax in it (or on top of it)."""

    tax_bp: int
    net_minor: int
    tax_minor: int


def tax_minor(net_minor: int, tax_bp: int, policy: PricePolicy) -> int:
    """The tax in an amount that includes it, net x r/(1+r), or on one that does not, net x r."""
    whole = FULL_BP + tax_bp if policy.prices_include_tax else FULL_BP
    return round_half_up(net_minor * tax_bp, whole)


def tax_sums(lines: Iterable[tuple[int, int, int]]) -> tuple[TaxSum, ...]:
    """Sums of (rate, net, tax) per rate, ascending: line taxes added, never computed anew."""
    sums: dict[int, tuple[int, int]] = {}
    for tax_bp, net, tax in lines:
        before = sums.get(tax_bp, (0, 0))
        sums[tax_bp] = (before[0] + net, before[1] + tax)
    return tuple(TaxSum(rate, *sums[rate]) for rate in sorted(sums))
