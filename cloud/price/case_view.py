"""A checked case for a person's eyes, and all of them for a program's. Amounts stay whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cloud.price.case_check import Verdict, by_promotion, line_discounts
from cloud.price.case_run import Outcome, units_text
from cloud.price.cases import MUST, POLICY, Case
from shared.kernel.quantity import format_milli
from shared.price.explain import explain
from shared.price.offer_book import OfferBook

RESULT_FORMAT = "promo-cases-result/1"
COLUMNS = ("line", "qty", "price", "amount", "off", "net", "tax")


def failure_text(verdict: Verdict) -> str:
    """Return the one line that tells what differs."""
    return f"FAIL {verdict.id}: {'; '.join(verdict.differences)}"


def sum_text(verdicts: Sequence[Verdict]) -> str:
    """Return the counts."""
    passed = sum(each.is_passed for each in verdicts)
    return f"{passed} passed, {len(verdicts) - passed} failed"


def sum_texts(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the counts of both kinds of case, then of all."""
    for kind in (MUST, POLICY):
        yield f"{kind}: {sum_text([each for each in verdicts if each.conformance == kind])}"
    yield sum_text(verdicts)


def case_texts(verdict: Verdict) -> Iterator[str]:
    """Yield a case's basket, its offers with their shares, and why the others did not act."""
    yield f"{verdict.id} ({verdict.conformance})"
    if verdict.case is not None and verdict.outcome is not None:
        yield from _basket_texts(verdict.case, verdict.outcome)
        yield from _applied_texts(verdict.case, verdict.outcome)
        yield from _why_texts(verdict.case)
        yield from _return_texts(verdict.case, verdict.outcome)
    yield from ("", *(verdict.differences or ("As expected.",)))


def _basket_texts(case: Case, outcome: Outcome) -> Iterator[str]:
    rows = [
        (name, units_text(line), line.unit_minor, line.gross_minor, off, net, tax)
        for name, line, off, net, tax in zip(
            case.names, case.lines, outcome.discounts, outcome.nets, outcome.taxes, strict=True
        )
    ]
    sums = (
        *("total", "", ""),
        *(outcome.subtotal, outcome.discount, outcome.total, sum(outcome.taxes)),
    )
    table = [[str(cell) for cell in row] for row in (COLUMNS, *rows, sums)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *rest in table:
        cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield f"  {first.ljust(widths[0])}  {'  '.join(cells)}"


def _applied_texts(case: Case, outcome: Outcome) -> Iterator[str]:
    names = {line.key: name for name, line in zip(case.names, case.lines, strict=True)}
    for each in outcome.derivation.applied:
        shares = ", ".join(
            f"{share.amount_minor} of {names[share.line]} ({_units(share.units)})"
            for share in each.shares
        )
        times = f", {each.times} times" if each.times != 1 else ""
        yield f"  {each.offer.id}: {each.amount_minor} off {each.base_minor}{times}: {shares}"


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _why_texts(case: Case) -> Iterator[str]:
    book = OfferBook.of(case.offers)
    for each in explain(case.lines, book, case.context, case.at, case.policy).why_not:
        facts = ", ".join(f"{name} {value}" for name, value in each.params.items())
        yield f"  {each.offer.id} did not act: {each.code}{f' ({facts})' if facts else ''}"


def _return_texts(case: Case, outcome: Outcome) -> Iterator[str]:
    for back, refund in zip(case.returns, outcome.refunds, strict=True):
        yield f"  {format_milli(back.qty_milli)} of {case.names[back.line]} back: {refund}"


def result_document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return all results as a JSON document."""
    passed = sum(each.is_passed for each in verdicts)
    return {
        "format": RESULT_FORMAT,
        "passed": passed,
        "failed": len(verdicts) - passed,
        "cases": [_result(each) for each in verdicts],
    }


def _result(verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": verdict.id,
        "conformance": verdict.conformance,
        "passed": verdict.is_passed,
        "differences": list(verdict.differences),
    }
    case, outcome = verdict.case, verdict.outcome
    if case is None or outcome is None:
        return found
    return found | {
        "subtotal": outcome.subtotal,
        "discount": outcome.discount,
        "total": outcome.total,
        "line_discounts": line_discounts(case, outcome),
        "by_promotion": by_promotion(outcome),
        "tax_total": sum(outcome.taxes),
        "refunds": list(outcome.refunds),
    }
