"""Streams that begin with their first batch: a box starts a new journal life without asking.

It does so offline, when it finds that its card was cloned, its image restored or its file broken.
The row appears in the transaction that stores entry 0, so two workers that hear of the same life
at once, or of two lives of one store, make each of them once.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from cloud.ingest import store
from cloud.ingest.arrival import Arrival
from cloud.ingest.decision import LIVES_PER_DAY_MAX, newborn
from cloud.ingest.entry import Genesis, read_genesis
from cloud.ingest.store import LockedStream
from shared.journal.chain import genesis_hash

DAY_MS = 86_400_000


class Birth(NamedTuple):
    """A stream that was not there at the first look; `genesis` None when it is not to be made."""

    stream: LockedStream
    genesis: Genesis | None


def find_birth(connection: Connection, arrival: Arrival) -> Birth | None:
    """An unknown stream in the state before its first entry; None when it is a stranger's."""
    claim = arrival.claim
    genesis = None
    if claim.first_seq == 0:
        genesis = read_genesis(arrival.bodies[0], arrival.header.stream)
        if genesis is None:
            return None
    opening = None if genesis is None else genesis.opening
    owner_dev = claim.dev if opening is None else opening.dev
    devices = store.find_devices(connection, {claim.dev, owner_dev})
    uploader, owner = devices.get(claim.dev), devices.get(owner_dev)
    if uploader is None or owner is None:
        return None
    state = newborn(
        claim,
        genesis_hash(arrival.stream_id),
        opening,
        owner=owner.state,
        uploader=uploader.state,
    )
    if state is None:
        return None
    store.lock_store(connection, owner.state.store_id)
    # Whoever had the lock before us may have opened this very stream.
    there = store.lock_stream(connection, arrival.stream_id, claim.dev)
    if there is not None:
        return Birth(there, None)
    return Birth(LockedStream(state, owner.state.store_id, owner.journal_pub), genesis)


def open_life(connection: Connection, stream_id: bytes, birth: Birth, now_ms: int) -> bool:
    """Make the stream's row; False when its device has begun too many today."""
    stream, genesis = birth
    if genesis is None:
        return True
    lives = store.lives_since(connection, stream.state.dev, now_ms - DAY_MS)
    if lives >= LIVES_PER_DAY_MAX:
        return False
    store.open_stream(connection, stream_id, stream, genesis, now_ms)
    return True
