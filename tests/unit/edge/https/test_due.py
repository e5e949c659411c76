"""When the till pages want a new certificate."""

from __future__ import annotations

import pytest

from edge.https.service import is_due
from edge.https.store import Certified

DAY_MS = 86_400_000
HERE = frozenset({"192.168.7.20"})
GOOD = Certified(HERE | {"s1.shops.example"}, 0, 90 * DAY_MS, is_makeshift=False, is_trusted=True)


def changed(**fields: object) -> Certified:
    return Certified(**{**{name: getattr(GOOD, name) for name in GOOD.__slots__}, **fields})


@pytest.mark.parametrize(
    ("at_ms", "certified", "addresses", "why"),
    [
        (59 * DAY_MS, GOOD, HERE, ""),
        (60 * DAY_MS, GOOD, HERE, "age"),
        (100 * DAY_MS, GOOD, HERE, "age"),
        (DAY_MS, GOOD, frozenset(), ""),
        (DAY_MS, GOOD, HERE | {"10.0.0.9"}, "address"),
        (DAY_MS, None, HERE, "none"),
        (DAY_MS, changed(is_makeshift=True, is_trusted=False), HERE, "makeshift"),
        (DAY_MS, changed(is_trusted=False), HERE, "signer"),
    ],
)
def test_a_new_certificate_is_wanted(
    at_ms: int, certified: Certified | None, addresses: frozenset[str], why: str
) -> None:
    assert is_due(at_ms, certified, addresses) == why
