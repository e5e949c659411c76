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
    skipped: int = 0
    """So many of the first seeds are known to notice nothing."""


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
        Variant(is_only_current_life=True), frozenset({LOST}), frozenset({SEALING}), skipped=130
    ),
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed that gives a variant away, by which rule; None when none of them does."""

    seed: int
    rule: str | None


def first_noticed(name: str, seeds: range) -> Noticed:
    """Run seeds under a spoilt protocol until one fails."""
    for seed in range(seeds.start + KNOWN_BAD[name].skipped, seeds.stop):
        rule = rule_broken((name, seed, False))
        if rule is not None:
            return Noticed(seed, rule)
    return Noticed(seeds[-1], None)


def rule_broken(run: tuple[str, int, bool]) -> str | None:
    """The rule that breaks under a name and a seed; patience waits for losses at the end."""
    name, seed, is_patient = run
    bad = KNOWN_BAD[name]
    return run_seed(seed, bad.variant, is_patient=is_patient, without=bad.without).broken
