"""How many requests of one sender may be refused before no more are looked at. Pure.

A sender is an address until it has shown a credential that is good: from then on it is that
credential.  So a guesser in a store slows down nobody of the store who is signed in already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address
from typing import Any, Final

BURST: Final = 300
"""So many refusals at once are what a store of twenty tablets may have on a bad morning."""
REFILL_MS: Final = 200
SENDERS_MAX: Final = 10_000
KNOWN_MAX: Final = 20_000
COUNTED: Final = frozenset({401, 403, 404, 429})
COUNTED_OF_STRANGERS: Final = COUNTED | {409, 422}
"""Claims and codes that are wrong are told as such; only strangers guess them."""
_SHOWN: Final = frozenset({b"authorization", b"cookie"})
_OK_MAX: Final = 399
_UNKNOWN: Final = 401
_NETWORK_BITS: Final = 64
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", ""})


class Refusals:
    """Counts the refusals of senders; times are milliseconds of a clock that never goes back.

    Bounded: of more senders than `SENDERS_MAX` those are forgotten that were refused longest ago.
    Not thread-safe: for one event loop.
    """

    def __init__(self, *, burst: int = BURST, refill_ms: int = REFILL_MS) -> None:
        self._refill_ms = refill_ms
        self._window_ms = burst * refill_ms
        self._until_ms: dict[str | bytes, int] = {}
        self._known: dict[bytes, None] = {}

    def sender_of(self, address: str, credential: bytes) -> str | bytes | None:
        """Whose account a request goes to; None for the machine's own programs, which have none.

        `credential` is a digest of what the request shows, empty for nothing.
        """
        if credential and credential in self._known:
            return credential
        return None if address in _LOOPBACK else _place_of(address)

    def wait_ms(self, sender: str | bytes, now_ms: int) -> int:
        """How long this sender has to wait; 0 when a request is looked at."""
        until_ms = self._until_ms.get(sender)
        return 0 if until_ms is None else max(0, until_ms - now_ms - self._window_ms)

    def answered(
        self, sender: str | bytes, credential: bytes, status: int, now_ms: int, *, is_known: bool
    ) -> None:
        """Note how a request was answered; `is_known`: what it showed was good."""
        if credential and is_known and status <= _OK_MAX:
            self._known.pop(credential, None)
            self._known[credential] = None
            _shorten(self._known, KNOWN_MAX)
        elif status == _UNKNOWN and credential in self._known:
            del self._known[credential]
        if status in (COUNTED if is_known else COUNTED_OF_STRANGERS):
            owed_ms = max(now_ms, self._until_ms.pop(sender, now_ms))
            # Who goes on while it has to wait does not have to wait for ever after.
            most_ms = now_ms + self._window_ms + self._refill_ms
            self._until_ms[sender] = min(owed_ms + self._refill_ms, most_ms)
            _shorten(self._until_ms, SENDERS_MAX)


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A digest of what a request shows, empty for nothing: secrets are not kept."""
    shown = [value for name, value in headers if name in _SHOWN]
    return hashlib.blake2b(b"\0".join(shown), digest_size=16).digest() if shown else b""


def _place_of(address: str) -> str:
    """The address; of IPv6 the network, of which one machine has all addresses."""
    if ":" not in address:
        return address
    try:
        whole = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    mapped = whole.ipv4_mapped
    return str(mapped) if mapped else f"{int(whole) >> (128 - _NETWORK_BITS):x}/64"


def _shorten(found: dict[Any, Any], most: int) -> None:
    while len(found) > most:
        del found[next(iter(found))]
