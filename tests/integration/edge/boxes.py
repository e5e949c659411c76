"""Parts of a store box for tests: its journal, its replica with a catalogue, a whole box."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from edge.clock import SystemClock, VirtualClock
from edge.identity import Identity, save_identity
from edge.ids import Ids
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import EntryDraft, Journal
from edge.replica.store import Replica
from shared.journal.event import DayOpened, SaleCompleted
from shared.kernel.ids import DeviceId, StoreId, StreamId
from shared.price.document import dump_offer
from shared.price.offer import Offer
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import (
    Record,
    RecordKind,
    digest_add,
    digest_hex,
    digest_remove,
    record_hash,
)
from shared.sale.transaction import SaleHeader
from shared.wire.objects import encode_object
from tests.builders import OPENED_AT_MS, STREAM, a_gtin, a_sale

DAY = "2017-08-07"
ZONE = "store-343"
MANAGER, MANAGER_PIN = "1001", "1234"
CASHIER, CASHIER_PIN = "1002", "4321"
WEIGHED_PLU = "00042"
WEIGHED_NUMBER = 42
_CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def an_identity(**changed: Any) -> Identity:
    fields: dict[str, Any] = {
        "dev": DeviceId("d-abcdefghijklmnop"),
        "secret": "device-secret",
        "store_id": StoreId("343"),
        "store_name": "Main Street",
        "zone": "America/New_York",
        "currency": "USD",
        "stream": StreamId(STREAM),
        "ordinal": 1,
        "broker_host": "127.0.0.1",
        "broker_port": 1,
        "hq_pub": "00" * 32,
        "price_zone": ZONE,
        "cloud_url": "http://127.0.0.1:9",
    }
    return Identity(**fields | changed)


def a_clock(at_ms: int = OPENED_AT_MS) -> VirtualClock:
    clock = VirtualClock(SystemClock())
    clock.set_ms(at_ms)
    return clock


def a_journal(folder: Path, **identity: Any) -> Journal:
    signer = load_or_create(folder / KEY_FILE)
    journal = Journal(folder / "journal.db", an_identity(**identity), a_clock(), signer)
    journal.open()
    return journal


def a_draft(event: Any, **changed: Any) -> EntryDraft:
    fields: dict[str, Any] = {
        "id": Ids(SystemClock()).entry_id(),
        "event": event,
        "actor": MANAGER,
        "till": "1",
        "biz": DAY,
        "at_ms": OPENED_AT_MS,
        "cat": 7,
    }
    return EntryDraft(**fields | changed)


def open_day(journal: Journal, biz: str = DAY) -> None:
    journal.append(a_draft(DayOpened(biz), till="", biz=biz))


def a_sale_draft(journal: Journal, lane: int = 1, **changed: Any) -> EntryDraft:
    sale = a_sale(header=SaleHeader(journal.next_receipt_no(lane), lane, MANAGER))
    return a_draft(SaleCompleted(sale), **{"till": str(lane)} | changed)


def item_record(number: int, name: str = "", **changed: Any) -> Record:
    body = {
        "gtin": a_gtin(number),
        "name": name or f"Item {number}",
        "department": "Grocery",
        "category": "Soup",
        "brand": "National",
        "package_size": "12 OZ",
        "is_weighed": False,
        "plu": None,
    }
    return Record(RecordKind.ITEM, a_gtin(number), body | changed)


def price_record(number: int, regular: int, member: int | None = None) -> Record:
    return Record(RecordKind.PRICE, a_gtin(number), {"prices": [[0, regular, member]]})


def offer_record(offer: Offer) -> Record:
    return Record(RecordKind.OFFER, offer.id, dump_offer(offer))


def gone(kind: RecordKind, number: int) -> Record:
    return Record(kind, a_gtin(number), None)


def staff_record(operator: str, role: str, pin: str) -> Record:
    body = {"name": role.title(), "role": role, "pin_hash": _CHEAP_HASHER.hash(pin)}
    return Record(RecordKind.STAFF, operator, body | {"permissions": []})


def a_catalogue(items: int = 20) -> list[Record]:
    """Items 1 to n at n.00, members 10 off; item 42 is weighed, by PLU; a manager, a cashier."""
    records = [item_record(number) for number in range(1, items + 1)]
    records += [
        price_record(number, number * 100, number * 100 - 10) for number in range(1, items + 1)
    ]
    records.append(item_record(WEIGHED_NUMBER, "Bananas", is_weighed=True, plu=WEIGHED_PLU))
    records.append(staff_record(MANAGER, "manager", MANAGER_PIN))
    records.append(staff_record(CASHIER, "cashier", CASHIER_PIN))
    return records


@dataclass
class Publisher:
    """Makes manifests and objects as HQ does; `inc` is its incarnation."""

    folder: Path
    inc: str = "1"
    live: dict[tuple[str, str], Record] = field(default_factory=dict)
    digest: int = 0
    rev: int = 0
    snapshot: Piece | None = None
    deltas: list[Piece] = field(default_factory=list)
    objects: dict[str, Path] = field(default_factory=dict)

    def publish(self, records: Iterable[Record], *, snapshot: bool = False) -> Manifest:
        """The next revision; a delta unless it is the first or a snapshot is asked for."""
        changes = list(records)
        for record in changes:
            old = self.live.pop((record.kind, record.key), None)
            if old is not None:
                self.digest = digest_remove(self.digest, record_hash(old))
            if record.body is not None:
                self.live[record.kind, record.key] = record
                self.digest = digest_add(self.digest, record_hash(record))
        before, self.rev = self.rev, self.rev + 1
        if snapshot or self.snapshot is None:
            self.snapshot = self._piece(0, list(self.live.values()))
            self.deltas = []
        else:
            self.deltas.append(self._piece(before, changes))
        return self.manifest()

    def manifest(self) -> Manifest:
        assert self.snapshot is not None
        return Manifest(
            zone=ZONE,
            rev=self.rev,
            inc=self.inc,
            digest=digest_hex(self.digest),
            records=len(self.live),
            snapshots=(self.snapshot,),
            deltas=tuple(self.deltas),
        )

    def _piece(self, from_rev: int, records: Sequence[Record]) -> Piece:
        data = encode_object(records)
        name = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_bytes(data)
        self.objects[name] = path
        return Piece(from_rev, self.rev, name, len(data), len(records))


def a_stocked_replica(
    folder: Path, publisher: Publisher, items: int = 20, more: Iterable[Record] = ()
) -> Replica:
    """An open replica whose first revision is active."""
    replica = Replica(folder)
    replica.open()
    manifest = publisher.publish([*a_catalogue(items), *more])
    replica.stage(manifest, publisher.objects)
    replica.activate(manifest.rev, OPENED_AT_MS)
    return replica


def prepare_data(
    folder: Path,
    *,
    port: int,
    items: int = 20,
    more: Iterable[Record] = (),
    scanner: str = 'kind = "virtual"',
    **identity: Any,
) -> None:
    """A data folder of an enrolled training box whose catalogue is active already."""
    save_identity(folder, an_identity(stream=StreamId(secrets.token_hex(16)), **identity))
    load_or_create(folder / KEY_FILE)
    (folder / "edge.toml").write_text(
        f"""
        [box]
        training = true
        port = {port}
        lanes = 2
        locale = "en"
        [scanner]
        {scanner}
        [printer]
        kind = "virtual"
        port = 0
        [clock]
        kind = "virtual"
        """,
        encoding="utf-8",
    )
    a_stocked_replica(folder / "replica", Publisher(folder / "objects"), items, more).close()
