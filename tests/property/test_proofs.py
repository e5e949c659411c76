"""A receipt's proof holds as it was made, and with no byte of it changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.chain import chain_hashes, genesis_hash
from shared.journal.merkle import inclusion_path, merkle_root
from shared.journal.proof import ReceiptProof, check_proof, proof_bytes, read_proof
from shared.journal.tree import NO_TREE_BEFORE, TreeHead, TreeProof, leaf_of
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, RefusedError
from tests.builders import STREAM, STREAM_ID

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HQ_PUB = KEY.public_key().public_bytes_raw()
HEX_DIGITS = "0123456789abcdef"


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@st.composite
def proofs(draw: st.DrawFn) -> ReceiptProof:
    """Some entry of a journal of some length, in a tree with some other journals."""
    bodies = draw(
        st.lists(st.text(min_size=1, max_size=12).map(str.encode), min_size=1, max_size=6)
    )
    seq = draw(st.integers(0, len(bodies) - 1))
    others = draw(st.lists(st.binary(min_size=32, max_size=32), max_size=6, unique=True))
    index = draw(st.integers(0, len(others)))
    genesis = genesis_hash(STREAM_ID)
    hashes = chain_hashes(STREAM_ID, 0, genesis, bodies)
    leaves = [leaf_of(other.hex()[:32], 1, other) for other in others]
    leaves.insert(index, leaf_of(STREAM, len(bodies) - 1, hashes[-1]))
    head = TreeHead(
        3, "2017-08-07", 1_502_150_400_000, "7-3", len(leaves), merkle_root(leaves), NO_TREE_BEFORE
    )
    tree = TreeProof(
        head,
        KEY.sign(head.statement),
        HQ_PUB,
        len(bodies) - 1,
        hashes[-1],
        index,
        inclusion_path(leaves, index),
    )
    return ReceiptProof(
        STREAM,
        seq,
        hashes[seq - 1] if seq else genesis,
        sha256(bodies[seq]),
        tuple(sha256(body) for body in bodies[seq + 1 :]),
        tree,
        bodies[seq] if draw(st.booleans()) else b"",
    )


@given(proofs())
def test_a_proof_holds_and_reads_back_the_same(proof: ReceiptProof) -> None:
    check_proof(proof, HQ_PUB, is_signed)
    assert read_proof(proof_bytes(proof)) == proof
    check_proof(proof.withheld(), HQ_PUB, is_signed)


@given(proofs(), st.data())
def test_no_digit_of_it_can_be_another(proof: ReceiptProof, data: st.DataObject) -> None:
    raw = json.loads(proof_bytes(proof))
    holder, key = data.draw(st.sampled_from(list(leaves_in(raw))))
    holder[key] = another(holder[key], data)
    with pytest.raises((CorruptError, RefusedError)):
        check_proof(read_proof(json.dumps(raw).encode()), HQ_PUB, is_signed)


@given(proofs(), st.data())
def test_no_link_can_be_left_out_or_added(proof: ReceiptProof, data: st.DataObject) -> None:
    raw = json.loads(proof_bytes(proof))
    chain = data.draw(st.sampled_from([raw["links"], raw["tree"]["path"]]))
    if chain and data.draw(st.booleans()):
        chain.pop(data.draw(st.integers(0, len(chain) - 1)))
    else:
        chain.insert(data.draw(st.integers(0, len(chain))), "5e" * 32)
    with pytest.raises(CorruptError):
        check_proof(read_proof(json.dumps(raw).encode()), HQ_PUB, is_signed)


def test_another_key_signs_for_nobody() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    leaf = leaf_of(STREAM, 0, chain_hashes(STREAM_ID, 0, genesis_hash(STREAM_ID), [b"x"])[0])
    head = TreeHead(0, "2017-08-07", 1, "7-3", 1, merkle_root([leaf]), NO_TREE_BEFORE)
    hashes = chain_hashes(STREAM_ID, 0, genesis_hash(STREAM_ID), [b"x"])
    tree = TreeProof(head, KEY.sign(head.statement), HQ_PUB, 0, hashes[0], 0, ())
    proof = ReceiptProof(STREAM, 0, genesis_hash(STREAM_ID), sha256(b"x"), (), tree, b"x")
    check_proof(proof, HQ_PUB, is_signed)
    with pytest.raises(CorruptError, match="signature"):
        check_proof(proof, other, is_signed)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"v":1}', b"\xff", b"[" * 100_000, b'{"v":1,"links":7}']
)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="form"):
        read_proof(data)


def leaves_in(node: Any) -> Any:
    """Yield (container, key) of each text and number."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(entries):
        if isinstance(value, dict | list):
            yield from leaves_in(value)
        else:
            yield node, key


def another(value: str | int, data: st.DataObject) -> str | int:
    """The value with one digit, one character or one bit changed."""
    if isinstance(value, int):
        return value ^ 1 << data.draw(st.integers(0, 6))
    place = data.draw(st.integers(0, len(value) - 1))
    alphabet = HEX_DIGITS if set(value) <= set(HEX_DIGITS) else HEX_DIGITS + "xyz"
    digit = data.draw(st.sampled_from([each for each in alphabet if each != value[place]]))
    return value[:place] + digit + value[place + 1 :]
