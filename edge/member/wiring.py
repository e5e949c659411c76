"""Puts the parts of the members' room together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.clock import SystemClock
from edge.identity import Identity
from edge.ids import Ids, secret_bytes
from edge.member.keeper import KeeperParts, MemberKeeper
from edge.member.office import Office
from edge.member.register import MemberRegister, RegisterParts
from edge.member.store import MEMBERS_FILE, MemberStore
from edge.tls import BoxKeys
from shared.sale.basket import Basket


@dataclass(frozen=True, slots=True)
class MemberWorks:
    """The file, the register over it, and the thread that keeps both fresh."""

    store: MemberStore
    register: MemberRegister
    keeper: MemberKeeper

    def start(self) -> None:
        """Open the file and begin to ask."""
        self.store.open()
        self.keeper.start()

    def stop(self) -> None:
        """End the thread; the file stays open for tills that still ask."""
        self.keeper.stop()

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def view(self, basket: Basket | None) -> dict[str, str]:
        """What a lane's screen shows of whoever its basket names."""
        member = None if basket is None else basket.member
        return {"member_digits": "" if member is None else self.register.shown(member)}


def make_members(
    keys: BoxKeys, identity: Identity, clock: SystemClock, ids: Ids, is_online: Callable[[], bool]
) -> MemberWorks:
    """Members as this box knows them; its file lies beside the keys' folder."""
    store = MemberStore(keys.folder.parent / MEMBERS_FILE)
    office = Office(identity, keys.https_trust)
    keeper = MemberKeeper(KeeperParts(store, office, clock, ids.jitter, is_online))
    parts = RegisterParts(identity, store, office, clock, secret_bytes, is_online)
    return MemberWorks(store, MemberRegister(parts, keeper.wake), keeper)
