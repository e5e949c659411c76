"""Rows 25-50 and 52-61: network, broker, identity, cloud."""

from __future__ import annotations

from tests.faults.fault import Fault

FLEET_ROWS: tuple[Fault, ...] = ()
