"""Telemetry and head office's commands, with what they look at of the box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from edge.backup.cli import nightly_of
from edge.backup.nightly import Nightly
from edge.clock import SystemClock
from edge.copy.verify import heads_of
from edge.device.wiring import Devices
from edge.house_rules import HouseRules
from edge.identity import Identity
from edge.ids import Ids
from edge.journal.store import Journal
from edge.ops.care import DeviceCare
from edge.ops.errand import TRAINING, Errands
from edge.ops.metrics import BoxCollector, BoxGauges
from edge.ops.remote_works import Line, RemoteWorks, WorksParts, end_service
from edge.ops.self_test import Premises, is_quiet
from edge.ops.telemetry import ClockState
from edge.ops.upkeep import Upkeep
from edge.replica.catalog import StaffMember
from edge.replica.store import Replica
from edge.sale.effects import SaleEffects
from edge.sale.pictures import PictureParts, Pictures
from edge.sale.price_check import PriceChecks
from edge.sale.shop import Shop
from edge.sale.training import TrainingParts, sell
from edge.settings import Settings
from edge.sqlite import Writer
from edge.staff.wiring import StaffWorks
from edge.sync.fetch import ObjectFetcher
from edge.sync.service import SyncService
from edge.tls import BoxKeys
from edge.trusted_time import TrustedTime


class Appliance(Protocol):
    """What of a box the works look at; asked from their own threads."""

    settings: Settings
    identity: Identity
    journal: Journal
    desk_file: Writer
    devices: Devices
    care: DeviceCare
    machine_clock: SystemClock
    time: TrustedTime
    ids: Ids
    sync: SyncService
    effects: SaleEffects
    replica: Replica
    shop: Shop
    rules: HouseRules
    people: StaffWorks

    def open_baskets(self) -> int:
        """How many lanes have goods in their basket."""

    def health(self) -> dict[str, Any]:
        """What a support call wants to know first."""

    def staff(self) -> tuple[StaffMember, ...]:
        """Who may sign in."""


class Works(RemoteWorks):
    """Telemetry, commands and, from the same head office, pictures of goods; training sales."""

    def __init__(
        self, parts: WorksParts, line: Callable[[], Line], pictures: Pictures, training: Errands
    ) -> None:
        super().__init__(parts, line)
        self.pictures = pictures
        self.training = training

    def start(self) -> None:
        """See RemoteWorks."""
        super().start()
        self.pictures.start()
        self.training.start()

    def stop(self) -> None:
        """See RemoteWorks."""
        self.training.stop()
        super().stop()
        self.pictures.stop()


def make_works(box: Appliance) -> Works:
    """Telemetry and commands of this box; nothing is told before they are started."""

    def clock_state() -> ClockState:
        status = box.time.status()
        return ClockState(int(status.quality), status.clock_off_ms)

    def people() -> Iterator[str]:
        for each in box.staff():
            yield from (each.name, each.id)

    parts = WorksParts(
        settings=box.settings,
        identity=box.identity,
        journal=box.journal,
        desk_file=box.desk_file,
        devices=box.devices,
        care=box.care,
        clock=box.machine_clock,
        clock_state=clock_state,
        now_ms=box.time.now_ms,
        jitter=box.ids.jitter,
        is_online=lambda: box.sync.cloud_state().online,
        is_quiet=lambda: not box.open_baskets(),
        print_test_page=box.effects.print_test_page,
        health=box.health,
        people=people,
        restart=end_service,
        price_check=lambda asked: PriceChecks.of(box.replica, box.shop).brief(asked),
        is_guessed_at=box.people.is_guessed_at,
        wanted=box.rules.box_field,
        may_restart=lambda: is_quiet(box.care.premises),
    )
    return Works(parts, lambda: box.sync, make_pictures(box), make_training(box))


def make_training(box: Appliance) -> Errands:
    """Sells in training when the command line asks, as at the end of setting a box up."""
    lane = min(box.settings.lane_numbers())
    parts = TrainingParts(
        box.shop, box.devices.printers, box.replica.first_items, box.open_baskets, lane
    )
    return Errands(box.settings.data_dir, TRAINING, lambda: sell(parts))


def make_pictures(box: Appliance) -> Pictures:
    """The box's own copies of pictures of goods; a till that asks never waits for one."""
    folder = box.settings.data_dir / "pictures"
    trust = BoxKeys(box.settings.data_dir).https_trust
    fetcher = ObjectFetcher(box.identity, folder, box.ids.jitter, trust)
    return Pictures(PictureParts(folder, fetcher.fetch, box.machine_clock, fetcher.close))


def make_backups(settings: Settings, journal: Journal) -> Nightly:
    """The sealed backups of this box, once a day while the shop is closed if it ever is."""

    def is_day_open() -> bool:
        day = journal.day()
        return day is not None and day.is_open

    return nightly_of(settings.data_dir, heads_of, is_day_open)


def make_collector(
    journal: Journal, replica: Replica, effects: SaleEffects, upkeep: Upkeep
) -> BoxCollector:
    """What the box counts of itself for /metrics."""
    return BoxCollector(
        BoxGauges(
            lambda: journal.head()[0],
            journal.acked,
            replica.active_revision,
            effects.depth,
            lambda: journal.is_short_of_room,
            upkeep.damaged,
        )
    )


def premises_of(
    journal: Journal, open_baskets: Callable[[], int], idle_ms: Callable[[], int]
) -> Premises:
    """Whether somebody is at work in the store, for what must not disturb them."""
    return Premises(
        open_baskets, lambda: (day := journal.day()) is not None and day.is_open, idle_ms
    )
