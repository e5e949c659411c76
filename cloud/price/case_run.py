"""Pricing one case: what the engine makes of it, and whether it stands on its own feet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from cloud.price.case_tie import is_tie
from cloud.price.case_words import CaseError
from cloud.price.cases import Case, Return
from shared.kernel.quantity import format_milli
from shared.price.context import Allocation, PriceLine
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.offer_book import OfferBook
from shared.price.refund import refund_minor, refund_repriced_minor
from shared.price.tax import tax_minor

ALL_ORDERS_UP_TO = 3
"""Lines up to which every order is tried; longer baskets get a few fixed ones."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case came to, in minor units; amounts of lines in the order of the basket."""

    derivation: Derivation
    subtotal: int
    nets: tuple[int, ...]
    discounts: tuple[int, ...]
    taxes: tuple[int, ...]
    refunds: tuple[int, ...]

    @property
    def total(self) -> int:
        """What the basket costs."""
        return sum(self.nets)

    @property
    def discount(self) -> int:
        """What all offers gave together."""
        return self.derivation.discount_minor


def outcome_of(case: Case) -> Outcome:
    """Price a case; CaseError when more comes back than was sold."""
    found = _derive(case, case.lines)
    grosses = tuple(line.gross_minor for line in case.lines)
    return Outcome(
        derivation=found,
        subtotal=sum(grosses),
        nets=found.nets,
        discounts=tuple(gross - net for gross, net in zip(grosses, found.nets, strict=True)),
        taxes=tuple(
            tax_minor(net, line.tax_bp, case.policy)
            for line, net in zip(case.lines, found.nets, strict=True)
        ),
        refunds=tuple(_refunds(case, found)),
    )


def _derive(case: Case, lines: Sequence[PriceLine]) -> Derivation:
    return derive(lines, OfferBook.of(case.offers), case.context, case.at, case.policy)


def _refunds(case: Case, found: Derivation) -> Iterator[int]:
    returned = [0] * len(case.lines)
    paid = sum(found.nets)
    for back in case.returns:
        _check_left(case.lines[back.line], back, returned[back.line])
        if case.is_repriced:
            returned[back.line] += back.qty_milli
            refund = refund_repriced_minor(paid, sum(_derive(case, _kept(case, returned)).nets))
            paid -= refund
        else:
            sold = case.lines[back.line].qty_milli
            refund = refund_minor(found.nets[back.line], sold, returned[back.line], back.qty_milli)
            returned[back.line] += back.qty_milli
        yield refund


def _check_left(line: PriceLine, back: Return, returned_milli: int) -> None:
    left = line.qty_milli - returned_milli
    if not 0 < back.qty_milli <= left:
        given, there = format_milli(back.qty_milli), format_milli(left)
        raise CaseError(f"returns: {given} of line {back.line + 1} come back, {there} are there")


def _kept(case: Case, returned: Sequence[int]) -> tuple[PriceLine, ...]:
    return tuple(
        replace(line, qty_milli=line.qty_milli - back, list_minor=None) if back else line
        for line, back in zip(case.lines, returned, strict=True)
        if back < line.qty_milli
    )


def faults_of(case: Case, outcome: Outcome) -> Iterator[str]:
    """Yield what may be wrong with any outcome, whatever the case expects."""
    yield from _sum_faults(case, outcome)
    for name, line, net in zip(case.names, case.lines, outcome.nets, strict=True):
        if not min(0, line.gross_minor) <= net <= max(0, line.gross_minor):
            yield f"line {name} costs {net}, its goods {line.gross_minor}"
    again = derive(case.lines, OfferBook.of(case.offers[::-1]), case.context, case.at, case.policy)
    if again != outcome.derivation:
        yield "priced again, the result is another"
    yield from _order_faults(case, outcome.derivation)


def _sum_faults(case: Case, outcome: Outcome) -> Iterator[str]:
    if sum(outcome.discounts) != outcome.discount:
        yield f"lines are {sum(outcome.discounts)} off, offers give {outcome.discount}"
    if outcome.subtotal - outcome.discount != outcome.total:
        yield f"{outcome.subtotal} - {outcome.discount} is not {outcome.total}"
    by_line = dict.fromkeys((line.key for line in case.lines), 0)
    for applied in outcome.derivation.applied:
        shares = sum(share.amount_minor for share in applied.shares)
        if shares != applied.amount_minor:
            yield f"{applied.offer.id} gives {applied.amount_minor}, its shares are {shares}"
        for share in applied.shares:
            by_line[share.line] += share.amount_minor
    if tuple(by_line.values()) != outcome.discounts:
        yield "the shares of the offers are not what comes off the lines"


def _order_faults(case: Case, found: Derivation) -> Iterator[str]:
    """Yield nothing when the total does not depend on the order of the lines.

    Only a tie may decide (see case_tie), or a house rule that names the first or the last line.
    """
    if case.policy.allocation is not Allocation.LARGEST_REMAINDER:
        return
    for order in _orders(len(case.lines)):
        other = _derive(case, [case.lines[index] for index in order])
        if sum(other.nets) != sum(found.nets) and not is_tie(case.lines, found, other):
            names = ", ".join(case.names[index] for index in order)
            yield f"scanned as {names} the total is {sum(other.nets)}, not {sum(found.nets)}"
            return


def _orders(count: int) -> Iterator[Sequence[int]]:
    lines = range(count)
    if count <= ALL_ORDERS_UP_TO:
        yield from list(permutations(lines))[1:]
        return
    yield lines[::-1]
    yield [*lines[1:], 0]
    yield [*lines[::2], *lines[1::2]]
    yield [*lines[count // 2 :], *lines[: count // 2]]


def units_text(line: PriceLine) -> str:
    """Return the quantity of a line for a person: "3", "0.355 kg"."""
    return f"{format_milli(line.qty_milli)} {line.uom}".rstrip()
