"""Whether software that was just put in place does what the one before did."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.own_page import ask_own
from shared.kernel.errors import RetailError

_UI_S = 5
_BROKER_S = 3
_OK = 200


@dataclass(frozen=True, slots=True)
class Senses:
    """How the box is looked at. Each may be asked from the updater's thread.

    `append` writes into the journal that the software changed (from, to, why); `url` is the till
    page's own address; `ready` gives the ids of the printers that are ready; `broker` is its host
    and port.
    """

    append: Callable[[str, str, str], None]
    url: str
    ready: Callable[[], frozenset[str]]
    is_online: Callable[[], bool]
    broker: tuple[str, int]


def as_it_is(senses: Senses) -> dict[str, Any]:
    """What the next release is to be measured by."""
    return {"printers": sorted(senses.ready()), "online": senses.is_online()}


def complaint(senses: Senses, before: dict[str, Any], *, is_first: bool) -> str:
    """What is wrong, as a code; "" when all is as it was.

    Printers and cloud have to come back once (`is_first`): after that paper may run out and the
    line may go down without this being the software's doing.
    """
    if not _answers(senses.url):
        return "release.ui"
    if not is_first:
        return ""
    if set(before.get("printers", ())) - senses.ready():
        return "release.printer"
    is_cut_off = before.get("online", False) and not senses.is_online()
    # Where nobody reaches the broker it is the network's fault, not the release's.
    return "release.offline" if is_cut_off and _reaches(senses.broker) else ""


def journal_complaint(senses: Senses, change: tuple[str, str, str]) -> str:
    """`release.journal` when the change of software cannot be written down."""
    try:
        senses.append(*change)
    except (RetailError, OSError, RuntimeError):
        return "release.journal"
    return ""


def _answers(url: str) -> bool:
    try:
        ask_own(url, _UI_S)
    except (OSError, ValueError):
        return False
    return True


def _reaches(broker: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(broker, timeout=_BROKER_S):
            return True
    except OSError:
        return False
