"""What a worker needs of the releases: whose rows are published, and the threads that go on.

Apart from `cloud.compose`, since a worker has no use for the API: what is not imported is neither
waited for nor kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable

from cloud.archive.places import objects_of
from cloud.db import Database
from cloud.item.service import ItemRecords
from cloud.offer.service import OfferRecords
from cloud.place.setting import ConfigRecords
from cloud.price.service import PriceRecords
from cloud.publication.engine import Publisher
from cloud.release.runner import ReleaseThread, Runner
from cloud.release.simulation_job import SimulationThread
from cloud.settings import Settings
from cloud.signing import HqKey
from cloud.staff.service import StaffRecords
from shared.kernel.clock import Clock

SOURCES = (ItemRecords(), PriceRecords(), OfferRecords(), StaffRecords(), ConfigRecords())
"""Whose rows a publication publishes."""
RUNNER_CONNECTIONS = 3


def releases_of(
    settings: Settings, clock: Clock, key: Callable[[], HqKey | None]
) -> tuple[ReleaseThread, SimulationThread]:
    """A worker's part of the releases; both have connections of their own, which may wait."""

    def make() -> Runner | None:
        hq_key = key()
        if hq_key is None:
            return None
        database = Database(settings.database_url, connections=RUNNER_CONNECTIONS)
        return Runner(Publisher(database, objects_of(settings), hq_key, SOURCES), clock)

    database = Database(settings.database_url, connections=RUNNER_CONNECTIONS)
    return ReleaseThread(make), SimulationThread(database, clock)
