"""The signed daily root: what it says, and what it refuses to be read from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.journal.merkle import inclusion_path, merkle_root
from shared.journal.tree import (
    NO_TREE_BEFORE,
    TreeHead,
    TreeProof,
    leaf_of,
    proof_fields,
    read_proof,
    read_tree_head,
    tree_head_fields,
)
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError

STREAMS = [f"{n:032x}" for n in range(5)]
LEAVES = [leaf_of(stream, n * 7, sha256(stream.encode())) for n, stream in enumerate(STREAMS)]
HEAD = TreeHead(3, "2017-08-07", 1_502_150_400_000, "77-1", 5, merkle_root(LEAVES), NO_TREE_BEFORE)


def a_proof(index: int = 2) -> TreeProof:
    return TreeProof(
        head=HEAD,
        sig=bytes(64),
        hq_pub=bytes(32),
        leaf_seq=index * 7,
        leaf_hash=sha256(STREAMS[index].encode()),
        index=index,
        path=inclusion_path(LEAVES, index),
    )


def test_the_signed_statement_holds_everything_that_the_head_says() -> None:
    statement = HEAD.statement
    assert statement.startswith(b"tbt1{")
    assert read_tree_head(json.loads(statement[4:])) == HEAD
    changed = [
        replace(HEAD, n=4),
        replace(HEAD, day="2017-08-08"),
        replace(HEAD, at_ms=0),
        replace(HEAD, inc="77-2"),
        replace(HEAD, size=4),
        replace(HEAD, root=HEAD.prev),
        replace(HEAD, prev=HEAD.root),
    ]
    assert len({head.statement for head in (HEAD, *changed)}) == len(changed) + 1


def test_a_proof_goes_through_json_and_proves_its_own_stream_only() -> None:
    for index, stream in enumerate(STREAMS):
        proof = read_proof(json.loads(json.dumps(proof_fields(a_proof(index)))))
        assert proof == a_proof(index)
        assert [other for other in STREAMS if proof.proves(other)] == [stream]


def test_a_proof_of_another_entry_proves_nothing() -> None:
    assert not replace(a_proof(), leaf_seq=15).proves(STREAMS[2])
    assert not replace(a_proof(), leaf_hash=bytes(32)).proves(STREAMS[2])
    assert not replace(a_proof(), path=a_proof().path[:-1]).proves(STREAMS[2])


BROKEN: list[Any] = [None, [], "text", {}]
BROKEN += [
    tree_head_fields(HEAD) | change
    for change in ({"v": 2}, {"n": -1}, {"n": True}, {"at": 1.5}, {"day": 7}, {"root": "xyz"})
]


@pytest.mark.parametrize("raw", BROKEN)
def test_what_is_no_tree_head_is_refused(raw: object) -> None:
    with pytest.raises(RefusedError, match=r"tree\.form"):
        read_tree_head(raw)


@pytest.mark.parametrize(
    "change",
    [{"path": "ab"}, {"path": ["ab"]}, {"path": ["00" * 32] * 65}, {"sig": ""}, {"seq": -1}],
)
def test_what_is_no_proof_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"tree\.form"):
        read_proof(proof_fields(a_proof()) | change)
    with pytest.raises(RefusedError, match=r"tree\.form"):
        read_proof(None)
