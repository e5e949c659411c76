"""What the process was put together from: handed to every endpoint, built in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database
from cloud.records import RecordSource
from cloud.settings import Settings
from cloud.signing import HqKey
from cloud.table_import import Importers
from shared.kernel.clock import Clock
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person."""

    name: str
    display_name: str
    role: str
    permissions: frozenset[str]
    stores: frozenset[str] | None = None
    """The stores that a person of an area may know of; None is the whole chain."""
    confirmed_at_ms: int = 0
    """When the person last proved who they are."""
    must_enrol: bool = False
    """Whether they may do nothing but set up their second factor."""
    how: str = ""
    """How the session was opened: password, totp, oidc or machine."""

    def sees(self, store_id: str) -> bool:
        """Whether a store is among those of this person."""
        return self.stores is None or store_id in self.stores


class People(Protocol):
    """Finds who a session belongs to; the identity room."""

    def find(self, token: str, *, is_used: bool = True) -> Principal | None:
        """The person of a valid session token; the session goes on if they are using it."""
        ...

    def close(self) -> None:
        """End what runs beside."""
        ...


class Boxes(Protocol):
    """Knows the enrolled boxes; the fleet room."""

    def status_of(self, dev: str, secret: str) -> str | None:
        """`active`, `retiring` or `revoked`; None unless the box has this secret."""
        ...


class Journals(Protocol):
    """Takes journals in over HTTP; the ingest room."""

    def take(self, dev: DeviceId, payload: bytes) -> Ack:
        """Store what is new of a batch that a box brought; answers after the commit."""
        ...

    def stand(self, dev: DeviceId, stream: str) -> Ack:
        """Where a stream (hex) stands, for a box that may write to it."""
        ...

    def repost(self, connection: Connection, stream_id: bytes, seq: int) -> str | None:
        """Post a flagged entry again, in this transaction; the flag that it still has."""
        ...


class BrokerAccounts(Protocol):
    """Where a box's broker log-in is written; the fleet room."""

    def put(self, dev: str, password: str) -> None:
        """Let `dev` log in with `password` from now on."""
        ...

    def remove(self, dev: str) -> None:
        """Let `dev` in no more."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one API process."""

    settings: Settings
    database: Database
    clock: Clock
    objects: ObjectStore
    hq_key: HqKey
    people: People
    boxes: Boxes
    journals: Journals
    accounts: BrokerAccounts
    sources: Sequence[RecordSource]
    importers: Importers
    """Which tables are taken over in two steps, and how."""
    draft_sample: Callable[[Connection], list[dict[str, Any]]]
    """The newest price drafts; the price room."""
    welcome: Callable[[Connection, str, str], None]
    """Let a store's new box (store id, device id) want what its store sells by."""


def context_of(request: Request) -> Context:
    """Dependency: the parts of this process."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context
