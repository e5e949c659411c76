"""Hand in what the cloud lacks of a dead box's journal, with a word about it at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.copy.facts import is_sale, receipt_no_of
from edge.copy.office import Office
from edge.copy.tail import Tail, first_after, outcome_of, packed, run_from
from edge.copy.verified import Progress, no_progress
from edge.version import software_version
from shared.journal.carbon import Carbon
from shared.journal.chain import entry_hash
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.wire.batch import BATCH_ENTRIES_MAX
from shared.wire.message import Ack, AckCode

BUSY_MAX = 20
"""So often a cloud that is busy is asked again."""


@dataclass(slots=True)
class Handed:
    """What became of one journal.

    `entries` were handed in, `sales` of them with receipts `first_receipt` to `last_receipt`.
    `gap` are the first and last entry that are missing: `left` sales behind them stay out.
    """

    stream: str
    entries: int = 0
    sales: int = 0
    first_receipt: str = ""
    last_receipt: str = ""
    gap: tuple[int, int] | None = None
    left: int = 0

    def add(self, carbons: Sequence[Carbon]) -> None:
        """Count entries that the cloud took."""
        self.entries += len(carbons)
        for carbon in carbons:
            if is_sale(carbon.body):
                self.sales += 1
                self.last_receipt = receipt_no_of(carbon.body)
                self.first_receipt = self.first_receipt or self.last_receipt


def hand_in(
    tail: Tail,
    office: Office,
    pause_ms: Callable[[int], None],
    progress: Progress = no_progress,
) -> Handed:
    """Bring a journal up to its end.

    Raises UnavailableError `salvage.unreachable`, RefusedError `salvage.refused` or
    `salvage.stopped`, CorruptError `carbon.hash` or `carbon.chain`: what came before is handed in.
    """
    handed = Handed(tail.stream)
    if tail.last < 0:
        return handed
    ack, sent = _post(tail, _probe(tail), office, pause_ms)
    if ack.code is AckCode.OK:
        handed.add(sent)
    begin = head = ack.head
    while head < tail.last:
        run = run_from(tail, head + 1)
        if not run:
            handed.gap, handed.left = _gap(tail, head)
            break
        ack, sent = _post(tail, run, office, pause_ms)
        if ack.head <= head:
            raise RefusedError("salvage.stopped", stream=tail.stream, seq=head, code=ack.code)
        head = ack.head
        handed.add(sent)
        progress(head - begin, tail.last - begin)
    return handed


def closing_words(handed: Handed) -> str:
    """What to tell the person who held the card."""
    if handed.gap is not None:
        first, last = handed.gap
        return (
            f"{_said(handed)}; entries {first} to {last} are missing here, and {handed.left} sales"
            " behind them could not be handed in. Look for another copy"
        )
    if not handed.entries:
        return "head office has everything already; nothing is missing"
    return f"{_said(handed)}; nothing is missing"


def _said(handed: Handed) -> str:
    if not handed.sales:
        return f"{handed.entries} entries without a sale handed in"
    if handed.sales == 1:
        return f"1 sale, {handed.first_receipt}, handed in"
    return f"{handed.sales} sales from {handed.first_receipt} to {handed.last_receipt} handed in"


def _post(
    tail: Tail, run: Sequence[Carbon], office: Office, pause_ms: Callable[[int], None]
) -> tuple[Ack, Sequence[Carbon]]:
    """One batch: its answer and what was in it.

    A busy cloud is asked again, an answer that stops raises.
    """
    payload, sent = packed(tail, _intact(tail, run), software_version())
    for _ in range(BUSY_MAX):
        ack = office.post(payload)
        outcome = outcome_of(tail, ack)
        if outcome == "moved":
            return ack, sent
        if outcome != "busy":
            seq = run[0].seq - 1
            raise RefusedError("salvage.stopped", stream=tail.stream, seq=seq, code=ack.code)
        pause_ms(max(ack.retry_ms, 1))
    raise UnavailableError("salvage.busy")


def _probe(tail: Tail) -> Sequence[Carbon]:
    """An entry whose answer tells where the cloud stands: the last one, or, damaged, the first."""
    last = run_from(tail, tail.last)
    if _is_intact(tail, last[0]):
        return last
    first = first_after(tail, -1)
    assert first is not None
    return run_from(tail, first, 1)


def _intact(tail: Tail, run: Sequence[Carbon]) -> Sequence[Carbon]:
    """What comes before the first damaged entry; CorruptError `carbon.hash` where nothing does."""
    damaged = next((at for at, each in enumerate(run) if not _is_intact(tail, each)), len(run))
    if not damaged:
        raise CorruptError("carbon.hash", seq=run[0].seq)
    return run[:damaged]


def _is_intact(tail: Tail, carbon: Carbon) -> bool:
    stream = bytes.fromhex(tail.stream)
    return entry_hash(stream, carbon.seq, carbon.prev, carbon.body) == carbon.hash


def _gap(tail: Tail, head: int) -> tuple[tuple[int, int], int]:
    first = first_after(tail, head)
    assert first is not None  # the last entry is behind `head`
    left, at = 0, first
    while carbons := tail.read(at, BATCH_ENTRIES_MAX):
        left += sum(1 for carbon in carbons if is_sale(carbon.body))
        at = carbons[-1].seq + 1
    return (head + 1, first - 1), left
