"""The daily tree over all stream heads: made, signed, archived, proved from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from cloud.archive import tree_store as store
from cloud.archive.objects import ObjectStore
from cloud.archive.packing import pack
from cloud.archive.register import read_register, register_lines
from cloud.archive.tree_store import Leaf, Tree
from cloud.db import Database, incarnation
from cloud.signing import HqKey, is_signed_by
from shared.journal.merkle import inclusion_path, merkle_root
from shared.journal.tree import (
    NO_TREE_BEFORE,
    TreeHead,
    TreeProof,
    leaf_of,
    read_tree_head,
    tree_head_fields,
)
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError, MissingError, RetailError

TREE_KIND = "tree"


def proof_of(connection: Connection, stream_id: bytes, seq: int) -> TreeProof | None:
    """That the first tree at or above entry `seq` of a stream holds what the stream was then.

    The chain from entry `seq` to the proof's `leaf_seq` is the caller's. None while no tree has
    been signed since the entry came.
    """
    found = store.covering_leaf(connection, stream_id, seq)
    if found is None:
        return None
    n, index, leaf_seq, leaf_hash = found
    tree = store.tree_at(connection, n)
    leaves = [leaf.data for leaf in store.leaves_of(connection, n)]
    path = inclusion_path(leaves, index)
    return TreeProof(tree.head, tree.sig, tree.hq_pub, leaf_seq, leaf_hash, index, path)


def due_day(connection: Connection, now_ms: int) -> str | None:
    """The finished UTC day (ISO) that wants its tree; None when there is none.

    Trees that were missed are not made up for: nobody knows the heads of then, and the next tree
    vouches for everything before it.
    """
    midnight = datetime.fromtimestamp(now_ms / 1000, UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    yesterday = (midnight - timedelta(days=1)).date().isoformat()
    newest = store.newest_tree(connection)
    if newest is not None:
        return yesterday if newest.head.day < yesterday else None
    is_older = store.is_older_than(connection, int(midnight.timestamp() * 1000))
    return yesterday if is_older else None


@dataclass(frozen=True, slots=True)
class TreeMaker:
    """Signs trees; one at a time, whoever runs it holds the archivist's lock."""

    database: Database
    objects: ObjectStore
    key: HqKey

    def make(self, day: str, now_ms: int, keep_until_ms: int) -> TreeHead:
        """Sign all heads of now as the tree of `day`; the register goes into the archive with it.

        The database has the tree before the archive does: were it the other way round, a crash
        between the two would leave a signed root in the archive that nobody knows, and a second
        one with its number. Raises UnavailableError when the archive is away; `keep` goes on then.
        """
        with self.database.begin() as connection:
            register = register_lines(read_register(connection, now_ms), self.key)
            before = store.newest_tree(connection)
            leaves = store.heads(connection)
            inc = incarnation(connection)
        head = TreeHead(
            n=0 if before is None else before.head.n + 1,
            day=day,
            at_ms=now_ms,
            inc=inc,
            size=len(leaves),
            root=merkle_root([leaf.data for leaf in leaves]),
            prev=NO_TREE_BEFORE if before is None else sha256(before.head.statement),
        )
        self.objects.put(pack(register), keep_until_ms)
        sig, pub = self.key.sign(head.statement), bytes.fromhex(self.key.public_hex)
        packed = pack(tree_lines(head, sig, pub, leaves))
        tree = Tree(head, sig, pub, sha256(packed).hex())
        with self.database.begin() as connection:
            store.add_tree(connection, tree, leaves)
        self.objects.put(packed, keep_until_ms)
        return head

    def keep(self, keep_until_ms: int) -> None:
        """Put the newest tree into the archive, unless it is there; raises as `make`."""
        with self.database.begin() as connection:
            tree = store.newest_tree(connection)
        if tree is None:
            return
        try:
            self.objects.size(tree.object)
        except MissingError:
            with self.database.begin() as connection:
                leaves = store.leaves_of(connection, tree.head.n)
            lines = tree_lines(tree.head, tree.sig, tree.hq_pub, leaves)
            self.objects.put(pack(lines), keep_until_ms)


def tree_lines(head: TreeHead, sig: bytes, hq_pub: bytes, leaves: Sequence[Leaf]) -> bytes:
    """The form of a tree in the archive: its signed head, then a line for each leaf."""
    header = {
        "kind": TREE_KIND,
        "v": 1,
        "head": tree_head_fields(head),
        "sig": sig.hex(),
        "hq_pub": hq_pub.hex(),
    }
    return b"\n".join((canonical_bytes(header), *(leaf.data for leaf in leaves)))


def parse_tree(lines: bytes, name: str) -> tuple[Tree, list[Leaf]]:
    """Read what `tree_lines` wrote; CorruptError `tree.form`."""
    header, *rest = lines.split(b"\n")
    try:
        raw = json.loads(header)
        sig, hq_pub = bytes.fromhex(raw["sig"]), bytes.fromhex(raw["hq_pub"])
        tree = Tree(read_tree_head(raw["head"]), sig, hq_pub, name)
        leaves = [_leaf(line) for line in rest]
    except (ValueError, KeyError, TypeError, RetailError):
        raise CorruptError("tree.form") from None
    return tree, leaves


def flaw_of_tree(tree: Tree, leaves: Sequence[Leaf], before: Tree | None) -> str | None:
    """What is wrong with a tree by itself and towards the one before it; None for nothing."""
    head = tree.head
    if head.n != (0 if before is None else before.head.n + 1):
        return "tree.number"
    if head.prev != (NO_TREE_BEFORE if before is None else sha256(before.head.statement)):
        return "tree.prev"
    if head.size != len(leaves) or merkle_root([leaf.data for leaf in leaves]) != head.root:
        return "tree.root"
    if not is_signed_by(tree.hq_pub, tree.sig, head.statement):
        return "tree.signature"
    return None


def _leaf(line: bytes) -> Leaf:
    raw = json.loads(line)
    leaf = Leaf(bytes.fromhex(raw["stream"]), raw["seq"], bytes.fromhex(raw["hash"]))
    if leaf_of(raw["stream"], leaf.seq, leaf.hash) != line:
        raise ValueError
    return leaf
