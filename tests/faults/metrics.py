"""What a worker and a box have counted."""

from __future__ import annotations

import re

import httpx
from prometheus_client import REGISTRY


def taken(url: str, code: str) -> int:
    """How many batches the worker at `url` has answered with `code`."""
    told = httpx.get(f"{url}/metrics").text
    found = re.search(rf'tillbox_ingest_batches_total{{code="{code}"}} (\S+)', told)
    return int(float(found[1])) if found else 0


def counted(name: str, **labels: str) -> float:
    """A counter of the boxes of this process; 0 while nothing was counted."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
