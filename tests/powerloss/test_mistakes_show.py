"""What the images are worth: wrong settings lose sales in them."""

import pytest

from tests.powerloss.plan import mistake_outcome
from tests.powerloss.trace import STRACE_MISSING, strace_missing

pytestmark = pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)


def test_a_log_that_is_not_synced_at_each_commit_loses_sales() -> None:
    assert mistake_outcome("normal").lost > 0


def test_a_rollback_journal_without_the_sync_of_its_folder_loses_sales() -> None:
    assert mistake_outcome("rollback").lost > 0


def test_a_receipt_before_the_commit_is_of_a_sale_that_is_not_there() -> None:
    assert mistake_outcome("early").lost > 0
