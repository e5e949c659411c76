"""The way to the broker as the rest of the room sees it: lossy, duplicating, reordering.

Nothing about a `Link` promises delivery.  What must arrive is sent again until the cloud's own
acknowledgement comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the cloud."""

    topic: str
    payload: bytes
    is_retained: bool = False


class LinkHandler(Protocol):
    """What a link tells; called on the link's own thread, must return at once."""

    def connected(self, conn: int) -> None:
        """Subscribed on a fresh connection; `conn` is its ordinal."""

    def disconnected(self) -> None:
        """The connection is gone; what was in flight is unknown."""

    def received(self, message: Received) -> None:
        """A message came in."""


class Link(Protocol):
    """One connection at a time to the broker, made again for ever."""

    def start(self, handler: LinkHandler) -> None:
        """Begin connecting."""

    def stop(self) -> None:
        """Say goodbye and end; safe to call twice."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, may_be_lost: bool = False
    ) -> bool:
        """Hand a message to the broker; False (and nothing queued) while not connected.

        `may_be_lost` asks for no confirmation: such a message costs the least.
        """

    def hold(self, seconds: float) -> None:
        """Hang up and connect no more for so long; 0 ends that. For an exercise."""
