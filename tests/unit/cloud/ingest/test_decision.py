"""The decision table against an oracle that has whole histories instead of hashes."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from cloud.ingest.decision import Claim, StreamState, decide, overlap_of
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
