"""Where a release can stand, and who may do what with it there. Pure."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from cloud.access import PUBLICATION_PUBLISH, RELEASE_APPROVE


class State(StrEnum):
    """From review to an end; `halted` is left only by taking everything back."""

    REVIEW = "review"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    APPROVED = "approved"
    QUEUED = "queued"
    ROLLING = "rolling"
    PAUSED = "paused"
    HALTED = "halted"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    DONE = "done"


class Verb(StrEnum):
    """What a person can do with a release."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    ADVANCE = "advance"
    HALT = "halt"
    ROLL_BACK = "roll-back"


MOVING = (
    State.APPROVED,
    State.QUEUED,
    State.ROLLING,
    State.PAUSED,
    State.HALTED,
    State.ROLLING_BACK,
)
"""States in which something can happen without a person."""
OUT = (State.ROLLING, State.PAUSED, State.HALTED, State.ROLLING_BACK)
"""States in which some stores have it and others may not."""

VERBS: dict[State, tuple[Verb, ...]] = {
    State.REVIEW: (Verb.APPROVE, Verb.REJECT, Verb.CANCEL),
    State.APPROVED: (Verb.CANCEL,),
    State.QUEUED: (Verb.CANCEL,),
    State.ROLLING: (Verb.ADVANCE, Verb.PAUSE, Verb.HALT, Verb.ROLL_BACK),
    State.PAUSED: (Verb.RESUME, Verb.HALT, Verb.ROLL_BACK),
    State.HALTED: (Verb.ROLL_BACK,),
    State.DONE: (Verb.ROLL_BACK,),
}
NEEDS: dict[Verb, str] = {
    Verb.APPROVE: RELEASE_APPROVE,
    Verb.REJECT: RELEASE_APPROVE,
    Verb.ADVANCE: RELEASE_APPROVE,
    Verb.CANCEL: PUBLICATION_PUBLISH,
    Verb.PAUSE: PUBLICATION_PUBLISH,
    Verb.RESUME: PUBLICATION_PUBLISH,
    Verb.HALT: PUBLICATION_PUBLISH,
    Verb.ROLL_BACK: PUBLICATION_PUBLISH,
}
"""The permission of each verb; stopping asks for less than going on."""


def verbs_of(state: State, permissions: Collection[str], *, may_approve: bool) -> list[Verb]:
    """What a person with these permissions can do; `may_approve` False: for their own large one."""
    return [
        verb
        for verb in VERBS.get(state, ())
        if NEEDS[verb] in permissions and (may_approve or verb is not Verb.APPROVE)
    ]
