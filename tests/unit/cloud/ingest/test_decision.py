"""The decision table against an oracle that has whole histories instead of hashes."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace

import pytest

from cloud.ingest.decision import (
    Claim,
    DeviceState,
    Opening,
    StreamState,
    decide,
    newborn,
    overlap_of,
)
from shared.wire.message import AckCode

DEV = "d-aaaaaaaaaaaaaaaa"
GENESIS = b"genesis"


def hashes_of(history: str) -> list[bytes]:
    """A chain: each hash covers everything before it."""
    return [hashlib.sha256(history[: n + 1].encode()).digest() for n in range(len(history))]


def a_stream(history: str, *, status: str = "open", device_status: str = "active") -> StreamState:
    chain = [GENESIS, *hashes_of(history)]
    return StreamState(DEV, device_status, status, GENESIS, len(history) - 1, chain[-1])


def a_claim(history: str, first: int, last: int, *, dev: str = DEV) -> Claim:
    chain = [GENESIS, *hashes_of(history)]
    return Claim(dev, first, chain[first], tuple(chain[first + 1 : last + 2]))


def judged(ours: str, claim: Claim) -> tuple[AckCode, int]:
    """Decide with exactly the stored hashes that `overlap_of` asks for."""
    stream = a_stream(ours)
    stored = dict(enumerate(hashes_of(ours)))
    wanted = {seq: stored[seq] for seq in overlap_of(stream, claim) if seq in stored}
    decision = decide(stream, claim, wanted)
    return decision.code, decision.known


def expected(ours: str, theirs: str, first: int, last: int) -> tuple[AckCode, int]:
    if first > len(ours):
        return AckCode.GAP, 0
    if not theirs.startswith(ours[: last + 1]):
        return AckCode.FORK, 0
    known = min(last, len(ours) - 1) - first + 1
    return (AckCode.DUP if last < len(ours) else AckCode.OK), known


HISTORIES = [
    "".join(letters) for size in range(5) for letters in itertools.product("ab", repeat=size)
]


def test_every_pair_of_short_histories_is_judged_as_the_oracle_does() -> None:
    seen = set()
    for ours, theirs in itertools.product(HISTORIES, HISTORIES):
        for first in range(len(theirs)):
            for last in range(first, len(theirs)):
                got = judged(ours, a_claim(theirs, first, last))
                assert got == expected(ours, theirs, first, last), (ours, theirs, first, last)
                seen.add(got[0])
    assert seen == {AckCode.OK, AckCode.DUP, AckCode.GAP, AckCode.FORK}


def test_an_unknown_stream_is_revoked() -> None:
    assert decide(None, a_claim("a", 0, 0), {}).code is AckCode.REVOKED


@pytest.mark.parametrize(
    ("stream", "dev"),
    [
        (a_stream(""), "d-bbbbbbbbbbbbbbbb"),
        (a_stream("", device_status="revoked"), DEV),
        (a_stream("", status="revoked"), DEV),
    ],
    ids=["foreign", "revoked device", "revoked stream"],
)
def test_nobody_else_may_write(stream: StreamState, dev: str) -> None:
    assert decide(stream, a_claim("a", 0, 0, dev=dev), {}).code is AckCode.REVOKED


@pytest.mark.parametrize("status", ["open", "fork", "closed"])
@pytest.mark.parametrize("device_status", ["active", "retiring"])
def test_the_rightful_continuation_is_always_taken(status: str, device_status: str) -> None:
    stream = a_stream("aa", status=status, device_status=device_status)
    assert decide(stream, a_claim("aab", 2, 2), {}).code is AckCode.OK


def test_an_empty_batch_is_bad() -> None:
    assert decide(a_stream("a"), Claim(DEV, 1, hashes_of("a")[0], ()), {}).code is AckCode.BAD


def test_a_missing_stored_hash_counts_as_different() -> None:
    assert decide(a_stream("aaa"), a_claim("aaa", 0, 2), {}).code is AckCode.FORK


def test_a_false_start_of_an_empty_stream_is_a_fork() -> None:
    claim = Claim(DEV, 0, b"elsewhere", (b"hash",))
    assert decide(a_stream(""), claim, {}).code is AckCode.FORK


CARRIERS = list(
    itertools.product(
        ["active", "retiring", "revoked"],  # the stream's own device
        ["active", "retiring", "revoked", None],  # the one that brings it, None for a stranger
    )
)


@pytest.mark.parametrize(("owner", "carrier"), CARRIERS)
def test_another_box_brings_only_what_its_own_box_cannot(owner: str, carrier: str | None) -> None:
    stream = replace(a_stream("a", device_status=owner), carrier_status=carrier)
    code = decide(stream, a_claim("ab", 1, 1, dev="d-bbbbbbbbbbbbbbbb"), {}).code
    may = owner in {"retiring", "revoked"} and carrier in {"active", "retiring"}
    assert code is (AckCode.OK if may else AckCode.REVOKED)
    refused = replace(stream, status="revoked")
    assert decide(refused, a_claim("ab", 1, 1, dev="d-bbbbbbbbbbbbbbbb"), {}).code == "revoked"


MINE = DeviceState(DEV, "343", "active")
OTHER = DeviceState("d-bbbbbbbbbbbbbbbb", "343", "active")
FAR = DeviceState("d-cccccccccccccccc", "344", "active")
BEGINS = Opening(DEV, "343")


def born(
    first: int, opening: Opening | None, owner: DeviceState | None, uploader: DeviceState | None
) -> str:
    """What becomes of the first batch of a stream that nobody stored."""
    claim = a_claim("abc", first, 2, dev=uploader.dev if uploader else "d-zzzzzzzzzzzzzzzz")
    state = newborn(claim, GENESIS, opening, owner=owner, uploader=uploader)
    return decide(state, claim, {}).code


def as_(device: DeviceState, status: str) -> DeviceState:
    return replace(device, status=status)


@pytest.mark.parametrize(
    ("code", "first", "opening", "owner", "uploader"),
    [
        ("ok", 0, BEGINS, MINE, MINE),
        ("ok", 0, BEGINS, as_(MINE, "retiring"), as_(MINE, "retiring")),
        ("revoked", 0, BEGINS, as_(MINE, "revoked"), as_(MINE, "revoked")),
        ("ok", 0, BEGINS, as_(MINE, "retiring"), OTHER),
        ("ok", 0, BEGINS, as_(MINE, "revoked"), OTHER),
        ("revoked", 0, BEGINS, MINE, OTHER),
        ("revoked", 0, BEGINS, as_(MINE, "retiring"), FAR),
        ("revoked", 0, BEGINS, as_(MINE, "retiring"), as_(OTHER, "revoked")),
        ("revoked", 0, Opening(DEV, "344"), MINE, MINE),
        ("revoked", 0, Opening(OTHER.dev, "343"), MINE, MINE),
        ("revoked", 0, BEGINS, None, MINE),
        ("revoked", 0, None, MINE, MINE),
        ("revoked", 0, BEGINS, MINE, None),
        ("gap", 1, None, MINE, MINE),
        ("gap", 2, None, None, as_(MINE, "retiring")),
        ("revoked", 1, None, MINE, as_(MINE, "revoked")),
        ("revoked", 1, None, MINE, None),
    ],
)
def test_who_may_begin_a_stream(
    code: str,
    first: int,
    opening: Opening | None,
    owner: DeviceState | None,
    uploader: DeviceState | None,
) -> None:
    assert born(first, opening, owner, uploader) == code


def test_a_new_stream_stands_before_its_first_entry() -> None:
    claim = a_claim("abc", 1, 2)
    state = newborn(claim, GENESIS, None, owner=None, uploader=MINE)
    assert state == StreamState(DEV, "active", "open", GENESIS, -1, GENESIS)
