"""Shapes of the software's endpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

RolloutState = Literal["rolling", "halted", "done", "cancelled"]
BoxState = Literal["current", "waiting", "working", "watching", "failed", "silent", "untold"]
PAGE = 50


class Version(BaseModel):
    """A version that head office has the wheels of; `arches` are the machines that it runs on."""

    version: str
    notes: str
    python: str
    requires: str
    arches: list[str]
    wheels: int
    size_bytes: int
    has_vectors: bool
    added_by: str
    added_at_ms: int
    boxes: int
    """How many boxes run it now."""


class Wave(BaseModel):
    """A wave: how many stores it has, and of those that have the release how many are where."""

    wave: int
    stores: int
    brought_at_ms: int | None
    current: int
    failed: int


class Rollout(BaseModel):
    """A version on its way; `because` is a code: why it waits, or why it was halted.

    `soak_until_ms` is when the next wave may begin, None while boxes are still at work.
    """

    id: int
    version: str
    state: RolloutState
    because: str
    wave: int
    waves: list[Wave]
    soak_s: int
    soak_until_ms: int | None
    hours: str
    note: str
    created_by: str
    created_at_ms: int
    ended_at_ms: int | None


class Software(BaseModel):
    """All versions, and the newest rollouts."""

    versions: list[Version]
    rollouts: list[Rollout]


class Event(BaseModel):
    """What was done to a rollout; `evidence` names stores with the codes of their failures."""

    at_ms: int
    by: str
    what: str
    reason: str
    evidence: list[list[str]]


class Events(BaseModel):
    """A rollout's history, the newest first."""

    events: list[Event]


class BoxRow(BaseModel):
    """One box: what it runs, what it should run, and how far it is. `error` is a code."""

    dev: str
    store_id: str
    store_name: str
    running: str
    wanted: str
    trusted: str
    state: BoxState
    step: str
    error: str | None
    since_ms: int
    at_ms: int | None


class BoxPage(BaseModel):
    """A page of boxes, by store; `counts` by state are of all that match the search."""

    boxes: list[BoxRow]
    total: int
    page: int
    size: int
    counts: dict[str, int]


class BoxFilter(BaseModel):
    """Which boxes: by state, and by a part of the store's name or id, or of a version."""

    state: BoxState | Literal[""] = ""
    q: str = Field(default="", max_length=64)
    page: int = Field(default=1, ge=1, le=100_000)
    size: int = Field(default=PAGE, ge=1, le=500)


class RolloutRequest(BaseModel):
    """Bring a version to the stores: "1%,10%,50%,100%", `hours` "02:00-05:00" of each store."""

    version: str = Field(max_length=64)
    waves: str = Field(default="1%,10%,50%,100%", max_length=64)
    soak_s: int = Field(default=24 * 3600, ge=0, le=30 * 24 * 3600)
    hours: str = Field(default="02:00-05:00", max_length=11)
    note: str = Field(default="", max_length=200)


class Reason(BaseModel):
    """Why."""

    reason: str = Field(min_length=1, max_length=200)
