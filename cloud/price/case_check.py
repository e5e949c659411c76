"""Comparing what a case came to with what it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.price.case_run import Outcome, faults_of, outcome_of
from cloud.price.case_words import CaseError, Words, whole_of, words_of
from cloud.price.cases import MUST, POLICY, Case, case_of, without_modes

EXACT, WITHIN_1, LISTED_ONLY = "exact", "within_1", "listed_only"
RECOMMENDED = "by the default rules: "


@dataclass(frozen=True, slots=True)
class Verdict:
    """One checked case: it passes when nothing differs; what is unreadable has no outcome."""

    id: str
    conformance: str
    differences: tuple[str, ...]
    case: Case | None = None
    outcome: Outcome | None = None

    @property
    def is_passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def check_case(raw: Mapping[str, Any], number: int = 0) -> Verdict:
    """Check one case as it stands in its file; `number` names one without an id."""
    name = str(raw.get("id") or f"case-{number}")
    conformance = POLICY if raw.get("conformance") == POLICY else MUST
    try:
        return _checked(raw, name, conformance)
    except CaseError as error:
        return Verdict(name, conformance, (str(error),))
    except Exception as error:  # noqa: BLE001 - one broken case must not hide all others
        return Verdict(name, conformance, (f"broken off: {type(error).__name__}: {error}",))


def _checked(raw: Mapping[str, Any], name: str, conformance: str) -> Verdict:
    case = case_of(raw)
    expected = words_of(raw.get("expected"), "expected")
    outcome = outcome_of(case)
    found = _differing(case, outcome, expected)
    recommended = raw.get("recommended")
    if isinstance(recommended, dict):
        found += [RECOMMENDED + each for each in _recommended(raw)]
        if found and not _differs_from_ours(raw, _replaced(expected, recommended)):
            found = []
    return Verdict(name, conformance, tuple(found), case, outcome)


def _differing(case: Case, outcome: Outcome, expected: Words) -> list[str]:
    return [
        *faults_of(case, outcome),
        *_compared(_whole(expected, "total", outcome.total)),
        *_compared(_whole(expected, "discount", outcome.discount)),
        *differences_of(case, outcome, expected),
    ]


def _differs_from_ours(raw: Mapping[str, Any], stated: Words) -> list[str]:
    case = case_of(raw, by_default_rules=True)
    return _differing(case, outcome_of(case), stated)


def _replaced(expected: Words, recommended: Mapping[str, Any]) -> Words:
    """What is expected with what is recommended in its stead: the source has another rule.

    Where the recommendation changes a sum, what the source says of its parts no longer counts.
    """
    sums = {"total", "discount"}
    kept = sums | {"subtotal", "line_check"} if sums & recommended.keys() else expected.raw.keys()
    raw = {name: expected.raw[name] for name in expected.raw if name in kept}
    return words_of({**raw, **recommended}, "recommended")


def _recommended(raw: Mapping[str, Any]) -> list[str]:
    """Return what differs from what the default rules give; only what is stated counts.

    A case does not say whether its recommendation leaves only the options aside or also the
    modes that its promotions choose (pairing, basis, ...): it holds when either way gives it.
    """
    stated = words_of(raw["recommended"], "recommended")
    found = _by_default_rules(raw, stated)
    if found and not _by_default_rules(without_modes(raw), stated):
        return []
    return found


def _by_default_rules(raw: Mapping[str, Any], stated: Words) -> list[str]:
    case = case_of(raw, by_default_rules=True)
    outcome = outcome_of(case)
    sums = (("total", outcome.total), ("discount", outcome.discount))
    compared = [
        pair for name, found in sums if stated.has(name) for pair in _whole(stated, name, found)
    ]
    return [
        *faults_of(case, outcome),
        *_compared(compared),
        *differences_of(case, outcome, stated, line_check=LISTED_ONLY),
    ]


Pair = tuple[str, int, int]
"""What is compared, what was found, what is stated."""


def _whole(expected: Words, name: str, found: int) -> Iterator[Pair]:
    yield name, found, expected.whole(name)


def _compared(pairs: Iterable[Pair], within: int = 0) -> Iterator[str]:
    for what, found, stated in pairs:
        if abs(found - stated) > within:
            yield f"{what} is {found}, expected {stated}"


def differences_of(
    case: Case, outcome: Outcome, expected: Words, *, line_check: str = EXACT
) -> Iterator[str]:
    """Yield what differs among everything that need not be stated."""
    check = expected.text("line_check", line_check)
    if check not in {EXACT, WITHIN_1, LISTED_ONLY}:
        raise CaseError(f"{expected.at('line_check')} is {check!r}, unknown")
    by_line = _by_name(case, outcome.discounts)
    tolerance = 1 if check == WITHIN_1 else 0
    yield from _compared(
        _each(expected, "line_discounts", by_line, is_all=check != LISTED_ONLY), tolerance
    )
    yield from _compared(_each(expected, "by_promotion", by_promotion(outcome), is_all=False))
    yield from _compared(_each(expected, "tax", _by_name(case, outcome.taxes), is_all=False))
    sums = (("subtotal", outcome.subtotal), ("tax_total", sum(outcome.taxes)))
    for name, found in sums:
        if expected.has(name):
            yield from _compared(_whole(expected, name, found))
    yield from _who_acted(outcome, expected)
    yield from _refunds(outcome, expected)


def _each(expected: Words, name: str, found: Mapping[str, int], *, is_all: bool) -> Iterator[Pair]:
    """Yield pairs of an object of amounts; with `is_all`, what it leaves out counts as 0."""
    if not expected.has(name):
        return
    stated = expected.object(name)
    keys = dict.fromkeys([*stated.raw, *(found if is_all else ())])
    for key in keys:
        yield f"{name} of {key}", found.get(key, 0), stated.whole(key, 0)


def _by_name(case: Case, amounts: Iterable[int]) -> dict[str, int]:
    found = dict.fromkeys(case.names, 0)
    for name, amount in zip(case.names, amounts, strict=True):
        found[name] += amount
    return found


def by_promotion(outcome: Outcome) -> dict[str, int]:
    """Return what each promotion gave, in order of action; those that gave nothing are absent."""
    return {each.offer.id: each.amount_minor for each in outcome.derivation.applied}


def line_discounts(case: Case, outcome: Outcome) -> dict[str, int]:
    """Return what came off each line, by name."""
    return _by_name(case, outcome.discounts)


def _who_acted(outcome: Outcome, expected: Words) -> Iterator[str]:
    acted = by_promotion(outcome)
    for offer in sorted(expected.names("applied") - acted.keys()):
        yield f"{offer} did not act"
    for offer in sorted(expected.names("not_applied") & acted.keys()):
        yield f"{offer} acted, it must not ({acted[offer]} off)"


def _refunds(outcome: Outcome, expected: Words) -> Iterator[str]:
    if not expected.has("refunds"):
        return
    stated = expected.get("refunds")
    if not isinstance(stated, list):
        raise CaseError(f"{expected.at('refunds')} must be a list")
    wanted = [whole_of(each, expected.at("refunds")) for each in stated]
    if wanted != list(outcome.refunds):
        yield f"refunds are {list(outcome.refunds)}, expected {wanted}"
