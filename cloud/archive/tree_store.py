"""SQL of the daily trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import driver
from shared.journal.tree import TreeHead, leaf_of

_TREE = "n, day::text, at_ms, inc, size, root, prev, sig, hq_pub, object"
NEWEST = f"SELECT {_TREE} FROM tree ORDER BY n DESC LIMIT 1"  # noqa: S608 - constants only
ONE = f"SELECT {_TREE} FROM tree WHERE n = %s"  # noqa: S608 - constants
ALL = f"SELECT {_TREE} FROM tree ORDER BY n"  # noqa: S608 - constants
ADD = """
INSERT INTO tree (n, day, at_ms, inc, size, root, prev, sig, hq_pub, object)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
ADD_LEAVES = "COPY tree_leaf (n, i, stream_id, seq, hash) FROM STDIN"
LEAVES = "SELECT stream_id, seq, hash FROM tree_leaf WHERE n = %s ORDER BY i"
COVERING = """
SELECT n, i, seq, hash FROM tree_leaf WHERE stream_id = %s AND seq >= %s
ORDER BY seq, n LIMIT 1"""
HEADS = "SELECT stream_id, head_seq, head_hash FROM stream WHERE head_seq >= 0 ORDER BY stream_id"

STRANGER = """
SELECT EXISTS (SELECT FROM tree_leaf l
    LEFT JOIN stream s ON s.stream_id = l.stream_id
    LEFT JOIN entry e ON e.stream_id = s.stream_id AND e.store_id = s.store_id AND e.seq = l.seq
    WHERE l.n = %s AND e.hash IS DISTINCT FROM l.hash)"""
OLDER = "SELECT EXISTS (SELECT FROM device WHERE created_at_ms < %s)"


@dataclass(frozen=True, slots=True)
class Leaf:
    """The head of one stream in a tree."""

    stream_id: bytes
    seq: int
    hash: bytes

    @property
    def data(self) -> bytes:
        """What the tree is made of."""
        return leaf_of(self.stream_id.hex(), self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Tree:
    """A signed tree as stored; `object` names its copy in the archive."""

    head: TreeHead
    sig: bytes
    hq_pub: bytes
    object: str


def newest_tree(connection: Connection) -> Tree | None:
    """The tree that was signed last."""
    found = driver(connection).execute(NEWEST).fetchone()
    return None if found is None else _tree(found)


def tree_at(connection: Connection, n: int) -> Tree:
    """Tree number n, which is there."""
    found = driver(connection).execute(ONE, (n,)).fetchone()
    assert found is not None, "the leaf's foreign key names its tree"
    return _tree(found)


def trees(connection: Connection) -> Iterator[Tree]:
    """All trees, oldest first."""
    return map(_tree, driver(connection).execute(ALL).fetchall())


def leaves_of(connection: Connection, n: int) -> list[Leaf]:
    """The leaves of a tree in their order."""
    rows = driver(connection).execute(LEAVES, (n,), binary=True)
    return [Leaf(bytes(stream), seq, bytes(found)) for stream, seq, found in rows]


def covering_leaf(
    connection: Connection, stream_id: bytes, seq: int
) -> tuple[int, int, int, bytes] | None:
    """Tree, place, sequence number and hash of the first leaf at or above entry `seq`."""
    found = driver(connection).execute(COVERING, (stream_id, seq)).fetchone()
    return None if found is None else (found[0], found[1], found[2], bytes(found[3]))


def heads(connection: Connection) -> list[Leaf]:
    """The heads of all streams that have an entry, ordered by stream."""
    rows = driver(connection).execute(HEADS, binary=True)
    return [Leaf(bytes(stream), seq, bytes(found)) for stream, seq, found in rows]


def has_stranger(connection: Connection, n: int) -> bool:
    """Whether a leaf of tree n names an entry that is not stored like this."""
    found = driver(connection).execute(STRANGER, (n,)).fetchone()
    return found is not None and bool(found[0])


def is_older_than(connection: Connection, at_ms: int) -> bool:
    """Whether a box was enrolled before an instant (UTC ms)."""
    found = driver(connection).execute(OLDER, (at_ms,)).fetchone()
    return found is not None and bool(found[0])


def add_tree(connection: Connection, tree: Tree, leaves: Sequence[Leaf]) -> None:
    """Keep a signed tree."""
    head, below = tree.head, driver(connection)
    values = (head.n, head.day, head.at_ms, head.inc, head.size, head.root, head.prev)
    below.execute(ADD, (*values, tree.sig, tree.hq_pub, tree.object))
    with below.cursor() as cursor, cursor.copy(ADD_LEAVES) as copy:
        for i, leaf in enumerate(leaves):
            copy.write_row((head.n, i, leaf.stream_id, leaf.seq, leaf.hash))


def _tree(row: Sequence[Any]) -> Tree:
    n, day, at_ms, inc, size, root, prev, sig, hq_pub, name = row
    head = TreeHead(n, day, at_ms, inc, size, bytes(root), bytes(prev))
    return Tree(head, bytes(sig), bytes(hq_pub), name)
