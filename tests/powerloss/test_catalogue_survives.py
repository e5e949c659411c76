"""The power goes while a catalogue is taken over."""

import pytest

from tests.powerloss.plan import CATALOGUE_SAMPLE, catalogue_outcome
from tests.powerloss.trace import STRACE_MISSING, strace_missing


@pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)
def test_a_revision_arrives_whole_or_not_at_all_by_snapshot_and_by_delta() -> None:
    found = catalogue_outcome()
    assert found.images >= CATALOGUE_SAMPLE
    assert found.promises > 0
    assert (found.lost, found.faults) == (0, [])
