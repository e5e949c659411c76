"""The daily tree over all stream heads: made, signed, proved from."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.archive import tree_store as store
from shared.journal.merkle import inclusion_path
from shared.journal.tree import TreeProof


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
