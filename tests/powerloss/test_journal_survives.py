"""The power goes while the real journal works: nothing that was promised is missing."""

import pytest

from tests.powerloss.plan import WORKS, Work, journal_outcome, resumed_outcomes
from tests.powerloss.trace import STRACE_MISSING, strace_missing

pytestmark = pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)
_WORK = {work.name: work for work in WORKS}


def assert_nothing_lost(work: Work) -> None:
    found = journal_outcome(work)
    assert found.images >= work.sample
    assert found.promises > found.images
    assert (found.lost, found.faults) == (0, [])


def test_no_power_cut_loses_a_sale_or_gives_a_receipt_number_twice() -> None:
    assert_nothing_lost(_WORK["sell"])


def test_no_power_cut_during_a_checkpoint_loses_a_sale() -> None:
    assert_nothing_lost(_WORK["sell_long"])


def test_old_entries_are_pruned_wholly_or_not_at_all() -> None:
    assert_nothing_lost(_WORK["forget"])


def test_a_new_journal_begins_wholly_or_not_at_all() -> None:
    assert_nothing_lost(_WORK["begin_lives"])


def test_a_second_power_cut_during_the_recovery_loses_nothing() -> None:
    for found in resumed_outcomes():
        assert found.promises > 0
        assert (found.lost, found.faults) == (0, [])
