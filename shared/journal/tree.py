"""The day's tree: one signed root over the heads of all streams, and the proof of one head in it.

Headquarters signs the root and names in it the statement before, so it cannot rewrite last month
either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.journal.merkle import root_of_path
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex

TREE_TAG = b"tbt1"
TREE_VERSION = 1
HASH_BYTES = 32
NO_TREE_BEFORE = bytes(HASH_BYTES)
"""`prev` of the first tree."""
PATH_MAX = 64


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Tree `n` (from 0) over `size` stream heads as they were at `at_ms` (UTC).

    `day` is the UTC date (ISO) that it closes, `inc` the life of the database that it was made
    from, `prev` the SHA-256 of the statement of tree `n` - 1.
    """

    n: int
    day: str
    at_ms: int
    inc: str
    size: int
    root: bytes
    prev: bytes

    @property
    def statement(self) -> bytes:
        """What headquarters signs."""
        return TREE_TAG + canonical_bytes(tree_head_fields(self))


@dataclass(frozen=True, slots=True)
class TreeProof:
    """That entry `leaf_seq` of a stream, with `leaf_hash`, was its head when `head` was signed.

    `index` is the leaf's place, `path` leads from it to the root, lowest first.
    """

    head: TreeHead
    sig: bytes
    hq_pub: bytes
    leaf_seq: int
    leaf_hash: bytes
    index: int
    path: tuple[bytes, ...]

    def proves(self, stream: str) -> bool:
        """Whether the path leads from that stream's (hex) leaf to the root.

        The signature is the caller's to check: `sig` of `head.statement` by `hq_pub`.
        """
        leaf = leaf_of(stream, self.leaf_seq, self.leaf_hash)
        return root_of_path(leaf, self.index, self.head.size, self.path) == self.head.root


def leaf_of(stream: str, seq: int, entry_hash: bytes) -> bytes:
    """The bytes of a leaf: entry `seq` is the head of a stream (hex)."""
    return canonical_bytes({"stream": stream, "seq": seq, "hash": entry_hash.hex()})


def tree_head_fields(head: TreeHead) -> dict[str, Any]:
    """JSON form of a tree's head."""
    return {
        "v": TREE_VERSION,
        "n": head.n,
        "day": head.day,
        "at": head.at_ms,
        "inc": head.inc,
        "size": head.size,
        "root": head.root.hex(),
        "prev": head.prev.hex(),
    }


def read_tree_head(raw: object) -> TreeHead:
    """Read the JSON form; RefusedError `tree.form`."""
    fields = _mapping(raw)
    try:
        head = TreeHead(
            n=fields["n"],
            day=fields["day"],
            at_ms=fields["at"],
            inc=fields["inc"],
            size=fields["size"],
            root=_bytes(fields["root"], HASH_BYTES),
            prev=_bytes(fields["prev"], HASH_BYTES),
        )
        texts, numbers = (head.day, head.inc), (head.n, head.at_ms, head.size)
        is_sound = fields["v"] == TREE_VERSION and all(type(text) is str for text in texts)
    except (KeyError, TypeError):
        raise RefusedError("tree.form") from None
    if not is_sound or not all(_is_count(number) for number in numbers):
        raise RefusedError("tree.form")
    return head


def proof_fields(proof: TreeProof) -> dict[str, Any]:
    """JSON form of a proof."""
    return {
        "head": tree_head_fields(proof.head),
        "sig": proof.sig.hex(),
        "hq_pub": proof.hq_pub.hex(),
        "seq": proof.leaf_seq,
        "hash": proof.leaf_hash.hex(),
        "index": proof.index,
        "path": [beside.hex() for beside in proof.path],
    }


def read_proof(raw: object) -> TreeProof:
    """Read the JSON form; RefusedError `tree.form`. Whether it proves anything is not asked."""
    fields = _mapping(raw)
    try:
        path = fields["path"]
        if type(path) is not list or len(path) > PATH_MAX:
            raise RefusedError("tree.form")
        proof = TreeProof(
            head=read_tree_head(fields["head"]),
            sig=_bytes(fields["sig"], 64),
            hq_pub=_bytes(fields["hq_pub"], 32),
            leaf_seq=fields["seq"],
            leaf_hash=_bytes(fields["hash"], HASH_BYTES),
            index=fields["index"],
            path=tuple(_bytes(beside, HASH_BYTES) for beside in path),
        )
    except KeyError:
        raise RefusedError("tree.form") from None
    if not _is_count(proof.leaf_seq) or not _is_count(proof.index):
        raise RefusedError("tree.form")
    return proof


def _mapping(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise RefusedError("tree.form")
    return raw


def _bytes(text: object, size: int) -> bytes:
    if not is_hex(text, size):
        raise RefusedError("tree.form")
    return bytes.fromhex(str(text))


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number < 1 << 63
