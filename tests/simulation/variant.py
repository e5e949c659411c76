"""The design as recommended, and the ways to spoil it that the simulation has to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """Each flag breaks one rule of the protocol.  None of them is set in the product."""

    is_ack_unchecked: bool = False
    """The box believes an acknowledgement without comparing its hash."""
    is_pruned_at_head: bool = False
    """The box prunes what was committed, not only what is archived and verified."""
    is_printed_first: bool = False
    """The receipt is in the customer's hand before the entry is committed."""
    has_no_new_life: bool = False
    """A fork stops the box, and that is all."""
    ack_first_share: float = 0.0
    """So many batches are acknowledged by a worker whose commit then fails."""
    is_overlap_ignored: bool = False
    """Ingest skips what it has by number, without comparing hashes."""
    is_effect_by_place: bool = False
    """Effects are unique by stream and number instead of by entry id."""
    is_resent_at_once: bool = False
    """A refusal is answered with the next try, without waiting."""
    is_unsynced: bool = False
    """A commit is not synced: a power cut takes the last seconds (WAL with synchronous=NORMAL)."""
    is_tail_dropped: bool = False
    """A new journal life begins without the entries that the cloud does not have."""
    is_tail_after_acked: bool = False
    """A new life takes over what follows the last acknowledged entry, even if the cloud went back
    in time since."""
    is_only_current_life: bool = False
    """After the cloud went back in time, older journal lives are not brought up again."""


RECOMMENDED = Variant()
