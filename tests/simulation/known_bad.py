"""Each way to spoil the protocol, and how many seeds it takes until somebody notices."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.variant import Variant
from tests.simulation.weather import SEALING
from tests.simulation.world import run_seed


@dataclass(frozen=True, slots=True)
class KnownBad:
    """A spoilt protocol and the rules whose breach gives it away."""

    variant: Variant
    rules: frozenset[str]
    without: frozenset[str] = frozenset()
    """What stays away, so that the breach shows sooner."""


LOST = "sales lost at HQ"
DOUBLED = "sales doubled at HQ"
NOWHERE = "a booked sale is nowhere"
REUSED = "receipt number used twice"
NOT_ARCHIVED = "pruned only what is archived"

KNOWN_BAD = {
    "ack without hash": KnownBad(Variant(is_ack_unchecked=True), frozenset({LOST, NOT_ARCHIVED})),
    "prune at head": KnownBad(Variant(is_pruned_at_head=True), frozenset({NOT_ARCHIVED})),
    "print before commit": KnownBad(Variant(is_printed_first=True), frozenset({NOWHERE, REUSED})),
    "no new stream on fork": KnownBad(Variant(has_no_new_life=True), frozenset({LOST})),
    "no overlap comparison": KnownBad(
        Variant(is_overlap_ignored=True), frozenset({LOST, "the stored chain is whole"})
    ),
    "effects keyed by stream and number": KnownBad(
        Variant(is_effect_by_place=True), frozenset({"effects once"})
    ),
    "resend at once on a refusal": KnownBad(
        Variant(is_resent_at_once=True), frozenset({"retransmission storm"})
    ),
    "commit without sync": KnownBad(Variant(is_unsynced=True), frozenset({NOWHERE, REUSED})),
    "ack before commit, and prune at head": KnownBad(
        Variant(ack_first_share=0.02, is_pruned_at_head=True), frozenset({NOT_ARCHIVED})
    ),
    "a new life without the tail or the older lives": KnownBad(
        Variant(is_tail_dropped=True, is_only_current_life=True), frozenset({LOST})
    ),
    "older lives are not brought up again": KnownBad(
        Variant(is_only_current_life=True), frozenset({LOST}), frozenset({SEALING})
    ),
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed that gives a variant away, by which rule; None when none of them does."""

    seed: int
    rule: str | None


def first_noticed(bad: KnownBad, seeds: range, *, is_patient: bool = False) -> Noticed:
    """Run seeds until one fails; any rule counts for a patient observer."""
    for seed in seeds:
        broken = run_seed(seed, bad.variant, is_patient=is_patient, without=bad.without).broken
        if broken is not None:
            return Noticed(seed, broken)
    return Noticed(seeds[-1], None)
