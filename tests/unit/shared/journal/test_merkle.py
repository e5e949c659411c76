"""Merkle trees against the vectors that implementations of RFC 6962 share, and against lies."""

from __future__ import annotations

import hashlib

import pytest

from shared.journal.merkle import (
    EMPTY_ROOT,
    inclusion_path,
    leaf_hash,
    merkle_root,
    root_of_path,
)

# The eight leaves and the roots over the first n of them that the Certificate Transparency
# projects test with.
LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# Paths from leaf `index` of the first `size`, lowest first.
PATHS = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def recursive_root(leaves: tuple[bytes, ...]) -> bytes:
    """Section 2.1 of the RFC word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    halves = recursive_root(leaves[:split]) + recursive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_shared_vectors(size: int) -> None:
    assert merkle_root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_paths_are_those_of_the_shared_vectors(index: int, size: int) -> None:
    path = inclusion_path(LEAVES[:size], index)
    assert tuple(beside.hex() for beside in path) == PATHS[index, size]


def test_no_leaves_have_the_hash_of_nothing_as_root() -> None:
    assert merkle_root(()) == EMPTY_ROOT


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 100])
def test_any_size_agrees_with_the_definition_and_proves_every_leaf(size: int) -> None:
    leaves = tuple(n.to_bytes(2, "big") for n in range(size))
    root = merkle_root(leaves)
    assert root == recursive_root(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert root_of_path(leaf, index, size, path) == root


def test_a_path_proves_no_other_leaf_place_size_or_root() -> None:
    root = merkle_root(LEAVES)
    path = inclusion_path(LEAVES, 5)
    assert root_of_path(LEAVES[4], 5, 8, path) != root
    assert root_of_path(LEAVES[5], 4, 8, path) != root
    assert root_of_path(LEAVES[5], 5, 6, path) is None
    assert root_of_path(LEAVES[5], 5, 8, path[::-1]) != root
    assert root_of_path(LEAVES[5], 5, 8, path[:-1]) is None
    assert root_of_path(LEAVES[5], 5, 8, (*path, root)) is None
    assert root_of_path(LEAVES[5], 8, 8, path) is None


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    node = leaf_hash(LEAVES[0]) + leaf_hash(LEAVES[1])
    assert leaf_hash(node) != merkle_root(LEAVES[:2])
