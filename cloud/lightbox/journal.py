"""A light box's journal: real entries, chained and signed, kept until they are acknowledged."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from cloud.lightbox.identity import LightIdentity
from shared.journal.chain import entry_hash, genesis_hash, head_statement
from shared.journal.entry import EntryHeader
from shared.journal.event import SaleCompleted
from shared.kernel.canonical import sha256
from shared.kernel.ids import RANDOM_BYTES, uuid7
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine, totals_of
from shared.wire.batch import BATCH_ENTRIES_MAX, BatchHeader, encode_batch
from shared.wire.codec import entry_body

SOFTWARE = "light-box"
LINES, UNIT_MINOR = 5, 499
GTINS = tuple(f"{number:013d}" for number in range(4_000_000_000_000, 4_000_000_000_000 + LINES))


class LightJournal:
    """One journal life, in memory: a light box that is started again begins where HQ stands."""

    def __init__(self, identity: LightIdentity) -> None:
        self._identity = identity
        self.seq = -1
        self.acked = -1
        self.hash = genesis_hash(identity.stream)
        self._acked_hash = self.hash
        self._sold_minor = 0
        self._open: deque[tuple[bytes, bytes]] = deque()

    @property
    def unsynced(self) -> int:
        """Entries that head office has not acknowledged."""
        return self.seq - self.acked

    def begin_after(self, seq: int, entry_hash_hex: str) -> None:
        """Go on after what head office has: a light box keeps nothing over its own end."""
        if self.seq == -1 and seq >= 0:
            self.seq = self.acked = seq
            self.hash = self._acked_hash = bytes.fromhex(entry_hash_hex)

    def sell(self, at_ms: int, revision: int, unit_minor: int = UNIT_MINOR) -> None:
        """Append a sale of five lines, each of one piece at a price in minor units."""
        self.seq += 1
        self._sold_minor += LINES * unit_minor
        event = SaleCompleted(_sale(self.seq, at_ms, revision, unit_minor))
        name = sha256(self._identity.stream + self.seq.to_bytes(8, "big"))[:RANDOM_BYTES]
        header = EntryHeader(
            id=uuid7(at_ms, name),
            type=event.type,
            stream=self._identity.stream.hex(),
            seq=self.seq,
            at=at_ms,
            boot=1,
            mono=at_ms % 1_000_000_000,
            clk=2,
            biz=datetime.fromtimestamp(at_ms // 1000, UTC).date().isoformat(),
            till="1",
            shift="1",
            actor="1",
            sw=SOFTWARE,
            gt=(self._sold_minor, 0),
            cat=revision,
        )
        body = entry_body(header, event)
        self.hash = entry_hash(self._identity.stream, self.seq, self.hash, body)
        self._open.append((body, self.hash))

    def batch(self, at_ms: int) -> bytes | None:
        """The first entries that are not acknowledged, as one message; None when all are."""
        if not self._open:
            return None
        some = [self._open[n] for n in range(min(len(self._open), BATCH_ENTRIES_MAX))]
        last, head = self.acked + len(some), some[-1][1]
        statement = head_statement(self._identity.stream, last, head, at_ms)
        header = BatchHeader(
            stream=self._identity.stream.hex(),
            from_seq=self.acked + 1,
            count=len(some),
            prev=self._acked_hash.hex(),
            head=head.hex(),
            sig=self._identity.key.sign(statement).hex(),
            edge_head=self.seq,
            boot=1,
            mono=at_ms % 1_000_000_000,
            t=at_ms,
            sw=SOFTWARE,
        )
        return encode_batch(header, [body for body, _ in some])

    def acknowledge(self, head: int) -> None:
        """Let go of what is committed at head office."""
        while self.acked < head and self._open:
            _, self._acked_hash = self._open.popleft()
            self.acked += 1


def _sale(number: int, at_ms: int, revision: int, unit_minor: int) -> RetailTransaction:
    lines = tuple(_line(n, gtin, unit_minor) for n, gtin in enumerate(GTINS, start=1))
    due_minor = LINES * unit_minor
    cash = (Tender(TenderKind.CASH, due_minor),) if due_minor else ()
    settlement = settle(due_minor, cash)
    return RetailTransaction(
        receipt_no=f"1-{number:06d}",
        lane=1,
        operator="1",
        opened_at_ms=at_ms - 30_000,
        priced_at_ms=at_ms,
        revision=revision,
        member=None,
        lines=lines,
        tenders=settlement.tenders,
        change_minor=settlement.change_minor,
        totals=totals_of(lines, settlement),
    )


def _line(number: int, gtin: str, unit_minor: int) -> SoldLine:
    return SoldLine(
        n=number,
        gtin=gtin,
        name="Simulated goods",
        code=gtin,
        qty_milli=1_000,
        is_weighed=False,
        unit_minor=unit_minor,
        gross_minor=unit_minor,
        net_minor=unit_minor,
    )
