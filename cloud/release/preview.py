"""What a release would change, found out when it is handed in (or asked for as a draft)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from cloud.offer import store as offer_store
from cloud.offer.check import instant_at, lint_items
from cloud.publication.engine import Frozen
from cloud.records import STORE_PREFIX
from cloud.release import preview_store
from cloud.release.moves import Moves, moves_of
from cloud.release.policy import Size
from shared.price.depth import DepthGauge, told_share
from shared.price.document import parse_offer
from shared.price.lint import Finding, Severity, lint
from shared.price.offer import Offer
from shared.publication.revision import Record

STORES_NAMED = 50
FINDINGS_MAX = 100
RULE_SETS_MAX = 5
"""Different sets of offers that are linted: stores mostly share theirs."""
BELOW_COST = "lint.below_cost"
SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "hint"}


def preview_of(
    connection: Connection, release_id: int, frozen: Frozen, now_ms: int
) -> tuple[dict[str, Any], Size]:
    """The preview without approval and simulation, and how large the release is."""
    moves = moves_of(preview_store.price_changes(connection, release_id), now_ms)
    findings = list(_findings(connection, release_id, now_ms))
    currencies = preview_store.currencies(connection)
    told = {
        "changes": frozen.changes,
        "by_kind": dict(frozen.by_kind),
        "stores": len(frozen.stores),
        "store_ids": list(frozen.stores[:STORES_NAMED]),
        **_moves_told(moves, currencies),
        "findings": [_finding_told(each) for each in findings[:FINDINGS_MAX]],
    }
    lossy = sum(each.code.startswith(BELOW_COST) for each in findings)
    size = Size(
        preview_store.lines(connection, release_id),
        len(frozen.stores),
        max(moves.move_bp_max, _cut_bp(connection, release_id, now_ms)),
        moves.losses_total + lossy,
    )
    return told, size


def _moves_told(moves: Moves, currencies: dict[str, str]) -> dict[str, Any]:
    def place(scope: str) -> dict[str, str | None]:
        store_id = scope.removeprefix(STORE_PREFIX) if scope.startswith(STORE_PREFIX) else None
        found = set(currencies.values())
        only = found.pop() if len(found) == 1 else ""
        return {"store_id": store_id, "currency": currencies.get(store_id or "", only)}

    return {
        "moves": [{**asdict(each), **place(each.scope)} for each in moves.moves],
        "moves_total": moves.moves_total,
        "below_cost": [{**asdict(each), **place(each.scope)} for each in moves.losses],
        "below_cost_total": moves.losses_total,
    }


def _finding_told(found: Finding) -> dict[str, Any]:
    return {
        "severity": SEVERITIES[found.severity],
        "code": found.code,
        "params": dict(found.params),
        "where": ", ".join(found.offers),
    }


def _cut_bp(connection: Connection, release_id: int, now_ms: int) -> int:
    """The largest share of a price that an offer newly takes off, of whatever kind it is."""
    by_scope: dict[str, list[tuple[Offer | None, Offer]]] = {}
    for scope, old, new in preview_store.new_offers(connection, release_id):
        if new is not None and new.body is not None:
            pair = (_parsed(old), parse_offer(new.body))
            by_scope.setdefault(scope, []).append(pair)
    places = {place.store_id: place for place in offer_store.places(connection)}
    deepest = 0
    for number, (scope, pairs) in enumerate(by_scope.items()):
        store_id = scope.removeprefix(STORE_PREFIX)
        # Goods of a few stores stand for those of all; shares that offers name count everywhere.
        items = list(lint_items(connection, store_id, now_ms)) if number < RULE_SETS_MAX else []
        gauge = DepthGauge(items, instant_at(now_ms, places.get(store_id)))
        for old_offer, offer in pairs:
            before, after = _depth(gauge, old_offer), _depth(gauge, offer)
            deepest = max(deepest, after if after > before else 0)
    return deepest


def _depth(gauge: DepthGauge, offer: Offer | None) -> int:
    return 0 if offer is None else max(told_share(offer), gauge.of(offer))


def _parsed(record: Record | None) -> Offer | None:
    return None if record is None or record.body is None else parse_offer(record.body)


def _findings(connection: Connection, release_id: int, now_ms: int) -> Iterator[Finding]:
    """What lint says of the offers that change, beside all others of their stores."""
    places = {place.store_id: place for place in offer_store.places(connection)}
    seen, told = set[frozenset[str]](), set[tuple[str, tuple[str, ...]]]()
    for scope in preview_store.offer_scopes(connection, release_id):
        before, after = preview_store.offers(connection, release_id, scope)
        key = frozenset(f"{each}:{record.body}" for each, record in after.items())
        if key in seen:
            continue
        if len(seen) == RULE_SETS_MAX:
            return
        seen.add(key)
        touched = {each for each, record in after.items() if before.get(each) != record}
        store_id = scope.removeprefix(STORE_PREFIX)
        offers = [parse_offer(record.body) for record in after.values() if record.body is not None]
        items = list(lint_items(connection, store_id, now_ms))
        for found in lint(offers, items, instant_at(now_ms, places.get(store_id))):
            is_ours = not found.offers or not touched.isdisjoint(found.offers)
            if is_ours and (found.code, found.offers) not in told:
                told.add((found.code, found.offers))
                yield found
