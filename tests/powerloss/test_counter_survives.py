"""The power goes, or the process is killed, while a customer pays."""

import pytest

from tests.powerloss.plan import COUNTER_SAMPLE, counter_outcome
from tests.powerloss.trace import STRACE_MISSING, strace_missing


@pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)
def test_a_payment_is_kept_answered_and_printed_once_wherever_it_is_cut_off() -> None:
    found = counter_outcome()
    assert found.images >= COUNTER_SAMPLE
    assert found.promises > 0
    assert (found.lost, found.faults) == (0, [])
