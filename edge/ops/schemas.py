"""What the health page reads: the box's devices and its last self-test."""

from __future__ import annotations

from pydantic import BaseModel


class FaultBody(BaseModel):
    """One trouble of a device, UTC ms; `until_ms` null while it stands."""

    code: str
    state: str
    at_ms: int
    until_ms: int | None
    times: int


class DeviceBody(BaseModel):
    """One device; `lane` 0 serves the whole store.

    `fault` is the code of what is wrong now, null when it is well; `last_fault` what was wrong
    last. `capability` and `counters` are for people who look closely: names and plain values.
    """

    id: str
    kind: str
    lane: int
    adapter: str
    address: str
    state: str
    since_ms: int
    fault: str | None
    last_fault: str | None
    capability: dict[str, str]
    counters: dict[str, int]
    history: list[FaultBody]


class TestResultBody(BaseModel):
    """What a self-test found at a device or a part of the box: passed, or a code."""

    name: str
    result: str


class SelfTestBody(BaseModel):
    """The last self-test; `asked_by` is "" for the one at night."""

    at_ms: int
    is_passed: bool
    asked_by: str
    is_seen: bool
    results: list[TestResultBody]


class DevicesBody(BaseModel):
    """Everything that the health page shows, as of `at_ms`; `revision` is that of the status."""

    at_ms: int
    revision: int
    devices: list[DeviceBody]
    self_test: SelfTestBody | None
    self_test_at: str
    facts_waiting: int
