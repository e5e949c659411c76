"""The customer of a basket: named by card or phone, joining at the till, or nobody again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from edge.desk.state import Command, LaneState, LastScan, Turn
from edge.sale.shop import Shop, changed, open_basket, operator_of, refuse_unready
from shared.journal.event import Event
from shared.journal.member_event import MemberJoined
from shared.member.feed import Joining


class Append(Protocol):
    """Writes a fact of a lane."""

    def __call__(self, shop: Shop, state: LaneState, event: Event, entry_id: str, /) -> object:
        """Durable as it returns."""
        ...


@dataclass(frozen=True, slots=True)
class NameMember(Command):
    """The basket is this member's; None: nobody's again. `digits` are shown on the screen."""

    member: str | None
    digits: str = ""


@dataclass(frozen=True, slots=True)
class JoinMember(Command):
    """The customer becomes a member, and the basket theirs."""

    joining: Joining


def name_member(*, shop: Shop, state: LaneState, command: NameMember) -> Turn:
    """Name the customer, also before the first item."""
    refuse_unready(shop, state)
    if command.member is None:
        basket = open_basket(shop, state)
        return Turn(changed(state, basket.with_member(None), None))
    return Turn(_named(shop, state, command.member, command.digits))


def member_handlers(append: Append) -> dict[type[Command], Callable[..., Turn]]:
    """The functions of these commands; `append` writes a fact."""
    return {NameMember: name_member, JoinMember: partial(join_member, append=append)}


def join_member(*, shop: Shop, state: LaneState, command: JoinMember, append: Append) -> Turn:
    """Write that somebody joined, by an id that says nothing; who it is goes beside the journal."""
    refuse_unready(shop, state)
    operator_of(state)
    joining = command.joining
    given = tuple(each.purpose for each in joining.consents if each.is_given)
    versions = {each.text_version for each in joining.consents}
    member = joining.member
    after = _named(shop, state, member.member_id, member.last_digits)
    event = MemberJoined(state.lane, member.member_id, given, ",".join(sorted(versions)))
    append(shop, state, event, shop.ids.entry_id())
    shop.members.join(joining)
    return Turn(after)


def shown_card(number: str) -> str:
    """A card number as it stands on the screen."""
    return f"** {number[-4:]}"


def _named(shop: Shop, state: LaneState, member: str, digits: str) -> LaneState:
    basket = (state.basket or shop.new_basket()).with_member(member)
    scan = LastScan(state.scans + 1, "member", f"** {digits}", None, "")
    return changed(state, basket, None, scan)
