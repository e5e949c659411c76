"""The table of faults: every row, what has to happen, and the test that shows it.

In every row also: no acknowledged sale is lost, none is doubled, the chain is valid, and
selling goes on unless the row says otherwise.
"""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.rows_box import BOX_ROWS
from tests.faults.rows_fleet import FLEET_ROWS

ROWS = 62
FAULTS: tuple[Fault, ...] = tuple(sorted((*BOX_ROWS, *FLEET_ROWS), key=lambda fault: fault.number))
