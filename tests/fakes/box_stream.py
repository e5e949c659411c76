"""A box's journal in memory: real entries, a real chain, real signatures, no box."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.journal.chain import entry_hash, genesis_hash, head_statement
from shared.journal.entry import EntryHeader, body_bytes
from shared.journal.event import Event, SaleCompleted
from shared.kernel.ids import uuid7
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine, SoldModifier, totals_of
from shared.wire.batch import BatchHeader, encode_batch
from shared.wire.codec import event_data

START_MS = 1_502_100_000_000
DAY = "2017-08-07"
GOODS = (
    ("0400000000017", "Fluid milk white only, 1 gallon", 299, 249),
    ("0400000000024", "Mainstream white bread, 20 oz", 189, 0),
    ("0400000000031", "Bananas, by the pound", 117, 99),
    ("0400000000048", "Eggs large grade A, dozen", 249, 199),
    ("0400000000055", "Tortilla and nacho chips, 13 oz", 399, 0),
)


def a_sale(n: int, *, lane: int = 1, lines: int = 5, is_member: bool = True) -> RetailTransaction:
    """Sale number n: so many lines, most with a member price, paid in cash with change."""
    sold = tuple(_line(n + i, i + 1, is_member=is_member) for i in range(lines))
    due = sum(line.net_minor for line in sold)
    kind = TenderKind.CARD if n % 3 == 0 else TenderKind.CASH
    handed = due if kind is TenderKind.CARD else due + (-due) % 500
    reference = f"{n:020d}" if kind is TenderKind.CARD else ""
    settlement = settle(due, (Tender(kind, handed, reference),))
    at_ms = START_MS + n * 1_000
    return RetailTransaction(
        receipt_no=f"{lane}-{n:06d}",
        lane=lane,
        operator="2041",
        opened_at_ms=at_ms - 45_000,
        priced_at_ms=at_ms - 1_000,
        revision=7,
        member=f"{n % 9_973:010d}" if is_member else None,
        lines=sold,
        tenders=settlement.tenders,
        change_minor=settlement.change_minor,
        totals=totals_of(sold, settlement),
    )


def _line(seed: int, number: int, *, is_member: bool) -> SoldLine:
    gtin, name, unit, member = GOODS[seed % len(GOODS)]
    pieces = 1 + seed % 7 // 6
    gross, saving = unit * pieces, (unit - member) * pieces
    modifiers: tuple[SoldModifier, ...] = ()
    if is_member and member:
        modifiers = (SoldModifier("member_price", -saving, "price_book"),)
    net = gross + sum(modifier.amount_minor for modifier in modifiers)
    return SoldLine(
        n=number,
        gtin=gtin,
        name=name,
        code=gtin,
        qty_milli=pieces * 1_000,
        is_weighed=False,
        unit_minor=unit,
        gross_minor=gross,
        net_minor=net,
        modifiers=modifiers,
    )


@dataclass(slots=True)
class BoxStream:
    """One journal life of a device; `append` facts, then `batch` them."""

    dev: str
    store_id: str
    ordinal: int = 1
    bodies: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    stream: bytes = b""
    """The stream's id where the cloud chose it."""
    seed: str = ""
    """What the journal key is made from, where the device was named later."""

    @property
    def stream_id(self) -> bytes:
        if self.stream:
            return self.stream
        return hashlib.sha256(f"{self.dev}/{self.ordinal}".encode()).digest()[:16]

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256((self.seed or self.dev).encode()).digest()
        )

    @property
    def journal_pub(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def prev_of(self, seq: int) -> bytes:
        return genesis_hash(self.stream_id) if seq == 0 else self.hashes[seq - 1]

    def id_at(self, seq: int) -> str:
        name = hashlib.sha256(f"{self.dev}/{self.ordinal}/{seq}".encode()).digest()[:10]
        return uuid7(START_MS + seq * 1_000, name)

    def append(self, event: Event, *, entry_id: str | None = None, biz: str = DAY) -> int:
        """Write a fact; answers its sequence number."""
        seq = len(self.bodies)
        header = EntryHeader(
            id=entry_id or self.id_at(seq),
            type=event.type,
            stream=self.stream_id.hex(),
            seq=seq,
            at=START_MS + seq * 1_000,
            boot=3,
            mono=60_000 + seq * 1_000,
            clk=2,
            biz=biz,
            till="1",
            shift="1",
            actor="2041",
            sw="0.1.0",
            gt=(seq * 1_999, 0),
            cat=7,
        )
        return self.append_body(body_bytes(header, event_data(event)))

    def append_sales(self, count: int) -> None:
        """Write so many realistic sales."""
        for _ in range(count):
            self.append(SaleCompleted(a_sale(len(self.bodies))))

    def append_body(self, body: bytes) -> int:
        """Chain any bytes, as a broken box might."""
        seq = len(self.bodies)
        self.hashes.append(entry_hash(self.stream_id, seq, self.prev_of(seq), body))
        self.bodies.append(body)
        return seq

    def header(self, first: int, last: int) -> BatchHeader:
        """A true header for the entries first..last."""
        at_ms = START_MS + last * 1_000
        statement = head_statement(self.stream_id, last, self.hashes[last], at_ms)
        return BatchHeader(
            stream=self.stream_id.hex(),
            from_seq=first,
            count=last - first + 1,
            prev=self.prev_of(first).hex(),
            head=self.hashes[last].hex(),
            sig=self.key.sign(statement).hex(),
            edge_head=len(self.bodies) - 1,
            boot=3,
            mono=1,
            t=at_ms,
            sw="0.1.0",
        )

    def batch(self, first: int, last: int, **lies: str | int) -> bytes:
        """The payload of entries first..last; `lies` replace header fields."""
        header = replace(self.header(first, last), **lies)  # type: ignore[arg-type]
        return encode_batch(header, self.bodies[first : last + 1])

    def batches(self, size: int) -> list[bytes]:
        """The whole journal in batches of `size`."""
        ends: Sequence[int] = range(0, len(self.bodies), size)
        return [self.batch(at, min(at + size, len(self.bodies)) - 1) for at in ends]
