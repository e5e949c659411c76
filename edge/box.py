"""The composition root of a box: makes every part, wires it once, starts and stops it in order."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from edge.access import Actor
from edge.box_parts import activation_draft, make_copies, make_layout, newest_at_ms
from edge.box_software import SoftwareView, make_updater
from edge.box_works import make_backups, make_collector, make_works, premises_of
from edge.clock import SystemClock, VirtualClock
from edge.desk.desk import Desk
from edge.desk.migrations import MIGRATIONS as DESK_MIGRATIONS
from edge.desk.state import LaneState
from edge.desk.store import DeskStore
from edge.device.wiring import Devices, build_devices
from edge.house_rules import HouseRules
from edge.http.app import Rooms, build_app
from edge.http.display import DisplayRoom
from edge.http.events import EventRoom
from edge.http.lanes import LanesRoom
from edge.http.training import training_routers
from edge.identity import Standing, load_identity
from edge.ids import Ids
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.label.wiring import LabelTools, make_label_works
from edge.member.wiring import make_members
from edge.ops.api import OpsRoom
from edge.ops.care import CareParts, DeviceCare
from edge.ops.facts import FactParts, FactWriter
from edge.ops.machine import hardware_model
from edge.ops.pairing_api import PairingRoom
from edge.ops.status import CloudContact, Conditions, status_of
from edge.ops.upkeep import Upkeep, UpkeepParts
from edge.receipt.layout import zone_of
from edge.receipt.spool import WAITING_MAX, Spool
from edge.replica.catalog import StaffMember
from edge.replica.store import ActivationResult, Replica
from edge.sale.api import SaleRoom
from edge.sale.commands import NoteTrouble, ScanCode
from edge.sale.customer import make_customer_side
from edge.sale.dated_catalogue import DatedCatalogue
from edge.sale.effects import Outside, SaleEffects
from edge.sale.recorded import printed_sale
from edge.sale.recovery import recover_lane
from edge.sale.scan_trouble import tell_refusal
from edge.sale.search import ItemSearch
from edge.sale.service import sale_handlers
from edge.sale.shop import Shop
from edge.sale.view import Surroundings, present
from edge.sale.weigh import scale_watch
from edge.settings import Settings
from edge.shelf.wiring import Machine, make_shelf_works
from edge.sqlite import Writer
from edge.staff.service import staff_handlers
from edge.staff.wiring import StaffParts, StaffWorks
from edge.sync.push import CloudState
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.till.api import TillRoom
from edge.till.service import Till, closed_day
from edge.till.store import DayAnswers
from edge.tls import BoxKeys
from edge.trusted_time import TIME_FILE, TrustedTime
from edge.updater.service import Updater
from edge.version import software_version
from shared.kernel.clock import Clock
from shared.kernel.money import currency_of
from shared.wire.message import DesiredState, SoftwareReport

_log = structlog.get_logger("box")


class Box:
    """One appliance. The constructor makes parts and touches no file but the identity's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        data = settings.data_dir
        self.identity = identity = load_identity(data)
        self.machine_clock = SystemClock()
        self.clock: Clock = self.machine_clock
        self.time = TrustedTime(self.machine_clock, data / TIME_FILE)
        self.prices_at: Clock = self.time
        if settings.clock.kind == "virtual":
            self.clock = self.prices_at = VirtualClock(self.machine_clock)
        self.ids = Ids(self.machine_clock)
        signer = load(data / KEY_FILE)
        ballast_bytes = settings.box.ballast_mb * 1024 * 1024
        self.journal = Journal(
            data / "journal.db", identity, self.clock, signer, ballast_bytes=ballast_bytes
        )
        self.replica = Replica(data / "replica", zone_of(identity.zone))
        self.facts = FactWriter(
            FactParts(self.journal, self.clock, self.ids.entry_id, self.replica.active_revision)
        )
        self.desk_file = Writer(data / "desk.db", "NORMAL")
        self.desk = Desk(DeskStore(self.desk_file), settings.lane_numbers())
        self.spool = Spool(self.desk_file, WAITING_MAX if settings.printers() else 0)
        self.devices: Devices = build_devices(settings, self.machine_clock, self.facts.put)
        self.closing = asyncio.Event()
        self.currency = currency_of(identity.currency)
        self.customer = make_customer_side(
            self.desk, self.desk_file, self.devices.counter.displays, settings, self.currency.code
        )
        self._last_scan_at_ms: dict[int, int] = {}
        self.rules = HouseRules(self.replica, zone_of(identity.zone), self.prices_at)
        self._layout = make_layout(settings, identity, self._operator_name, self.rules)
        self.effects = SaleEffects(self._layout, self._outside())
        self.standing = Standing(data)
        self.people = self._make_people()
        self.members = make_members(
            BoxKeys(data), identity, self.machine_clock, self.ids, self._is_online
        )
        self.shop = self._make_shop()
        self.copies = make_copies(settings, identity, signer, self.journal, self.ids)
        self.sync = self._make_sync(data / "fetch")
        self.upkeep = Upkeep(UpkeepParts(self.journal, self.machine_clock))
        self.backups = make_backups(settings, self.journal)
        self.updater = self._make_updater()
        self.care = self._make_care()
        self.works = make_works(self)
        self.shelf = make_shelf_works(
            self.devices.shelves,
            self.desk_file,
            self.journal,
            self.replica,
            Machine(self.machine_clock, self.ids),
        )
        self.labels = make_label_works(
            self.desk_file,
            self.devices.printers,
            self.replica,
            LabelTools(self.prices_at, self.ids, self.currency, self._layout.texts),
        )
        self._collector = make_collector(self.journal, self.replica, self.effects, self.upkeep)

    def start(self) -> None:
        """Open the files, bring the lanes back, then let devices and cloud in."""
        self.journal.open()
        self.time.open(newest_at_ms(self.journal))
        self.replica.open()
        self.desk_file.open(DESK_MIGRATIONS)
        self.spool.recover()
        self._record_activation()
        self.people.load()
        self.members.start()
        handlers = {**sale_handlers(self.shop), **staff_handlers(self.people.room)}
        self.desk.start(handlers, self.present, self._recover)
        self.people.start()
        self.customer.start()
        self.effects.start()
        self.facts.start()
        self.devices.start(self._scanned, self._scan_failed)
        self.care.start()
        self.shelf.service.start()
        self.works.start()
        self.updater.start()
        self.sync.start()
        self.copies.start()
        self.upkeep.start()
        self.backups.start()
        self._collector.register()

    def stop(self) -> None:
        """Let in nothing more, finish what is in hand, close the files."""
        self._collector.unregister()
        self.updater.stop(is_clean=self.closing.is_set())
        self.backups.stop()
        self.upkeep.stop()
        self.care.stop()
        self.shelf.service.stop()
        self.devices_stop_scanning()
        self.copies.stop()
        self.sync.stop()
        self.works.stop()
        self.members.stop()
        self.people.stop()
        self.desk.stop()
        self.customer.stop()
        self.effects.stop()
        self.devices.stop()
        self.facts.stop()
        self.members.close()
        self.desk_file.close()
        self.replica.close()
        self.journal.close()

    def devices_stop_scanning(self) -> None:
        """No more codes; the printer still prints what is queued."""
        for scanner in self.devices.scanners.values():
            scanner.stop()

    def app(self) -> FastAPI:
        """The HTTP application over these parts."""
        settings, identity = self.settings, self.identity
        till = Till(
            self.journal,
            self.clock,
            self.ids,
            self.replica.active_revision,
            self.open_baskets,
            self.desk.refresh,
        )
        scale = scale_watch(self.shop, self.desk, is_automatic=settings.scale.is_automatic)
        rooms = Rooms(
            gate=self,
            lanes=LanesRoom(
                identity.store_id,
                identity.store_name,
                identity.zone,
                self.currency,
                settings.box.locale,
                settings.lane_numbers(),
                software_version(),
                self.people.employed,
                self.people.roles.of_member,
            ),
            events=EventRoom(
                *(self.desk, self.status, self.is_current, self.closing, self.sync.shown),
                scale,
            ),
            sale=SaleRoom(
                self.desk, self.shop, self._search(), self.replica, self.works.pictures.get
            ),
            staff=self.people.sign_in_room(),
            till=TillRoom(till, DayAnswers(self.desk_file), self.effects.print_z_slip),
            ops=OpsRoom(self.health),
            devices=self.care.room(),
            shelf=self.shelf.room,
            label=self.labels.room,
            pairing=PairingRoom(self.devices.found.hub, self.machine_clock.mono_ms),
            copies=self.copies.room(),
            customer=DisplayRoom(self.customer, self.ids.session_token, scale, self.closing),
            locale=settings.box.locale,
            extra=training_routers(settings, self.devices, self.replica, self.clock),
        )
        return build_app(rooms)

    def actor(self, token: str) -> Actor | None:
        """Who holds a session token, if that session still has its lane."""
        return self.people.actor(token)

    def is_current(self, actor: Actor) -> bool:
        """Whether an actor's lane is still theirs."""
        return self.people.is_current(actor)

    def staff(self) -> tuple[StaffMember, ...]:
        """Who may sign in as of the active revision."""
        return self.people.staff()

    def _search(self) -> ItemSearch:
        return ItemSearch(DatedCatalogue(self.replica, self.rules.dated), self.prices_at)

    def present(self, state: LaneState) -> dict[str, Any]:
        """The LaneView of a lane."""
        day = self.journal.day()
        around = Surroundings(
            store_id=self.identity.store_id,
            store_name=self.identity.store_name,
            currency=self.currency,
            business_date=day.biz if day is not None and day.is_open else None,
            revision=self.replica.active_revision(),
            price_changes=[asdict(change) for change in self.replica.price_changes()],
            language=self._layout.language,
            tenders=self.rules.tenders(),
            rounding=self.rules.rounding(),
        )
        shown = present(state, around, self.shop.sources)
        return shown | self.people.view(state.lane) | self.members.view(state.basket)

    def status(self, lane: int, is_secure: bool) -> dict[str, Any]:  # noqa: FBT001 - one caller
        """The Status of the strip, as a lane sees it."""
        scanner = self.devices.scanners.get(lane)
        cloud = self.sync.cloud_state()
        return status_of(
            Conditions(
                at_ms=self.machine_clock.now_ms(),
                software=software_version(),
                cloud=CloudContact(
                    cloud.online, cloud.since_ms, cloud.unsynced, cloud.was_ever_online
                ),
                printer=self.devices.printers.of(lane).port.status(),
                print_queue=self.effects.depth(lane),
                print_helper=self.effects.helper(lane),
                scanner=None if scanner is None else scanner.state(),
                last_scan_at_ms=self._last_scan_at_ms.get(lane),
                clock=self.time.quality(),
                is_training=self.settings.training,
                is_secure=is_secure,
                is_retiring=self.standing.is_retiring(),
                copies=self.copies.status(),
                devices=self.care.status(lane),
                shelf=self.shelf.service.status(),
            )
        )

    def health(self) -> dict[str, Any]:
        """What a watchdog and a support call want to know first."""
        day = self.journal.day()
        head, acked = self.journal.head()[0], self.journal.acked()
        damaged = self.upkeep.damaged()
        cloud = self.sync.cloud_state()
        return {
            "state": "ok",
            "sw": software_version(),
            "dev": self.identity.dev,
            "store_id": self.identity.store_id,
            "lanes": len(self.desk.numbers),
            "business_date": day.biz if day is not None and day.is_open else None,
            "active_revision": self.replica.active_revision(),
            "stored_revision": self.replica.stored_revision(),
            "head_seq": head,
            "acked_seq": acked,
            "unsynced": head - acked,
            "cloud_online": cloud.online,
            "print_queue": self.effects.depth(),
            "disk": "short" if self.journal.is_short_of_room else "ok",
            "journal": "ok" if damaged is None else f"damaged at entry {damaged}",
        }

    def _outside(self) -> Outside:
        return Outside(
            printers=self.devices.printers,
            spool=self.spool,
            clock=self.machine_clock,
            put=self.desk.put,
            notify=self._notify,
            recorded=lambda receipt_no: printed_sale(self.journal.sale_by_receipt(receipt_no)),
            facts=self.facts.put,
            z_slip=lambda biz, how: self._layout.z_slip(closed_day(self.journal, biz), how),
        )

    def _make_sync(self, work_dir: Path) -> SyncService:
        parts = SyncParts(
            identity=self.identity,
            journal=self.journal,
            replica=self.replica,
            time=self.time,
            clock=self.machine_clock,
            jitter=self.ids.jitter,
            work_dir=work_dir,
            lanes=len(self.desk.numbers),
            keys=BoxKeys(self.settings.data_dir),
            model=hardware_model(),
        )
        hooks = SyncHooks(
            self.desk.pins,
            self._activated,
            self._cloud_changed,
            on_incarnation=self.copies.cloud_changed,
            on_standing=self._standing_told,
            on_desired=self._desired,
            software=self._software,
        )
        return SyncService(parts, hooks)

    def _make_people(self) -> StaffWorks:
        return StaffWorks(
            StaffParts(
                self.journal,
                self.clock,
                self.prices_at,
                zone_of(self.identity.zone),
                self.ids,
                self.replica,
                self.desk,
                self.desk_file,
                self.facts.put,
                self._scan_refused,
            )
        )

    def _make_shop(self) -> Shop:
        return Shop(
            self.journal,
            DatedCatalogue(self.replica, self.rules.dated),
            self.clock,
            self.ids,
            self._layout,
            self.effects,
            self.standing.is_retiring,
            self.devices.counter.scales,
            self.settings.barcode.scheme,
            self.prices_at,
            self.rules.takes,
            self.people.tally,
            self.rules.rounding,
            self.members.register,
        )

    def _make_updater(self) -> Updater:
        view = SoftwareView(
            self.devices.reports,
            self.devices.printers,
            self.open_baskets,
            self.effects.depth,
            self._idle_ms,
        )
        return make_updater(self.settings, self.identity, self.journal, self.sync, view)

    def _make_care(self) -> DeviceCare:
        settings, clock = self.settings, self.machine_clock
        premises = premises_of(self.journal, self.open_baskets, self._idle_ms)
        return DeviceCare(
            CareParts(
                reports=self.devices.reports,
                device_tests=self.devices.self_tests,
                facts=self.facts,
                desk_file=self.desk_file,
                clock=clock,
                premises=premises,
                damaged=self.upkeep.damaged,
                data_dir=settings.data_dir,
                self_test_at=settings.self_test.at,
                zone=self.identity.zone,
            )
        )

    def _is_online(self) -> bool:
        return self.sync.cloud_state().online

    def _idle_ms(self) -> int:
        return self.machine_clock.now_ms() - max(self._last_scan_at_ms.values(), default=0)

    def _software(self) -> SoftwareReport:
        return self.updater.report()

    def _desired(self, state: DesiredState) -> None:
        """What HQ wants beside prices."""
        self.updater.desire(state.software)
        self.works.desire(state)

    def _scanned(self, lane: int, code: str) -> None:
        self._last_scan_at_ms[lane] = self.machine_clock.now_ms()
        if self.people.badges.scanned(lane, code):
            return
        scanned = self.desk.put(lane, ScanCode(code), wait=True)
        self.works.watches.scanned(scanned)
        # On the lane's own thread, which must not wait for room in its own queue.
        tell = partial(tell_refusal, lambda why: self.desk.put(lane, NoteTrouble(why)))
        scanned.add_done_callback(tell)

    def _scan_failed(self, lane: int, what: str) -> None:
        self.desk.put(lane, NoteTrouble(what), wait=True)

    def _scan_refused(self, lane: int, why: str) -> None:
        self.desk.put(lane, NoteTrouble(why))

    def _notify(self) -> None:
        self.sync.notify()

    def _recover(self, state: LaneState) -> tuple[LaneState, str | None]:
        return recover_lane(shop=self.shop, spool=self.spool, state=state)

    def _operator_name(self, operator: str) -> str:
        return self.people.name_of(operator)

    def open_baskets(self) -> int:
        """How many lanes have goods in their basket."""
        baskets = (self.desk.state(lane).basket for lane in self.desk.numbers)
        return sum(1 for each in baskets if each is not None and (each.lines or each.unknown))

    def _activated(self, result: ActivationResult) -> None:
        _log.info("revision_activated", revision=result.new_rev, before=result.old_rev)
        self.rules.forget()
        self.people.activated()
        self.works.fleet.touch()
        try:
            self._record_activation()
        finally:  # tills show what they sell with, and at once; labels may take their time
            self.desk.refresh()
            self.labels.activated(result.old_rev, result.new_rev)

    def _cloud_changed(self, state: CloudState) -> None:
        _log.info("cloud", online=state.online, unsynced=state.unsynced)
        if state.online:
            self.members.keeper.connected()

    def _standing_told(self, status: str) -> None:
        try:
            if self.standing.told(status):
                _log.warning("box.standing", status=status)
        except OSError as error:  # it is told again at the next hello
            _log.warning("box.standing_unknown", because=str(error))

    def _record_activation(self) -> None:
        """Journal which revision is active; a repeat changes nothing."""
        zone = self.identity.price_zone
        draft = activation_draft(self.journal, self.replica, self.clock, zone)
        if draft is not None:
            self.journal.append(draft)
