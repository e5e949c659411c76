"""Proof that one entry stands in the chain under a root that head office has signed.

From the entry the hashes of the bodies after it lead to the stream's head of that day; from the
head a Merkle path leads to the day's root over the heads of all streams. Whoever knows head
office's public key can check that without asking anybody, and learns nothing of other entries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.journal.chain import HASH_BYTES, STREAM_BYTES, entry_hash, linked_hash
from shared.journal.merkle import root_of_path
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import CorruptError, RefusedError
from shared.kernel.hexadecimal import is_hex

PROOF_VERSION = 1
PROOF_BYTES_MAX = 16 * 1024 * 1024
LINKS_MAX = 100_000
PATH_MAX = 64
TREE_TAG = b"tbt1"
SIGNATURE_BYTES = 64
NO_ROOT = bytes(HASH_BYTES)
"""What stands for the root before the first day's."""
_NUMBER_MAX = (1 << 63) - 1

Verify = Callable[[bytes, bytes], bool]
"""Signature and message: whether head office signed it."""


def tree_leaf(stream: str, seq: int, head_hash: bytes) -> bytes:
    """The leaf of one stream (32 hex digits) in a day's tree: its head at the end of the day."""
    return canonical_bytes({"stream": stream, "seq": seq, "hash": head_hash.hex()})


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A day's root over the heads of all streams, chained to the root of the tree before.

    `day` is the UTC date (YYYY-MM-DD), `size` the number of streams, `previous` the root before
    it (32 zero bytes for the first), `sig` head office's signature over `statement`.
    """

    day: str
    size: int
    root: bytes
    previous: bytes
    sig: bytes = b""

    @property
    def statement(self) -> bytes:
        """What head office signs."""
        return TREE_TAG + canonical_bytes(
            {
                "day": self.day,
                "size": self.size,
                "root": self.root.hex(),
                "previous": self.previous.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """Entry `seq` of a stream and the way from it to a signed root.

    `links` are the SHA-256 of the bodies from the next entry up to the stream's head of that day,
    `index` is the stream's place in the tree, `path` leads from its leaf to the root.
    """

    stream: str
    seq: int
    prev: bytes
    body: bytes
    links: tuple[bytes, ...]
    index: int
    path: tuple[bytes, ...]
    tree: TreeHead

    @property
    def hash(self) -> bytes:
        """The entry's own hash, as it follows from what stands here."""
        return entry_hash(bytes.fromhex(self.stream), self.seq, self.prev, self.body)

    @property
    def head_seq(self) -> int:
        """Number of the entry that the tree holds."""
        return self.seq + len(self.links)


def check_proof(proof: ReceiptProof, verify: Verify) -> None:
    """Follow the proof from the entry to the signature.

    CorruptError `proof.root` when it does not lead to the root that it names, `proof.signature`
    when head office has not signed that root.
    """
    stream, head = bytes.fromhex(proof.stream), proof.hash
    for seq, link in enumerate(proof.links, start=proof.seq + 1):
        head = linked_hash(stream, seq, head, link)
    leaf = tree_leaf(proof.stream, proof.head_seq, head)
    tree = proof.tree
    if root_of_path(leaf, proof.index, tree.size, proof.path) != tree.root:
        raise CorruptError("proof.root", day=tree.day, seq=proof.seq)
    if not verify(tree.sig, tree.statement):
        raise CorruptError("proof.signature", day=tree.day)


def proof_bytes(proof: ReceiptProof) -> bytes:
    """The proof as canonical JSON."""
    tree = proof.tree
    return canonical_bytes(
        {
            "v": PROOF_VERSION,
            "stream": proof.stream,
            "seq": proof.seq,
            "prev": proof.prev.hex(),
            "body": proof.body.decode(),
            "links": _texts(proof.links),
            "index": proof.index,
            "path": _texts(proof.path),
            "tree": {
                "day": tree.day,
                "size": tree.size,
                "root": tree.root.hex(),
                "previous": tree.previous.hex(),
                "sig": tree.sig.hex(),
            },
        }
    )


def read_proof(data: bytes) -> ReceiptProof:
    """Read a proof; RefusedError `proof.form` when it is none, `proof.too_large`."""
    if len(data) > PROOF_BYTES_MAX:
        raise RefusedError("proof.too_large", size=len(data), limit=PROOF_BYTES_MAX)
    try:
        return _proof_of(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError("proof.form") from None


def _proof_of(raw: dict[str, Any]) -> ReceiptProof:
    if raw["v"] != PROOF_VERSION or not is_hex(raw["stream"], STREAM_BYTES):
        raise ValueError
    if len(raw["links"]) > LINKS_MAX or len(raw["path"]) > PATH_MAX:
        raise ValueError
    return ReceiptProof(
        stream=raw["stream"],
        seq=_number(raw["seq"]),
        prev=_bytes(raw["prev"]),
        body=raw["body"].encode(),
        links=tuple(map(_bytes, raw["links"])),
        index=_number(raw["index"]),
        path=tuple(map(_bytes, raw["path"])),
        tree=_tree_of(raw["tree"]),
    )


def _tree_of(raw: dict[str, Any]) -> TreeHead:
    day = raw["day"]
    if not isinstance(day, str):
        raise TypeError
    return TreeHead(
        day,
        _number(raw["size"]),
        _bytes(raw["root"]),
        _bytes(raw["previous"]),
        _bytes(raw["sig"], SIGNATURE_BYTES),
    )


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _NUMBER_MAX - LINKS_MAX:
        raise ValueError
    return value


def _bytes(text: object, size: int = HASH_BYTES) -> bytes:
    if not is_hex(text, size):
        raise ValueError
    return bytes.fromhex(str(text))


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [each.hex() for each in hashes]
