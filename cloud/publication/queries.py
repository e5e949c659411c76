"""Questions about drafts, publications and how far the stores are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database
from cloud.publication import convergence_store, store
from cloud.publication.matrix import judged

DraftSample = Callable[[Connection], list[dict[str, Any]]]
"""The newest price drafts; the price room."""


def draft(database: Database, sample: DraftSample) -> dict[str, Any]:
    """Everything that waits for a publication."""
    with database.begin() as connection:
        counts = store.draft_counts(connection)
        return {
            "changes": sum(counts.values()),
            **counts,
            "stores": store.draft_stores(connection),
            "sample": sample(connection),
        }


def publications(database: Database) -> list[dict[str, Any]]:
    """The newest publications."""
    with database.begin() as connection:
        return [asdict(publication) for publication in store.publications(connection)]


def convergence(database: Database, now_ms: int) -> dict[str, Any]:
    """How far every store is with what was published for it."""
    with database.begin() as connection:
        return {
            "target_rev": convergence_store.target_rev(connection),
            "stores": judged(connection, now_ms),
        }


def convergence_of(database: Database, dev: str, now_ms: int) -> list[dict[str, Any]]:
    """The convergence row of one box's store; none when the box is not its store's box."""
    with database.begin() as connection:
        return judged(connection, now_ms, dev=dev)


def has_more_stores(database: Database, number: int) -> bool:
    """Whether more stores than a number have revisions: asked without counting them all."""
    with database.begin() as connection:
        return convergence_store.has_more(connection, number)
