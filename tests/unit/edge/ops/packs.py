"""Collected logs as their reader sees them."""

from __future__ import annotations

import gzip
import json
from typing import Any


def unpacked(packed: bytes) -> list[Any]:
    """The lines of a pack."""
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]
