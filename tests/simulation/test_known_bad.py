"""The tests are tested: each known way to spoil the protocol fails the simulation.

What is tolerated is shown too.  A worker that acknowledges before it commits loses nothing as long
as the boxes prune only what is archived: the next hello tells where the cloud really stands.  (It
takes a dead disk as well, within those minutes, to lose a sale by such a lie: the till page has
dropped its copy then.)
"""

import pytest

from tests.simulation.known_bad import KNOWN_BAD, first_noticed
from tests.simulation.seeds import REMEMBERED, broken_by
from tests.simulation.variant import Variant
from tests.simulation.world import DISK_DISASTERS, run_seed

SEEDS = range(1, 301)
TOLERANT_SEEDS = range(1, 31)


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_a_spoilt_protocol_is_noticed(name: str) -> None:
    noticed = first_noticed(name, SEEDS)
    assert noticed.rule in KNOWN_BAD[name].rules, noticed


def test_an_ack_before_the_commit_is_repaired_by_hello_and_the_second_watermark() -> None:
    liar = Variant(ack_first_share=0.02)
    outcomes = [run_seed(seed, liar, without=DISK_DISASTERS) for seed in TOLERANT_SEEDS]
    assert [each.because for each in outcomes if each.broken] == []
    lies = sum(each.counts["acknowledged, then not committed"] for each in outcomes)
    assert lies > len(TOLERANT_SEEDS)


@pytest.mark.parametrize("seed", REMEMBERED)
def test_a_day_that_once_went_wrong_stays_in_order(seed: int) -> None:
    assert not broken_by([seed])


def test_the_same_seed_gives_the_same_day() -> None:
    once, again = run_seed(7), run_seed(7)
    assert once == again
    assert once.steps > 1_000


def test_every_kind_of_fault_and_of_answer_comes_up() -> None:
    awaited = set(FAULTS)
    for seed in SEEDS:
        awaited -= run_seed(seed).counts.keys()
        if not awaited:
            break
    assert awaited == set()


FAULTS = (
    *("message lost", "message doubled", "message late", "partition", "broker restart"),
    *("deaf worker", "swallowed by a deaf worker", "worker died between commit and ack"),
    *("database away", "cloud restored from a backup", "power cut", "power cut while booking"),
    *("power cut between commit and receipt", "disk full", "clock jump", "device revoked"),
    *("disk image restored", "old image runs", "journal destroyed", "disk cloned"),
    *("halted: fork", "halted: revoked", "halted: behind", "tail handed in by a till page"),
    *("life: clone", "life: corrupt", "life: restore", "streams salvaged into another"),
    *("entries pruned", "ack ok", "ack dup", "ack gap", "ack fork", "ack revoked", "ack busy"),
)
