"""What lies in the archive: read back as it was written, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.archive import packing
from cloud.archive.objects import FileObjects
from cloud.archive.packing import fetch, fetch_sized, kind_of, pack, peek
from cloud.archive.register import Register, parse_register, register_lines
from cloud.archive.tree import flaw_of_tree, parse_tree, tree_lines
from cloud.archive.tree_store import Leaf, Tree
from cloud.signing import HqKey
from shared.journal.merkle import merkle_root
from shared.journal.tree import NO_TREE_BEFORE, TreeHead
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError

KEY = HqKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
PUB = bytes.fromhex(KEY.public_hex)
LEAVES = [Leaf(bytes((n,)) * 16, n, sha256(bytes((n,)))) for n in range(4)]
HEAD = TreeHead(
    n=0,
    day="2017-08-07",
    at_ms=1_502_150_400_000,
    inc="7-1",
    size=len(LEAVES),
    root=merkle_root([leaf.data for leaf in LEAVES]),
    prev=NO_TREE_BEFORE,
)
TREE = Tree(HEAD, KEY.sign(HEAD.statement), PUB, "name")
REGISTER = Register(7, {"store": [{"store_id": "17"}], "device": [], "stream": []})


def test_packed_lines_come_back_and_have_one_name(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path)
    lines = b'{"kind":"tree"}\n' + b"x" * 100_000
    name = objects.put(pack(lines))
    assert name == objects.put(pack(lines))
    assert fetch(objects, name) == lines
    assert fetch_sized(objects, name)[1] == objects.size(name)
    assert peek(objects, name) == b'{"kind":"tree"}'
    assert kind_of(peek(objects, name)) == "tree"


def test_an_object_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = FileObjects(tmp_path)
    with pytest.raises(MissingError):
        fetch(objects, "0" * 64)
    raw = objects.put(b"no frame")
    for read in (fetch, peek):
        with pytest.raises(CorruptError, match=r"archive\.bytes"):
            read(objects, raw)
    bomb = objects.put(zstandard.compress(bytes(1 << 20)))
    monkeypatch.setattr(packing, "LINES_BYTES_MAX", 1 << 16)
    for read in (fetch, peek):
        with pytest.raises(CorruptError, match=r"archive\.bytes"):
            read(objects, bomb)


@pytest.mark.parametrize("line", [b"", b"[1]", b'{"kind":7}', b"{}", b"\xff", b"[" * 5000])
def test_a_line_without_a_kind_is_of_no_kind(line: bytes) -> None:
    assert kind_of(line) == ""


def test_a_register_comes_back_only_with_head_offices_signature() -> None:
    lines = register_lines(REGISTER, KEY)
    assert parse_register(lines, PUB) == REGISTER
    with pytest.raises(CorruptError, match=r"register\.signature"):
        parse_register(lines.replace(b'"17"', b'"18"'), PUB)
    with pytest.raises(CorruptError, match=r"register\.signature"):
        parse_register(lines, bytes(32))
    for broken in (b"", b"{}\n{}", b"null\nnull"):
        with pytest.raises(CorruptError, match=r"register\.form"):
            parse_register(broken, PUB)


def test_a_tree_comes_back_with_its_leaves() -> None:
    lines = tree_lines(HEAD, TREE.sig, PUB, LEAVES)
    assert parse_tree(lines, "name") == (TREE, LEAVES)
    assert flaw_of_tree(TREE, LEAVES, None) is None


@pytest.mark.parametrize(
    "change",
    [
        (b'"kind":"tree"', b'"kind":"tree'),
        (b'"seq":2', b'"seq":2.0'),
        (b'"seq":2', b'"sek":2'),
        (b'"size":4', b'"size":-4'),
    ],
)
def test_a_tree_that_was_written_otherwise_is_refused(change: tuple[bytes, bytes]) -> None:
    lines = tree_lines(HEAD, TREE.sig, PUB, LEAVES).replace(*change)
    with pytest.raises(CorruptError, match=r"tree\.form"):
        parse_tree(lines, "name")


def test_each_part_of_a_tree_holds_the_others() -> None:
    def flaw(head: TreeHead, leaves: list[Leaf] = LEAVES, before: Tree | None = None) -> str | None:
        return flaw_of_tree(Tree(head, KEY.sign(head.statement), PUB, ""), leaves, before)

    second = replace(HEAD, n=1, prev=sha256(HEAD.statement))
    assert flaw(second, before=TREE) is None
    assert flaw(second) == "tree.number"
    assert flaw(replace(second, n=2), before=TREE) == "tree.number"
    assert flaw(replace(second, prev=HEAD.prev), before=TREE) == "tree.prev"
    assert flaw(HEAD, LEAVES[:-1]) == "tree.root"
    assert flaw(HEAD, [*LEAVES[:-1], replace(LEAVES[-1], seq=9)]) == "tree.root"
    assert flaw_of_tree(replace(TREE, sig=bytes(64)), LEAVES, None) == "tree.signature"


def test_the_first_line_of_a_register_tells_nothing_but_who_signed() -> None:
    header = json.loads(register_lines(REGISTER, KEY).split(b"\n")[0])
    assert header.keys() == {"kind", "v", "hq_pub", "sig"}
