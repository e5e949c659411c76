"""When the till pages want a new certificate."""

from __future__ import annotations

import pytest

from cloud.fleet import till_pages
from edge.https.service import ADDRESSES_MAX, OWN_SCREEN, Reached, chosen, is_due, private_addresses
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


def test_a_machine_with_many_networks_is_certified_for_the_likeliest_always_the_same() -> None:
    bridges = [Reached(f"172.{n}.0.1", is_way_out=False, is_hardware=False) for n in range(17, 30)]
    cards = [Reached(f"10.0.{n}.1", is_way_out=False, is_hardware=True) for n in range(3)]
    way_out = Reached("192.168.7.20", is_way_out=True, is_hardware=True)
    found = [*bridges, *cards, way_out]
    wanted = {OWN_SCREEN, "192.168.7.20", "10.0.0.1", "10.0.1.1", "10.0.2.1"}
    certified = chosen(found)
    assert certified == chosen(reversed(found))
    assert len(certified) == ADDRESSES_MAX == till_pages.ADDRESSES_MAX
    assert wanted < certified
    assert certified - wanted == {f"172.{n}.0.1" for n in range(17, 20)}


def test_only_private_addresses_that_tablets_and_the_own_screen_open_are_certified() -> None:
    found = [
        Reached(address, is_way_out=True, is_hardware=True)
        for address in (
            "127.0.0.1",
            "127.0.0.2",
            "93.184.216.34",
            "10.1.1.1",
            "10.1.1.1",
            "169.254.3.4",
        )
    ]
    assert chosen(found) == {OWN_SCREEN, "10.1.1.1", "169.254.3.4"}
    assert chosen([]) == {OWN_SCREEN}
    assert len(private_addresses()) <= ADDRESSES_MAX
