"""What an entry says of its making, beside the fact itself."""

from __future__ import annotations

from dataclasses import dataclass

from edge.journal.projections import BusinessDay
from edge.version import software_version
from shared.journal.entry import EntryHeader
from shared.journal.event import Event
from shared.kernel.clock import Clock
from shared.wire.codec import entry_body


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A fact to be kept; `id` makes it unique.

    `biz` is the business date ("" outside a day), `till` the lane ("" for the store), `at_ms`
    UTC, `cat` the catalogue revision in force.
    """

    id: str
    event: Event
    actor: str
    till: str
    biz: str
    at_ms: int
    cat: int


class Scribe:
    """Writes the bodies of one journal life's entries."""

    def __init__(self, clock: Clock, stream: str, boot: int) -> None:
        self._clock = clock
        self._stream = stream
        self._boot = boot
        self._software = software_version()

    def body(
        self, draft: EntryDraft, seq: int, totals: tuple[int, int], day: BusinessDay | None
    ) -> bytes:
        """The entry's bytes; `totals` are the perpetual ones after it."""
        header = EntryHeader(
            id=draft.id,
            type=draft.event.type,
            stream=self._stream,
            seq=seq,
            at=draft.at_ms,
            boot=self._boot,
            mono=self._clock.mono_ms(),
            clk=self._clock.quality(),
            biz=draft.biz,
            till=draft.till,
            shift=day.shift if day is not None and day.biz == draft.biz else "",
            actor=draft.actor,
            sw=self._software,
            gt=totals,
            cat=draft.cat,
        )
        return entry_body(header, draft.event)
