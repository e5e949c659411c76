"""Make the stores that the light boxes stand in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.clock import random_bytes
from cloud.db import Database
from cloud.lightbox import store
from cloud.lightbox.identity import LightIdentity
from shared.kernel.errors import RefusedError

SEED_BYTES = 32
STORES_MAX = 50_000
Welcome = Callable[[Connection, str, str], None]
"""Lets a new box (store id, device id) want what its store sells by."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many boxes, and from what they are made."""

    count: int
    seed: bytes

    def box(self, number: int) -> LightIdentity:
        """The box with a number from 1 to `count`."""
        return LightIdentity(number, self.seed)


def make_crowd(
    database: Database, count: int, at_ms: int, welcome: Welcome, *, is_beside_real: bool = False
) -> Crowd:
    """See to it that `count` simulated stores with enrolled boxes exist.

    Raises RefusedError `lightbox.count`, or `lightbox.real_stores` where real stores are and
    `is_beside_real` does not say that this is wanted: their prices would go to them, too.
    """
    if not 0 < count <= STORES_MAX:
        raise RefusedError("lightbox.count", most=STORES_MAX)
    with database.begin() as connection:
        real = store.real_stores(connection)
        if real and not is_beside_real:
            raise RefusedError("lightbox.real_stores", count=real)
        crowd = Crowd(count, store.seed_of(connection, random_bytes(SEED_BYTES)))
        there = store.simulated_stores(connection)
        boxes = [crowd.box(number) for number in range(1, count + 1)]
        fresh = [box for box in boxes if box.store_id not in there]
        store.add(connection, fresh, at_ms)
        for box in fresh:
            welcome(connection, box.store_id, box.dev)
    return crowd
