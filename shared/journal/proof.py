"""Proof that one entry stands in the chain under a root that head office has signed.

From the entry the hashes of the bodies after it lead to the stream's head of that day; from the
head a Merkle path leads to the day's root over the heads of all streams. Whoever knows head
office's public key can check that without asking anybody, and learns nothing of other entries. The
body may be withheld: then the proof ties the receipt's code to the root, not its contents.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared.journal.chain import HASH_BYTES, STREAM_BYTES, linked_hash
from shared.journal.tree import TreeProof, proof_fields
from shared.journal.tree import read_proof as read_tree_proof
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError, RefusedError
from shared.kernel.hexadecimal import is_hex

PROOF_VERSION = 1
PROOF_BYTES_MAX = 16 * 1024 * 1024
LINKS_MAX = 100_000
"""Entries between a receipt and its stream's head of that day; a busy store makes some thousand."""
_SEQ_MAX = (1 << 63) - 1 - LINKS_MAX

IsSigned = Callable[[bytes, bytes, bytes], bool]
"""Public key, signature and message: whether the holder of the key signed it (Ed25519)."""


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """Entry `seq` of a stream (hex) and the way from it to a signed root.

    `prev` is the hash before it, `links` are the SHA-256 of the bodies from the next entry up to
    the stream's head that `tree` holds. `body` is b"" where it is withheld.
    """

    stream: str
    seq: int
    prev: bytes
    body_sha256: bytes
    links: tuple[bytes, ...]
    tree: TreeProof
    body: bytes = b""

    @property
    def hash(self) -> bytes:
        """The entry's own hash, as it follows from what stands here."""
        return linked_hash(bytes.fromhex(self.stream), self.seq, self.prev, self.body_sha256)

    def withheld(self) -> ReceiptProof:
        """The same proof without the body, for somebody who may not read it."""
        return replace(self, body=b"")


def check_proof(proof: ReceiptProof, hq_pub: bytes, is_signed: IsSigned) -> None:
    """Follow the proof from the entry to the signature of the key `hq_pub` (32 bytes).

    CorruptError `proof.body` when the body is not the entry's, `proof.chain` when the entry does
    not lead to the head that the tree holds, `proof.root` when that head does not lead to the
    root, `proof.signature` when head office has not signed that root.
    """
    if proof.body and sha256(proof.body) != proof.body_sha256:
        raise CorruptError("proof.body", seq=proof.seq)
    tree, stream, head = proof.tree, bytes.fromhex(proof.stream), proof.hash
    for seq, link in enumerate(proof.links, start=proof.seq + 1):
        head = linked_hash(stream, seq, head, link)
    if (proof.seq + len(proof.links), head) != (tree.leaf_seq, tree.leaf_hash):
        raise CorruptError("proof.chain", seq=proof.seq)
    if not tree.proves(proof.stream):
        raise CorruptError("proof.root", day=tree.head.day)
    if tree.hq_pub != hq_pub or not is_signed(hq_pub, tree.sig, tree.head.statement):
        raise CorruptError("proof.signature", day=tree.head.day)


def proof_bytes(proof: ReceiptProof) -> bytes:
    """The proof as canonical JSON; a withheld body is left out."""
    fields: dict[str, Any] = {
        "v": PROOF_VERSION,
        "stream": proof.stream,
        "seq": proof.seq,
        "prev": proof.prev.hex(),
        "body_sha256": proof.body_sha256.hex(),
        "links": [link.hex() for link in proof.links],
        "tree": proof_fields(proof.tree),
    }
    if proof.body:
        fields["body"] = proof.body.decode()
    return canonical_bytes(fields)


def read_proof(data: bytes) -> ReceiptProof:
    """Read a proof; RefusedError `proof.form` when it is none, `proof.too_large`."""
    if len(data) > PROOF_BYTES_MAX:
        raise RefusedError("proof.too_large", size=len(data), limit=PROOF_BYTES_MAX)
    try:
        return _proof_of(json.loads(data))
    except (RefusedError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError("proof.form") from None


def _proof_of(raw: dict[str, Any]) -> ReceiptProof:
    seq = raw["seq"]
    if raw["v"] != PROOF_VERSION or type(seq) is not int or not 0 <= seq <= _SEQ_MAX:
        raise ValueError
    if not is_hex(raw["stream"], STREAM_BYTES) or len(raw["links"]) > LINKS_MAX:
        raise ValueError
    return ReceiptProof(
        stream=raw["stream"],
        seq=seq,
        prev=_hash(raw["prev"]),
        body_sha256=_hash(raw["body_sha256"]),
        links=tuple(map(_hash, raw["links"])),
        tree=read_tree_proof(raw["tree"]),
        body=raw.get("body", "").encode(),
    )


def _hash(text: object) -> bytes:
    if not is_hex(text, HASH_BYTES):
        raise ValueError
    return bytes.fromhex(str(text))
