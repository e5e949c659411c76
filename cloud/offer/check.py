"""Linting what stores would sell by, with the catalogue and the prices of those stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.offer import store
from cloud.offer.plan import ChangeKind, OfferChange, after_import, rule_sets
from cloud.offer.store import OfferVersion, StorePlace
from shared.kernel.errors import RefusedError
from shared.price.context import PricingInstant
from shared.price.document import parse_offer
from shared.price.floor import floor_unit_minor
from shared.price.lint import Finding, LintItem, Severity, lint
from shared.sale.pricing import tags_of


class OfferLintError(RefusedError):
    """Offers were refused for what lint found; `findings` are all of it."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        errors = [each for each in findings if each.severity is Severity.ERROR]
        super().__init__("offer.lint", count=len(errors))
        self.findings = findings


def findings_of(
    connection: Connection,
    changes: Iterable[OfferChange],
    current: Mapping[str, OfferVersion],
    at_ms: int,
) -> tuple[Finding, ...]:
    """What is wrong with the offers that are created or changed, beside all others.

    Each set of offers that some store would have is linted once, with the prices of the first
    such store.
    """
    made = tuple(changes)
    kinds = {ChangeKind.CREATED, ChangeKind.CHANGED}
    touched = {change.offer_id for change in made if change.kind in kinds}
    if not touched:
        return ()
    planned = after_import(made, current).values()
    places = {place.store_id: place for place in store.places(connection)}
    found: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for store_id, offers in rule_sets(planned, places):
        if touched.isdisjoint(each.offer_id for each in offers):
            continue
        now = instant_at(at_ms, places.get(store_id))
        parsed = [parse_offer(each.body) for each in offers]
        for each in lint(parsed, list(lint_items(connection, store_id, at_ms)), now):
            if not each.offers or not touched.isdisjoint(each.offers):
                found.setdefault((each.code, each.offers), each)
    return tuple(found.values())


def lint_items(connection: Connection, store_id: str, at_ms: int) -> Iterator[LintItem]:
    """Items with what a till would price them by.

    The price is the one in force in the store, or its first to come; without a store, the one of
    the first store that has any.
    """
    for row in store.priced_items(connection, store_id, at_ms):
        floor_minor = floor_unit_minor(
            row["min_price_minor"], row["cost_minor"], row["min_margin_bp"], row["tax_bp"]
        )
        yield LintItem(
            sku=row["gtin"],
            unit_minor=row["regular_minor"],
            cost_minor=row["cost_minor"],
            category=row["category"],
            tags=tags_of(tuple(row["tags"]), row["department"], row["brand"]),
            is_weighed=row["is_weighed"],
            is_promotable=row["is_promotable"],
            floor_unit_minor=floor_minor,
            uom=row["uom"],
            tax_bp=row["tax_bp"],
        )


def instant_at(at_ms: int, place: StorePlace | None) -> PricingInstant:
    """An instant on the clock of a store; without one on UTC's."""
    zone = ZoneInfo(place.time_zone) if place else UTC
    local = datetime.fromtimestamp(at_ms // 1000, zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return PricingInstant(at_ms, local.date(), second)
