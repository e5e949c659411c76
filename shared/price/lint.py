"""Lint: what is probably wrong with offers, before a customer or an accountant finds it. Pure.

Works on sets of items instead of on items, and item by item only for offers on few: the work
grows with the number of offers and items, not with their product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.price.context import PricePolicy, PricingInstant
from shared.price.derive import DEFAULT_POLICY
from shared.price.lint_basket import Lab
from shared.price.lint_beaten import always_beaten
from shared.price.lint_catalogue import Catalogue, LintItem
from shared.price.lint_cost import below_cost
from shared.price.lint_finding import Finding, Severity
from shared.price.lint_money import idle_and_lavish
from shared.price.lint_overlap import overlaps
from shared.price.lint_ranking import Rankings
from shared.price.lint_reach import never_acting, odd_groups
from shared.price.lint_subject import Survey
from shared.price.lint_window import is_over, why_never_open
from shared.price.offer import Offer

__all__ = ["Finding", "LintItem", "Severity", "has_errors", "lint"]

ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def lint(
    offers: Iterable[Offer],
    items: Sequence[LintItem],
    now: PricingInstant,
    policy: PricePolicy = DEFAULT_POLICY,
) -> tuple[Finding, ...]:
    """All findings, errors first; offer ids are unique.

    `items` are those of the stores that the offers are for; without any, only what the offers'
    own words show is found, and that is said. `now` is the instant since which windows count.
    """
    catalogue = Catalogue(items)
    survey = Survey(offers, catalogue)
    found = [*never_acting(survey, now), *odd_groups(survey)]
    found += _with_items(catalogue, _alive(survey, now), now, policy)
    return tuple(sorted(found, key=lambda each: (ORDER[each.severity], each.offers, each.code)))


def _alive(survey: Survey, now: PricingInstant) -> list[Offer]:
    """Offers that open again: the others can neither help nor hurt."""
    offers = (subject.offer for subject in survey.subjects)
    return [
        each
        for each in offers
        if why_never_open(each.valid) is None and not is_over(each.valid, now)
    ]


def _with_items(
    catalogue: Catalogue, offers: Sequence[Offer], now: PricingInstant, policy: PricePolicy
) -> Iterator[Finding]:
    if not catalogue.all:
        yield Finding("lint.no_catalogue", Severity.INFO, ())
        return
    survey = Survey(offers, catalogue)
    rankings = Rankings(catalogue)
    lab = Lab(catalogue, rankings, now, policy)
    yield from idle_and_lavish(survey, rankings)
    yield from always_beaten(survey, lab)
    yield from below_cost(survey, lab)
    yield from overlaps(survey)


def has_errors(found: Iterable[Finding]) -> bool:
    """Whether one of them can only be a mistake."""
    return any(each.severity is Severity.ERROR for each in found)
